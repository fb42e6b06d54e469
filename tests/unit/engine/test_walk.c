/*
 * A random walk: requests, faults, crashes and jumps of the clock in any order,
 * with the invariants checked after every turn; then faults stop, and all must
 * come to rest.  The seed of a walk that fails is printed;
 * BERTH_WALK_SEEDS=FIRST-LAST walks others than the usual ones.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "walk.h"

#define YEAR_MS INT64_C(31536000000)

enum {
    SEED_FIRST = 1,
    SEED_LAST = 40,
    STEPS = 250,
    REST_MS = 4 * SCORE_HALF_LIFE_MS,
};

static uint64_t seed_now;

static void
walk_blueprints(struct walk *walk)
{
    scene_blueprint(&walk->scene, "{'name':'web','image':'img','memory_bytes':536870912,"
                                  "'ports':[{'container':80}]}");
    scene_blueprint(&walk->scene, "{'name':'svc','image':'img','memory_bytes':268435456,"
                                  "'restart':{'policy':'always'},'pull':'always'}");
    scene_blueprint(&walk->scene, "{'name':'job','image':'img','memory_bytes':268435456,"
                                  "'restart':{'policy':'on-failure','max_retries':2}}");
    scene_blueprint(&walk->scene, "{'name':'tmp','image':'img','memory_bytes':268435456,"
                                  "'lifetime_s':60,'end_grace_s':5}");
    scene_blueprint(&walk->scene, "{'name':'fat','image':'img','memory_bytes':3221225472}");
}

static void
walk_rest(struct walk *walk)
{
    struct world *world = &walk->scene.world;

    walk->faults = 0;
    fake_store_break(world->store, NULL, 0);
    for (int i = 1; i <= WALK_HOSTS; i++) {
        char name[] = { 'h', (char)('0' + i), '\0' };
        struct fake_machine *machine = world_machine(world, name);

        machine->unreachable = false;
        machine->hung = false;
    }
    world_run(world, REST_MS);
}

/* The oldest that waits is never held back: it waits for room alone. */
static void
walk_check_queue(struct walk *walk)
{
    const struct model *model = engine_model(walk->scene.world.engine);
    const struct instance *oldest = NULL;
    struct placement_ask ask;
    struct host *host;

    IDMAP_EACH(&model->instances, struct instance, instance)
    {
        if (instance->state == INSTANCE_QUEUED && (!oldest || instance->id < oldest->id))
            oldest = instance;
    }
    if (!oldest)
        return;
    ask = (struct placement_ask){ .pool = oldest->pool,
                                  .blueprint = oldest->blueprint,
                                  .amount = instance_amount(oldest),
                                  .owner = oldest->owner };
    assert_int_not_equal(placement_pick(model->placement, &ask, &host, NULL), PLACEMENT_OK);
}

static void
walk_seed(uint64_t seed)
{
    struct walk walk = { .random = seed * 0x9e3779b97f4a7c15U + 1 };

    seed_now = seed;
    list_init(&walk.calls);
    scene_begin(&walk.scene, WALK_HOSTS);
    walk.scene.world.config.retention.instances_ms = 1000 * YEAR_MS;
    engine_config_set(walk.scene.world.engine, &walk.scene.world.config);
    walk_blueprints(&walk);
    walk.scene.world.fates.hook = walk_fate;
    walk.scene.world.fates.cookie = &walk;
    world_run(&walk.scene.world, 1000);
    walk.faults = walk_random(&walk, 3) * 40;
    for (int i = 0; i < STEPS; i++)
        walk_step(&walk);
    walk_rest(&walk);
    walk_check_queue(&walk);
    scene_end(&walk.scene);
    walk_calls_free(&walk);
    seed_now = 0;
}

static void
test_walk(void **state)
{
    const char *text = getenv("BERTH_WALK_SEEDS"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char *end;
    uint64_t first = SEED_FIRST;
    uint64_t last = SEED_LAST;

    (void)state;
    if (text) {
        first = last = strtoull(text, &end, 10);
        if (*end == '-')
            last = strtoull(end + 1, &end, 10);
        assert_true(first > 0 && *end == '\0');
    }
    for (uint64_t seed = first; seed <= last; seed++)
        walk_seed(seed);
}

static int
teardown(void **state)
{
    (void)state;
    if (seed_now) {
        print_error("the seed was %llu: BERTH_WALK_SEEDS=%llu\n", (unsigned long long)seed_now,
                    (unsigned long long)seed_now);
    }
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_walk, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
