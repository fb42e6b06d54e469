/* The docker_port over machines in memory: who is asked what, when it is answered, what gets lost. */

#include "support/fake_docker.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/hash.h"
#include "berth/base/idmap.h"
#include "berth/base/rowtable.h"

#include "support/fake_call.h"
#include "support/fake_late.h"

#define DEADLINE_MS 30000

struct fake_host {
    struct fake_machine *machine;
    char cluster[64];
};

struct fake_docker {
    struct docker_port port;
    const struct clock_port *clock; /* NULL: by hand */
    struct list machines;
    struct rowtable machines_by_engine;
    struct idmap hosts;  /* struct fake_host */
    struct list pending; /* struct fake_call, oldest first */
    struct list streams; /* struct fake_call that were answered and go on */
    struct fake_lates lates;
    struct fake_fates fates;
    struct fake_records records;
    void (*on_start)(void *cookie, struct fake_machine *machine, struct fake_container *container);
    void *on_start_cookie;
};

static int fake_docker_host_set(void *self, int64_t host_id, const struct host_endpoint *endpoint,
                                const char *cluster_id, struct fault *fault);
static void fake_docker_host_forget(void *self, int64_t host_id);
static void fake_docker_call_start(void *self, struct docker_call *call);
static void fake_docker_call_cancel(void *self, struct docker_call *call);
static void fake_docker_call_pause(void *self, struct docker_call *call, bool paused);
static void fake_docker_on_timer(struct clock_timer *timer);
static void fake_docker_finish(struct fake_call *fc, enum fault_kind kind, enum fake_effect effect);

struct fake_docker *
fake_docker_new(const struct clock_port *clock)
{
    struct fake_docker *fake = mem_new0(sizeof(*fake));

    fake->port = (struct docker_port){
        .self = fake,
        .host_set = fake_docker_host_set,
        .host_forget = fake_docker_host_forget,
        .call_start = fake_docker_call_start,
        .call_cancel = fake_docker_call_cancel,
        .call_pause = fake_docker_call_pause,
    };
    fake->clock = clock;
    list_init(&fake->machines);
    list_init(&fake->pending);
    list_init(&fake->streams);
    fake_late_init(&fake->lates, clock);
    return fake;
}

void
fake_docker_restart(struct fake_docker *fake)
{
    fake_call_drop(&fake->pending);
    fake_call_drop(&fake->streams);
    IDMAP_EACH(&fake->hosts, struct fake_host, host)
    mem_free(host);
    idmap_fini(&fake->hosts);
}

void
fake_docker_free(struct fake_docker *fake)
{
    struct list_node *node;

    if (!fake)
        return;
    fake_docker_restart(fake);
    fake_late_fini(&fake->lates);
    rowtable_fini(&fake->machines_by_engine);
    while ((node = list_pop(&fake->machines)))
        fake_machine_free(CONTAINER_OF(node, struct fake_machine, node));
    fake_record_free(&fake->records);
    mem_free(fake);
}

const struct docker_port *
fake_docker_port(struct fake_docker *fake)
{
    return &fake->port;
}

static bool
fake_docker_is_machine(const struct rowtable_key *key, const void *row)
{
    const struct fake_machine *machine = row;

    return strcmp(machine->engine, key->what) == 0;
}

struct fake_machine *
fake_docker_machine(struct fake_docker *fake, const char *engine)
{
    const struct rowtable_key key = { hash_text(HASH_TEXT_START, engine, strlen(engine)),
                                      fake_docker_is_machine, engine };
    struct fake_machine *machine = rowtable_find(&fake->machines_by_engine, &key);

    if (machine)
        return machine;
    machine = fake_machine_new(engine);
    list_push(&fake->machines, &machine->node);
    rowtable_insert(&fake->machines_by_engine, key.hash, machine);
    return machine;
}

struct fake_machine *
fake_docker_machine_of(struct fake_docker *fake, int64_t host_id)
{
    const struct fake_host *host = idmap_find(&fake->hosts, host_id);

    return host ? host->machine : NULL;
}

static int
fake_docker_host_set(void *self, int64_t host_id, const struct host_endpoint *endpoint,
                     const char *cluster_id, struct fault *fault)
{
    struct fake_docker *fake = self;
    struct fake_host *host = idmap_find(&fake->hosts, host_id);

    if (!endpoint->engine || endpoint->engine[0] == '\0' ||
        fake_docker_machine(fake, endpoint->engine)->unset)
        return fault_set(fault, FAULT_INVALID, "fake.docker", "no endpoint");
    if (!host) {
        host = mem_new0(sizeof(*host));
        idmap_insert(&fake->hosts, host_id, host);
    }
    host->machine = fake_docker_machine(fake, endpoint->engine);
    (void)snprintf(host->cluster, sizeof(host->cluster), "%s", cluster_id);
    return 0;
}

static void
fake_docker_host_forget(void *self, int64_t host_id)
{
    struct fake_docker *fake = self;

    mem_free(idmap_remove(&fake->hosts, host_id));
}

