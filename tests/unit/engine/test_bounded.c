/*
 * Each kind of trouble with rented machines, for an hour: it ends in a defined
 * state, costs bounded money and a bounded number of calls, is told in plain
 * words once, and when it is over the pool is what it was to be.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

enum { HOUR_MS = 3600000, HOSTS = 2 };

struct trouble {
    const char *name;
    void (*begin)(struct rented *rented);
    bool grown;          /* the pool has its hosts when it begins */
    size_t active;       /* hosts in service at the end of the hour */
    int64_t cost_micro;  /* of the hour, at the most; 10000 an hour of one host */
    uint64_t launches;   /* calls in the hour, at the most */
    uint64_t calls;      /* to the provider in all */
    const char *event;   /* that tells of it */
    uint64_t told_least; /* so often */
    uint64_t told_most;
    int64_t over_ms; /* after so long it is as if nothing had been */
};

/* --- What goes wrong ------------------------------------------------------------------------ */

static void
machines_never_answer(struct rented *rented)
{
    struct fake_cloud_rule mute = { .verb = CLOUD_LAUNCH };

    mute.fate = fake_cloud_fate_usual();
    mute.fate.life.mute = true;
    fake_cloud_rule_add(rented->world.cloud, &mute);
}

static void
a_step_fails(struct rented *rented)
{
    const struct fake_shell_rule fails = {
        .fate = { .step_ms = 10000, .fails_at = FAKE_SHELL_STEPS - 1, .kind = FAULT_PREPARE },
    };

    fake_shell_rule_add(rented->world.shell, &fails);
}

static void
a_machine_is_deleted(struct rented *rented)
{
    struct fake_vm *vm = fake_vm_next(fake_cloud_vms(rented->world.cloud), NULL);

    assert_true(fake_vm_is_alive(vm));
    fake_vm_vanish(vm);
}

static void
the_account_is_full(struct rented *rented)
{
    fake_quota_limit_set(fake_cloud_quota(rented->world.cloud), 0);
}

static void
every_call_fails(struct rented *rented, enum fault_kind kind)
{
    struct fake_cloud_rule fails = { .verb = -1 };

    fails.fate = fake_cloud_fate_usual();
    fails.fate.how.kind = kind;
    fake_cloud_rule_add(rented->world.cloud, &fails);
}

static void
credentials_end(struct rented *rented)
{
    every_call_fails(rented, FAULT_CLOUD_DENIED);
}

static void
the_api_fails(struct rented *rented)
{
    every_call_fails(rented, FAULT_CLOUD_FAILED);
}

static void
the_api_is_throttled(struct rented *rented)
{
    every_call_fails(rented, FAULT_CLOUD_THROTTLED);
}

static const struct trouble troubles[] = {
    { "machines never answer", machines_never_answer, false, 0, 3000, 9, 350, "host.prepare_failed",
      1, 27, INT64_C(5) * HOUR_MS },
    { "the last step fails", a_step_fails, false, 0, 3500, 9, 350, "host.prepare_failed", 1, 27,
      INT64_C(5) * HOUR_MS },
    { "a machine is deleted by hand", a_machine_is_deleted, true, HOSTS, 20000, 1, 300, "host.lost",
      1, 1, HOUR_MS / 6 },
    { "the account is at its limit", the_account_is_full, false, 0, 0, 40, 350, "pool.refused", 1,
      1, HOUR_MS / 2 },
    { "credentials end", credentials_end, false, 0, 0, 40, 120, "pool.refused", 1, 1, HOUR_MS / 2 },
    { "credentials end beside hosts", credentials_end, true, HOSTS, 20000, 0, 80,
      "pool.listing_failed", 1, 1, HOUR_MS / 6 },
    { "the API answers 500", the_api_fails, false, 0, 0, 125, 200, "pool.listing_failed", 1, 1,
      HOUR_MS / 2 },
    { "the API answers 500 beside hosts", the_api_fails, true, HOSTS, 20000, 0, 80,
      "pool.listing_failed", 1, 1, HOUR_MS / 6 },
    { "the API is throttled beside hosts", the_api_is_throttled, true, HOSTS, 20000, 0, 80,
      "pool.listing_failed", 1, 1, HOUR_MS / 6 },
};

/* --- What becomes of it --------------------------------------------------------------------- */

static uint64_t
calls_of(const struct rented *rented)
{
    uint64_t calls = 0;

    for (int verb = 0; verb < CLOUD_VERB_COUNT; verb++)
        calls += fake_cloud_calls(rented->world.cloud, (enum cloud_verb)verb);
    return calls;
}

static void
assert_at_most(const struct trouble *trouble, const char *what, uint64_t count, uint64_t most)
{
    if (count > most) {
        fail_msg("%s: %llu %s, %llu are allowed", trouble->name, (unsigned long long)count, what,
                 (unsigned long long)most);
    }
}

static void
trouble_ends(struct rented *rented)
{
    fake_cloud_rules_clear(rented->world.cloud);
    fake_shell_rules_clear(rented->world.shell);
    fake_quota_limit_set(fake_cloud_quota(rented->world.cloud), -1);
}

static void
trouble_happens(const struct trouble *trouble)
{
    struct rented rented;
    const struct fake_cloud *cloud;
    uint64_t launches;
    uint64_t calls;
    int64_t cost;
    size_t told;

    rented_begin(&rented, trouble->grown ? HOSTS : 0);
    cloud = rented.world.cloud;
    if (trouble->grown)
        rented_until_active(&rented, HOSTS, HOUR_MS / 6);
    launches = fake_cloud_calls(cloud, CLOUD_LAUNCH);
    calls = calls_of(&rented);
    cost = fake_cloud_cost_micro(cloud);
    trouble->begin(&rented);
    rented_policy_set(&rented, HOSTS, false);
    world_run(&rented.world, HOUR_MS);
    told = rented_events(&rented, trouble->event);
    if (rented_count(&rented, HOST_ACTIVE) != trouble->active || told < trouble->told_least ||
        told > trouble->told_most) {
        fail_msg("%s: %zu hosts are active, and %s was said %zu times", trouble->name,
                 rented_count(&rented, HOST_ACTIVE), trouble->event, told);
    }
    assert_at_most(trouble, "launches", fake_cloud_calls(cloud, CLOUD_LAUNCH) - launches,
                   trouble->launches);
    assert_at_most(trouble, "calls", calls_of(&rented) - calls, trouble->calls);
    assert_at_most(trouble, "millionths", (uint64_t)(fake_cloud_cost_micro(cloud) - cost),
                   (uint64_t)trouble->cost_micro);
    trouble_ends(&rented);
    rented_until_active(&rented, HOSTS, trouble->over_ms);
    world_run(&rented.world, HOUR_MS / 4);
    assert_int_equal(fake_cloud_alive(cloud), HOSTS);
    rented_end(&rented);
}

static void
test_each_trouble_is_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++)
        trouble_happens(&troubles[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_trouble_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
