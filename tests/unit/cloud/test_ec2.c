/*
 * The port before a scripted server: what is asked, what is made of the answers, and what is asked
 * again.
 */

#include "ec2_world.h"

static void
a_launch_asks_for_a_safe_machine(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        EACH(LAUNCHED),
        { .path = NULL },
    };
    static const char *const pieces[] = {
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n",
        "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID "/",
        "/eu-north-1/ec2/aws4_request, SignedHeaders=content-type;host;x-amz-date;"
        "x-amz-security-token, Signature=",
        "X-Amz-Security-Token: " SESSION "\r\n",
        "Action=RunInstances&Version=2016-11-15&ClientToken=token-1&MinCount=1&MaxCount=1",
        "&ImageId=ami-new&InstanceType=m5.large",
        "&InstanceInitiatedShutdownBehavior=terminate",
        "&MetadataOptions.HttpTokens=required",
        "&MetadataOptions.HttpPutResponseHopLimit=1",
        "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda&BlockDeviceMapping.1.Ebs.Encrypted=true",
        "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=berth%3Acluster"
        "&TagSpecification.1.Tag.1.Value=" CLUSTER,
        "&TagSpecification.1.Tag.2.Key=berth%3Apool&TagSpecification.1.Tag.2.Value=web",
        "&TagSpecification.1.Tag.3.Key=berth%3Ahost"
        "&TagSpecification.1.Tag.3.Value=h-0000000000005",
        "&TagSpecification.2.ResourceType=volume&TagSpecification.2.Tag.1.Key=berth%3Acluster",
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LAUNCH, FAULT_NONE);
    assert_string_equal(asked.call.out.machine.id, "i-1");
    assert_int_equal(asked.call.out.machine.host_id, 5);
    assert_int_equal(asked.call.out.machine.state, CLOUD_PENDING);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        world_sent(pieces[i], true);
    world_sent(KEY, false);
    world_sent("MarketType", false);
    /* The image is known now. */
    asked_run(&asked, CLOUD_LAUNCH, FAULT_NONE);
    assert_int_equal(fake_http_requests(fake, "/"), 3);
}

static void
launches_at_once_look_for_one_image(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        EACH(LAUNCHED),
        { .path = NULL },
    };
    struct asked asked[4];

    (void)state;
    world_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        asked_start(&asked[i], CLOUD_LAUNCH);
    /* Who looks for it leaves: another one does. */
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked[0].call);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked[2].call);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        asked_wait(&asked[i], i % 2 ? FAULT_NONE : FAULT_CANCELLED);
    assert_int_equal(fake_http_requests(fake, "/"), 3);
}

static struct asked leavers[2];

static void
leaver_on_done(struct cloud_call *call, const struct fault *fault)
{
    asked_on_done(call, fault);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &leavers[1].call);
}

/* What was looked for is there by then: nothing is under way that could be stopped. */
static void
the_first_may_cancel_the_last(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(OK("<R><imagesSet/></R>")),
        { .path = NULL },
    };

    (void)state;
    world_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(leavers); i++)
        asked_start(&leavers[i], CLOUD_LAUNCH);
    leavers[0].call.done = leaver_on_done;
    asked_wait(&leavers[0], FAULT_CLOUD_REFUSED);
    asked_wait(&leavers[1], FAULT_CANCELLED);
}

static void
without_an_image_nothing_is_launched(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(OK("<R><imagesSet/><nextToken>more</nextToken></R>")),
        EACH(OK("<R><imagesSet/></R>")),
        { .path = NULL },
    };
    struct asked asked[2];

    (void)state;
    world_serve(rules);
    asked_start(&asked[0], CLOUD_LAUNCH);
    asked_start(&asked[1], CLOUD_LAUNCH);
    asked_wait(&asked[0], FAULT_CLOUD_REFUSED);
    asked_wait(&asked[1], FAULT_CLOUD_REFUSED);
    assert_string_equal(asked[0].fault.text, "there is no image debian-12-amd64-* of 136693071363");
    assert_int_equal(fake_http_requests(fake, "/"), 2);
    world_sent("Filter.1.Name=name&Filter.1.Value.1=debian-12-amd64-%2A", true);
    world_sent("&NextToken=more", true);
}

