/*
 * Calls that come together are asked for together, and each gets the outcome of its own: terminations,
 * also where EC2 refuses the whole for one machine's sake, and listings of several pools.
 */

#include "../../../src/cloud/ec2_batch.h"
#include "../../../src/cloud/ec2_ending.h"
#include "ec2_world.h"

enum { SECOND_POOL_ID = 8 };

#define ENDED OK("<TerminateInstancesResponse/>")
#define BAD(code, words)                                                                           \
    ANSWER("400 No", "<Response><Errors><Error><Code>" code "</Code><Message>" words               \
                     "</Message></Error></Errors></Response>")

static void
terminate_start(struct asked *asked, const char *id)
{
    *asked = (struct asked){ .call = { .verb = CLOUD_TERMINATE,
                                       .pool = pool,
                                       .cluster_id = CLUSTER,
                                       .in.id = id,
                                       .done = asked_on_done } };
    ec2_port(ec2)->start(ec2_port(ec2)->self, &asked->call);
}

/* All at once; of the second becomes @second, the others end. */
static void
terminate_all(struct asked *asked, const char *const *ids, size_t count, enum fault_kind second)
{
    for (size_t i = 0; i < count; i++)
        terminate_start(&asked[i], ids[i]);
    for (size_t i = 0; i < count; i++)
        asked_wait(&asked[i], i == 1 ? second : FAULT_NONE);
}

static uint64_t
tally(const char *action)
{
    size_t count;
    const struct cloud_tally *at = ec2_port(ec2)->tally(ec2_port(ec2)->self, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(at[i].action, action) == 0)
            return at[i].calls;
    }
    return 0;
}

static void
terminations_go_as_one(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(ENDED),
        { .path = NULL },
    };
    static char ids[EC2_BATCH_MAX + 1][24];
    static struct asked asked[EC2_BATCH_MAX + 1];

    (void)state;
    world_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "i-%zu", i);
        terminate_start(&asked[i], ids[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        asked_wait(&asked[i], FAULT_NONE);
    /* One more than one request holds. */
    assert_int_equal(tally("TerminateInstances"), 2);
    assert_int_equal(fake_http_requests(fake, "/"), 2);
}

static void
who_is_named_in_a_refusal_ends_with_it(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(BAD("InvalidInstanceID.NotFound", "The instance IDs 'i-1, i-3' do not exist")),
        ONCE(BAD("OperationNotPermitted", "The instance 'i-12' may not be terminated.")),
        EACH(ENDED),
        { .path = NULL },
    };
    static const char *const ids[] = { "i-1", "i-12", "i-2", "i-3", "i-4" };
    struct asked asked[ARRAY_LEN(ids)];

    (void)state;
    world_serve(rules);
    terminate_all(asked, ids, ARRAY_LEN(asked), FAULT_CLOUD_DENIED);
    assert_int_equal(fake_http_requests(fake, "/"), 3);
    world_sent("InstanceId.1=i-2&InstanceId.2=i-4", true);
    world_sent("InstanceId.3", false);
}

/* Which of eight is bad, no refusal says: each found by halves. */
static void
halves_find_the_bad_one(void **state)
{
#define MUTE BAD("InvalidInstanceID.Malformed", "Invalid id")
    static const struct fake_http_rule rules[] = {
        /* 8 no, 4 no, 2 no, 1 yes, 2 no, 1 no (i-1), ... */
        { "/", .reply = MUTE, .only_first = 3, .then = FAKE_HTTP_CLOSE },
        ONCE(ENDED),                                                      /* i-0 */
        { "/", .reply = MUTE, .only_first = 2, .then = FAKE_HTTP_CLOSE }, /* i-1, i-2; i-1 */
        EACH(ENDED),                                                      /* 1, 2, 3 */
        { .path = NULL },
    };
    static const char *const ids[] = { "i-0", "i-1", "i-2", "i-3", "i-4", "i-5", "i-6", "i-7" };
    struct asked asked[ARRAY_LEN(ids)];

    (void)state;
    world_serve(rules);
    terminate_all(asked, ids, ARRAY_LEN(asked), FAULT_CLOUD_REFUSED);
    assert_int_equal(fake_http_requests(fake, "/"), 9);
    world_sent("InstanceId.1=i-5&InstanceId.2=i-6&InstanceId.3=i-7", true);
#undef MUTE
}

