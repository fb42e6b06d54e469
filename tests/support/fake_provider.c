#include "support/fake_provider.h"

#include <string.h>

static struct fake_vm *
fake_provider_by_token(struct fake_provider *provider, const struct fake_cloud_ask *ask)
{
    int64_t since = provider->clock->mono_ms(provider->clock->self) - FAKE_CLOUD_TOKEN_MS;
    struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(&provider->vms, vm))) {
        if (vm->launched_mono_ms > since && strcmp(vm->token, ask->token) == 0)
            return vm;
    }
    return NULL;
}

static int
fake_provider_refuse(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                     struct fault *fault)
{
    if (!ask->known) {
        return fault_set(fault, FAULT_CLOUD_REFUSED, "fake.cloud",
                         "InvalidParameterValue: instance type %s", ask->type);
    }
    return fake_quota_check(&provider->quota, &provider->vms, ask->type, fault);
}

static int
fake_provider_launch(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                     const struct fake_cloud_fate *fate, struct cloud_machine *ret_machine,
                     struct fault *fault)
{
    struct fake_vm *vm = fake_provider_by_token(provider, ask);

    if (vm && (strcmp(vm->type, ask->type) != 0 ||
               memcmp(vm->user_data, ask->user_data, sizeof(vm->user_data)) != 0))
        return fault_set(fault, FAULT_CLOUD_UNSURE, "fake.cloud", "IdempotentParameterMismatch");
    if (vm && !fake_vm_is_alive(vm))
        return fault_set(fault, FAULT_MACHINE_GONE, "fake.cloud", "IdempotentInstanceTerminated");
    if (!vm) {
        if (fake_provider_refuse(provider, ask, fault) < 0)
            return -1;
        vm = fake_vm_launch(&provider->vms, &fate->life);
        memcpy(vm->token, ask->token, sizeof(vm->token));
        memcpy(vm->user_data, ask->user_data, sizeof(vm->user_data));
        memcpy(vm->type, ask->type, sizeof(vm->type));
        memcpy(vm->seen.type, vm->type, sizeof(vm->seen.type) - 1);
        memcpy(vm->name, ask->name, sizeof(vm->name));
        memcpy(vm->cluster, ask->cluster, sizeof(vm->cluster));
        fake_vm_pool_set(vm, ask->pool_id);
        vm->price_micro = ask->machine.price_micro;
        if (fate->life.spot_micro > 0) {
            vm->price_micro = vm->seen.price_micro = fate->life.spot_micro;
            vm->seen.spot = true;
        }
        vm->memory_bytes = ask->machine.memory_bytes;
        vm->cpus_milli = ask->machine.cpus_milli;
        vm->seen.host_id = vm->host_id = ask->host_id;
        vm->late = fate->how.effect == FAKE_LATE;
    }
    *ret_machine = vm->seen;
    return 0;
}

static void
fake_provider_list(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                   const struct fake_cloud_fate *fate, struct cloud_list *ret_list)
{
    struct fake_vm *vm = NULL;
    size_t seen = 0;
    uint32_t ours_count = 0;

    ret_list->complete = !fate->incomplete;
    ret_list->at = mem_resize(NULL, provider->vms.list.count + 1, sizeof(*ret_list->at));
    while ((vm = fake_vm_next(&provider->vms, vm))) {
        bool ours = strcmp(vm->cluster, ask->cluster) == 0 && vm->pool_id == ask->pool_id;

        if (!ours || !fake_vm_is_listed(vm) || ++ours_count == fate->misses ||
            (fate->incomplete && seen++ % 2 == 0))
            continue;
        ret_list->at[ret_list->count++] = vm->seen;
    }
}

/* The one that is named, as far as the provider can find it by now. */
static struct fake_vm *
fake_provider_find(struct fake_provider *provider, const struct fake_cloud_ask *ask)
{
    struct fake_vm *vm = fake_vm_by_id(&provider->vms, ask->name);

    if (vm && strcmp(vm->cluster, ask->cluster) != 0)
        provider->aliens_touched++;
    return vm && fake_vm_is_listed(vm) ? vm : NULL;
}

/* One that is not found counts as gone. */
static void
fake_provider_terminate(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                        const struct fake_cloud_fate *fate)
{
    struct fake_vm *vm = fake_provider_find(provider, ask);

    if (vm && !fate->forget)
        fake_vm_terminate(vm);
}

/* A change of one machine. */
static int
fake_provider_change(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                     struct fault *fault)
{
    struct fake_vm *vm = fake_provider_find(provider, ask);

    if (!vm || !fake_vm_is_alive(vm))
        return fault_set(fault, FAULT_MACHINE_GONE, "fake.cloud", "there is no %s", ask->name);
    if (ask->verb == CLOUD_STOP && vm->seen.spot)
        return fault_set(fault, FAULT_CLOUD_REFUSED, "fake.cloud", "UnsupportedOperation");
    if (ask->verb == CLOUD_START && vm->seen.state == CLOUD_STOPPED &&
        fake_quota_check(&provider->quota, &provider->vms, vm->type, fault) < 0)
        return -1;
    if (!(ask->verb == CLOUD_STOP ? fake_vm_stop(vm) : fake_vm_start(vm)))
        return fault_set(fault, FAULT_CLOUD_FAILED, "fake.cloud", "IncorrectInstanceState");
    return 0;
}

/* What a machine's boot wrote; nothing before it began. */
static int
fake_provider_console(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                      struct cloud_console *ret_console, struct fault *fault)
{
    struct fake_vm *vm = fake_vm_by_id(&provider->vms, ask->name);

    if (!vm)
        return fault_set(fault, FAULT_MACHINE_GONE, "fake.cloud", "there is no %s", ask->name);
    ret_console->text = vm->life.console ? vm->life.console : "";
    ret_console->len = strlen(ret_console->text);
    return 0;
}

int
fake_provider_do(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                 const struct fake_cloud_fate *fate, struct cloud_call *out, struct fault *fault)
{
    switch (ask->verb) {
    case CLOUD_LAUNCH:
        return fake_provider_launch(provider, ask, fate, &out->out.machine, fault);
    case CLOUD_LIST:
        fake_provider_list(provider, ask, fate, &out->out.list);
        return 0;
    case CLOUD_CONSOLE:
        return fake_provider_console(provider, ask, &out->out.console, fault);
    case CLOUD_FORGET:
        return fake_vm_forget(&provider->vms, ask->pool_id, out->out.forgotten, fault);
    case CLOUD_TERMINATE:
        fake_provider_terminate(provider, ask, fate);
        return 0;
    default:
        return fake_provider_change(provider, ask, fault);
    }
}
