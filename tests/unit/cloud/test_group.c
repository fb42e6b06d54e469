/*
 * A pool's own security group: made once, corrected, never another's, deleted at the end; and launch
 * templates, which are looked up before.
 */

#include "../../../src/cloud/ec2_opening.h"
#include "ec2_world.h"

#define GROUP_TAGS                                                                                 \
    "<tagSet><item><key>berth:cluster</key><value>" CLUSTER "</value></item>"                      \
    "<item><key>berth:pool</key><value>web</value></item></tagSet>"
#define TCP(first, last, peers)                                                                    \
    "<item><ipProtocol>tcp</ipProtocol><fromPort>" first "</fromPort><toPort>" last                \
    "</toPort>" peers "</item>"
#define FROM "<ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges>"
#define OUT                                                                                        \
    "<item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item>"           \
    "</ipRanges></item>"
#define GROUP(id, tags, in, out)                                                                   \
    "<item><groupId>" id "</groupId><vpcId>vpc-1</vpcId><ipPermissions>" in                        \
    "</ipPermissions><ipPermissionsEgress>" out "</ipPermissionsEgress>" tags "</item>"
#define GROUPS(items)                                                                              \
    OK("<DescribeSecurityGroupsResponse><securityGroupInfo>" items                                 \
       "</securityGroupInfo></DescribeSecurityGroupsResponse>")
#define RIGHT TCP("22", "22", FROM) TCP("2376", "2376", FROM) TCP("32768", "60999", FROM)
#define PAIRS OK("<DescribeKeyPairsResponse><keySet/></DescribeKeyPairsResponse>")
#define DONE  OK("<r><return>true</return></r>")
#define MADE                                                                                       \
    OK("<CreateSecurityGroupResponse><groupId>sg-new</groupId></CreateSecurityGroupResponse>")

static void
serve(const struct fake_http_rule *rules, bool managed, const char *template)
{
    static const struct ec2_defaults defaults;
    struct ec2_config config;
    struct fault fault = { 0 };

    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    world_config(&config);
    config.security_group.create = managed;
    if (managed) {
        config.security_group.from.at = mem_new0(sizeof(char *));
        config.security_group.from.at[0] = mem_strdup("10.0.0.0/8");
        config.security_group.from.count = 1;
    }
    if (template) {
        config.launch_template.name = mem_strdup(template);
        mem_free(STEAL(config.image.owner));
        mem_free(STEAL(config.image.name));
    }
    if (ec2_pool_set(ec2, POOL_ID, &config, &defaults, &fault) < 0)
        fail_msg("%s", fault.text);
    schema_free(&ec2_config_schema, &config);
}

static void
launch(enum fault_kind kind, const char *text)
{
    struct asked asked;

    asked_run(&asked, CLOUD_LAUNCH, kind);
    if (!strstr(asked.fault.text, text))
        fail_msg("\"%s\" does not say \"%s\"", asked.fault.text, text);
}

static void
a_group_is_made_once(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),   ONCE(GROUPS("")), ONCE(MADE),       ONCE(DONE),
        ONCE(LAUNCHED), ONCE(LAUNCHED),   { .path = NULL },
    };

    (void)state;
    serve(rules, true, NULL);
    launch(FAULT_NONE, "");
    world_sent("SecurityGroupId.1=sg-new&", true);
    launch(FAULT_NONE, "");
    assert_int_equal(fake_http_requests(fake, NULL), 6);
}

static void
what_is_otherwise_is_corrected(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(GROUPS(GROUP("sg-other", "", "", "") GROUP("sg-2", GROUP_TAGS, RIGHT, OUT)
                        GROUP("sg-1", GROUP_TAGS,
                              TCP("22", "22", FROM) TCP("0", "65535",
                                                        "<ipRanges><item><cidrIp>0.0.0.0/0"
                                                        "</cidrIp></item></ipRanges><groups><item>"
                                                        "<groupId>sg-9</groupId></item></groups>"),
                              ""))),
        ONCE(DONE),
        ONCE(DONE),
        ONCE(DONE),
        ONCE(LAUNCHED),
        { .path = NULL },
    };

    (void)state;
    serve(rules, true, NULL);
    launch(FAULT_NONE, "");
    world_sent("SecurityGroupId.1=sg-1&", true);
    assert_non_null(
        strstr(told, "sg-1 (berth-" CLUSTER "-web) is not as it is configured: 1 rules are added"));
    assert_int_equal(fake_http_requests(fake, NULL), 6);
}

