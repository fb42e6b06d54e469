/*
 * A check says what is missing, what does not go together, and what could not be told.  With BERTH_TEST_CHECK
 * (a pool as JSON) it prints the findings about the cloud that the environment names: tests/cloud/test_check.py.
 */

#include "berth/base/json.h"
#include "berth/cloud/ec2_check.h"

#include "ec2_world.h"

struct checked {
    struct ec2_check check;
    struct fault fault;
    int done_count;
    struct ec2_finding findings[EC2_FINDINGS_MAX];
};

static struct checked checked;

static void
on_done(struct ec2_check *check, const struct fault *fault)
{
    struct checked *own = CONTAINER_OF(check, struct checked, check);

    own->done_count++;
    own->fault = fault ? *fault : (struct fault){ 0 };
    memcpy(own->findings, check->findings, check->count * sizeof(check->findings[0]));
}

static bool
is_done(void *cookie)
{
    (void)cookie;
    return checked.done_count > 0;
}

static void
check_start(void)
{
    checked = (struct checked){ .check = { .pool = pool, .cluster_id = CLUSTER, .done = on_done } };
    ec2_check_start(ec2, &checked.check);
    assert_int_equal(checked.done_count, 0);
}

static void
check_run(enum fault_kind kind)
{
    check_start();
    assert_true(loop_run_until(loop, is_done, NULL, PATIENCE_MS));
    assert_int_equal(checked.done_count, 1);
    assert_null(checked.check.own);
    if (checked.fault.kind != kind)
        fail_msg("ended with %s: %s", fault_rule(checked.fault.kind)->code, checked.fault.text);
}

static void
machines_set(const char *text)
{
    CLEANUP(json_freep) json_t *json = NULL;
    json_t *only = json_object();
    struct problems problems = { 0 };

    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    (void)json_object_set(only, "machine_types", json_object_get(json, "machine_types"));
    schema_free(&pool_machines_schema, pool);
    if (schema_decode(&pool_machines_schema, only, pool, "", &problems) < 0)
        fail_msg("%s: %s", problems.at[0].pointer, problems.at[0].detail);
    json_decref(only);
}

static void
expect(enum ec2_verdict verdict, const char *action, const char *text)
{
    for (size_t i = 0; i < checked.check.count; i++) {
        const struct ec2_finding *found = &checked.findings[i];

        if (strcmp(found->action, action) == 0 && found->verdict == verdict &&
            strstr(found->text, text))
            return;
    }
    for (size_t i = 0; i < checked.check.count; i++) {
        print_error("%d %s: %s\n", (int)checked.findings[i].verdict, checked.findings[i].action,
                    checked.findings[i].text);
    }
    fail_msg("no finding %d %s: %s", (int)verdict, action, text);
}

#define ONE_IMAGE                                                                                  \
    OK("<DescribeImagesResponse><imagesSet><item><imageId>ami-1</imageId>"                         \
       "<rootDeviceName>/dev/xvda</rootDeviceName><architecture>x86_64</architecture>"             \
       "<creationDate>2026-01-01T00:00:00.000Z</creationDate></item></imagesSet>"                  \
       "</DescribeImagesResponse>")
#define TYPE(name, arch, mib)                                                                      \
    "<item><instanceType>" name "</instanceType><processorInfo><supportedArchitectures><item>i386" \
    "</item><item>" arch "</item></supportedArchitectures></processorInfo><memoryInfo>"            \
    "<sizeInMiB>" mib "</sizeInMiB></memoryInfo></item>"
#define TYPES(items)                                                                               \
    OK("<DescribeInstanceTypesResponse><instanceTypeSet>" items                                    \
       "</instanceTypeSet></DescribeInstanceTypesResponse>")
#define OFFERS(items)                                                                              \
    OK("<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet>" items                    \
       "</instanceTypeOfferingSet></DescribeInstanceTypeOfferingsResponse>")
#define OFFER(name) "<item><instanceType>" name "</instanceType><location>z</location></item>"
#define DRY         NO("412 No", "DryRunOperation")
#define DENIED(what)                                                                               \
    ANSWER("403 No", "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>User x " \
                     "is not authorized to perform: " what " on resource: *</Message></Error>"     \
                     "</Errors></Response>")

