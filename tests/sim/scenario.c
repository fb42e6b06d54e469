#include "scenario.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S_MS          INT64_C(1000)
#define MACHINE_BYTES (256 * GIB) /* memory never decides */

enum { SETTLE_S = 3 };

static void
scenario_blueprint_put(struct scenario *s)
{
    sim_blueprint_put(&s->sim,
                      "{'name':'one','image':'web:1','memory_bytes':67108864,'pool':'cpu'}");
    if (s->sim.failed)
        fail_msg("%s: %s", s->sim.invariant, s->sim.why);
}

static void
scenario_pool_put(struct scenario *s, const char *name, bool shutdown)
{
    bool second = strcmp(name, "gpu") == 0;
    const struct pool_machine types[] = {
        { mem_strdup("small"), 100000, MACHINE_BYTES, 64000,
          second ? SCENARIO_SECOND_SLOTS : SCENARIO_SMALL },
        { mem_strdup("large"), 400000, MACHINE_BYTES, 64000,
          second ? SCENARIO_SECOND_SLOTS : SCENARIO_LARGE },
    };
    struct schema_array machines = { mem_dup(types, sizeof(types)), ARRAY_LEN(types) };
    struct pool_policy policy;
    const struct pool_request put = {
        .name = name,
        .provider = PROVIDER_EC2,
        .expect = -1,
        .policy = &policy,
        .machines = &machines,
    };
    struct pool *pool;
    struct fault fault;

    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    policy.free_slots = 4;
    policy.max_hosts = second ? SCENARIO_SECOND_MAX_HOSTS : SCENARIO_MAX_HOSTS;
    policy.host_lifetime_ms = SCENARIO_LIFETIME_S * S_MS;
    policy.host_lifetime_low_ms = 300 * S_MS;
    policy.error_threshold_milli = 5000;
    policy.actions_per_round = 1;
    policy.retire = RETIRE_WHEN_EMPTY;
    policy.life_from = LIFE_FROM_FIRST_USE;
    policy.machine_choice = CHOICE_BY_USE;
    policy.prepare_attempts = 6;
    policy.consolidate = false;
    policy.launches_per_hour = 0;
    policy.drain_deadline_ms = 0;
    policy.suspended_max_ms = 120 * S_MS;
    policy.shutdown = shutdown;
    if (engine_pool_put(s->sim.engine, &put, &pool, &fault) < 0)
        fail_msg("%s", fault.text);
    sim_turn_end(&s->sim);
}

struct scenario *
scenario_begin(uint64_t seed)
{
    struct scenario *s = mem_new0(sizeof(*s));

    sim_init_calm(&s->sim, seed);
    s->begin_ms = sim_mono(&s->sim);
    scenario_pool_put(s, "cpu", false);
    scenario_blueprint_put(s);
    return s;
}

void
scenario_drop(struct scenario *s)
{
    sim_fini(&s->sim);
    mem_free(s);
}

void
scenario_second(struct scenario *s)
{
    scenario_pool_put(s, "gpu", false);
}

void
scenario_shutdown(struct scenario *s, const char *pool)
{
    scenario_pool_put(s, pool, true);
}

/* --- Time --------------------------------------------------------------------------------------- */

int64_t
scenario_now_s(const struct scenario *s)
{
    return (sim_mono(&s->sim) - s->begin_ms) / S_MS;
}

static void
scenario_note(struct scenario *s, const struct host *host, const char *what, const char *type)
{
    struct scenario_step *step = &s->steps[s->step_count++];

    if (s->step_count == SCENARIO_STEPS_MAX)
        fail_msg("too much happens");
    step->at_s = scenario_now_s(s);
    (void)snprintf(step->text, sizeof(step->text), "%s %s%s%s", host->name, what,
                   type[0] ? " " : "", type);
}

static void
scenario_look_at(struct scenario *s, const struct host *host, struct scenario_seen *seen)
{
    bool spawned = host->state == HOST_SPAWNED && host->machine;
    bool leaves = host->remove_when_empty;

    if (seen->state != host->state && host->state != HOST_REMOVED) {
        scenario_note(s, host, host_state_name((enum host_state)host->state),
                      spawned ? host->machine->type : "");
    }
    if (leaves && !seen->leaves)
        scenario_note(s, host, "leaves", "");
    *seen = (struct scenario_seen){ .id = host->id, .state = host->state, .leaves = leaves };
}

