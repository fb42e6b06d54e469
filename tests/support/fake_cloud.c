/* Calls on their way, and what the provider makes of them. */

#include "support/fake_cloud.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LATENCY_MS 100

/* What a call asked for; it may outlive the call. */
struct fake_cloud_ask {
    enum cloud_verb verb;
    int64_t host_id;
    char token[CLOUD_TOKEN_SIZE];
    uint8_t user_data[TEXT_SHA256_SIZE];
    char type[64];
    char name[64]; /* of the host, or the machine's id */
    char cluster[64];
    int64_t pool_id;
    struct pool_machine machine; /* of the pool's types; its name is not used */
    bool known;                  /* the pool has that type */
};

struct fake_cloud_call {
    struct fake_cloud *fake;
    struct cloud_call *call; /* NULL: nobody waits any more */
    struct fake_cloud_ask ask;
    struct fake_cloud_fate fate;
    bool cancelled;
    struct clock_timer timer;
    struct list_node node;
};

struct fake_cloud {
    struct cloud_port port;
    const struct clock_port *clock;
    struct fake_vms vms;
    struct list calls;
    struct fake_cloud_rule rules[FAKE_CLOUD_RULES_MAX];
    int left[FAKE_CLOUD_RULES_MAX];
    size_t rule_count;
    struct fake_cloud_fate (*hook)(void *cookie, const struct cloud_call *call);
    void *cookie;
    struct fake_quota quota;
    uint64_t aliens_touched;
    struct cloud_tally tally[CLOUD_VERB_COUNT];
};

static void fake_cloud_start(void *self, struct cloud_call *call);
static void fake_cloud_cancel(void *self, struct cloud_call *call);
static const struct cloud_tally *fake_cloud_tally(void *self, size_t *ret_count);
static void fake_cloud_on_timer(struct clock_timer *timer);

struct fake_cloud *
fake_cloud_new(const struct clock_port *clock, struct fake_docker *docker)
{
    struct fake_cloud *fake = mem_new0(sizeof(*fake));

    fake->port = (struct cloud_port){
        .self = fake,
        .start = fake_cloud_start,
        .cancel = fake_cloud_cancel,
        .tally = fake_cloud_tally,
    };
    for (int i = 0; i < CLOUD_VERB_COUNT; i++)
        fake->tally[i].action = cloud_verb_name((enum cloud_verb)i);
    fake->clock = clock;
    fake_quota_init(&fake->quota, clock);
    list_init(&fake->calls);
    fake_vm_init(&fake->vms, clock, docker);
    return fake;
}

static void
fake_cloud_call_free(struct fake_cloud_call *fc)
{
    fc->fake->clock->timer_clear(fc->fake->clock->self, &fc->timer);
    list_remove(&fc->fake->calls, &fc->node);
    mem_free(fc);
}

void
fake_cloud_free(struct fake_cloud *fake)
{
    struct list_node *node;

    if (!fake)
        return;
    while ((node = list_first(&fake->calls)))
        fake_cloud_call_free(CONTAINER_OF(node, struct fake_cloud_call, node));
    fake_vm_fini(&fake->vms);
    mem_free(fake);
}

const struct cloud_port *
fake_cloud_port(struct fake_cloud *fake)
{
    return &fake->port;
}

void
fake_cloud_restart(struct fake_cloud *fake)
{
    for (struct list_node *n = list_first(&fake->calls); n; n = list_next(&fake->calls, n))
        CONTAINER_OF(n, struct fake_cloud_call, node)->call = NULL;
}

size_t
fake_cloud_pending(const struct fake_cloud *fake)
{
    size_t count = 0;

    for (struct list_node *n = list_first(&fake->calls); n; n = list_next(&fake->calls, n))
        count += CONTAINER_OF(n, struct fake_cloud_call, node)->call != NULL;
    return count;
}

/* --- What goes wrong ------------------------------------------------------------------------ */

struct fake_cloud_fate
fake_cloud_fate_usual(void)
{
    return (struct fake_cloud_fate){
        .how.latency_ms = LATENCY_MS,
        .life = { .hidden_ms = FAKE_CLOUD_HIDDEN_MS,
                  .boot_ms = FAKE_CLOUD_BOOT_MS,
                  .stop_ms = FAKE_CLOUD_STOP_MS },
    };
}

void
fake_cloud_rule_add(struct fake_cloud *fake, const struct fake_cloud_rule *rule)
{
    assert(fake->rule_count < FAKE_CLOUD_RULES_MAX);
    fake->left[fake->rule_count] = rule->nth;
    fake->rules[fake->rule_count++] = *rule;
}

void
fake_cloud_rules_clear(struct fake_cloud *fake)
{
    fake->rule_count = 0;
}

