/* The index when hosts by the thousand come and go in any order. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/placement.h"

#include "rows.h"

enum { MANY = 5000, NOW_MS = 1000 };

/* More hosts than one word of one level holds; removed in an order of their own. */
static void
test_many_hosts_come_and_go(void **state)
{
    struct placement *placement = placement_new();
    struct pool *pool = pool_new("default", PROVIDER_STATIC);
    struct blueprint *blueprint = rows_blueprint_new("a", "busybox", 512 * MIB);
    struct host **hosts = mem_new0(MANY * sizeof(struct host *));
    struct placement_ask ask = {
        .pool = pool, .blueprint = blueprint, .amount = { 512 * MIB, 0, 1 }, .owner = "ann"
    };

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        /* Odd ids first, then even ones between them. */
        size_t id = i < MANY / 2 ? 2 * i + 1 : 2 * (i - MANY / 2) + 2;
        struct host *host = host_new(pool, "h");

        host->id = (int64_t)id;
        host->state = HOST_ACTIVE;
        host->reachable = true;
        host->total = (struct host_amount){ 1024 * MIB, 1000, 0 };
        host_capacity_update(host);
        placement_host_update(placement, host, NOW_MS);
        hosts[id - 1] = host;
    }
    for (size_t i = 0; i < MANY; i++) {
        struct host *host = NULL;

        assert_int_equal(placement_pick(placement, &ask, &host, NULL), PLACEMENT_OK);
        assert_int_equal(host->id, i + 1);
        host->state = HOST_REMOVED;
        placement_host_update(placement, host, NOW_MS);
        assert_null(host->placement);
    }
    for (size_t i = 0; i < MANY; i++)
        host_free(hosts[i]);
    mem_free(hosts);
    placement_pool_forget(placement, pool);
    placement_free(placement);
    blueprint_free(blueprint);
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_hosts_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