static void
a_lack_of_capacity_is_told_at_once(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        EACH(NO("500 Internal Server Error", "InsufficientInstanceCapacity")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LAUNCH, FAULT_CLOUD_CAPACITY);
    assert_string_equal(asked.fault.text, "InsufficientInstanceCapacity: words (request r-9)");
    assert_string_equal(asked.call.out.machine.id, "");
    assert_int_equal(fake_http_requests(fake, "/"), 2);
}

static void
a_launch_that_may_have_been_done_is_not_repeated_here(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        { "/", .reply = "", .only_first = 1, .then = FAKE_HTTP_RESET },
        ONCE(OK("<html>")),
        ONCE(OK("<RunInstancesResponse/>")),
        EACH(NO("503 Slow", "InternalError")),
        { .path = NULL },
    };
    static const enum fault_kind kinds[] = { FAULT_CLOUD_UNSURE, FAULT_CLOUD_UNSURE,
                                             FAULT_CLOUD_UNSURE, FAULT_CLOUD_FAILED };
    struct asked asked;

    (void)state;
    world_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        asked_run(&asked, CLOUD_LAUNCH, kinds[i]);
        assert_int_equal(fake_http_requests(fake, "/"), 2 + i);
    }
}

static void
what_was_not_done_is_repeated(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(NO("503 Slow", "RequestLimitExceeded")),
        ONCE(LAUNCHED),
        ONCE(NO("500 Oh", "InternalError")),
        { "/", .reply = "", .only_first = 1, .then = FAKE_HTTP_RESET },
        ONCE(LISTED("", "")),
        EACH(NO("400 Slow", "Throttling")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LAUNCH, FAULT_NONE);
    assert_int_equal(fake_http_requests(fake, "/"), 3);
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_int_equal(fake_http_requests(fake, "/"), 6);
    /* But not for ever. */
    asked_run(&asked, CLOUD_TERMINATE, FAULT_CLOUD_THROTTLED);
    assert_int_equal(fake_http_requests(fake, "/"), 10);
}

static void
a_token_that_was_used_otherwise_finds_its_machine(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(NO("400 No", "IdempotentParameterMismatch")),
        ONCE(LISTED(MACHINE("i-4", "running", OURS), "")),
        ONCE(NO("400 No", "IdempotentParameterMismatch")),
        ONCE(LISTED(MACHINE("i-4", "terminated", OURS), "")),
        ONCE(NO("400 No", "IdempotentParameterMismatch")),
        ONCE(LISTED("", "")),
        EACH(NO("400 No", "IdempotentInstanceTerminated")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LAUNCH, FAULT_NONE);
    assert_string_equal(asked.call.out.machine.id, "i-4");
    world_sent("Filter.1.Name=client-token&Filter.1.Value.1=token-1&Filter.2.Name=tag%3Aberth",
               true);
    asked_run(&asked, CLOUD_LAUNCH, FAULT_MACHINE_GONE);
    asked_run(&asked, CLOUD_LAUNCH, FAULT_CLOUD_UNSURE);
    asked_run(&asked, CLOUD_LAUNCH, FAULT_MACHINE_GONE);
}