/* Without the right to do it nobody is asked one by one. */
static void
a_refusal_of_all_ends_all(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };
    struct asked asked[4];

    (void)state;
    world_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        terminate_start(&asked[i], i % 2 ? "i-1" : "i-2");
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        asked_wait(&asked[i], FAULT_CLOUD_DENIED);
    assert_int_equal(fake_http_requests(fake, "/"), 1);
}

static void
who_leaves_is_not_named(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(ENDED),
        { .path = NULL },
    };
    const struct cloud_port *port = ec2_port(ec2);
    struct asked asked[3];

    (void)state;
    world_serve(rules);
    terminate_start(&asked[0], "i-0");
    port->cancel(port->self, &asked[0].call);
    asked_wait(&asked[0], FAULT_CANCELLED);
    assert_int_equal(fake_http_requests(fake, "/"), 0);
    terminate_start(&asked[0], "i-0");
    terminate_start(&asked[1], "i-1");
    port->cancel(port->self, &asked[0].call);
    asked_wait(&asked[0], FAULT_CANCELLED);
    asked_wait(&asked[1], FAULT_NONE);
    world_sent("InstanceId.1=i-1", true);
    world_sent("i-0", false);
}

static void
words_name_a_whole_id(void **state)
{
    (void)state;
    assert_true(ec2_ending_is_named("The instance ID 'i-12' does not exist", "i-12"));
    assert_true(ec2_ending_is_named("i-123, i-12", "i-12"));
    assert_true(ec2_ending_is_named("Invalid id: \"i-12\"", "i-12"));
    assert_false(ec2_ending_is_named("The instance ID 'i-123' does not exist", "i-12"));
    assert_false(ec2_ending_is_named("ami-12 is none", "i-12"));
    assert_false(ec2_ending_is_named("", "i-12"));
}

static void
pools_share_a_listing(void **state)
{
#define OF_API                                                                                     \
    "<tagSet><item><key>berth:cluster</key><value>" CLUSTER "</value></item>"                      \
    "<item><key>berth:pool</key><value>api</value></item></tagSet>"
    static const struct fake_http_rule rules[] = {
        ONCE(LISTED(MACHINE("i-1", "running", OURS) MACHINE("i-2", "running", OF_API), "p")),
        EACH(LISTED(MACHINE("i-3", "pending", OF_API) MACHINE("i-4", "running", ""), "")),
        { .path = NULL },
    };
    static const struct ec2_defaults defaults;
    struct pool *api = pool_new("api", PROVIDER_EC2);
    struct ec2_config config;
    struct asked asked[2];
    struct fault fault;

    (void)state;
    world_serve(rules);
    api->id = SECOND_POOL_ID;
    world_config(&config);
    assert_int_equal(ec2_pool_set(ec2, SECOND_POOL_ID, &config, &defaults, &fault), 0);
    schema_free(&ec2_config_schema, &config);
    asked_start(&asked[0], CLOUD_LIST);
    asked[1] = (struct asked){
        .call = { .verb = CLOUD_LIST, .pool = api, .cluster_id = CLUSTER, .done = asked_on_done }
    };
    ec2_port(ec2)->start(ec2_port(ec2)->self, &asked[1].call);
    asked_wait(&asked[0], FAULT_NONE);
    asked_wait(&asked[1], FAULT_NONE);
    assert_int_equal(fake_http_requests(fake, "/"), 2);
    world_sent("Filter.2.Name=tag%3Aberth%3Apool&Filter.2.Value.1=web&Filter.2.Value.2=api", true);
    assert_true(asked[0].complete && asked[1].complete);
    assert_int_equal(asked[0].count, 1);
    assert_string_equal(asked[0].machines[0].id, "i-1");
    assert_int_equal(asked[1].count, 2);
    assert_string_equal(asked[1].machines[0].id, "i-2");
    assert_string_equal(asked[1].machines[1].id, "i-3");
    pool_free(api);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(terminations_go_as_one),  TEST(who_is_named_in_a_refusal_ends_with_it),
        TEST(halves_find_the_bad_one), TEST(a_refusal_of_all_ends_all),
        TEST(who_leaves_is_not_named), cmocka_unit_test(words_name_a_whole_id),
        TEST(pools_share_a_listing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