void
fake_docker_rule_add(struct fake_docker *fake, const struct fake_rule *rule)
{
    fake_fate_rule_add(&fake->fates, rule);
}

void
fake_docker_rules_clear(struct fake_docker *fake)
{
    fake->fates.count = 0;
}

void
fake_docker_fate(struct fake_docker *fake,
                 struct fake_fate (*fate)(void *cookie, const struct docker_call *call),
                 void *cookie)
{
    fake->fates.hook = fate;
    fake->fates.cookie = cookie;
}

void
fake_docker_on_start(struct fake_docker *fake,
                     void (*hook)(void *cookie, struct fake_machine *machine,
                                  struct fake_container *container),
                     void *cookie)
{
    fake->on_start = hook;
    fake->on_start_cookie = cookie;
}

static void
fake_docker_call_start(void *self, struct docker_call *call)
{
    struct fake_docker *fake = self;
    struct fake_host *host = idmap_find(&fake->hosts, call->host_id);
    struct fake_call *fc = mem_new0(sizeof(*fc));
    int64_t deadline_ms = call->deadline_ms ? call->deadline_ms : DEADLINE_MS;

    assert(host && call->done && (int)call->verb >= 0 && call->verb < DOCKER_VERB_COUNT);
    fc->fake = fake;
    fc->clock = fake->clock;
    fc->call = call;
    fc->machine = host->machine;
    (void)snprintf(fc->cluster, sizeof(fc->cluster), "%s", host->cluster);
    call->adapter = fc;
    fake_record_add(&fake->records, call);
    fc->fate = fake_fate_decide(&fake->fates, fc->machine->engine, call);
    if (++fc->machine->in_flight > fc->machine->most_in_flight)
        fc->machine->most_in_flight = fc->machine->in_flight;
    if (call->verb == DOCKER_EVENTS && fc->fate.kind == FAULT_NONE && !fc->machine->unreachable) {
        fake_call_move(fc, &fake->streams, false);
        return;
    }
    fake_call_move(fc, &fake->pending, false);
    if (fake->clock)
        fc->deadline_mono_ms = fake->clock->mono_ms(fake->clock->self) + deadline_ms;
    fake_call_arm(fc, fake_docker_on_timer);
}

static void
fake_docker_call_cancel(void *self, struct docker_call *call)
{
    struct fake_docker *fake = self;
    struct fake_call *fc = call->adapter;

    if (fc->cancelled)
        return;
    fc->cancelled = true;
    /* A stream, too, is answered like any other call now: its done is still to come. */
    fake_call_move(fc, &fake->pending, true);
    fake_call_arm(fc, fake_docker_on_timer);
}

static void
fake_docker_call_pause(void *self, struct docker_call *call, bool paused)
{
    (void)self;
    (void)call;
    (void)paused;
}

static void
fake_docker_on_timer(struct clock_timer *timer)
{
    struct fake_call *fc = CONTAINER_OF(timer, struct fake_call, timer);
    const struct clock_port *clock = fc->fake->clock;

    if (fc->machine->hung && !fc->cancelled && clock->mono_ms(clock->self) < fc->deadline_mono_ms) {
        clock->timer_set(clock->self, &fc->timer, fc->deadline_mono_ms);
        return;
    }
    fake_docker_finish(fc, FAULT_NONE, FAKE_NOTHING);
}

/* What the engine does, with the hints and hooks that come of it. */
static int
fake_docker_do(struct fake_docker *fake, struct fake_machine *machine, const char *cluster,
               struct docker_call *call, struct fault *fault)
{
    static const char *const actions[DOCKER_VERB_COUNT] = { [DOCKER_CREATE] = "create",
                                                            [DOCKER_START] = "start",
                                                            [DOCKER_STOP] = "die",
                                                            [DOCKER_REMOVE] = "destroy" };
    const char *action = actions[call->verb];
    struct fake_container *c = action ? fake_machine_find(machine, call->name) : NULL;
    struct fake_container before = c ? *c : (struct fake_container){ .seen.state = -1 };
    int ret;

    machine->now_ms = fake->clock ? fake->clock->now_ms(fake->clock->self) : machine->now_ms;
    ret = fake_machine_do(machine, cluster, call, fault);
    if (ret < 0 || !action)
        return ret;
    c = fake_machine_find(machine, call->name);
    if (call->verb == DOCKER_REMOVE && before.cluster[0])
        fake_docker_hint(fake, machine, action, &before);
    if (c && c->seen.state != before.seen.state)
        fake_docker_hint(fake, machine, action, c);
    if (call->verb == DOCKER_START && c && c->seen.state != before.seen.state && fake->on_start)
        fake->on_start(fake->on_start_cookie, machine, c);
    return ret;
}

