/* Calls on their way, and what the provider makes of them. */

#include "support/fake_cloud.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "support/fake_provider.h"

#define LATENCY_MS 100

struct fake_cloud_call {
    struct fake_cloud *fake;
    struct cloud_call *call; /* NULL: nobody waits any more */
    struct fake_cloud_ask ask;
    struct fake_cloud_fate fate;
    struct cloud_call early; /* its answer, when that was made before it is given */
    struct fault early_fault;
    int early_ret;
    bool is_early;
    bool cancelled;
    struct clock_timer timer;
    struct list_node node;
};

struct fake_cloud {
    struct cloud_port port;
    const struct clock_port *clock;
    struct fake_provider provider;
    struct list calls;
    struct fake_cloud_rule rules[FAKE_CLOUD_RULES_MAX];
    int left[FAKE_CLOUD_RULES_MAX];
    size_t rule_count;
    struct fake_cloud_fate (*hook)(void *cookie, const struct cloud_call *call);
    void *cookie;
    struct cloud_tally tally[CLOUD_VERB_COUNT];
};

static void fake_cloud_start(void *self, struct cloud_call *call);
static void fake_cloud_cancel(void *self, struct cloud_call *call);
static const struct cloud_tally *fake_cloud_tally(void *self, size_t *ret_count);
static int fake_cloud_do(const struct fake_cloud_call *fc, struct cloud_call *out,
                         struct fault *fault);
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
    fake_quota_init(&fake->provider.quota, clock);
    list_init(&fake->calls);
    fake->provider.clock = clock;
    fake_vm_init(&fake->provider.vms, clock, docker);
    return fake;
}

static void
fake_cloud_call_free(struct fake_cloud_call *fc)
{
    fc->fake->clock->timer_clear(fc->fake->clock->self, &fc->timer);
    list_remove(&fc->fake->calls, &fc->node);
    if (fc->is_early && fc->ask.verb == CLOUD_LIST)
        mem_free(fc->early.out.list.at);
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
    fake_vm_fini(&fake->provider.vms);
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
    return &fake->provider.quota;
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
    fc->is_early = fc->fate.first && fc->fate.how.kind == FAULT_NONE;
    if (fc->is_early)
        fc->early_ret = fake_cloud_do(fc, &fc->early, &fc->early_fault);
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

/* --- Answers ------------------------------------------------------------------------------------ */

static int
fake_cloud_do(const struct fake_cloud_call *fc, struct cloud_call *out, struct fault *fault)
{
    return fake_provider_do(&fc->fake->provider, &fc->ask, &fc->fate, out, fault);
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
    } else if (how.kind == FAULT_NONE && fake_quota_is_throttled(&fake->provider.quota)) {
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

    if (fc->is_early) {
        shadow.out = fc->early.out;
        fault = fc->early_fault;
        ret = fc->early_ret;
        fc->is_early = false;
    } else if (how.kind == FAULT_NONE || how.effect == FAKE_DONE) {
        ret = fake_cloud_do(fc, &shadow, &fault);
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
    return &fake->provider.vms;
}

struct fake_vm *
fake_cloud_alien_add(struct fake_cloud *fake)
{
    struct fake_vm_life life = fake_cloud_fate_usual().life;

    return fake_vm_launch(&fake->provider.vms, &life);
}

uint64_t
fake_cloud_aliens_touched(const struct fake_cloud *fake)
{
    return fake->provider.aliens_touched;
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
    return idmap_find(&fake->provider.vms.groups, pool->id) != NULL;
}

size_t
fake_cloud_alive(const struct fake_cloud *fake)
{
    struct fake_vm *vm = NULL;
    size_t alive = 0;

    while ((vm = fake_vm_next(&fake->provider.vms, vm)))
        alive += vm->cluster[0] && fake_vm_is_alive(vm);
    return alive;
}

int64_t
fake_cloud_cost_micro(const struct fake_cloud *fake)
{
    struct fake_vm *vm = NULL;
    int64_t cost = 0;

    while ((vm = fake_vm_next(&fake->provider.vms, vm)))
        cost += vm->cluster[0] ? fake_vm_cost_micro(vm) : 0;
    return cost;
}