static void
all_pages_are_read(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(LISTED(MACHINE("i-2", "running", OURS), "p2")),
        ONCE(LISTED("", "p3")),
        ONCE(LISTED(MACHINE("i-1", "terminated", OURS) MACHINE("i-2", "running", OURS)
                        MACHINE("i-9", "running", "") MACHINE("", "running", OURS),
                    "")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_true(asked.complete);
    assert_int_equal(asked.count, 2);
    assert_string_equal(asked.machines[0].id, "i-1");
    assert_int_equal(asked.machines[0].state, CLOUD_TERMINATED);
    assert_string_equal(asked.machines[1].id, "i-2");
    assert_int_equal(asked.machines[1].host_id, 5);
    assert_int_equal(fake_http_requests(fake, "/"), 3);
    world_sent("Filter.1.Name=tag%3Aberth%3Acluster&Filter.1.Value.1=" CLUSTER
               "&Filter.2.Name=tag%3Aberth%3Apool&Filter.2.Value.1=web&MaxResults=500"
               "&NextToken=p3",
               true);
}

static void
what_is_not_all_says_so(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(LISTED(MACHINE("i-1", "running", OURS), "p2")),
        ONCE(NO("400 No", "InvalidPaginationToken")),
        /* Pages that go on in a circle. */
        { "/", .reply = LISTED(MACHINE("i-1", "running", OURS), "p2"), .only_first = 2,
          .then = FAKE_HTTP_CLOSE },
        EACH(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    for (int i = 0; i < 2; i++) {
        asked_run(&asked, CLOUD_LIST, FAULT_NONE);
        assert_false(asked.complete);
        assert_int_equal(asked.count, 1);
    }
    assert_int_equal(fake_http_requests(fake, "/"), 4);
    asked_run(&asked, CLOUD_LIST, FAULT_CLOUD_DENIED);
}

static void
spot_machines_that_are_taken_back_are_marked(void **state)
{
#define SPOT(id)                                                                                   \
    MACHINE(id, "running",                                                                         \
            OURS "<instanceLifecycle>spot</instanceLifecycle><instanceType>m5.large"               \
                 "</instanceType><placement><availabilityZone>eu-north-1b</availabilityZone>"      \
                 "</placement>")
#define PRICE(zone, price, at)                                                                     \
    "<item><instanceType>m5.large</instanceType><availabilityZone>" zone "</availabilityZone>"     \
    "<spotPrice>" price "</spotPrice><timestamp>" at "</timestamp></item>"
#define PRICES                                                                                     \
    OK("<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>" PRICE("eu-north-1a", "0.050000",  \
                                                                       "2026-01-02T00:00:00.000Z") \
           PRICE("eu-north-1b", "0.043100", "2026-01-02T00:00:00.000Z")                            \
               PRICE("eu-north-1b", "0.020000",                                                    \
                     "2026-01-01T00:00:00.000Z") "</spotPriceHistorySet></"                        \
                                                 "DescribeSpotPriceHistoryResponse>")
    static const struct fake_http_rule rules[] = {
        ONCE(LISTED(SPOT("i-1") SPOT("i-2"), "")),
        ONCE(PRICES),
        ONCE(OK("<DescribeSpotInstanceRequestsResponse><spotInstanceRequestSet><item>"
                "<instanceId>i-2</instanceId></item><item><instanceId>i-3</instanceId></item>"
                "</spotInstanceRequestSet></DescribeSpotInstanceRequestsResponse>")),
        ONCE(LISTED(SPOT("i-1"), "")),
        EACH(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_int_equal(asked.count, 2);
    assert_false(asked.machines[0].notice);
    assert_true(asked.machines[1].notice);
    assert_int_equal(asked.machines[0].price_micro, 43100);
    assert_string_equal(asked.machines[0].type, "m5.large");
    world_sent("Action=DescribeSpotInstanceRequests&Version=2016-11-15&Filter.1.Name=tag%3Aberth",
               true);
    world_sent("&Filter.3.Name=status-code&Filter.3.Value.1=marked-for-termination", true);
    /* Who may not ask that still gets the listing. */
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_true(asked.complete);
    assert_int_equal(asked.count, 1);
    /* Prices are known for a while. */
    assert_int_equal(asked.machines[0].price_micro, 43100);
    assert_int_equal(fake_http_requests(fake, "/"), 5);
}

static void
what_is_gone_was_terminated(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(OK("<TerminateInstancesResponse/>")),
        ONCE(NO("400 No", "InvalidInstanceID.NotFound")),
        EACH(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_TERMINATE, FAULT_NONE);
    world_sent("Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1", true);
    asked_run(&asked, CLOUD_TERMINATE, FAULT_NONE);
    asked_run(&asked, CLOUD_TERMINATE, FAULT_CLOUD_DENIED);
}

static void
the_providers_clock_is_learnt(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE("HTTP/1.0 401 No\r\nDate: Sat, 01 Jan 2050 12:00:00 GMT\r\n\r\n<Response>"
             "<Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>"),
        EACH(LISTED("", "")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_int_equal(fake_http_requests(fake, "/"), 2);
    world_sent("X-Amz-Date: 20500101T12", true);
    assert_non_null(strstr(told, "this machine's clock is"));
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    world_sent("X-Amz-Date: 20500101T12", true);
}

static void
a_wrong_key_is_looked_up_once_more(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("401 No", "AuthFailure")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_run(&asked, CLOUD_LIST, FAULT_CLOUD_DENIED);
    assert_int_equal(fake_http_requests(fake, "/"), 2);
}

static bool
world_is_asked(void *cookie)
{
    (void)cookie;
    return fake_http_requests(fake, "/") > 0;
}

static void
world_on_tick(struct clock_timer *timer)
{
    const struct clock_port *clock = loop_clock(loop);

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + 2);
}

static void
a_cancelled_call_ends(void **state)
{
    static const struct fake_http_rule rules[] = {
        { "/", .reply = "", .then = FAKE_HTTP_STALL },
        { .path = NULL },
    };
    struct clock_timer tick = { .fire = world_on_tick }; /* the server does not wake our loop */
    struct asked asked;

    (void)state;
    world_serve(rules);
    asked_start(&asked, CLOUD_LIST);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked.call);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked.call);
    assert_int_equal(asked.done_count, 0);
    asked_wait(&asked, FAULT_CANCELLED);
    assert_int_equal(fake_http_requests(fake, "/"), 0);
    asked_start(&asked, CLOUD_TERMINATE);
    world_on_tick(&tick);
    assert_true(loop_run_until(loop, world_is_asked, NULL, PATIENCE_MS));
    loop_clock(loop)->timer_clear(loop_clock(loop)->self, &tick);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked.call);
    asked_wait(&asked, FAULT_CANCELLED);
}

static void
a_pool_that_is_set_again_lets_its_calls_end(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(LISTED("", "")),
        { .path = NULL },
    };
    static const struct ec2_defaults defaults = { .region = "eu-west-1" };
    struct ec2_config config;
    struct asked asked;
    struct fault fault;

    (void)state;
    world_serve(rules);
    asked_start(&asked, CLOUD_LIST);
    world_config(&config);
    mem_free(STEAL(config.region));
    assert_int_equal(ec2_pool_set(ec2, POOL_ID, &config, &defaults, &fault), 0);
    asked_wait(&asked, FAULT_NONE);
    world_sent("/eu-north-1/ec2/", true);
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    world_sent("/eu-west-1/ec2/", true);
    assert_int_equal(ec2_pool_set(ec2, POOL_ID, &config, &(struct ec2_defaults){ 0 }, &fault), -1);
    assert_string_equal(fault.text, "no region: set region or AWS_REGION");
    mem_free(config.endpoint);
    config.endpoint = mem_strdup("https://example.com/path");
    assert_int_equal(ec2_pool_set(ec2, POOL_ID, &config, &defaults, &fault), -1);
    schema_free(&ec2_config_schema, &config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_launch_asks_for_a_safe_machine),
        TEST(launches_at_once_look_for_one_image),
        TEST(the_first_may_cancel_the_last),
        TEST(without_an_image_nothing_is_launched),
        TEST(a_lack_of_capacity_is_told_at_once),
        TEST(a_launch_that_may_have_been_done_is_not_repeated_here),
        TEST(what_was_not_done_is_repeated),
        TEST(a_token_that_was_used_otherwise_finds_its_machine),
        TEST(all_pages_are_read),
        TEST(what_is_not_all_says_so),
        TEST(spot_machines_that_are_taken_back_are_marked),
        TEST(what_is_gone_was_terminated),
        TEST(the_providers_clock_is_learnt),
        TEST(a_wrong_key_is_looked_up_once_more),
        TEST(a_cancelled_call_ends),
        TEST(a_pool_that_is_set_again_lets_its_calls_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
