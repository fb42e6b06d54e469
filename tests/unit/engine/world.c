#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    GRAVES_MAX = 1 << 16,
    ROOM_CONTAINERS = 16, /* on each host there is room for the overhead of so many */
};

/* Dead engines: what a crash leaves is not freed, but it is not a leak of the program either. */
static struct engine *graves[GRAVES_MAX];
static size_t grave_count;

static void
world_random(void *self, void *ret_data, size_t len)
{
    struct world *world = self;
    uint8_t *data = ret_data;

    for (size_t i = 0; i < len; i++) {
        world->seed = world->seed * 6364136223846793005U + 1442695040888963407U;
        data[i] = (uint8_t)(world->seed >> 56);
    }
}

static struct fake_fate
world_fate(void *cookie, const struct docker_call *call)
{
    struct world *world = cookie;
    const struct fake_machine *machine = fake_docker_machine_of(world->docker, call->host_id);
    struct fake_fate fate = fake_fate_decide(&world->fates, machine->engine, call);

    if (world->on_call)
        world->on_call(world, call, &fate);
    return fate;
}

static const char *
world_spool_path(void *self, const char *name)
{
    (void)self;
    return name;
}

void
world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){ .seed = seed * 2 + 1 };
    world->clock = fake_clock_new(INT64_C(1700000000000));
    world->docker = fake_docker_new(fake_clock_port(world->clock));
    world->cloud = fake_cloud_new(fake_clock_port(world->clock), world->docker);
    world->shell = fake_shell_new(fake_clock_port(world->clock), world->cloud);
    world->store = fake_store_new();
    world->random = (struct random_port){ .self = world, .fill = world_random };
    world->spool = (struct spool_port){ .self = world, .path = world_spool_path };
    world->ports = (struct engine_ports){
        .clock = fake_clock_mortal(world->clock),
        .random = &world->random,
        .store = fake_store_port(world->store),
        .docker = fake_docker_port(world->docker),
        .spool = &world->spool,
        .cloud = fake_cloud_port(world->cloud),
        .shell = fake_shell_port(world->shell),
    };
    fake_docker_fate(world->docker, world_fate, world);
    engine_config_defaults(&world->config);
    world_start(world);
}

void
world_start(struct world *world)
{
    struct fault fault;

    assert_null(world->engine);
    world->engine = engine_new(&world->ports, &world->config);
    assert_int_equal(engine_load(world->engine, &fault), 0);
}

static void
world_on_stopped(void *cookie)
{
    *(bool *)cookie = true;
}

void
world_stop(struct world *world)
{
    bool stopped = false;

    engine_stop_start(world->engine, world_on_stopped, &stopped);
    for (int i = 0; i < 100000 && !stopped; i++)
        (void)world_turn(world, INT64_MAX);
    assert_true(stopped);
    engine_free(STEAL(world->engine));
    assert_int_equal(fake_cloud_pending(world->cloud) + fake_shell_pending(world->shell), 0);
    fake_docker_restart(world->docker);
}

void
world_fini(struct world *world)
{
    if (world->engine)
        world_stop(world);
    fake_shell_free(world->shell);
    fake_cloud_free(world->cloud);
    fake_docker_free(world->docker);
    fake_store_free(world->store);
    fake_clock_free(world->clock);
}

static void
world_turn_end(struct world *world)
{
    if (!world->engine)
        return;
    engine_turn_end(world->engine);
    world->turns++;
    if (world->on_turn)
        world->on_turn(world);
}

int64_t
world_mono(const struct world *world)
{
    const struct clock_port *clock = fake_clock_port(world->clock);

    return clock->mono_ms(clock->self);
}

/* The disk takes its time. */
static bool
world_next(struct world *world, int64_t until_mono_ms)
{
    if (fake_store_pending(world->store) == 0) {
        world->disk_due_ms = 0;
    } else if (world->disk_due_ms == 0) {
        world->disk_due_ms = world_mono(world) + world->disk_ms;
    }
    if (world->disk_due_ms == 0 || world->disk_due_ms > until_mono_ms)
        return fake_clock_next(world->clock, until_mono_ms);
    if (fake_clock_next(world->clock, world->disk_due_ms - 1))
        return true;
    if (world_mono(world) < world->disk_due_ms)
        fake_clock_advance(world->clock, world->disk_due_ms - world_mono(world));
    world->disk_due_ms = 0;
    return fake_store_commit_next(world->store, NULL);
}

bool
world_turn(struct world *world, int64_t until_mono_ms)
{
    bool happened = fake_clock_asked(world->clock);

    if (!happened)
        happened = fake_store_asked_next(world->store, NULL) || world_next(world, until_mono_ms);
    if (happened)
        world_turn_end(world);
    return happened;
}

void
world_run(struct world *world, int64_t ms)
{
    int64_t until = world_mono(world) + ms;

    world_turn_end(world); /* of the turn in which the test asked for something */
    while (world_turn(world, until)) {
    }
    if (world_mono(world) < until)
        fake_clock_advance(world->clock, until - world_mono(world));
}