static void
fake_docker_finish(struct fake_call *fc, enum fault_kind kind, enum fake_effect effect)
{
    struct fake_fate fate = fake_call_verdict(fc);
    struct docker_call *call = fc->call;
    struct fault fault;
    int ret = 0;

    if (kind != FAULT_NONE) {
        fate.kind = kind;
        fate.effect = effect;
    }
    memset(&call->out, 0, sizeof(call->out));
    if (fate.kind == FAULT_NONE || fate.effect == FAKE_DONE) {
        ret = fake_docker_do(fc->fake, fc->machine, fc->cluster, call, &fault);
    } else if (fate.effect == FAKE_LATE) {
        fake_late_hold(&fc->fake->lates, fc->machine, fc->cluster, call, fate.late_ms);
    }
    if (fate.kind == FAULT_NONE && ret == 0 && fake_call_goes_on(fc)) {
        fake_call_move(fc, &fc->fake->streams, false);
        return;
    }
    if (fate.kind != FAULT_NONE) {
        fake_machine_done(call);
        memset(&call->out, 0, sizeof(call->out));
        ret = fault_set(&fault, fate.kind, "fake.docker", "made up: %s on %s",
                        docker_verb_name(call->verb), fc->machine->engine);
    }
    fake_call_end(fc, ret < 0 ? &fault : NULL);
}

size_t
fake_docker_pending(const struct fake_docker *fake)
{
    return fake->pending.count;
}

struct docker_call *
fake_docker_next(struct fake_docker *fake)
{
    struct fake_call *fc = fake_call_find(&fake->pending, -1);

    return fc ? fc->call : NULL;
}

void
fake_docker_answer(struct fake_docker *fake, struct docker_call *call, enum fault_kind kind,
                   enum fake_effect effect)
{
    struct fake_call *fc = call->adapter;

    assert(fc && fc->fake == fake && fc->call == call);
    fake_docker_finish(fc, kind, effect);
}

bool
fake_docker_answer_next(struct fake_docker *fake, const struct fault *fault)
{
    struct docker_call *call = fake_docker_next(fake);

    if (!call)
        return false;
    fake_docker_answer(fake, call, fault ? fault->kind : FAULT_NONE, FAKE_NOTHING);
    return true;
}

size_t
fake_docker_answer_all(struct fake_docker *fake)
{
    size_t count = 0;

    while (fake_docker_answer_next(fake, NULL))
        count++;
    return count;
}

void
fake_docker_hint(struct fake_docker *fake, struct fake_machine *machine, const char *action,
                 const struct fake_container *container)
{
    struct list_node *next;

    for (struct list_node *n = list_first(&fake->streams); n; n = next) {
        struct fake_call *fc = CONTAINER_OF(n, struct fake_call, node);

        next = list_next(&fake->streams, n);
        if (fc->machine == machine && fc->call->verb == DOCKER_EVENTS && fc->call->on_hint &&
            strcmp(fc->cluster, container->cluster) == 0)
            fc->call->on_hint(fc->call, action, &container->seen);
    }
}

static bool
fake_docker_follows(const struct fake_call *fc, const struct fake_container *container)
{
    return fc->call->verb == DOCKER_LOGS && (strcmp(fc->call->name, container->seen.name) == 0 ||
                                             strcmp(fc->call->name, container->seen.id) == 0);
}

/* Ends streams of @machine: all, or only those that follow @container's log. */
static void
fake_docker_streams_end(struct fake_docker *fake, const struct fake_machine *machine,
                        const struct fake_container *container, const struct fault *fault)
{
    struct list leaving; /* apart, because their ends may start new streams */
    struct list_node *next;

    list_init(&leaving);
    for (struct list_node *n = list_first(&fake->streams); n; n = next) {
        struct fake_call *fc = CONTAINER_OF(n, struct fake_call, node);

        next = list_next(&fake->streams, n);
        if (fc->machine == machine && (!container || fake_docker_follows(fc, container)))
            fake_call_move(fc, &leaving, false);
    }
    while (leaving.count > 0)
        fake_call_end(CONTAINER_OF(list_first(&leaving), struct fake_call, node), fault);
}

void
fake_docker_streams_break(struct fake_docker *fake, struct fake_machine *machine,
                          enum fault_kind kind)
{
    struct fault fault;

    (void)fault_set(&fault, kind, "fake.docker", "made up: the stream of %s broke",
                    machine->engine);
    fake_docker_streams_end(fake, machine, NULL, &fault);
}

void
fake_docker_crash(struct fake_docker *fake, struct fake_machine *machine,
                  struct fake_container *container, int32_t exit_code, bool oom_killed)
{
    machine->now_ms = fake->clock ? fake->clock->now_ms(fake->clock->self) : machine->now_ms;
    fake_machine_end(machine, container, exit_code, oom_killed);
    if (oom_killed)
        fake_docker_hint(fake, machine, "oom", container);
    fake_docker_hint(fake, machine, "die", container);
    fake_docker_streams_end(fake, machine, container, NULL);
}

size_t
fake_docker_late(struct fake_docker *fake)
{
    return fake_late_run(&fake->lates);
}

size_t
fake_docker_count(const struct fake_docker *fake, enum docker_verb verb)
{
    return fake_record_count(&fake->records, verb);
}

const struct fake_record *
fake_docker_records(const struct fake_docker *fake, size_t *ret_count)
{
    *ret_count = fake->records.count;
    return fake->records.at;
}

void
fake_docker_records_clear(struct fake_docker *fake)
{
    fake->records.count = 0;
}
