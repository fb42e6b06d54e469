/* One timer a machine, for whatever happens to it next. */

#include "support/fake_vm.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LISTED_AFTER_END_MS 600000
#define HOUR_MS             3600000

static void fake_vm_on_timer(struct clock_timer *timer);

void
fake_vm_init(struct fake_vms *vms, const struct clock_port *clock, struct fake_docker *docker)
{
    *vms = (struct fake_vms){ .clock = clock, .docker = docker };
    list_init(&vms->list);
}

void
fake_vm_fini(struct fake_vms *vms)
{
    struct list_node *node;

    while ((node = list_pop(&vms->list))) {
        struct fake_vm *vm = CONTAINER_OF(node, struct fake_vm, node);

        vms->clock->timer_clear(vms->clock->self, &vm->timer);
        mem_free(vm);
    }
    idmap_fini(&vms->groups);
}

static int64_t
fake_vm_age_ms(const struct fake_vm *vm)
{
    return vm->vms->clock->mono_ms(vm->vms->clock->self) - vm->launched_mono_ms;
}

/* Whatever comes first of what its life holds from now on. */
static void
fake_vm_arm(struct fake_vm *vm)
{
    const struct clock_port *clock = vm->vms->clock;
    const int64_t ages[] = {
        vm->seen.state == CLOUD_PENDING ? vm->life.boot_ms : -1,
        vm->life.ends_ms > 0 && vm->life.notice && !vm->seen.notice
            ? vm->life.ends_ms - FAKE_VM_NOTICE_MS
            : -1,
        vm->life.ends_ms > 0 ? vm->life.ends_ms : -1,
    };
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
        if (ages[i] >= 0 && ages[i] < next)
            next = ages[i];
    }
    if (next < INT64_MAX)
        clock->timer_set(clock->self, &vm->timer, vm->launched_mono_ms + next);
}

struct fake_vm *
fake_vm_launch(struct fake_vms *vms, const struct fake_vm_life *life)
{
    struct fake_vm *vm = mem_new0(sizeof(*vm));

    vm->vms = vms;
    vm->life = *life;
    vm->launched_mono_ms = vms->clock->mono_ms(vms->clock->self);
    vm->seen.launched_at_ms = vms->clock->now_ms(vms->clock->self);
    vm->seen.state = CLOUD_PENDING;
    (void)snprintf(vm->seen.id, sizeof(vm->seen.id), "i-%017llx",
                   (unsigned long long)++vms->next_id);
    (void)snprintf(vm->seen.zone, sizeof(vm->seen.zone), "sim-1%c", (char)('a' + vms->next_id % 3));
    vm->timer.fire = fake_vm_on_timer;
    list_push(&vms->list, &vm->node);
    fake_vm_arm(vm);
    return vm;
}

void
fake_vm_pool_set(struct fake_vm *vm, int64_t pool_id)
{
    struct idmap *groups = &vm->vms->groups;

    vm->pool_id = pool_id;
    if (!idmap_find(groups, pool_id))
        idmap_insert(groups, pool_id, vm->vms);
}

int
fake_vm_forget(struct fake_vms *vms, int64_t pool_id, char ret_forgotten[CLOUD_FORGOTTEN_SIZE],
               struct fault *fault)
{
    struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        if (vm->pool_id == pool_id && fake_vm_is_alive(vm))
            return fault_set(fault, FAULT_CLOUD_FAILED, "fake.cloud", "DependencyViolation");
    }
    if (idmap_remove(&vms->groups, pool_id))
        (void)snprintf(ret_forgotten, CLOUD_FORGOTTEN_SIZE, "security group sg-1");
    return 0;
}

/* It does not count as stopped any more. */
static void
fake_vm_stopped_end(struct fake_vm *vm)
{
    if (vm->stopped_mono_ms > 0)
        vm->stopped_ms += vm->launched_mono_ms + fake_vm_age_ms(vm) - vm->stopped_mono_ms;
    vm->stopped_mono_ms = 0;
}

