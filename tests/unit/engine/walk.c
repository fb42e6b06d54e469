#include "walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define YEAR_MS INT64_C(31536000000)
#define DAY_MS  INT64_C(86400000)

static const char *const blueprints[] = { "web", "svc", "job", "tmp", "fat" };
static const char *const owners[] = { "ann", "ben", "cid" };

uint64_t
walk_random(struct walk *walk, uint64_t below)
{
    walk->random ^= walk->random << 13;
    walk->random ^= walk->random >> 7;
    walk->random ^= walk->random << 17;
    return walk->random % below;
}

/* What becomes of a call. */
struct fake_fate
walk_fate(void *cookie, const struct docker_call *call)
{
    static const enum fault_kind kinds[] = {
        FAULT_UNREACHABLE, FAULT_TIMEOUT, FAULT_LOST,           FAULT_GARBLED,
        FAULT_ENGINE,      FAULT_TLS,     FAULT_ENGINE_REFUSED, FAULT_REGISTRY,
    };
    struct walk *walk = cookie;
    struct fake_fate fate = { .latency_ms = 1 + (int64_t)walk_random(walk, 40) };

    (void)call;
    if (walk_random(walk, 1000) >= walk->faults)
        return fate;
    fate.kind = kinds[walk_random(walk, ARRAY_LEN(kinds))];
    if (fault_rule(fate.kind)->unsure)
        fate.effect = (enum fake_effect)walk_random(walk, 3);
    fate.late_ms = 1 + (int64_t)walk_random(walk, walk_random(walk, 2) ? 50 : 90000);
    return fate;
}

/* --- Whom something happens to -------------------------------------------------------------- */

static struct instance *
walk_instance(struct walk *walk)
{
    const struct model *model = engine_model(walk->scene.world.engine);
    uint64_t skip = model->instances.live ? walk_random(walk, model->instances.live) : 0;
    struct instance *found = NULL;

    IDMAP_EACH(&model->instances, struct instance, instance)
    {
        if (skip-- == 0)
            found = instance;
    }
    return found;
}

static struct host *
walk_host(struct walk *walk)
{
    const struct model *model = engine_model(walk->scene.world.engine);
    uint64_t skip = walk_random(walk, WALK_HOSTS + 1);
    struct host *found = NULL;

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        if (host->state != HOST_REMOVED && skip-- == 0)
            found = host;
    }
    return found;
}

static struct fake_machine *
walk_machine(struct walk *walk)
{
    const struct host *host = walk_host(walk);

    return host ? fake_docker_machine(walk->scene.world.docker, host->endpoint.engine) : NULL;
}

static struct fake_container *
walk_container(struct walk *walk, struct fake_machine *machine)
{
    uint64_t skip = machine->containers.count ? walk_random(walk, machine->containers.count) : 0;
    struct list_node *node = list_first(&machine->containers);

    while (node && skip-- > 0)
        node = list_next(&machine->containers, node);
    return node ? CONTAINER_OF(node, struct fake_container, node) : NULL;
}

/* --- What happens --------------------------------------------------------------------------- */

static void
walk_launch(struct walk *walk)
{
    (void)check_launch(&walk->scene.check, blueprints[walk_random(walk, ARRAY_LEN(blueprints))],
                       owners[walk_random(walk, ARRAY_LEN(owners))]);
}

static void
walk_stop(struct walk *walk)
{
    const struct instance *instance = walk_instance(walk);

    if (instance)
        (void)check_stop(&walk->scene.check, instance->id);
}

static void
walk_extend(struct walk *walk)
{
    struct engine *engine = walk->scene.world.engine;
    struct instance *instance = walk_instance(walk);
    struct fault fault;

    if (instance) {
        (void)engine_instance_extend(
            engine, instance, engine_now_ms(engine) + (int64_t)walk_random(walk, 60000), &fault);
    }
}