void
fake_cloud_fate(struct fake_cloud *fake,
                struct fake_cloud_fate (*fate)(void *cookie, const struct cloud_call *call),
                void *cookie)
{
    fake->hook = fate;
    fake->cookie = cookie;
}

static struct fake_cloud_fate
fake_cloud_decide(struct fake_cloud *fake, const struct cloud_call *call)
{
    for (size_t i = 0; i < fake->rule_count; i++) {
        const struct fake_cloud_rule *rule = &fake->rules[i];

        if (rule->verb >= 0 && rule->verb != (int)call->verb)
            continue;
        if (rule->type &&
            (call->verb != CLOUD_LAUNCH || strcmp(rule->type, call->in.launch.type) != 0))
            continue;
        if (rule->nth > 0 && --fake->left[i] != 0)
            continue;
        return rule->fate;
    }
    return fake->hook ? fake->hook(fake->cookie, call) : fake_cloud_fate_usual();
}

struct fake_quota *
fake_cloud_quota(struct fake_cloud *fake)
{
    return &fake->quota;
}

/* --- Calls ---------------------------------------------------------------------------------- */

static void
fake_cloud_ask(const struct cloud_call *call, struct fake_cloud_ask *ask)
{
    const struct pool_machine *types = call->pool->machines.at;
    const char *user_data;

    ask->verb = call->verb;
    ask->pool_id = call->pool->id;
    (void)snprintf(ask->cluster, sizeof(ask->cluster), "%s", call->cluster_id);
    if (call->verb != CLOUD_LAUNCH && call->verb != CLOUD_LIST && call->verb != CLOUD_FORGET)
        (void)snprintf(ask->name, sizeof(ask->name), "%s", call->in.id);
    if (call->verb != CLOUD_LAUNCH)
        return;
    assert(call->in.launch.token && call->in.launch.token[0]);
    ask->host_id = call->in.launch.host_id;
    (void)snprintf(ask->token, sizeof(ask->token), "%s", call->in.launch.token);
    user_data = call->in.launch.user_data ? call->in.launch.user_data : "";
    text_sha256(user_data, strlen(user_data), ask->user_data);
    (void)snprintf(ask->type, sizeof(ask->type), "%s", call->in.launch.type);
    (void)snprintf(ask->name, sizeof(ask->name), "%s", call->in.launch.host_name);
    for (size_t i = 0; i < call->pool->machines.count && !ask->known; i++) {
        ask->known = strcmp(types[i].type, ask->type) == 0;
        ask->machine = types[i];
    }
}

static void
fake_cloud_start(void *self, struct cloud_call *call)
{
    struct fake_cloud *fake = self;
    struct fake_cloud_call *fc = mem_new0(sizeof(*fc));

    assert(call->done && call->pool && (int)call->verb >= 0 && call->verb < CLOUD_VERB_COUNT);
    fc->fake = fake;
    fc->call = call;
    fake_cloud_ask(call, &fc->ask);
    fc->fate = fake_cloud_decide(fake, call);
    fc->timer.fire = fake_cloud_on_timer;
    call->adapter = fc;
    fake->tally[call->verb].calls++;
    list_push(&fake->calls, &fc->node);
    fake->clock->timer_set(fake->clock->self, &fc->timer,
                           fake->clock->mono_ms(fake->clock->self) + fc->fate.how.latency_ms);
}

static void
fake_cloud_cancel(void *self, struct cloud_call *call)
{
    struct fake_cloud *fake = self;
    struct fake_cloud_call *fc = call->adapter;

    if (fc->cancelled)
        return;
    fc->cancelled = true;
    fake->clock->timer_set(fake->clock->self, &fc->timer, fake->clock->mono_ms(fake->clock->self));
}

/* --- What the provider does ----------------------------------------------------------------- */

static struct fake_vm *
fake_cloud_by_token(struct fake_cloud *fake, const struct fake_cloud_ask *ask)
{
    int64_t since = fake->clock->mono_ms(fake->clock->self) - FAKE_CLOUD_TOKEN_MS;
    struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(&fake->vms, vm))) {
        if (vm->launched_mono_ms > since && strcmp(vm->token, ask->token) == 0)
            return vm;
    }
    return NULL;
}

static int
fake_cloud_refuse(struct fake_cloud *fake, const struct fake_cloud_ask *ask, struct fault *fault)
{
    if (!ask->known) {
        return fault_set(fault, FAULT_CLOUD_REFUSED, "fake.cloud",
                         "InvalidParameterValue: instance type %s", ask->type);
    }
    return fake_quota_check(&fake->quota, &fake->vms, ask->type, fault);
}