/* Nothing answers there any more, and what ran there is gone. */
static void
fake_vm_engine_end(struct fake_vm *vm)
{
    struct fake_machine *engine = STEAL(vm->engine);
    struct list_node *node;

    if (!engine)
        return;
    engine->unreachable = true;
    engine->hung = false;
    while ((node = list_pop(&engine->containers)))
        mem_free(CONTAINER_OF(node, struct fake_container, node));
    fake_docker_streams_break(vm->vms->docker, engine, FAULT_LOST);
}

static void
fake_vm_end(struct fake_vm *vm)
{
    fake_vm_stopped_end(vm);
    vm->seen.state = CLOUD_TERMINATED;
    vm->seen.address[0] = '\0';
    vm->ended_mono_ms = vm->launched_mono_ms + fake_vm_age_ms(vm);
    vm->vms->clock->timer_clear(vm->vms->clock->self, &vm->timer);
    fake_vm_engine_end(vm);
}

static void
fake_vm_boot(struct fake_vm *vm)
{
    unsigned long long number = strtoull(vm->seen.id + 2, NULL, 16) + ((uint64_t)vm->starts << 16);

    vm->seen.state = CLOUD_RUNNING;
    (void)snprintf(vm->seen.address, sizeof(vm->seen.address), "10.%llu.%llu.%llu",
                   number >> 16 & 255, number >> 8 & 255, number & 255);
    if (vm->prepared)
        (void)fake_vm_engine_start(vm);
}

static void
fake_vm_on_timer(struct clock_timer *timer)
{
    struct fake_vm *vm = CONTAINER_OF(timer, struct fake_vm, timer);
    int64_t age_ms = fake_vm_age_ms(vm);

    if (vm->halting) {
        vm->halting = false;
        vm->seen.state = CLOUD_STOPPED;
        vm->stopped_mono_ms = vm->launched_mono_ms + age_ms;
        fake_vm_arm(vm);
        return;
    }
    if (vm->seen.state == CLOUD_STOPPING || (vm->life.ends_ms > 0 && age_ms >= vm->life.ends_ms)) {
        fake_vm_end(vm);
        return;
    }
    if (vm->seen.state == CLOUD_PENDING && vm->life.boot_ms >= 0 && age_ms >= vm->life.boot_ms)
        fake_vm_boot(vm);
    if (vm->life.notice && vm->life.ends_ms > 0 && age_ms >= vm->life.ends_ms - FAKE_VM_NOTICE_MS)
        vm->seen.notice = true;
    fake_vm_arm(vm);
}

void
fake_vm_terminate(struct fake_vm *vm)
{
    const struct clock_port *clock = vm->vms->clock;

    if (vm->seen.state == CLOUD_TERMINATED || (vm->seen.state == CLOUD_STOPPING && !vm->halting))
        return;
    fake_vm_stopped_end(vm);
    vm->halting = false;
    vm->seen.state = CLOUD_STOPPING;
    fake_vm_engine_end(vm);
    clock->timer_set(clock->self, &vm->timer, clock->mono_ms(clock->self) + vm->life.stop_ms);
}

bool
fake_vm_stop(struct fake_vm *vm)
{
    const struct clock_port *clock = vm->vms->clock;

    if (vm->seen.state != CLOUD_RUNNING)
        return vm->halting || vm->seen.state == CLOUD_STOPPED;
    vm->seen.state = CLOUD_STOPPING;
    vm->seen.address[0] = '\0';
    vm->halting = true;
    vm->prepared = vm->prepared || vm->engine;
    fake_vm_engine_end(vm);
    clock->timer_set(clock->self, &vm->timer, clock->mono_ms(clock->self) + vm->life.stop_ms);
    return true;
}

