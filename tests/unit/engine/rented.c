#include "rented.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/engine/status.h"

/* At most one live machine for each intent, whatever happens. */
static void
rented_check_machines(struct world *world)
{
    const struct fake_vms *vms = fake_cloud_vms(world->cloud);

    for (struct fake_vm *vm = fake_vm_next(vms, NULL); vm; vm = fake_vm_next(vms, vm)) {
        for (struct fake_vm *b = fake_vm_next(vms, vm); b; b = fake_vm_next(vms, b)) {
            if (vm->cluster[0] && fake_vm_is_alive(vm) && fake_vm_is_alive(b) &&
                vm->seen.host_id == b->seen.host_id)
                fail_msg("turn %llu: two machines for one host", (unsigned long long)world->turns);
        }
    }
    assert_int_equal(fake_cloud_aliens_touched(world->cloud), 0);
}

static void
rented_check(struct world *world)
{
    rented_check_machines(world);
    IDMAP_EACH(&engine_model(world->engine)->hosts, struct host, host)
    {
        if (host->state == HOST_REMOVED)
            assert_int_equal(host->instance_count, 0);
        /* What was prepared has an engine that holds whatever image a test names. */
        if (host->endpoint.engine)
            fake_docker_machine(world->docker, host->endpoint.engine)->any_image = true;
    }
}

void
rented_rule_set(struct rented *rented, struct rented_rules rules)
{
    struct pool_policy policy;

    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    policy.min_hosts = rules.min_hosts;
    policy.max_hosts = rules.max_hosts;
    policy.warm_hosts = rules.warm_hosts;
    policy.shutdown = rules.shutdown;
    policy.prepare_attempts = 3;
    policy.suspended_max_ms = RENTED_SUSPENDED_MS;
    (void)world_pool_rented(&rented->world, "rent", &policy);
}

static void
rented_pool_put(struct rented *rented, int64_t min_hosts, bool shutdown)
{
    rented_rule_set(rented, (struct rented_rules){
                                .min_hosts = min_hosts, .max_hosts = 8, .shutdown = shutdown });
}

void
rented_begin(struct rented *rented, int64_t min_hosts)
{
    *rented = (struct rented){ 0 };
    world_init(&rented->world, 5);
    rented->world.on_turn = rented_check;
    rented->world.cookie = rented;
    rented_pool_put(rented, min_hosts, false);
}

void
rented_policy_set(struct rented *rented, int64_t min_hosts, bool shutdown)
{
    rented_pool_put(rented, min_hosts, shutdown);
}

void
rented_end(struct rented *rented)
{
    world_run(&rented->world, 1000);
    world_fini(&rented->world);
}

struct pool *
rented_pool(struct rented *rented)
{
    return model_pool_find(engine_model(rented->world.engine), "rent");
}

size_t
rented_count(struct rented *rented, enum host_state state)
{
    const struct pool *pool = rented_pool(rented);
    size_t count = 0;

    IDMAP_EACH(&engine_model(rented->world.engine)->hosts, struct host, host)
    {
        count += host->pool == pool && host->state == (int32_t)state;
    }
    return count;
}

static void
rented_print(struct rented *rented)
{
    const struct event *events;
    size_t count;

    events = fake_store_events(rented->world.store, &count);
    for (size_t i = 0; i < count; i++) {
        print_error("%lld %s %s\n", (long long)(events[i].at_ms - INT64_C(1700000000000)),
                    events[i].kind, events[i].text ? events[i].text : "");
    }
}

static bool
rented_is_active(struct world *world)
{
    struct rented *rented = world->cookie;

    return rented_count(rented, HOST_ACTIVE) == rented->awaited;
}

void
rented_until_active(struct rented *rented, size_t count, int64_t ms)
{
    rented->awaited = count;
    if (world_run_until(&rented->world, rented_is_active, ms))
        return;
    rented_print(rented);
    fail_msg("%zu hosts are active", rented_count(rented, HOST_ACTIVE));
}

struct host *
rented_first(struct rented *rented)
{
    const struct pool *pool = rented_pool(rented);

    IDMAP_EACH(&engine_model(rented->world.engine)->hosts, struct host, host)
    {
        if (host->pool == pool && host->state != HOST_REMOVED)
            return host;
    }
    return NULL;
}

size_t
rented_events(struct rented *rented, const char *kind)
{
    const struct event *events;
    size_t count;
    size_t found = 0;

    events = fake_store_events(rented->world.store, &count);
    for (size_t i = 0; i < count; i++)
        found += strcmp(events[i].kind, kind) == 0;
    return found;
}

json_t *
rented_told(struct rented *rented,
            void (*tell)(struct engine *engine, struct pool *pool, struct json_out *out))
{
    struct json_out out;
    struct buf buf;
    struct fault fault;
    json_t *json = NULL;

    buf_init(&buf, 1 << 20);
    json_out_init(&out, &buf);
    engine_status_count(rented->world.engine);
    tell(rented->world.engine, rented_pool(rented), &out);
    assert_int_equal(json_in_parse(buf.data, buf.len, &json, &fault), 0);
    buf_fini(&buf);
    return json;
}

static void
rented_tell_wrongs(struct engine *engine, struct pool *pool, struct json_out *out)
{
    json_out_array(out);
    engine_status_wrongs(engine, pool, out);
    json_out_array_end(out);
}

json_t *
rented_wrongs(struct rented *rented)
{
    return rented_told(rented, rented_tell_wrongs);
}

/* A call that the daemon did not make. */
struct rented_stray {
    struct cloud_call call;
    bool done;
};

static void
rented_on_stray(struct cloud_call *call, const struct fault *fault)
{
    assert_null(fault);
    CONTAINER_OF(call, struct rented_stray, call)->done = true;
}

void
rented_strays_launch(struct rented *rented, size_t count)
{
    const struct cloud_port *cloud = fake_cloud_port(rented->world.cloud);

    for (size_t i = 0; i < count; i++) {
        CLEANUP(mem_freep) char *token = mem_printf("stray-%zu", i);
        struct rented_stray stray = { .call = { .verb = CLOUD_LAUNCH, .done = rented_on_stray } };

        stray.call.pool = rented_pool(rented);
        stray.call.cluster_id = engine_cluster_id(rented->world.engine);
        stray.call.in.launch =
            (struct cloud_launch){ .token = token,
                                   .type = "small",
                                   .host_name = "stray",
                                   .host_id = INT64_C(1) << 50 | (int64_t)(i + 1) };
        cloud->start(cloud->self, &stray.call);
        while (!stray.done)
            assert_true(world_turn(&rented->world, INT64_MAX));
    }
}