/* What became of the hosts in this turn. */
static void
scenario_look(struct scenario *s)
{
    IDMAP_EACH(&engine_model(s->sim.engine)->hosts, struct host, host)
    {
        size_t i = 0;

        while (i < s->host_count && s->hosts[i].id != host->id)
            i++;
        if (i == SCENARIO_HOSTS_MAX)
            fail_msg("too many hosts");
        if (i == s->host_count)
            s->hosts[s->host_count++].state = -1;
        scenario_look_at(s, host, &s->hosts[i]);
    }
}

static void
scenario_run(struct scenario *s, int64_t until_mono_ms)
{
    sim_turn_end(&s->sim);
    scenario_look(s);
    while (!s->sim.failed && sim_turn(&s->sim, until_mono_ms))
        scenario_look(s);
    if (s->sim.failed) {
        sim_tail_print(&s->sim);
        fail_msg("seed %llu, %s: %s", (unsigned long long)s->sim.seed, s->sim.invariant,
                 s->sim.why);
    }
    if (sim_mono(&s->sim) < until_mono_ms)
        fake_clock_advance(s->sim.clock, until_mono_ms - sim_mono(&s->sim));
}

void
scenario_until(struct scenario *s, int64_t at_s)
{
    scenario_run(s, s->begin_ms + at_s * S_MS);
}

void
scenario_pass(struct scenario *s, int64_t s_more)
{
    scenario_run(s, sim_mono(&s->sim) + s_more * S_MS);
}

void
scenario_after_round(struct scenario *s)
{
    int64_t rounds = (scenario_now_s(s) - SCENARIO_ROUND_S) / SCENARIO_MINUTE_S;

    scenario_until(s, (rounds + 1) * SCENARIO_MINUTE_S + SCENARIO_ROUND_S);
}

/* The world goes on without it. */
void
scenario_down_until(struct scenario *s, int64_t at_s)
{
    int64_t until_mono_ms = s->begin_ms + at_s * S_MS;

    sim_kill(&s->sim, 0);
    while (fake_clock_next(s->sim.clock, until_mono_ms)) {
    }
    if (sim_mono(&s->sim) < until_mono_ms)
        fake_clock_advance(s->sim.clock, until_mono_ms - sim_mono(&s->sim));
    sim_start(&s->sim);
    scenario_look(s);
}

void
scenario_end(struct scenario *s)
{
    struct sim *sim = &s->sim;

    scenario_pass(s, 2 * (int64_t)SCENARIO_MINUTE_S);
    while (fake_store_pending(sim->store) > 0)
        (void)sim_turn(sim, INT64_MAX);
    sim_check_rest(sim);
    if (sim->failed)
        fail_msg("%s: %s", sim->invariant, sim->why);
}

/* --- Instances ---------------------------------------------------------------------------------- */

int64_t
scenario_launch(struct scenario *s, const char *pool)
{
    const struct instance_request request = {
        .blueprint = "one", .pool = pool, .owner = "ann", .count = 1
    };
    struct instance *instance;
    struct fault fault;

    if (engine_instances_create(s->sim.engine, &request, &instance, &fault) < 0)
        fail_msg("%s", fault.text);
    sim_promise(&s->sim, PROMISE_LAUNCH, instance->id);
    sim_turn_end(&s->sim);
    return instance->id;
}

const struct instance *
scenario_instance(struct scenario *s, int64_t id)
{
    const struct instance *instance = idmap_find(&engine_model(s->sim.engine)->instances, id);

    assert_non_null(instance);
    return instance;
}

static void
scenario_stop_one(struct scenario *s, struct instance *instance)
{
    struct fault fault;

    if (engine_instance_stop(s->sim.engine, instance, "asked to", &fault) < 0)
        fail_msg("%s", fault.text);
    sim_promise(&s->sim, PROMISE_STOP, instance->id);
}