static void
all_is_well(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(ONE_IMAGE),
        ONCE(TYPES(TYPE("m5.large", "x86_64", "8192"))),
        ONCE(OFFERS(OFFER("m5.large"))),
        ONCE(LISTED(MACHINE("i-7", "running", OURS), "")),
        ONCE(DRY),
        ONCE(DRY),
        ONCE(DRY),
        { .path = NULL },
    };

    (void)state;
    machines_set("{\"machine_types\":[{\"type\":\"m5.large\",\"memory_bytes\":8589934592}]}");
    world_serve(rules);
    check_run(FAULT_NONE);
    assert_false(checked.check.bad);
    assert_int_equal(checked.check.count, 7);
    for (size_t i = 0; i < checked.check.count; i++)
        assert_int_equal(checked.findings[i].verdict, EC2_GOOD);
    /* A machine of ours is named, and nothing is done to it. */
    world_sent("Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-7&DryRun=true", true);
    assert_int_equal(fake_http_requests(fake, NULL), 7);
}

static void
what_is_missing_is_named(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(ONE_IMAGE),
        ONCE(DENIED("ec2:DescribeInstanceTypes")),
        ONCE(OFFERS("")),
        ONCE(LISTED("", "")),
        ONCE(DENIED("ec2:CreateTags")),
        ONCE(DENIED("iam:PassRole")),
        ONCE(DRY),
        ONCE(DENIED("ec2:TerminateInstances")),
        { .path = NULL },
    };

    (void)state;
    machines_set("{\"machine_types\":[{\"type\":\"m5.large\"}]}");
    world_serve(rules);
    check_run(FAULT_NONE);
    assert_true(checked.check.bad);
    expect(EC2_UNKNOWN, "ec2:DescribeInstanceTypes", "machine_types cannot be looked up");
    expect(EC2_BAD, "machine_types", "m5.large is offered in no zone of the region");
    expect(EC2_BAD, "ec2:CreateTags", "not allowed: add it to the policy");
    expect(EC2_BAD, "iam:PassRole", "not allowed");
    /* Without a machine of ours that cannot be told for sure. */
    expect(EC2_UNKNOWN, "ec2:TerminateInstances", "no machine of this pool is there yet");
    world_sent("InstanceId.1=i-00000000000000000&", true);
}

static void
what_does_not_fit_is_named(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(ONE_IMAGE),
        ONCE(TYPES(TYPE("t4g.large", "arm64", "8192") TYPE("t3.nano", "x86_64", "512"))),
        ONCE(OFFERS(OFFER("t3.nano") OFFER("t4g.large"))),
        ONCE(LISTED("", "")),
        ONCE(NO("400 No", "InvalidParameterValue")),
        ONCE(NO("500 No", "InsufficientInstanceCapacity")),
        ONCE(NO("400 No", "VcpuLimitExceeded")),
        ONCE(NO("400 No", "InvalidInstanceID.NotFound")),
        ONCE(NO("400 No", "InvalidInstanceID.NotFound")),
        { .path = NULL },
    };

    (void)state;
    machines_set("{\"machine_types\":[{\"type\":\"t4g.large\"},{\"type\":\"none.big\"},"
                 "{\"type\":\"t3.nano\",\"memory_bytes\":1073741824}]}");
    world_serve(rules);
    check_run(FAULT_NONE);
    expect(EC2_BAD, "machine_types", "t4g.large cannot boot image ami-1, which is of arch");
    expect(EC2_BAD, "machine_types", "none.big: there is no such type");
    expect(EC2_BAD, "machine_types", "t3.nano has 512 MiB of memory, not 1024");
    expect(EC2_BAD, "launch", "InvalidParameterValue: words");
    expect(EC2_UNKNOWN, "launch", "InsufficientInstanceCapacity");
    expect(EC2_UNKNOWN, "launch", "VcpuLimitExceeded");
    expect(EC2_GOOD, "ec2:TerminateInstances", "");
}

/* Without an image nothing can be launched; the rest is looked at all the same, over all pages, also
 * where a number means nothing. */
