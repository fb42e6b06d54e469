/* What a seed is like.  Each trait is on in some seeds and off in others, so that faults are met alone
 * and together. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

enum {
    CERTIFICATE_MS = 7200000,
    FLEET_THINK_MS = 300000,
    FLEET_ROUND_MS = 300000,
    FLEET_MOST = 40,
    FLEET_LIVES = 24
};

const char *const sim_rented_names[SIM_RENTED_MAX] = { "rent", "fast" };

/* In some seeds none, in some few, in some many. */
static uint64_t
sim_rate(struct sim *sim, uint64_t few, uint64_t many)
{
    switch (sim_random(sim, 4)) {
    case 0:
        return 0;
    case 1:
    case 2:
        return few;
    default:
        return many;
    }
}

/* Where machines are many, and most of what fails is the provider's. */
static void
sim_plan_fleet(struct sim *sim)
{
    struct sim_plan *plan = &sim->plan;

    plan->think_ms = FLEET_THINK_MS;
    plan->docker_faults = sim_random(sim, 5);
    plan->disk_faults = sim_random(sim, 2);
    plan->jumps = 0;
    plan->static_hosts = 1;
    plan->rented_pools = SIM_RENTED_MAX;
    plan->certificate_ms *= FLEET_LIVES; /* a round is long, and begins but few renewals */
    sim->config.housekeeping_ms = FLEET_ROUND_MS;
}

void
sim_plan_draw(struct sim *sim)
{
    static const int64_t thinks[] = { 50, 500, 5000, 60000, 600000 };
    struct sim_plan *plan = &sim->plan;

    plan->think_ms = thinks[sim_random(sim, ARRAY_LEN(thinks))];
    plan->disk_ms = (int64_t)sim_rate(sim, 3, 40);
    plan->docker_faults = sim_rate(sim, 10, 80);
    plan->cloud_faults = sim_rate(sim, 30, 150);
    plan->storms = sim_rate(sim, 1, 4);
    plan->shell_faults = sim_rate(sim, 50, 300);
    plan->vm_faults = sim_rate(sim, 50, 300);
    plan->disk_faults = sim_rate(sim, 1, 10);
    plan->crashes = sim_rate(sim, 1, 8);
    plan->jumps = sim_rate(sim, 5, 20);
    plan->restores = sim_rate(sim, 50, 300);
    plan->certificate_ms = sim_random(sim, 3) ? 0 : CERTIFICATE_MS;
    plan->haste = 1;
    plan->static_hosts = 1 + (int)sim_random(sim, SIM_STATIC_MAX);
    plan->rented_pools = sim_random(sim, 4) ? 1 + (int)sim_random(sim, SIM_RENTED_MAX) : 0;
    sim->config.housekeeping_ms = 15000;
    if (plan->fleet)
        sim_plan_fleet(sim);
    sim_trace(sim,
              "plan: think %lld ms, disk %lld ms, faults %llu %llu %llu %llu %llu, crashes %llu",
              (long long)plan->think_ms, (long long)plan->disk_ms,
              (unsigned long long)plan->docker_faults, (unsigned long long)plan->cloud_faults,
              (unsigned long long)plan->shell_faults, (unsigned long long)plan->vm_faults,
              (unsigned long long)plan->disk_faults, (unsigned long long)plan->crashes);
}

/* Grows as what people write does: key by key.  One draw a statement: the order of arguments is the
 * compiler's. */
static void PRINTF_LIKE(2, 3) sim_key_add(struct buf *buf, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_append_string(buf, text);
}