static void
walk_container_ends(struct walk *walk)
{
    struct fake_machine *machine = walk_machine(walk);
    struct fake_container *container = machine ? walk_container(walk, machine) : NULL;
    bool oom = walk_random(walk, 4) == 0;

    if (!container)
        return;
    if (container->seen.state == DOCKER_RUNNING && walk_random(walk, 4) > 0) {
        fake_docker_crash(walk->scene.world.docker, machine, container,
                          oom ? 137 : (int32_t)walk_random(walk, 3), oom);
    } else {
        list_remove(&machine->containers, &container->node);
        mem_free(container);
    }
}

static void
walk_machine_fails(struct walk *walk)
{
    struct fake_machine *machine = walk_machine(walk);

    if (!machine)
        return;
    check_blame(&walk->scene.check, machine);
    switch (walk_random(walk, 6)) {
    case 0:
        machine->unreachable = true;
        fake_docker_streams_break(walk->scene.world.docker, machine, FAULT_LOST);
        break;
    case 1:
        machine->hung = true;
        break;
    case 2:
        fake_machine_reboot(machine);
        fake_docker_streams_break(walk->scene.world.docker, machine, FAULT_LOST);
        break;
    default:
        machine->unreachable = false;
        machine->hung = false;
        break;
    }
}

static void
walk_host_add(struct walk *walk)
{
    char name[16];
    struct host_request request = { .pool = "default", .name = name };
    struct host *host;
    struct fault fault;
    char engine[FAKE_NAME_SIZE];

    (void)snprintf(name, sizeof(name), "n%d", ++walk->names);
    (void)snprintf(engine, sizeof(engine), "tcp://h%llu:2376",
                   (unsigned long long)walk_random(walk, WALK_HOSTS) + 1);
    request.endpoint.engine = engine;
    request.endpoint.plain = true;
    IDMAP_EACH(&engine_model(walk->scene.world.engine)->hosts, struct host, known)
    {
        if (known->state != HOST_REMOVED && strcmp(known->endpoint.engine, engine) == 0)
            return;
    }
    (void)engine_host_add(walk->scene.world.engine, &request, &host, &fault);
}

static void
walk_host_changes(struct walk *walk)
{
    struct engine *engine = walk->scene.world.engine;
    struct host *host = walk_host(walk);
    struct operation *operation;
    struct fault fault;

    if (!host) {
        walk_host_add(walk);
        return;
    }
    switch (walk_random(walk, 8)) {
    case 0:
    case 1:
        (void)engine_host_drain(engine, host, (int64_t)walk_random(walk, 20000), "op", &operation,
                                &fault);
        break;
    case 2:
        (void)engine_host_remove(engine, host, walk_random(walk, 2), "op", &operation, &fault);
        break;
    case 3:
        (void)engine_housekeep(engine, "op", &operation, &fault);
        break;
    case 4:
        walk_host_add(walk);
        break;
    default:
        (void)engine_host_activate(engine, host, &fault);
        break;
    }
}

static void
walk_daemon(struct walk *walk)
{
    struct world *world = &walk->scene.world;

    if (walk_random(walk, 4) == 0) {
        world_stop(world);
    } else {
        world_crash(world, walk_random(walk, 3));
    }
    fake_store_break(world->store, NULL, 0); /* else it would not start */
    fake_store_restored_set(world->store, walk_random(walk, 4) == 0);
    world_start(world);
}

/* An archive for all hosts; or whatever takes time is cancelled. */
static void
walk_operation(struct walk *walk)
{
    static const char *const archives[] = { "a1", "a2", "a3" };
    struct engine *engine = walk->scene.world.engine;
    struct image_request request = { .pool = "default", .size_bytes = 4096, .owner = "op" };
    struct operation *operation;
    struct fault fault;

    if (walk_random(walk, 2)) {
        request.spool = archives[walk_random(walk, 3)];
        (void)engine_image_load(engine, &request, &operation, &fault);
        return;
    }
    IDMAP_EACH(&engine_model(engine)->operations, struct operation, one)
    {
        if (one->state == OPERATION_RUNNING && walk_random(walk, 2))
            (void)engine_operation_cancel(engine, one, &fault);
    }
}

