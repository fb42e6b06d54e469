/*
 * Half an hour of an API that fails, by a clock that jumps from timer to timer: callers who ask again and
 * again as the engine does send a bounded number of requests, and all is well soon after it is mended.
 */

#include "../../../src/cloud/ec2_ask.h"
#include "ec2_world.h"
#include "support/fake_clock.h"

enum {
    CALLERS = 20,
    OUTAGE_MS = 1800000,
    DELAY_MIN_MS = 5000,
    DELAY_MAX_MS = 60000,
    CALL_MS = 25000,
    REPEATS_BURST = 10, /* as ec2_ask.c has it, and one in two seconds */
};

struct caller {
    struct ec2_ask ask;
    struct clock_timer timer;
    int64_t delay_ms;
    bool busy;
    bool fine;
};

static struct fake_clock *virtual_clock;
static struct ec2_account account;
static struct caller callers[CALLERS];
static struct cloud_tally tallies[EC2_ACTION_COUNT];
static enum ec2_action action;
static enum fault_kind failed;
static char url[64];
static uint64_t calls;

static void caller_on_done(struct ec2_ask *ask, const struct fault *fault);

static int64_t
mono_ms(void)
{
    return account.clock->mono_ms(account.clock->self);
}

static void
caller_on_timer(struct clock_timer *timer)
{
    struct caller *caller = CONTAINER_OF(timer, struct caller, timer);

    ec2_ask_init(&caller->ask, &account, action);
    caller->ask.deadline_mono_ms = mono_ms() + CALL_MS;
    caller->ask.done = caller_on_done;
    caller->busy = true;
    calls++;
    ec2_ask_start(&caller->ask);
}

static void
caller_on_done(struct ec2_ask *ask, const struct fault *fault)
{
    struct caller *caller = CONTAINER_OF(ask, struct caller, ask);

    caller->busy = false;
    caller->fine = !fault;
    failed = fault ? fault->kind : FAULT_NONE;
    caller->delay_ms =
        fault && 2 * caller->delay_ms < DELAY_MAX_MS ? 2 * caller->delay_ms : DELAY_MAX_MS;
    ec2_ask_fini(ask);
    account.clock->timer_set(account.clock->self, &caller->timer, mono_ms() + caller->delay_ms);
}

/* Nobody waits for the server, or for keys. */
static bool
all_wait(void *cookie)
{
    bool all = true;

    (void)cookie;
    for (size_t i = 0; i < CALLERS; i++)
        all = all && !callers[i].ask.asking && !callers[i].ask.waiting;
    return all;
}

static bool
all_are_fine(void)
{
    bool all = true;

    for (size_t i = 0; i < CALLERS; i++)
        all = all && callers[i].fine;
    return all;
}

/* Until then, or until all are fine. */
static void
run(int64_t until_mono_ms)
{
    do {
        assert_true(loop_run_until(loop, all_wait, NULL, PATIENCE_MS));
    } while (!all_are_fine() && fake_clock_next(virtual_clock, until_mono_ms));
}

static void
begin(const struct fake_http_rule *rules, enum ec2_action what)
{
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", fake_http_port(fake));
    virtual_clock = fake_clock_new(INT64_C(1767225600000));
    ec2_ask_tally_init(tallies);
    account = (struct ec2_account){
        .http = http,
        .clock = fake_clock_port(virtual_clock),
        .random = loop_random(loop),
        .credentials = credentials,
        .url = url,
        .region = "eu-north-1",
        .host = "127.0.0.1",
        .tally = tallies,
    };
    action = what;
    calls = 0;
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){ .timer.fire = caller_on_timer, .delay_ms = DELAY_MIN_MS };
        account.clock->timer_set(account.clock->self, &callers[i].timer, mono_ms());
    }
}

/* The server is another one now, which answers well. */
static void
mend(const struct fake_http_rule *rules)
{
    fake_http_free(fake);
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", fake_http_port(fake));
}

static void
end(void)
{
    for (size_t i = 0; i < CALLERS; i++) {
        account.clock->timer_clear(account.clock->self, &callers[i].timer);
        if (callers[i].busy) {
            ec2_ask_cancel(&callers[i].ask);
            assert_true(loop_run_until(loop, all_wait, NULL, PATIENCE_MS));
        }
    }
    while (fake_clock_next(virtual_clock, mono_ms() + CALL_MS))
        assert_true(loop_run_until(loop, all_wait, NULL, PATIENCE_MS));
    fake_clock_free(virtual_clock);
}

static const struct fake_http_rule good[] = {
    EACH(OK("<R/>")),
    { .path = NULL },
};

/* Requests beyond one for each call are the budget's, however many callers there are. */
static void
check(const struct fake_http_rule *rules, enum ec2_action what, enum fault_kind kind,
      uint64_t most_beyond)
{
    int64_t began_mono_ms;

    begin(rules, what);
    began_mono_ms = mono_ms();
    run(began_mono_ms + OUTAGE_MS);
    assert_int_equal(failed, kind);
    assert_in_range(tallies[what].calls, 1, calls + most_beyond);
    assert_int_equal(tallies[what].failures, tallies[what].calls);
    /* Nobody was forgotten: each caller has asked about once a minute. */
    assert_in_range(calls, CALLERS * (OUTAGE_MS / (DELAY_MAX_MS + CALL_MS)),
                    CALLERS * (OUTAGE_MS / DELAY_MAX_MS + 5));
    mend(good);
    began_mono_ms = mono_ms();
    run(began_mono_ms + OUTAGE_MS);
    assert_true(all_are_fine());
    assert_in_range(mono_ms() - began_mono_ms, 0, DELAY_MAX_MS + CALL_MS);
    end();
}

enum { REPEATS_MOST = REPEATS_BURST + OUTAGE_MS / 2000 };

static void
listings_that_fail(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("500 Oh", "InternalError")),
        { .path = NULL },
    };

    (void)state;
    check(rules, EC2_DESCRIBE_INSTANCES, FAULT_CLOUD_FAILED, REPEATS_MOST);
}

/* They may have been done: the caller alone asks again. */
static void
launches_that_fail(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("500 Oh", "InternalError")),
        { .path = NULL },
    };

    (void)state;
    check(rules, EC2_RUN_INSTANCES, FAULT_CLOUD_FAILED, 0);
}

static void
launches_that_are_too_many(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("503 Slow", "RequestLimitExceeded")),
        { .path = NULL },
    };

    (void)state;
    check(rules, EC2_RUN_INSTANCES, FAULT_CLOUD_THROTTLED, REPEATS_MOST);
}

static void
an_account_at_its_limit(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("400 No", "VcpuLimitExceeded")),
        { .path = NULL },
    };

    (void)state;
    check(rules, EC2_RUN_INSTANCES, FAULT_CLOUD_LIMIT, 0);
}

static void
no_permission(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };

    (void)state;
    check(rules, EC2_TERMINATE_INSTANCES, FAULT_CLOUD_DENIED, 0);
}

/* Keys that ended are looked for anew, by all callers together and not each time. */
static void
keys_that_have_ended(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("400 No", "ExpiredToken")),
        { .path = NULL },
    };

    (void)state;
    check(rules, EC2_DESCRIBE_INSTANCES, FAULT_CLOUD_DENIED,
          (uint64_t)CALLERS * (OUTAGE_MS / DELAY_MAX_MS + 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(listings_that_fail),      TEST(launches_that_fail), TEST(launches_that_are_too_many),
        TEST(an_account_at_its_limit), TEST(no_permission),      TEST(keys_that_have_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
