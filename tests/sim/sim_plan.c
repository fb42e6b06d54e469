/* What a seed is like.  Each trait is on in some seeds and off in others, so that faults are met alone
 * and together. */

#include <stdio.h>
#include <string.h>

#include "sim.h"

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

void
sim_plan_draw(struct sim *sim)
{
    static const int64_t thinks[] = { 50, 500, 5000, 60000, 600000 };
    struct sim_plan *plan = &sim->plan;

    plan->think_ms = thinks[sim_random(sim, ARRAY_LEN(thinks))];
    plan->disk_ms = (int64_t)sim_rate(sim, 3, 40);
    plan->docker_faults = sim_rate(sim, 10, 80);
    plan->cloud_faults = sim_rate(sim, 30, 150);
    plan->shell_faults = sim_rate(sim, 50, 300);
    plan->vm_faults = sim_rate(sim, 50, 300);
    plan->disk_faults = sim_rate(sim, 1, 10);
    plan->crashes = sim_rate(sim, 1, 8);
    plan->jumps = sim_rate(sim, 5, 20);
    plan->static_hosts = 1 + (int)sim_random(sim, SIM_STATIC_MAX);
    plan->rented_pools = (int)sim_random(sim, 3);
    sim->config.housekeeping_ms = 15000;
    sim_trace(sim,
              "plan: think %lld ms, disk %lld ms, faults %llu %llu %llu %llu %llu, crashes %llu",
              (long long)plan->think_ms, (long long)plan->disk_ms,
              (unsigned long long)plan->docker_faults, (unsigned long long)plan->cloud_faults,
              (unsigned long long)plan->shell_faults, (unsigned long long)plan->vm_faults,
              (unsigned long long)plan->disk_faults, (unsigned long long)plan->crashes);
}

void
sim_policy_draw(struct sim *sim, int32_t provider, struct pool_policy *ret_policy)
{
    struct pool_policy *policy = ret_policy;

    (void)provider;
    schema_defaults(&pool_policy_schema, policy);
    policy->reserve.memory_bytes = (int64_t)sim_random(sim, 3) * 100 * MIB;
    policy->overcommit.memory_milli = sim_random(sim, 3) ? 1000 : 1500;
    policy->overcommit.cpus_milli = sim_random(sim, 3) ? 1000 : 4000;
    policy->slots_per_host = sim_random(sim, 4) ? 0 : 8;
    policy->starts_per_host = (int64_t)sim_random(sim, 3);
    policy->anti_affinity = sim_random(sim, 4) ? 0 : 3;
    policy->drain_deadline_ms = (int64_t)sim_random(sim, 600000);
}

static void
sim_pool_put(struct sim *sim, const char *name, int32_t provider)
{
    struct pool_policy policy;
    const struct pool_request put = {
        .name = name, .provider = provider, .expect = -1, .policy = &policy
    };
    struct pool *pool;
    struct fault fault;

    sim_policy_draw(sim, provider, &policy);
    if (engine_pool_put(sim->engine, &put, &pool, &fault) < 0)
        sim_fail(sim, "a good request is accepted", "pool %s: %s", name, fault.text);
    schema_free(&pool_policy_schema, &policy);
}

static void
sim_blueprint_put(struct sim *sim, const char *quoted)
{
    struct problems problems = { 0 };
    struct blueprint_spec spec;
    struct blueprint *blueprint;
    struct fault fault;
    bool created;
    char text[512];
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
    sim_pool_put(sim, "default", PROVIDER_STATIC);
    for (int i = 1; i <= sim->plan.static_hosts && !sim->failed; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "s%d", i);
        (void)sim_host_add(sim, "default", name);
    }
    if (!sim->failed)
        sim_blueprints_put(sim);
    sim->act_ms = sim_mono(sim) + 1000;
}