static void
sim_policy_rented(struct sim *sim, struct buf *buf)
{
    static const char *const schedules[] = {
        "",
        "{\"cron\":\"*/30 * * * *\",\"duration_s\":600,\"min_hosts\":2}",
        ("{\"cron\":\"0 8 * * 1-5\",\"duration_s\":36000,\"min_hosts\":1,\"free_slots\":4,"
         "\"time_zone\":\"Europe/Helsinki\"}"),
    };
    static const char *const drifts[] = { "ignore", "rerun", "replace" };
    uint64_t most = 1 + sim_random(sim, 6);
    uint64_t few = sim_random(sim, most < 3 ? most : 3);
    uint64_t free_gib = sim_random(sim, 3);
    uint64_t launches = sim_random(sim, 3) ? 20 : 2 + sim_random(sim, 6);
    uint64_t hours = sim_random(sim, 3);
    bool fleet = sim->plan.fleet;
    uint64_t after_s = sim_random(sim, 1800);
    const char *drift = drifts[sim_random(sim, ARRAY_LEN(drifts))];

    if (fleet) {
        most = FLEET_MOST;
        few = FLEET_MOST / 4 + sim_random(sim, FLEET_MOST / 2);
        launches = 100;
        hours *= 12;
    }
    sim_key_add(buf, ",\"min_hosts\":%u,\"max_hosts\":%u", (unsigned)few, (unsigned)most);
    sim_key_add(buf, ",\"free_memory_bytes\":%lld", (long long)(int64_t)free_gib * GIB);
    sim_key_add(buf, ",\"launches_per_hour\":%u", (unsigned)launches);
    sim_key_add(buf, ",\"warm_hosts\":%u", sim_random(sim, 3) ? 0U : 1U + fleet * 3U);
    sim_key_add(buf, ",\"budget_per_month\":%s", fleet || sim_random(sim, 4) ? "0" : "4");
    sim_key_add(buf, ",\"host_lifetime_s\":%u", (unsigned)hours * 3600);
    sim_key_add(buf, ",\"host_uses\":%d", sim_random(sim, 4) ? 0 : 10);
    sim_key_add(buf, ",\"retire\":\"%s\"", sim_random(sim, 2) ? "drain" : "when_empty");
    sim_key_add(buf, ",\"life_from\":\"%s\"", sim_random(sim, 2) ? "first_use" : "activation");
    sim_key_add(buf, ",\"machine_choice\":\"%s\"", sim_random(sim, 2) ? "fit" : "by_use");
    sim_key_add(buf, ",\"consolidate\":%s", sim_random(sim, 2) ? "true" : "false");
    sim_key_add(buf, ",\"consolidate_after_s\":%u", (unsigned)after_s);
    sim_key_add(buf, ",\"playbook_drift\":\"%s\"", drift);
    sim_key_add(buf, ",\"shutdown\":%s", fleet || sim_random(sim, 8) ? "false" : "true");
    sim_key_add(buf, ",\"retire_deadline_s\":%d", sim_random(sim, 2) ? 0 : 600);
    sim_key_add(buf, ",\"schedules\":[%s]", schedules[sim_random(sim, ARRAY_LEN(schedules))]);
}

static void
sim_policy_text(struct sim *sim, bool rented, struct buf *buf)
{
    uint64_t reserve = sim_random(sim, 3) * 100 * (uint64_t)MIB;
    uint64_t starts = sim_random(sim, 3);
    uint64_t drain_s = sim_random(sim, 600);

    sim_key_add(buf, "{\"overcommit\":{\"memory\":%s", sim_random(sim, 3) ? "1" : "1.5");
    sim_key_add(buf, ",\"cpus\":%s}", sim_random(sim, 3) ? "1" : "4");
    sim_key_add(buf, ",\"reserve\":{\"memory_bytes\":%llu}", (unsigned long long)reserve);
    sim_key_add(buf, ",\"slots_per_host\":%d", sim_random(sim, 4) ? 0 : 8);
    sim_key_add(buf, ",\"starts_per_host\":%u", (unsigned)starts);
    sim_key_add(buf, ",\"anti_affinity\":%d", sim_random(sim, 4) ? 0 : 3);
    sim_key_add(buf, ",\"drain_deadline_s\":%u", (unsigned)drain_s);
    if (rented)
        sim_policy_rented(sim, buf);
    sim_key_add(buf, "}");
}

static void
sim_policy_draw(struct sim *sim, const char *pool, struct pool_policy *ret_policy)
{
    bool rented = strcmp(pool, "default") != 0;
    struct problems problems = { 0 };
    struct fault fault;
    struct buf buf;
    const char *text;
    CLEANUP(json_freep) json_t *parsed = NULL;

    buf_init(&buf, 1 << 12);
    schema_defaults(&pool_policy_schema, ret_policy);
    sim_policy_text(sim, rented, &buf);
    text = buf_text(&buf);
    sim_trace(sim, "policy of %s", text);
    if (json_in_parse(text, strlen(text), &parsed, &fault) < 0 ||
        schema_decode(&pool_policy_schema, parsed, ret_policy, "", &problems) < 0) {
        sim_fail(sim, "a good request is accepted", "%s: %s", problems.at[0].pointer,
                 problems.at[0].detail);
    }
    buf_fini(&buf);
    if (rented && strcmp(pool, sim_rented_names[1]) == 0) {
        struct schema_pair *label = mem_new0(sizeof(*label));

        *label = (struct schema_pair){ mem_strdup("disk"), mem_strdup("ssd") };
        ret_policy->labels = (struct schema_map){ .at = label, .count = 1 };
    }
}