/* What was shown was old: it is looked at again, and what is there is taken. */
static void
old_news_are_looked_at_again(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(GROUPS("")),
        ONCE(NO("400 No", "InvalidGroup.Duplicate")),
        ONCE(GROUPS("")),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, "", OUT))),
        ONCE(NO("400 No", "InvalidPermission.Duplicate")),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT TCP("1", "2", FROM), OUT))),
        ONCE(NO("400 No", "InvalidPermission.NotFound")),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, ""))),
        ONCE(NO("400 No", "InvalidGroup.NotFound")),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(LAUNCHED),
        { .path = NULL },
    };

    (void)state;
    serve(rules, true, NULL);
    launch(FAULT_NONE, "");
    assert_int_equal(fake_http_requests(fake, NULL), 12);
}

static void
what_is_not_ours_is_left_alone(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(GROUPS("")),
        ONCE(NO("400 No", "InvalidGroup.Duplicate")),
        ONCE(GROUPS(GROUP("sg-1", "", "", OUT))),
        ONCE(GROUPS("")),
        ONCE(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };

    (void)state;
    serve(rules, true, NULL);
    launch(FAULT_CLOUD_REFUSED, "there is a security group berth-" CLUSTER "-web without our tags");
    launch(FAULT_CLOUD_DENIED, "UnauthorizedOperation");
    assert_int_equal(fake_http_requests(fake, NULL), 6);
}

/* A group that a launch does not find is not the launch's fault: it is looked up again. */
static void
a_group_that_is_gone_is_made_again(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(NO("400 No", "InvalidGroup.NotFound")),
        ONCE(IMAGES),
        ONCE(GROUPS("")),
        ONCE(MADE),
        ONCE(DONE),
        ONCE(LAUNCHED),
        { .path = NULL },
    };

    (void)state;
    serve(rules, true, NULL);
    launch(FAULT_CLOUD_FAILED, "InvalidGroup.NotFound");
    launch(FAULT_NONE, "");
    world_sent("SecurityGroupId.1=sg-new&", true);
}

/* --- The end -------------------------------------------------------------------------------------- */

static void
forget(enum fault_kind kind, const char *text, const char *expected)
{
    struct asked asked;

    asked_run(&asked, CLOUD_FORGET, kind);
    if (!strstr(asked.fault.text, text))
        fail_msg("\"%s\" does not say \"%s\"", asked.fault.text, text);
    assert_string_equal(asked.call.out.forgotten, expected);
}

static void
a_pool_is_forgotten(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(PAIRS),
        ONCE(GROUPS(GROUP("sg-9", "", "", "") GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(NO("400 No", "DependencyViolation")),
        ONCE(PAIRS),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(DONE),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(NO("400 No", "InvalidGroup.NotFound")),
        ONCE(GROUPS(GROUP("sg-9", "", "", ""))),
        EACH(GROUPS("")),
        { .path = NULL },
    };
    struct asked asked;

    (void)state;
    serve(rules, true, NULL);
    forget(FAULT_CLOUD_FAILED, "sg-1 is in use", "");
    forget(FAULT_NONE, "", "security group sg-1");
    assert_int_equal(fake_http_requests(fake, NULL), 9);
    forget(FAULT_NONE, "", "");
    asked_start(&asked, CLOUD_FORGET);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked.call);
    asked_wait(&asked, FAULT_CANCELLED);
}

/* Whoever may not look has made none, unless one is configured: then it is told. */
static void
who_may_not_look_has_nothing_to_forget(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(NO("403 No", "UnauthorizedOperation")),
        { .path = NULL },
    };

    (void)state;
    serve(rules, false, NULL);
    forget(FAULT_NONE, "", "");
    fake_http_free(fake);
    serve(rules, true, NULL);
    forget(FAULT_CLOUD_DENIED, "UnauthorizedOperation", "");
}

/* What was deleted is made anew for the next launch. */
static void
a_pool_that_comes_back_has_a_new_group(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(LAUNCHED),
        ONCE(PAIRS),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(DONE),
        ONCE(GROUPS("")),
        ONCE(GROUPS("")),
        ONCE(MADE),
        ONCE(DONE),
        ONCE(LAUNCHED),
        { .path = NULL },
    };

    (void)state;
    serve(rules, true, NULL);
    launch(FAULT_NONE, "");
    forget(FAULT_NONE, "", "security group sg-1");
    launch(FAULT_NONE, "");
    world_sent("SecurityGroupId.1=sg-new&", true);
}

/* --- Launch templates ------------------------------------------------------------------------------- */

#define TEMPLATE(data)                                                                             \
    OK("<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item>"                  \
       "<launchTemplateData>" data "</launchTemplateData></item></launchTemplateVersionSet>"       \
       "</DescribeLaunchTemplateVersionsResponse>")

