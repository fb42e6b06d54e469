/*
 * Calls about one machine: what its console shows, its stop and its start; and prices of spot machines.
 */

#include "../../../src/cloud/ec2_console.h"
#include "../../../src/cloud/ec2_prices.h"
#include "ec2_world.h"

static void
one_start(struct asked *asked, enum cloud_verb verb)
{
    *asked = (struct asked){ .call = { .verb = verb,
                                       .pool = pool,
                                       .cluster_id = CLUSTER,
                                       .in.id = "i-1",
                                       .done = asked_on_done } };
    ec2_port(ec2)->start(ec2_port(ec2)->self, &asked->call);
}

static char shown[64];

static void
console_on_done(struct cloud_call *call, const struct fault *fault)
{
    if (!fault)
        (void)snprintf(shown, sizeof(shown), "%s", call->out.console.text);
    asked_on_done(call, fault);
}

static void
a_console_is_told(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(NO("400 No", "UnsupportedOperation")),
        ONCE(OK("<GetConsoleOutputResponse><output>cGFuaWM6\n IG9uIGZpcmUK"
                "</output></GetConsoleOutputResponse>")),
        ONCE(OK("<GetConsoleOutputResponse/>")),
        EACH(NO("400 No", "InvalidInstanceID.NotFound")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    one_start(&asked, CLOUD_CONSOLE);
    asked.call.done = console_on_done;
    asked_wait(&asked, FAULT_NONE);
    assert_string_equal(shown, "panic: on fire\n");
    world_sent("Action=GetConsoleOutput&Version=2016-11-15&InstanceId=i-1", true);
    world_sent("Latest", false); /* the second time */
    one_start(&asked, CLOUD_CONSOLE);
    asked.call.done = console_on_done;
    asked_wait(&asked, FAULT_NONE);
    assert_string_equal(shown, "");
    world_sent("&Latest=true", true);
    one_start(&asked, CLOUD_CONSOLE);
    asked_wait(&asked, FAULT_MACHINE_GONE);
}

static void
a_console_is_bounded_and_clean(void **state)
{
    size_t size = (size_t)4 * CLOUD_CONSOLE_MAX;
    char *base64 = mem_new0(size + 1);
    char *text;

    (void)state;
    memset(base64, 'Q', size); /* "A\x04\x10A..." */
    (void)snprintf(base64 + size - 4, 5, "eW8h");
    text = ec2_console_decode(base64);
    assert_int_equal(strlen(text), CLOUD_CONSOLE_MAX);
    assert_string_equal(text + CLOUD_CONSOLE_MAX - 3, "yo!");
    mem_free(text);
    mem_free(base64);
    text =
        ec2_console_decode("AP8bWzFtCg=="); /* NUL, a byte that is no UTF-8, an escape sequence */
    assert_string_equal(text, " ? [1m\n");
    mem_free(text);
    text = ec2_console_decode("");
    assert_string_equal(text, "");
    mem_free(text);
}

static void
machines_are_stopped_and_started(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(OK("<StopInstancesResponse/>")),
        /* A spot machine. */
        ONCE(NO("400 No", "UnsupportedOperation")),
        ONCE(OK("<StartInstancesResponse/>")),
        ONCE(NO("500 Oh", "InsufficientInstanceCapacity")),
        ONCE(NO("400 No", "InvalidInstanceID.NotFound")),
        /* It still stops: asked again, here and by the caller. */
        EACH(NO("400 No", "IncorrectInstanceState")),
        { .path = NULL },
    };
    static const struct {
        enum cloud_verb verb;
        enum fault_kind kind;
        const char *action;
    } cases[] = {
        { CLOUD_STOP, FAULT_NONE, "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1" },
        { CLOUD_STOP, FAULT_CLOUD_REFUSED, "Action=StopInstances" },
        { CLOUD_START, FAULT_NONE, "Action=StartInstances&Version=2016-11-15&InstanceId.1=i-1" },
        { CLOUD_START, FAULT_CLOUD_CAPACITY, "Action=StartInstances" },
        { CLOUD_START, FAULT_MACHINE_GONE, "Action=StartInstances" },
        { CLOUD_START, FAULT_CLOUD_FAILED, "Action=StartInstances" },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        one_start(&asked, cases[i].verb);
        asked_wait(&asked, cases[i].kind);
        world_sent(cases[i].action, true);
    }
    assert_int_equal(fake_http_requests(fake, "/"), 9);
}

static void
prices_are_read_as_they_are(void **state)
{
    static const struct {
        const char *text;
        int64_t micro; /* -1: none */
    } cases[] = {
        { "0.012300", 12300 },
        { "1", 1000000 },
        { "0.0000001", 1 },
        { "2.5", 2500000 },
        { "1000000", 1000000000000 },
        { "", -1 },
        { "-1", -1 },
        { ".5", -1 },
        { "1.2.3", -1 },
        { "1e3", -1 },
        { "99999999999999999999", -1 },
        { "1000000.1", -1 },
        { "9999999999999", -1 },
        { "999999999999.99", -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t micro = -1;

        (void)ec2_prices_micro(cases[i].text, &micro);
        if (micro != cases[i].micro)
            fail_msg("%s: %lld", cases[i].text, (long long)micro);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_console_is_told),
        cmocka_unit_test(a_console_is_bounded_and_clean),
        TEST(machines_are_stopped_and_started),
        cmocka_unit_test(prices_are_read_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