static int
fake_cloud_launch(struct fake_cloud *fake, const struct fake_cloud_call *fc,
                  struct cloud_machine *ret_machine, struct fault *fault)
{
    const struct fake_cloud_ask *ask = &fc->ask;
    struct fake_vm *vm = fake_cloud_by_token(fake, ask);

    if (vm && (strcmp(vm->type, ask->type) != 0 ||
               memcmp(vm->user_data, ask->user_data, sizeof(vm->user_data)) != 0))
        return fault_set(fault, FAULT_CLOUD_UNSURE, "fake.cloud", "IdempotentParameterMismatch");
    if (!vm) {
        if (fake_cloud_refuse(fake, ask, fault) < 0)
            return -1;
        vm = fake_vm_launch(&fake->vms, &fc->fate.life);
        memcpy(vm->token, ask->token, sizeof(vm->token));
        memcpy(vm->user_data, ask->user_data, sizeof(vm->user_data));
        memcpy(vm->type, ask->type, sizeof(vm->type));
        memcpy(vm->seen.type, vm->type, sizeof(vm->seen.type) - 1);
        memcpy(vm->name, ask->name, sizeof(vm->name));
        memcpy(vm->cluster, ask->cluster, sizeof(vm->cluster));
        fake_vm_pool_set(vm, ask->pool_id);
        vm->price_micro = ask->machine.price_micro;
        if (fc->fate.life.spot_micro > 0) {
            vm->price_micro = vm->seen.price_micro = fc->fate.life.spot_micro;
            vm->seen.spot = true;
        }
        vm->memory_bytes = ask->machine.memory_bytes;
        vm->cpus_milli = ask->machine.cpus_milli;
        vm->seen.host_id = ask->host_id;
    }
    *ret_machine = vm->seen;
    return 0;
}

static void
fake_cloud_list(struct fake_cloud *fake, const struct fake_cloud_call *fc,
                struct cloud_list *ret_list)
{
    const struct fake_cloud_ask *ask = &fc->ask;
    struct fake_vm *vm = NULL;
    size_t seen = 0;

    ret_list->complete = !fc->fate.incomplete;
    ret_list->at = mem_resize(NULL, fake->vms.list.count + 1, sizeof(*ret_list->at));
    while ((vm = fake_vm_next(&fake->vms, vm))) {
        bool ours = strcmp(vm->cluster, ask->cluster) == 0 && vm->pool_id == ask->pool_id;

        if (!ours || !fake_vm_is_listed(vm) || (fc->fate.incomplete && seen++ % 2 == 0))
            continue;
        ret_list->at[ret_list->count++] = vm->seen;
    }
}

/* A change of one machine. */
static int
fake_cloud_change(struct fake_cloud *fake, const struct fake_cloud_ask *ask, struct fault *fault)
{
    struct fake_vm *vm = fake_vm_by_id(&fake->vms, ask->name);

    if (vm && strcmp(vm->cluster, ask->cluster) != 0)
        fake->aliens_touched++;
    if (ask->verb == CLOUD_TERMINATE) {
        if (vm)
            fake_vm_terminate(vm);
        return 0;
    }
    if (!vm || !fake_vm_is_alive(vm))
        return fault_set(fault, FAULT_MACHINE_GONE, "fake.cloud", "there is no %s", ask->name);
    if (ask->verb == CLOUD_STOP && vm->seen.spot)
        return fault_set(fault, FAULT_CLOUD_REFUSED, "fake.cloud", "UnsupportedOperation");
    if (ask->verb == CLOUD_START && vm->seen.state == CLOUD_STOPPED &&
        fake_quota_check(&fake->quota, &fake->vms, vm->type, fault) < 0)
        return -1;
    if (!(ask->verb == CLOUD_STOP ? fake_vm_stop(vm) : fake_vm_start(vm)))
        return fault_set(fault, FAULT_CLOUD_FAILED, "fake.cloud", "IncorrectInstanceState");
    return 0;
}

/* What a machine's boot wrote; nothing before it began. */
static int
fake_cloud_console(struct fake_cloud *fake, const struct fake_cloud_ask *ask,
                   struct cloud_console *ret_console, struct fault *fault)
{
    struct fake_vm *vm = fake_vm_by_id(&fake->vms, ask->name);

    if (!vm)
        return fault_set(fault, FAULT_MACHINE_GONE, "fake.cloud", "there is no %s", ask->name);
    ret_console->text = vm->life.console ? vm->life.console : "";
    ret_console->len = strlen(ret_console->text);
    return 0;
}

