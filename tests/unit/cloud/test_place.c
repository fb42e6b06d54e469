/*
 * Where a pool is: region and endpoint of its configuration; and whose account the keys are of, which is
 * asked once, before anything is concluded about machines that are there.
 */

#include "ec2_world.h"

#define HTTP(answer)                                                                               \
    {                                                                                              \
        "/", .reply = answer, .only_first = 1, .then = FAKE_HTTP_CLOSE                             \
    }
#define OWNED(account)                                                                             \
    OK("<DescribeSecurityGroupsResponse><securityGroupInfo><item><ownerId>" account                \
       "</ownerId></item></securityGroupInfo></DescribeSecurityGroupsResponse>")
#define NOBODYS                                                                                    \
    OK("<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>")
#define LIST                                                                                       \
    OK("<DescribeInstancesResponse><reservationSet><item><ownerId>111111111111</ownerId>"          \
       "<instancesSet>" MACHINE("i-1", "running", OURS) "</instancesSet></item></reservationSet>"  \
                                                        "</DescribeInstancesResponse>")

static char first_account[] = "111111111111";

/* The pool has a machine, in an account that is known. */
static void
bind_pool(void)
{
    pool->place.region = mem_strdup("eu-north-1");
    pool->place.account = mem_strdup(first_account);
    pool->hosts = 1;
}

/* Two listings, with what is asked before the first alone. */
static void
list_twice(const struct fake_http_rule *rules)
{
    struct asked asked;

    world_serve(rules);
    bind_pool();
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_int_equal(asked.count, 1);
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_int_equal(fake_http_requests(fake, NULL), 3);
}

static void
the_account_is_asked_once(void **state)
{
    static const struct fake_http_rule rules[] = {
        HTTP(OWNED("111111111111")),
        HTTP(LIST),
        HTTP(LIST),
        { .path = NULL },
    };

    (void)state;
    list_twice(rules);
}

static void
keys_of_another_account_are_refused(void **state)
{
    static const struct fake_http_rule rules[] = { HTTP(OWNED("222222222222")), { .path = NULL } };
    struct asked asked;

    (void)state;
    world_serve(rules);
    bind_pool();
    for (int i = 0; i < 2; i++) {
        asked_run(&asked, i == 0 ? CLOUD_LIST : CLOUD_TERMINATE, FAULT_CLOUD_DENIED);
        assert_non_null(strstr(asked.fault.text, "are in account 111111111111, and the keys are of "
                                                 "account 222222222222"));
    }
    assert_int_equal(fake_http_requests(fake, NULL), 1);
}

/* Whoever may not ask, or has no network there, goes on as before. */
static void
what_is_not_told_holds_nothing_up(void **state)
{
    static const struct fake_http_rule rules[] = {
        HTTP(NOBODYS),
        HTTP(LIST),
        HTTP(LIST),
        { .path = NULL },
    };
    static const struct fake_http_rule denied[] = {
        HTTP(NO("403 No", "UnauthorizedOperation")),
        HTTP(LIST),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    list_twice(rules);
    fake_http_free(fake);
    world_serve(denied);
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
}

/* A pool without machines may be anywhere; what is listed tells the account. */
static void
an_empty_pool_is_not_bound(void **state)
{
    static const struct fake_http_rule rules[] = { HTTP(LIST), { .path = NULL } };
    struct asked asked;

    (void)state;
    world_serve(rules);
    bind_pool();
    pool->hosts = 0;
    asked_run(&asked, CLOUD_LIST, FAULT_NONE);
    assert_string_equal(asked.call.out.list.account, first_account);
    assert_int_equal(fake_http_requests(fake, NULL), 1);
}

static void
who_leaves_is_not_kept_waiting(void **state)
{
    static const struct fake_http_rule rules[] = {
        { "/", .only_first = 1, .then = FAKE_HTTP_STALL },
        HTTP(OWNED("111111111111")),
        HTTP(LIST),
        { .path = NULL },
    };
    const struct cloud_port *port = ec2_port(ec2);
    struct asked asked[3];

    (void)state;
    world_serve(rules);
    bind_pool();
    asked_start(&asked[0], CLOUD_LIST);
    asked_start(&asked[1], CLOUD_LIST);
    while (fake_http_requests(fake, NULL) < 1)
        (void)loop_run_until(loop, asked_is_done, &asked[0], 1);
    port->cancel(port->self, &asked[0].call);
    port->cancel(port->self, &asked[0].call);
    port->cancel(port->self, &asked[1].call);
    asked_start(&asked[2], CLOUD_LIST); /* somebody comes while it ends */
    asked_wait(&asked[0], FAULT_CANCELLED);
    asked_wait(&asked[1], FAULT_CANCELLED);
    asked_wait(&asked[2], FAULT_NONE);
}

static void
place_is(const char *endpoint, const char *region, const char *expected)
{
    const struct ec2_defaults defaults = { .region = "eu-west-1" };
    const struct ec2_config config = { .endpoint = mem_unconst(endpoint),
                                       .region = mem_unconst(region) };
    CLEANUP(mem_freep) char *text = NULL;
    struct pool_place place;
    struct fault fault;

    if (ec2_place(&config, &defaults, &place, &fault) < 0)
        fail_msg("%s", fault.text);
    text = pool_place_text(&place);
    assert_string_equal(text, expected);
    pool_place_clear(&place);
}

static void
places_are_told_apart(void **state)
{
    char north[] = "eu-north-1";
    char cloud[] = "http://cloud:4000/";
    const struct pool_place aws = { .region = north };
    const struct pool_place own = { .region = north, .endpoint = cloud };
    const struct pool_place west = { .region = first_account };
    const struct pool_place unknown = { 0 };

    (void)state;
    place_is(NULL, NULL, "eu-west-1");
    place_is(NULL, "eu-north-1", "eu-north-1");
    place_is("https://ec2.eu-west-1.amazonaws.com", NULL, "eu-west-1");
    place_is("https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com/", NULL, "eu-west-1");
    place_is("http://cloud:4000", NULL, "eu-west-1 of http://cloud:4000/");
    place_is("https://amazonaws.com.example.org", NULL,
             "eu-west-1 of https://amazonaws.com.example.org/");
    assert_null(pool_place_differs(&aws, &aws));
    assert_null(pool_place_differs(&aws, &unknown));
    assert_null(pool_place_differs(&unknown, &own));
    assert_string_equal(pool_place_differs(&aws, &own), "endpoint");
    assert_string_equal(pool_place_differs(&aws, &west), "region");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_account_is_asked_once),         TEST(keys_of_another_account_are_refused),
        TEST(what_is_not_told_holds_nothing_up), TEST(an_empty_pool_is_not_bound),
        TEST(who_leaves_is_not_kept_waiting),    cmocka_unit_test(places_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
