/*
 * A pool's own key pair: imported once, of berthd's public key; replaced when it is another key, never
 * another's, deleted at the end.
 */

#include "../../../src/cloud/ec2_keypair.h"
#include "ec2_world.h"

#define PUBLIC                                                                                     \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f berthd"
#define PRINT "ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
#define TAGS                                                                                       \
    "<tagSet><item><key>berth:cluster</key><value>" CLUSTER "</value></item>"                      \
    "<item><key>berth:pool</key><value>web</value></item></tagSet>"
#define NAME "berth-" CLUSTER "-web"
#define PAIR(id, name, print, tags)                                                                \
    "<item><keyPairId>" id "</keyPairId><keyName>" name "</keyName><keyFingerprint>" print         \
    "</keyFingerprint>" tags "</item>"
#define PAIRS(items)                                                                               \
    OK("<DescribeKeyPairsResponse><keySet>" items "</keySet></DescribeKeyPairsResponse>")
#define DONE OK("<r><return>true</return></r>")
#define GROUPS                                                                                     \
    OK("<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>")

static void
serve(const struct fake_http_rule *rules, const char *login_key)
{
    const struct ec2_defaults defaults = { .login_key = login_key };
    struct ec2_config config;
    struct fault fault = { 0 };

    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    world_config(&config);
    config.key_pair.create = true;
    if (ec2_pool_set(ec2, POOL_ID, &config, &defaults, &fault) < 0)
        fail_msg("%s", fault.text);
    schema_free(&ec2_config_schema, &config);
}

static void
ask(enum cloud_verb verb, enum fault_kind kind, const char *text)
{
    struct asked asked;
    const char *said;

    asked_run(&asked, verb, kind);
    said = kind == FAULT_NONE ? asked.call.out.forgotten : asked.fault.text;
    if (!strstr(said, text))
        fail_msg("\"%s\" does not say \"%s\"", said, text);
}

static void
it_is_imported_once(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),   ONCE(PAIRS(PAIR("key-9", "another", "", ""))),
        ONCE(DONE),     ONCE(LAUNCHED),
        ONCE(LAUNCHED), { .path = NULL },
    };

    (void)state;
    serve(rules, PUBLIC);
    ask(CLOUD_LAUNCH, FAULT_NONE, "");
    world_sent("KeyName=" NAME "&", true);
    ask(CLOUD_LAUNCH, FAULT_NONE, "");
    assert_int_equal(fake_http_requests(fake, NULL), 5);
}

/* As EC2 shows it, and as OpenSSH does. */
static void
the_same_key_stays(void **state)
{
    static const struct fake_http_rule each[][4] = {
        { ONCE(IMAGES),
          ONCE(PAIRS(PAIR("key-1", NAME, PRINT "=", TAGS))),
          ONCE(LAUNCHED),
          { .path = NULL } },
        { ONCE(IMAGES),
          ONCE(PAIRS(PAIR("key-1", NAME, "SHA256:" PRINT, TAGS))),
          ONCE(LAUNCHED),
          { .path = NULL } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(each); i++) {
        serve(each[i], PUBLIC);
        ask(CLOUD_LAUNCH, FAULT_NONE, "");
        world_sent("KeyName=" NAME "&", true);
        assert_int_equal(fake_http_requests(fake, NULL), 3);
        fake_http_free(fake);
        fake = NULL;
    }
    serve(each[0], PUBLIC);
}

static void
another_key_is_replaced(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),    ONCE(PAIRS(PAIR("key-1", NAME, "AAAA=", TAGS))),
        ONCE(DONE),      ONCE(NO("400 No", "InvalidKeyPair.Duplicate")), /* not gone everywhere */
        ONCE(PAIRS("")), ONCE(DONE),
        ONCE(LAUNCHED),  { .path = NULL },
    };

    (void)state;
    serve(rules, PUBLIC);
    ask(CLOUD_LAUNCH, FAULT_NONE, "");
    assert_non_null(strstr(told, "key pair key-1 (" NAME ") is of another key: it is replaced"));
    assert_int_equal(fake_http_requests(fake, NULL), 7);
}