static int
fake_cloud_do(struct fake_cloud *fake, const struct fake_cloud_call *fc, struct cloud_call *out,
              struct fault *fault)
{
    switch (fc->ask.verb) {
    case CLOUD_LAUNCH:
        return fake_cloud_launch(fake, fc, &out->out.machine, fault);
    case CLOUD_LIST:
        fake_cloud_list(fake, fc, &out->out.list);
        return 0;
    case CLOUD_CONSOLE:
        return fake_cloud_console(fake, &fc->ask, &out->out.console, fault);
    case CLOUD_FORGET:
        return fake_vm_forget(&fake->vms, fc->ask.pool_id, out->out.forgotten, fault);
    default:
        return fake_cloud_change(fake, &fc->ask, fault);
    }
}

/* Which fault it ends with, if the provider has no say in it. */
static struct fake_fate
fake_cloud_verdict(struct fake_cloud *fake, const struct fake_cloud_call *fc)
{
    struct fake_fate how = fc->fate.how;

    if (!fc->call)
        return (struct fake_fate){ .kind = FAULT_NONE };
    if (fc->cancelled) {
        how.kind = FAULT_CANCELLED;
        how.effect = FAKE_DONE;
    } else if (how.kind == FAULT_NONE && fake_quota_is_throttled(&fake->quota)) {
        how.kind = FAULT_CLOUD_THROTTLED;
    }
    return how;
}

/* The answer is given now; its effect comes later, to nobody. */
static void
fake_cloud_hold(struct fake_cloud *fake, const struct fake_cloud_call *fc, int64_t late_ms)
{
    struct fake_cloud_call *late = mem_new0(sizeof(*late));

    late->fake = fake;
    late->ask = fc->ask;
    late->fate = fc->fate;
    late->timer.fire = fake_cloud_on_timer;
    list_push(&fake->calls, &late->node);
    fake->clock->timer_set(fake->clock->self, &late->timer,
                           fake->clock->mono_ms(fake->clock->self) + late_ms);
}

static void
fake_cloud_on_timer(struct clock_timer *timer)
{
    struct fake_cloud_call *fc = CONTAINER_OF(timer, struct fake_cloud_call, timer);
    struct fake_cloud *fake = fc->fake;
    struct fake_fate how = fake_cloud_verdict(fake, fc);
    struct cloud_call *call = fc->call;
    struct cloud_call shadow = { .verb = fc->ask.verb };
    struct fault fault;
    int ret = 0;

    if (how.kind == FAULT_NONE || how.effect == FAKE_DONE) {
        ret = fake_cloud_do(fake, fc, &shadow, &fault);
    } else if (how.effect == FAKE_LATE) {
        fake_cloud_hold(fake, fc, how.late_ms);
    }
    fake_cloud_call_free(fc);
    if (how.kind != FAULT_NONE)
        ret = fault_set(&fault, how.kind, "fake.cloud", "made up");
    fake->tally[shadow.verb].failures += ret < 0;
    if (call) {
        memset(&call->out, 0, sizeof(call->out));
        if (ret == 0)
            call->out = shadow.out;
        call->adapter = NULL;
        call->done(call, ret < 0 ? &fault : NULL);
    }
    if (shadow.verb == CLOUD_LIST)
        mem_free(shadow.out.list.at);
}

/* --- Looking -------------------------------------------------------------------------------- */

const struct fake_vms *
fake_cloud_vms(const struct fake_cloud *fake)
{
    return &fake->vms;
}

struct fake_vm *
fake_cloud_alien_add(struct fake_cloud *fake)
{
    struct fake_vm_life life = fake_cloud_fate_usual().life;

    return fake_vm_launch(&fake->vms, &life);
}

uint64_t
fake_cloud_aliens_touched(const struct fake_cloud *fake)
{
    return fake->aliens_touched;
}

uint64_t
fake_cloud_calls(const struct fake_cloud *fake, enum cloud_verb verb)
{
    return fake->tally[verb].calls;
}

static const struct cloud_tally *
fake_cloud_tally(void *self, size_t *ret_count)
{
    struct fake_cloud *fake = self;

    *ret_count = CLOUD_VERB_COUNT;
    return fake->tally;
}

bool
fake_cloud_has_group(const struct fake_cloud *fake, const struct pool *pool)
{
    return idmap_find(&fake->vms.groups, pool->id) != NULL;
}

size_t
fake_cloud_alive(const struct fake_cloud *fake)
{
    struct fake_vm *vm = NULL;
    size_t alive = 0;

    while ((vm = fake_vm_next(&fake->vms, vm)))
        alive += vm->cluster[0] && fake_vm_is_alive(vm);
    return alive;
}

int64_t
fake_cloud_cost_micro(const struct fake_cloud *fake)
{
    struct fake_vm *vm = NULL;
    int64_t cost = 0;

    while ((vm = fake_vm_next(&fake->vms, vm)))
        cost += vm->cluster[0] ? fake_vm_cost_micro(vm) : 0;
    return cost;
}
