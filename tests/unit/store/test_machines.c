/*
 * Which hosts rest on keys, as it is known before any row is loaded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit.h"
#include "sample.h"

static void
expect(struct kit *kit, int64_t hosts, int64_t certified, int64_t rented)
{
    struct store_machines machines;

    assert_int_equal(store_machines_read(kit->dir, &machines, NULL), 0);
    assert_int_equal(machines.hosts, hosts);
    assert_int_equal(machines.count, hosts > 0);
    if (hosts > 0) {
        assert_int_equal(machines.pools[0].hosts, hosts);
        assert_int_equal(machines.pools[0].certified, certified);
        assert_int_equal(machines.pools[0].rented, rented);
        assert_string_equal(machines.pools[0].place.region, "eu-north-1");
        assert_string_equal(machines.pools[0].place.endpoint, "http://cloud:4000/");
    }
    store_machines_fini(&machines);
}

/* Proves: machines that are there count, rented or given; what was never launched, is gone, or is no
 * machine of ours does not; and the last host's id is that of any. */
static void
test_what_counts(void **state)
{
    struct kit *kit = *state;
    const char *db = kit_path(kit, "berth.db");
    struct model *model = sample_model();
    struct store_machines machines;

    kit_open(kit);
    expect(kit, 0, 0, 0);
    kit_commit_model(kit, model);
    model_free(model);
    expect(kit, 1, 1, 1);
    assert_int_equal(store_machines_read(kit->dir, &machines, NULL), 0);
    assert_int_equal(machines.last_host_id, kit_int(db, "SELECT max(id) FROM hosts"));
    store_machines_fini(&machines);
    kit_exec(db, "UPDATE hosts SET endpoint_ca = NULL");
    expect(kit, 1, 0, 1);
    kit_exec(db,
             "UPDATE hosts SET machine = json_remove(machine, '$.id') WHERE machine IS NOT NULL");
    expect(kit, 0, 0, 0);
    kit_exec(db, "UPDATE hosts SET machine = json_set(machine, '$.ssh', 'root@a') "
                 "WHERE machine IS NOT NULL");
    expect(kit, 1, 0, 0);
    kit_exec(db, "UPDATE hosts SET state = 'removed'");
    expect(kit, 0, 0, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_counts, kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