bool
world_run_until(struct world *world, bool (*is_true)(struct world *world), int64_t ms)
{
    int64_t until = world_mono(world) + ms;

    world_turn_end(world);
    while (!is_true(world)) {
        if (!world_turn(world, until))
            return is_true(world);
    }
    return true;
}

void
world_crash(struct world *world, size_t durable)
{
    assert_true(grave_count < GRAVES_MAX);
    fake_store_crash(world->store, durable);
    fake_shell_restart(world->shell);
    fake_cloud_restart(world->cloud);
    fake_docker_restart(world->docker);
    fake_clock_crash(world->clock);
    graves[grave_count++] = world->engine;
    world->engine = NULL;
    world->disk_due_ms = 0;
}

struct pool *
world_pool_put(struct world *world, const char *name, struct pool_policy *policy)
{
    const struct pool_request put = {
        .name = name,
        .provider = PROVIDER_STATIC,
        .expect = -1,
        .policy = policy,
    };
    struct pool *pool = NULL;
    struct fault fault;

    assert_int_equal(engine_pool_put(world->engine, &put, &pool, &fault), 0);
    return pool;
}

struct pool *
world_pool(struct world *world, const char *name)
{
    struct pool_policy policy;

    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    return world_pool_put(world, name, &policy);
}

struct pool *
world_pool_rented(struct world *world, const char *name, struct pool_policy *policy)
{
    const struct pool_machine types[] = {
        { mem_strdup("small"), 10000, INT64_C(2) << 30, 2000, 0 },
        { mem_strdup("large"), 40000, INT64_C(8) << 30, 4000, 0 },
    };
    struct schema_array machines = { mem_dup(types, sizeof(types)), ARRAY_LEN(types) };
    const struct pool_request put = {
        .name = name,
        .provider = PROVIDER_EC2,
        .expect = -1,
        .policy = policy,
        .machines = &machines,
    };
    struct pool *pool = NULL;
    struct fault fault;

    assert_int_equal(engine_pool_put(world->engine, &put, &pool, &fault), 0);
    return pool;
}

static void
world_engine_name(const char *name, char ret_engine[FAKE_NAME_SIZE])
{
    (void)snprintf(ret_engine, FAKE_NAME_SIZE, "tcp://%s:2376", name);
}

struct fake_machine *
world_machine(struct world *world, const char *name)
{
    char engine[FAKE_NAME_SIZE];

    world_engine_name(name, engine);
    return fake_docker_machine(world->docker, engine);
}

struct host *
world_host(struct world *world, const char *pool, const char *name, int64_t memory_bytes, int cpus)
{
    char engine[FAKE_NAME_SIZE];
    struct fake_machine *machine = world_machine(world, name);
    struct host_request request = { .pool = pool, .name = name };
    struct host *host = NULL;
    struct fault fault;

    world_engine_name(name, engine);
    request.endpoint.engine = engine;
    request.endpoint.plain = true;
    /* What the tests count with is the memory of their containers. */
    machine->info.memory_bytes = memory_bytes + (int64_t)ROOM_CONTAINERS * INSTANCE_OVERHEAD_BYTES;
    machine->info.cpus_milli = cpus * INT64_C(1000);
    machine->any_image = true;
    assert_int_equal(engine_host_add(world->engine, &request, &host, &fault), 0);
    return host;
}

struct blueprint *
world_blueprint(struct world *world, const char *json)
{
    struct problems problems = { 0 };
    struct blueprint_spec spec;
    struct blueprint *blueprint = NULL;
    struct fault fault;
    bool created;
    CLEANUP(json_freep) json_t *parsed = NULL;

    assert_int_equal(json_in_parse(json, strlen(json), &parsed, &fault), 0);
    schema_defaults(&blueprint_schema, &spec);
    if (schema_decode(&blueprint_schema, parsed, &spec, "", &problems) < 0 ||
        blueprint_check(&spec, &problems) < 0)
        fail_msg("%s: %s", problems.at[0].pointer, problems.at[0].detail);
    assert_int_equal(engine_blueprint_put(world->engine, &spec, -1, &blueprint, &created, &fault),
                     0);
    schema_free(&blueprint_schema, &spec);
    return blueprint;
}

int64_t
world_launch(struct world *world, const char *blueprint, const char *owner)
{
    const struct instance_request request = { .blueprint = blueprint, .owner = owner, .count = 1 };
    struct instance *instance;
    struct fault fault;

    if (engine_instances_create(world->engine, &request, &instance, &fault) < 0)
        fail_msg("%s", fault.text);
    return instance->id;
}

struct instance *
world_instance(struct world *world, int64_t id)
{
    return idmap_find(&engine_model(world->engine)->instances, id);
}

size_t
world_doctor(struct world *world)
{
    struct json_out out;
    struct buf buf;
    size_t failed;

    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    failed = engine_doctor(world->engine, &out);
    buf_fini(&buf);
    return failed;
}