static void
what_is_not_ours_is_left_alone(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(PAIRS(PAIR("key-1", NAME, PRINT, ""))),
        ONCE(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };

    (void)state;
    serve(rules, PUBLIC);
    ask(CLOUD_LAUNCH, FAULT_CLOUD_REFUSED, "there is a key pair " NAME " without our tags");
    ask(CLOUD_LAUNCH, FAULT_CLOUD_DENIED, "UnauthorizedOperation");
    assert_int_equal(fake_http_requests(fake, NULL), 3);
}

/* A launch does not find it: it is imported again, and the launch is repeated. */
static void
one_that_is_gone_is_imported_again(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(PAIRS(PAIR("key-1", NAME, PRINT, TAGS))),
        ONCE(NO("400 No", "InvalidKeyPair.NotFound")),
        ONCE(IMAGES),
        ONCE(PAIRS("")),
        ONCE(DONE),
        ONCE(LAUNCHED),
        { .path = NULL },
    };

    (void)state;
    serve(rules, PUBLIC);
    ask(CLOUD_LAUNCH, FAULT_CLOUD_FAILED, "InvalidKeyPair.NotFound");
    ask(CLOUD_LAUNCH, FAULT_NONE, "");
    assert_int_equal(fake_http_requests(fake, NULL), 7);
}

static void
without_a_key_there_is_no_pair(void **state)
{
    static const struct fake_http_rule rules[] = { ONCE(IMAGES), { .path = NULL } };

    (void)state;
    serve(rules, NULL);
    ask(CLOUD_LAUNCH, FAULT_CLOUD_REFUSED, "no public key of berthd's");
}

static void
it_is_forgotten(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(PAIRS(PAIR("key-9", "another", "", "") PAIR("key-1", NAME, PRINT, TAGS))),
        ONCE(DONE),
        ONCE(PAIRS(PAIR("key-9", "another", "", ""))),
        ONCE(GROUPS),
        ONCE(NO("403 No", "UnauthorizedOperation")), /* the group is looked for all the same */
        ONCE(GROUPS),
        EACH(PAIRS("")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    serve(rules, PUBLIC);
    ask(CLOUD_FORGET, FAULT_NONE, "key pair key-1");
    ask(CLOUD_FORGET, FAULT_CLOUD_DENIED, "UnauthorizedOperation");
    assert_int_equal(fake_http_requests(fake, NULL), 6);
    asked_start(&asked, CLOUD_FORGET);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked.call);
    asked_wait(&asked, FAULT_CANCELLED);
}

static void
who_leaves_ends_the_look(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        { "/", .then = FAKE_HTTP_STALL },
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    serve(rules, PUBLIC);
    asked_start(&asked, CLOUD_LAUNCH);
    while (fake_http_requests(fake, NULL) < 2)
        (void)loop_run_until(loop, asked_is_done, &asked, 1);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked.call);
    asked_wait(&asked, FAULT_CANCELLED);
}

static void
fingerprints_are_those_of_ec2(void **state)
{
    char text[EC2_FINGERPRINT_SIZE];

    (void)state;
    assert_true(ec2_keypair_fingerprint(PUBLIC, text));
    assert_string_equal(text, PRINT "=");
    assert_false(ec2_keypair_fingerprint("ssh-ed25519", text));
    assert_false(ec2_keypair_fingerprint("ssh-ed25519 %%", text));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_imported_once),
        TEST(the_same_key_stays),
        TEST(another_key_is_replaced),
        TEST(what_is_not_ours_is_left_alone),
        TEST(one_that_is_gone_is_imported_again),
        TEST(without_a_key_there_is_no_pair),
        TEST(it_is_forgotten),
        TEST(who_leaves_ends_the_look),
        cmocka_unit_test(fingerprints_are_those_of_ec2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