/* A request's own call to a container, which the request may give up. */
struct walk_call {
    struct engine_call call;
    struct list_node node;
    const struct engine *engine;
    bool done;
};

static void
walk_on_called(struct engine_call *call, const struct fault *fault)
{
    struct walk_call *one = CONTAINER_OF(call, struct walk_call, call);

    (void)fault;
    assert_false(one->done);
    one->done = true;
}

static void
walk_call(struct walk *walk)
{
    struct engine *engine = walk->scene.world.engine;
    const struct instance *instance = walk_instance(walk);
    struct walk_call *one;
    struct fault fault;

    for (struct list_node *node = list_first(&walk->calls); node;
         node = list_next(&walk->calls, node)) {
        one = CONTAINER_OF(node, struct walk_call, node);
        if (!one->done && one->engine == engine && walk_random(walk, 2))
            engine_call_cancel(engine, &one->call);
    }
    if (!instance)
        return;
    one = mem_new0(sizeof(*one));
    one->engine = engine;
    one->call.call.verb = walk_random(walk, 2) ? DOCKER_LOGS : DOCKER_STATS;
    one->call.call.in.logs.follow = walk_random(walk, 2);
    one->call.done = walk_on_called;
    if (engine_instance_call(engine, instance, &one->call, &fault) < 0) {
        mem_free(one);
    } else {
        list_push(&walk->calls, &one->node);
    }
}

void
walk_calls_free(struct walk *walk)
{
    struct list_node *node;

    while ((node = list_pop(&walk->calls)))
        mem_free(CONTAINER_OF(node, struct walk_call, node));
}

static void
walk_disk(struct walk *walk)
{
    struct fault fault;
    enum fault_kind kind = walk_random(walk, 2) ? FAULT_STORAGE_FULL : FAULT_STORAGE;

    walk->scene.world.disk_ms = (int64_t)walk_random(walk, 20);
    (void)fault_set(&fault, kind, "walk", "made up");
    if (walk_random(walk, 3) == 0) {
        fake_store_break(walk->scene.world.store, &fault, walk_random(walk, 200));
    } else {
        fake_store_break(walk->scene.world.store, NULL, 0);
    }
}

static void
walk_clock(struct walk *walk)
{
    static const int64_t spans[] = { 5000, 100000, DAY_MS, YEAR_MS, 10 * YEAR_MS };
    int64_t span = spans[walk_random(walk, ARRAY_LEN(spans))];

    fake_clock_jump(walk->scene.world.clock, walk_random(walk, 2) ? span : -span);
}

static void
walk_time(struct walk *walk)
{
    struct world *world = &walk->scene.world;
    uint64_t until = world->turns + walk_random(walk, 20);

    if (walk_random(walk, 4) == 0) {
        world_run(world, (int64_t)walk_random(walk, 20000));
        return;
    }
    while (world->turns < until && world_turn(world, INT64_MAX)) {
    }
}

void
walk_step(struct walk *walk)
{
    static const struct {
        uint64_t weight;
        void (*happen)(struct walk *walk);
    } steps[] = {
        { 30, walk_launch },         { 15, walk_stop },         { 2, walk_extend },
        { 12, walk_container_ends }, { 6, walk_machine_fails }, { 6, walk_host_changes },
        { 5, walk_daemon },          { 4, walk_disk },          { 2, walk_clock },
        { 3, walk_operation },       { 3, walk_call },          { 60, walk_time },
    };
    uint64_t all = 0;
    uint64_t at;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        all += steps[i].weight;
    at = walk_random(walk, all);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (at < steps[i].weight) {
            steps[i].happen(walk);
            return;
        }
        at -= steps[i].weight;
    }
}
