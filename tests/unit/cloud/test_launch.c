/*
 * Where attempts go, what a configuration adds to a launch, and which configurations are refused.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/cloud/ec2_launch.h"

static const struct ec2_known known = { .image = { .id = "ami-1", .device = "/dev/sda1" } };
static struct pool *pool;
static struct ec2_config config;

static int
setup(void **state)
{
    (void)state;
    pool = pool_new("web", PROVIDER_EC2);
    schema_defaults(&ec2_config_schema, &config);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    schema_free(&ec2_config_schema, &config);
    schema_free(&pool_machines_schema, pool);
    pool_free(pool);
    return 0;
}

/* The form of the launch; owned. */
static char *
encode(int64_t attempt, int64_t host_id, const char *user_data)
{
    const struct cloud_call call = {
        .verb = CLOUD_LAUNCH,
        .pool = pool,
        .cluster_id = "c",
        .in.launch = { .token = "t",
                       .type = "m5.large",
                       .host_name = "web-1",
                       .host_id = host_id,
                       .attempt = attempt,
                       .user_data = user_data },
    };
    struct ec2_query query;
    char *text;

    ec2_query_init(&query, "RunInstances");
    ec2_launch_encode(&call, &config, &known, &query);
    text = mem_strdup(buf_text(&query.body));
    ec2_query_fini(&query);
    return text;
}

static void
types_set(size_t count)
{
    pool->machines.at = mem_new0(count * sizeof(struct pool_machine));
    pool->machines.count = count;
}

static void
strings_set(struct schema_strings *strings, const char *first, const char *second)
{
    strings->at = mem_new0(2 * sizeof(char *));
    strings->at[0] = mem_strdup(first);
    strings->at[1] = mem_strdup(second);
    strings->count = 2;
}

static void
attempts_go_through_types_then_subnets_then_markets(void **state)
{
    static const struct {
        const char *subnet;
        bool spot;
    } expected[] = {
        { "&SubnetId=subnet-a", true },  { "&SubnetId=subnet-a", true },
        { "&SubnetId=subnet-b", true },  { "&SubnetId=subnet-b", true },
        { "&SubnetId=subnet-a", false }, { "&SubnetId=subnet-a", false },
        { "&SubnetId=subnet-b", false }, { "&SubnetId=subnet-b", false },
        { "&SubnetId=subnet-a", true },
    };

    (void)state;
    types_set(2);
    strings_set(&config.subnets, "subnet-a", "subnet-b");
    config.spot = true;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        CLEANUP(mem_freep) char *text = encode((int64_t)i, 4, NULL);
        CLEANUP(mem_freep) char *again = encode((int64_t)i, 4, NULL);
        CLEANUP(mem_freep) char *other = encode((int64_t)i, 5, NULL);

        assert_non_null(strstr(text, expected[i].subnet));
        assert_null(strstr(other, expected[i].subnet));
        assert_int_equal(strstr(text, "MarketType=spot") != NULL, expected[i].spot);
        assert_int_equal(strstr(text, "ResourceType=spot-instances-request") != NULL,
                         expected[i].spot);
        assert_string_equal(text, again);
    }
}

static void
without_subnets_the_account_decides(void **state)
{
    CLEANUP(mem_freep) char *text = NULL;

    (void)state;
    text = encode(3, 1, NULL);
    assert_null(strstr(text, "SubnetId"));
    assert_null(strstr(text, "SecurityGroupId"));
    assert_null(strstr(text, "IamInstanceProfile"));
    assert_null(strstr(text, "KeyName"));
    assert_null(strstr(text, "UserData"));
    assert_null(strstr(text, "VolumeSize"));
}