static struct schema_array
sim_machine_types(void)
{
    const struct pool_machine types[] = {
        { mem_strdup("small"), 500000, 2 * GIB, 2000, 0 },
        { mem_strdup("medium"), 1000000, 4 * GIB, 2000, 0 },
        { mem_strdup("large"), SIM_DEAREST_MICRO, 8 * GIB, 4000, 0 },
    };

    return (struct schema_array){ mem_dup(types, sizeof(types)), ARRAY_LEN(types) };
}

void
sim_pool_put(struct sim *sim, const char *name)
{
    bool rented = strcmp(name, "default") != 0;
    struct schema_array machines = rented ? sim_machine_types() : (struct schema_array){ 0 };
    struct pool_policy policy;
    const struct pool_request put = {
        .name = name,
        .provider = rented ? PROVIDER_EC2 : PROVIDER_STATIC,
        .expect = -1,
        .policy = &policy,
        .machines = rented ? &machines : NULL,
    };
    struct pool *pool;
    struct fault fault;

    sim_policy_draw(sim, name, &policy);
    if (!sim->failed && engine_pool_put(sim->engine, &put, &pool, &fault) < 0) {
        struct pool half = { .machines = machines };

        sim_trace(sim, "refused: %s", fault.text);
        schema_free(&pool_machines_schema, &half);
        schema_free(&pool_policy_schema, &policy);
    }
}

void
sim_blueprint_put(struct sim *sim, const char *quoted)
{
    struct problems problems = { 0 };
    struct blueprint_spec spec;
    struct blueprint *blueprint;
    struct fault fault = { 0 };
    bool created;
    char text[512] = "";
    CLEANUP(json_freep) json_t *parsed = NULL;

    for (size_t i = 0; i <= strlen(quoted); i++)
        text[i] = (char)(quoted[i] == '\'' ? '"' : quoted[i]);
    schema_defaults(&blueprint_schema, &spec);
    if (json_in_parse(text, strlen(text), &parsed, &fault) < 0 ||
        schema_decode(&blueprint_schema, parsed, &spec, "", &problems) < 0 ||
        blueprint_check(&spec, &problems) < 0 ||
        engine_blueprint_put(sim->engine, &spec, -1, &blueprint, &created, &fault) < 0)
        sim_fail(sim, "a good request is accepted", "%s", quoted);
    schema_free(&blueprint_schema, &spec);
}

static void
sim_blueprints_put(struct sim *sim)
{
    static const char *const blueprints[] = {
        "{'name':'web','image':'web:1','memory_bytes':536870912,'ports':[{'container':80}],"
        "'restart':{'policy':'always'}}",
        "{'name':'svc','image':'svc:1','memory_bytes':268435456,'restart':{'policy':'always'},"
        "'pull':'always'}",
        "{'name':'job','image':'job:1','memory_bytes':268435456,'cpus':0.5,"
        "'restart':{'policy':'on-failure','max_retries':2}}",
        "{'name':'tmp','image':'web:1','memory_bytes':268435456,'lifetime_s':600,'end_grace_s':5,"
        "'max_per_user':4}",
        "{'name':'fat','image':'fat:1','memory_bytes':3221225472}",
        "{'name':'bad','image':'bad:1','memory_bytes':134217728}",
        "{'name':'mute','image':'mute:1','memory_bytes':134217728,'ports':[{'container':80}],"
        "'ready':{'kind':'port','timeout_s':20}}",
        "{'name':'ssd','image':'web:1','memory_bytes':268435456,'host_labels':{'disk':'ssd'}}",
    };

    for (size_t i = 0; i < ARRAY_LEN(blueprints) && !sim->failed; i++)
        sim_blueprint_put(sim, blueprints[i]);
}

void
sim_plan_apply(struct sim *sim)
{
    sim_pool_put(sim, "default");
    for (int i = 0; i < sim->plan.rented_pools && i < SIM_RENTED_MAX && !sim->failed; i++)
        sim_pool_put(sim, sim_rented_names[i]);
    for (int i = 1; i <= sim->plan.static_hosts && !sim->failed; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "s%d", i);
        (void)sim_host_add(sim, name);
    }
    if (!sim->failed)
        sim_blueprints_put(sim);
    sim->act_ms = sim_mono(sim) + 1000;
}
