/* What the doctor says of machines that are rented, and of the limits of their pools. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

/* The doctor looks at machines and limits, too; each wrong is one failure. */
static void
test_the_doctor_sees_machines(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct machine *machine;
    struct fake_vm *vm;
    char *id;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    world_run(world, 30000);
    assert_int_equal(world_doctor(world), 0);

    machine = rented_first(&rented)->machine;
    id = STEAL(machine->id);
    assert_int_equal(world_doctor(world), 1);
    vm = fake_vm_next(fake_cloud_vms(world->cloud), NULL);
    vm = strcmp(vm->seen.id, id) == 0 ? fake_vm_next(fake_cloud_vms(world->cloud), vm) : vm;
    machine->id = mem_strdup(vm->seen.id);
    assert_int_equal(world_doctor(world), 1);
    mem_free(machine->id);
    machine->id = id;
    assert_int_equal(world_doctor(world), 0);

    rented_pool(&rented)->policy.budget_per_month_milli = 1;
    world_run(world, 1000000);
    assert_int_equal(world_doctor(world), 1);
    rented_pool(&rented)->policy.launches_per_hour = 1;
    assert_int_equal(world_doctor(world), 2);
    rented_rule_set(&rented, (struct rented_rules){ .min_hosts = 2, .max_hosts = 8 });
    rented_end(&rented);
}

/* A machine that cannot be given back is told when that lasts. */
static void
test_the_doctor_sees_what_is_left(void **state)
{
    struct fake_cloud_rule rule = { .verb = CLOUD_TERMINATE };
    struct rented rented;
    struct world *world = &rented.world;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    rule.fate = fake_cloud_fate_usual();
    rule.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_DENIED, FAKE_NOTHING, 0 };
    fake_cloud_rule_add(world->cloud, &rule);
    rented_strays_launch(&rented, 1);
    world_run(world, 500000);
    assert_int_equal(world_doctor(world), 0);
    world_run(world, 300000);
    assert_int_equal(world_doctor(world), 1);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_doctor_sees_machines),
        cmocka_unit_test(test_the_doctor_sees_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