static void
a_template_is_looked_up_before(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(NO("400 No", "InvalidLaunchTemplateName.NotFoundException")),
        ONCE(OK("<r/>")),
        ONCE(TEMPLATE("<imageId>resolve:ssm:/image</imageId>")),
        ONCE(TEMPLATE("<imageId>ami-7</imageId><instanceMarketOptions><spotOptions>"
                      "<spotInstanceType>persistent</spotInstanceType></spotOptions>"
                      "</instanceMarketOptions>")),
        ONCE(TEMPLATE("<imageId>ami-7</imageId>")),
        ONCE(IMAGES),
        ONCE(LAUNCHED),
        { .path = NULL },
    };

    (void)state;
    serve(rules, false, "web");
    launch(FAULT_CLOUD_REFUSED, "InvalidLaunchTemplateName.NotFoundException");
    world_sent("LaunchTemplateName=web&LaunchTemplateVersion.1=%24Default", true);
    launch(FAULT_CLOUD_REFUSED, "no such version");
    launch(FAULT_CLOUD_REFUSED, "names no image by id: give the pool an image");
    launch(FAULT_CLOUD_REFUSED, "persistent spot machines");
    launch(FAULT_NONE, "");
    world_sent(
        "LaunchTemplate.LaunchTemplateName=web&DisableApiTermination=false&DisableApiStop=false&",
        true);
    world_sent("MetadataOptions.HttpTokens=required", true);
    world_sent("Ebs.Encrypted=true", true);
    world_sent("Tag.1.Key=berth%3Acluster", true);
}

/* --- Who waits -------------------------------------------------------------------------------------- */

static void
who_leaves_does_not_stop_the_others(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES), ONCE(GROUPS("")), ONCE(MADE), ONCE(DONE), ONCE(LAUNCHED), { .path = NULL },
    };
    struct asked asked[2];
    const struct cloud_port *port;

    (void)state;
    serve(rules, true, NULL);
    port = ec2_port(ec2);
    asked_start(&asked[0], CLOUD_LAUNCH);
    asked_start(&asked[1], CLOUD_LAUNCH);
    port->cancel(port->self, &asked[0].call);
    port->cancel(port->self, &asked[0].call);
    asked_wait(&asked[0], FAULT_CANCELLED);
    asked_wait(&asked[1], FAULT_NONE);
}

static void
all_may_leave(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(IMAGES),
        ONCE(GROUPS(GROUP("sg-1", GROUP_TAGS, RIGHT, OUT))),
        ONCE(LAUNCHED),
        { .path = NULL },
    };
    struct asked asked[3];
    const struct cloud_port *port;

    (void)state;
    serve(rules, true, NULL);
    port = ec2_port(ec2);
    asked_start(&asked[0], CLOUD_LAUNCH);
    asked_start(&asked[1], CLOUD_LAUNCH);
    port->cancel(port->self, &asked[1].call);
    port->cancel(port->self, &asked[0].call);
    /* Somebody else comes while the look ends. */
    asked_start(&asked[2], CLOUD_LAUNCH);
    asked_wait(&asked[0], FAULT_CANCELLED);
    asked_wait(&asked[1], FAULT_CANCELLED);
    asked_wait(&asked[2], FAULT_NONE);
}

/* --- Networks --------------------------------------------------------------------------------------- */

static void
networks_are_written_in_one_way(void **state)
{
    static const char *const good[] = { "0.0.0.0/0", "10.0.0.0/8", "203.0.113.7/32", "::/0",
                                        "2001:db8::/48" };
    static const char *const bad[] = { "10.0.0.0",  "10.0.0.1/8",    "10.0.0.0/33",
                                       "10.0.0/8",  "2001:DB8::/48", "2001:db8:0::/48",
                                       "10.0.0.0/", "10.0.0.0/8x",   "x/8",
                                       "/8",        "10.0.0.0/ 8" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(ec2_opening_check(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (!ec2_opening_check(bad[i]))
            fail_msg("%s was taken", bad[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_made_once),
        TEST(what_is_otherwise_is_corrected),
        TEST(old_news_are_looked_at_again),
        TEST(what_is_not_ours_is_left_alone),
        TEST(a_group_that_is_gone_is_made_again),
        TEST(a_pool_is_forgotten),
        TEST(who_may_not_look_has_nothing_to_forget),
        TEST(a_pool_that_comes_back_has_a_new_group),
        TEST(a_template_is_looked_up_before),
        TEST(who_leaves_does_not_stop_the_others),
        TEST(all_may_leave),
        cmocka_unit_test(networks_are_written_in_one_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