static void
the_configuration_is_sent(void **state)
{
    static const char *const pieces[] = {
        "&SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2",
        "&KeyName=my%20key",
        "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1",
        "&BlockDeviceMapping.1.Ebs.VolumeType=gp3&BlockDeviceMapping.1.Ebs.VolumeSize=31",
        "&TagSpecification.1.Tag.4.Key=Name&TagSpecification.1.Tag.4.Value=web-1",
        "&TagSpecification.1.Tag.6.Key=team&TagSpecification.1.Tag.6.Value=a%26b",
        "&UserData=IyEvYmluL3No",
    };
    CLEANUP(mem_freep) char *text = NULL;
    CLEANUP(mem_freep) char *arn = NULL;

    (void)state;
    strings_set(&config.security_groups, "sg-1", "sg-2");
    config.key_name = mem_strdup("my key");
    config.root_volume.size_bytes = (INT64_C(30) << 30) + 1;
    config.root_volume.type = mem_strdup("gp3");
    config.instance_profile = mem_strdup("docker");
    config.tags.at = mem_new0(2 * sizeof(struct schema_pair));
    config.tags.at[0] = (struct schema_pair){ mem_strdup("Name"), mem_strdup("mine") };
    config.tags.at[1] = (struct schema_pair){ mem_strdup("team"), mem_strdup("a&b") };
    config.tags.count = 2;
    text = encode(0, 1, "#!/bin/sh");
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        if (!strstr(text, pieces[i]))
            fail_msg("\"%s\" is not in %s", pieces[i], text);
    }
    assert_null(strstr(text, "mine"));
    assert_non_null(strstr(text, "&IamInstanceProfile.Name=docker&"));
    mem_free(config.instance_profile);
    config.instance_profile = mem_strdup("arn:aws:iam::1:instance-profile/docker");
    arn = encode(0, 1, NULL);
    assert_non_null(strstr(arn, "&IamInstanceProfile.Arn=arn%3Aaws%3A"));
}

static void
a_configuration_that_cannot_work_is_refused(void **state)
{
    static const struct {
        const char *json;
        const char *pointer; /* NULL: it is good */
    } cases[] = {
        { "{\"image\": {\"id\": \"ami-1\"}, \"spot\": true, \"tags\": {\"team\": \"a\"}}", NULL },
        { "{\"image\": {\"owner\": \"self\", \"name\": \"x-*\"}}", NULL },
        { "{}", "/ec2/image" },
        { "{\"image\": {}}", "/ec2/image" },
        { "{\"image\": {\"name\": \"debian-*\"}}", "/ec2/image" },
        { "{\"image\": {\"id\": \"ami-1\", \"owner\": \"self\"}}", "/ec2/image" },
        { "{\"image\": {\"id\": \"ami-1\"}, \"endpoint\": \"example.com\"}", "/ec2/endpoint" },
        { "{\"image\": {\"id\": \"ami-1\"}, \"region\": \"eu north\"}", "/ec2/region" },
        { "{\"image\": {\"id\": \"ami-1\"}, \"tags\": {\"aws:x\": \"y\"}}", "/ec2/tags" },
        { "{\"image\": {\"id\": \"ami-1\"}, \"tags\": {\"berth:host\": \"y\"}}", "/ec2/tags" },
        { "{\"image\": {\"id\": \"ami-1\"}, \"root_volume\": {\"size_bytes\": 1000}}",
          "/ec2/root_volume/size_bytes" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_t *json = NULL;
        struct problems problems = { 0 };

        assert_int_equal(json_in_parse(cases[i].json, strlen(cases[i].json), &json, NULL), 0);
        schema_free(&ec2_config_schema, &config);
        schema_defaults(&ec2_config_schema, &config);
        (void)schema_decode(&ec2_config_schema, json, &config, "/ec2", &problems);
        if (problems.count == 0)
            (void)ec2_config_check(&config, "/ec2", &problems);
        if ((problems.count > 0) != (cases[i].pointer != NULL) ||
            (cases[i].pointer &&
             strncmp(problems.at[0].pointer, cases[i].pointer, strlen(cases[i].pointer)) != 0)) {
            fail_msg("%s: %zu problems, first at %s (%s)", cases[i].json, problems.count,
                     problems.at[0].pointer, problems.at[0].detail);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attempts_go_through_types_then_subnets_then_markets),
        TEST(without_subnets_the_account_decides),
        TEST(the_configuration_is_sent),
        TEST(a_configuration_that_cannot_work_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