static void
without_an_image_the_rest_is_checked(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(OK("<r><imagesSet/><nextToken>more</nextToken></r>")),
        ONCE(OK("<r><imagesSet/></r>")),
        ONCE(TYPES(TYPE("m5.large", "x86_64", "9223372036854775807"))),
        ONCE(OFFERS(OFFER("m5.large"))),
        ONCE(LISTED("", "")),
        ONCE(DRY),
        ONCE(DRY),
        { .path = NULL },
    };

    (void)state;
    machines_set("{\"machine_types\":[{\"type\":\"m5.large\"}]}");
    world_serve(rules);
    check_run(FAULT_NONE);
    expect(EC2_BAD, "image", "136693071363 has no image that is called debian-12-amd64-*");
    expect(EC2_GOOD, "ec2:TerminateInstances", "");
    assert_int_equal(fake_http_requests(fake, NULL), 7);
}

static void
a_check_that_cannot_be_made_says_why(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(NO("401 No", "AuthFailure")),
        ONCE(NO("401 No", "AuthFailure")), /* with keys that were looked up anew */
        ONCE(ONE_IMAGE),
        EACH(OK("{}")),
        { .path = NULL },
    };

    (void)state;
    world_serve(rules);
    check_run(FAULT_CLOUD_DENIED);
    assert_int_equal(checked.check.count, 0);
    check_run(FAULT_CLOUD_FAILED);
    assert_non_null(strstr(checked.fault.text, "not XML of EC2"));
    expect(EC2_GOOD, "ec2:DescribeImages", "");
    fake_http_free(STEAL(fake));
    check_run(FAULT_CLOUD_FAILED);
}

static void
a_check_can_be_given_up(void **state)
{
    static const struct fake_http_rule rules[] = {
        { "/", .reply = "", .then = FAKE_HTTP_STALL },
        { .path = NULL },
    };

    (void)state;
    world_serve(rules);
    check_start();
    ec2_check_cancel(&checked.check);
    assert_true(loop_run_until(loop, is_done, NULL, PATIENCE_MS));
    assert_int_equal(checked.fault.kind, FAULT_CANCELLED);
    ec2_check_cancel(&checked.check); /* it has ended */
}

/* --- Before a cloud ------------------------------------------------------------------------------- */

static const char *
environment_get(const char *name)
{
    return secure_getenv(name);
}

static void
findings_are_printed(void **state)
{
    static const char *const verdicts[] = { "good", "unknown", "bad" };
    const char *text = secure_getenv("BERTH_TEST_CHECK");
    const struct ec2_defaults defaults = { .endpoint = secure_getenv("AWS_ENDPOINT_URL"),
                                           .region = secure_getenv("AWS_REGION"),
                                           .ca = secure_getenv("AWS_CA_BUNDLE") };
    CLEANUP(json_freep) json_t *json = NULL;
    struct ec2_config config;
    struct problems problems = { 0 };
    struct fault fault = { 0 };

    (void)state;
    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    machines_set(text);
    (void)json_object_del(json, "machine_types");
    schema_defaults(&ec2_config_schema, &config);
    if (schema_decode(&ec2_config_schema, json, &config, "", &problems) < 0)
        fail_msg("%s: %s", problems.at[0].pointer, problems.at[0].detail);
    credentials_free(credentials);
    http_proxy_from_env(http, environment_get);
    credentials = credentials_from_env(http, loop, environment_get);
    ec2_free(ec2);
    ec2 = ec2_new(http, loop, credentials);
    assert_int_equal(ec2_pool_set(ec2, POOL_ID, &config, &defaults, &fault), 0);
    schema_free(&ec2_config_schema, &config);
    check_start();
    assert_true(loop_run_until(loop, is_done, NULL, INT64_C(3) * PATIENCE_MS));
    for (size_t i = 0; i < checked.check.count; i++) {
        (void)printf("finding %s %s %s\n", verdicts[checked.findings[i].verdict],
                     checked.findings[i].action, checked.findings[i].text);
    }
    (void)printf("fault %s\n", checked.fault.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_well),
        TEST(what_is_missing_is_named),
        TEST(what_does_not_fit_is_named),
        TEST(without_an_image_the_rest_is_checked),
        TEST(a_check_that_cannot_be_made_says_why),
        TEST(a_check_can_be_given_up),
    };
    const struct CMUnitTest live[] = { TEST(findings_are_printed) };

    if (secure_getenv("BERTH_TEST_CHECK"))
        return cmocka_run_group_tests(live, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