bool
fake_vm_start(struct fake_vm *vm)
{
    if (vm->seen.state != CLOUD_STOPPED)
        return vm->seen.state == CLOUD_PENDING || vm->seen.state == CLOUD_RUNNING;
    fake_vm_stopped_end(vm);
    vm->seen.state = CLOUD_PENDING;
    vm->seen.launched_at_ms = vm->vms->clock->now_ms(vm->vms->clock->self);
    vm->life.boot_ms = fake_vm_age_ms(vm) + FAKE_VM_START_MS;
    vm->starts++;
    fake_vm_arm(vm);
    return true;
}

void
fake_vm_vanish(struct fake_vm *vm)
{
    if (fake_vm_is_alive(vm))
        fake_vm_end(vm);
}

struct fake_vm *
fake_vm_next(const struct fake_vms *vms, const struct fake_vm *vm)
{
    struct list_node *node = vm ? list_next(&vms->list, &vm->node) : list_first(&vms->list);

    return node ? CONTAINER_OF(node, struct fake_vm, node) : NULL;
}

struct fake_vm *
fake_vm_by_id(const struct fake_vms *vms, const char *id)
{
    struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        if (strcmp(vm->seen.id, id) == 0)
            return vm;
    }
    return NULL;
}

struct fake_vm *
fake_vm_by_address(const struct fake_vms *vms, const char *address)
{
    struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        if (vm->seen.state == CLOUD_RUNNING && strcmp(vm->seen.address, address) == 0)
            return vm;
    }
    return NULL;
}

bool
fake_vm_is_alive(const struct fake_vm *vm)
{
    return vm->seen.state != CLOUD_TERMINATED;
}

bool
fake_vm_is_listed(const struct fake_vm *vm)
{
    int64_t age_ms = fake_vm_age_ms(vm);

    if (!fake_vm_is_alive(vm))
        return vm->launched_mono_ms + age_ms < vm->ended_mono_ms + LISTED_AFTER_END_MS;
    return age_ms >= vm->life.hidden_ms;
}

/* An hour's price for each part of it: years of a dear machine must not overflow. */
static int64_t
fake_vm_cost_of(int64_t price_micro, int64_t passed_ms)
{
    return passed_ms / HOUR_MS * price_micro + passed_ms % HOUR_MS * price_micro / HOUR_MS;
}

int64_t
fake_vm_cost_ms(const struct fake_vm *vm)
{
    return fake_vm_is_alive(vm) ? fake_vm_age_ms(vm) : vm->ended_mono_ms - vm->launched_mono_ms;
}

static int64_t
fake_vm_stopped_ms(const struct fake_vm *vm)
{
    if (vm->stopped_mono_ms == 0)
        return vm->stopped_ms;
    return vm->stopped_ms + vm->launched_mono_ms + fake_vm_cost_ms(vm) - vm->stopped_mono_ms;
}

int64_t
fake_vm_run_micro(const struct fake_vm *vm)
{
    return fake_vm_cost_of(vm->price_micro, fake_vm_cost_ms(vm) - fake_vm_stopped_ms(vm));
}

int64_t
fake_vm_cost_micro(const struct fake_vm *vm)
{
    return fake_vm_run_micro(vm) +
           fake_vm_cost_of(vm->price_micro, fake_vm_stopped_ms(vm)) / FAKE_VM_DISK_SHARE;
}

struct fake_machine *
fake_vm_engine_start(struct fake_vm *vm)
{
    char engine[FAKE_NAME_SIZE];

    assert(vm->seen.state == CLOUD_RUNNING);
    (void)snprintf(engine, sizeof(engine), "tcp://%s:2376", vm->seen.address);
    if (!vm->engine) {
        vm->engine = fake_docker_machine(vm->vms->docker, engine);
        vm->engine->info.memory_bytes = vm->memory_bytes;
        vm->engine->info.cpus_milli = vm->cpus_milli;
    }
    return vm->engine;
}