void
scenario_stop(struct scenario *s, int64_t id)
{
    scenario_stop_one(s, idmap_find(&engine_model(s->sim.engine)->instances, id));
    sim_turn_end(&s->sim);
}

void
scenario_stop_all(struct scenario *s)
{
    IDMAP_EACH(&engine_model(s->sim.engine)->instances, struct instance, instance)
    {
        if (!instance_state_is_final((enum instance_state)instance->state))
            scenario_stop_one(s, instance);
    }
    sim_turn_end(&s->sim);
}

int64_t
scenario_run_one(struct scenario *s, const char *pool)
{
    int64_t id = scenario_launch(s, pool);

    scenario_pass(s, SETTLE_S);
    assert_string_equal(instance_state_name((enum instance_state)scenario_instance(s, id)->state),
                        "running");
    return id;
}

/* --- Hosts -------------------------------------------------------------------------------------- */

struct host *
scenario_host(struct scenario *s, const char *name)
{
    struct host *found = NULL;

    IDMAP_EACH(&engine_model(s->sim.engine)->hosts, struct host, host)
    {
        if (strcmp(host->name, name) == 0)
            found = host;
    }
    return found;
}

struct fake_machine *
scenario_engine(struct scenario *s, const char *name)
{
    const struct host *host = scenario_host(s, name);

    assert(host && host->endpoint.engine);
    return fake_docker_machine(s->sim.docker, host->endpoint.engine);
}

const char *
scenario_states(struct scenario *s, const char *pool)
{
    static char text[SCENARIO_TEXT_SIZE];
    size_t len = 0;

    text[0] = '\0';
    IDMAP_EACH(&engine_model(s->sim.engine)->hosts, struct host, host)
    {
        if (host->state == HOST_REMOVED || strcmp(host->pool->name, pool) != 0)
            continue;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " " : "",
                                host_state_name((enum host_state)host->state));
        assert_true(len < sizeof(text));
    }
    return text;
}

static void
scenario_print(const struct scenario *s, struct scenario_span span)
{
    for (size_t i = span.from; i < s->step_count; i++)
        print_error("%lld %s\n", (long long)(s->steps[i].at_s - span.base_s), s->steps[i].text);
}

void
scenario_expect(const struct scenario *s, struct scenario_span span,
                const struct scenario_expected *expected, size_t count)
{
    bool good = s->step_count - span.from == count;

    for (size_t i = 0; i < count && good; i++) {
        const struct scenario_step *step = &s->steps[span.from + i];
        int64_t at_s = step->at_s - span.base_s;

        good = strcmp(step->text, expected[i].text) == 0 && at_s >= expected[i].least_s &&
               at_s <= expected[i].most_s;
        if (!good) {
            print_error("expected: %s at %lld to %lld\n", expected[i].text,
                        (long long)expected[i].least_s, (long long)expected[i].most_s);
        }
    }
    if (good)
        return;
    scenario_print(s, span);
    fail_msg("seed %llu: %zu steps, not these %zu", (unsigned long long)s->sim.seed,
             s->step_count - span.from, count);
}

bool
scenario_is_full(struct scenario *s, const char *pool)
{
    const struct model *model = engine_model(s->sim.engine);
    struct json_out out;
    struct buf buf;
    bool full;

    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    engine_pool_plan(s->sim.engine, model_pool_find(model, pool), 1, &out);
    full = strstr(buf_text(&buf), "\"hold\":\"max_hosts\"") != NULL;
    buf_fini(&buf);
    return full;
}

bool
scenario_is_explained(struct scenario *s, int64_t id, const char *why)
{
    struct json_out out;
    struct buf buf;
    bool explained;

    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    engine_explain(s->sim.engine, scenario_instance(s, id), &out);
    explained = strstr(buf_text(&buf), why) != NULL;
    buf_fini(&buf);
    return explained;
}

size_t
scenario_events(struct scenario *s, const char *kind)
{
    size_t count;
    size_t found = 0;
    const struct event *events = fake_store_events(s->sim.store, &count);

    for (size_t i = 0; i < count; i++)
        found += strcmp(events[i].kind, kind) == 0;
    return found;
}
