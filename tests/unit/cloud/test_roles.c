/*
 * A profile's role is assumed with the keys that it names, one role after the other; what a daemon cannot
 * follow is refused with the way out; keys that still hold outlive a renewal that fails.
 */

#include <fcntl.h>
#include <unistd.h>

#include "ec2_world.h"

static char path[] = "/tmp/berth-test-roles-XXXXXX";
static struct waiter {
    struct credentials_wait wait;
    struct fault fault;
    bool done;
} waiters[2];

#define ASSUMED(id, ends)                                                                          \
    OK("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" id                       \
       "</AccessKeyId><SecretAccessKey>" KEY "</SecretAccessKey><SessionToken>" SESSION            \
       "</SessionToken><Expiration>" ends                                                          \
       "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>")
#define FAR       "2100-01-01T00:00:00Z"
#define USER_KEYS "aws_access_key_id=USER\naws_secret_access_key=" KEY "\n"

static int
setup(void **state)
{
    (void)world_setup(state);
    (void)snprintf(path, sizeof(path), "/tmp/berth-test-roles-XXXXXX");
    (void)close(mkostemp(path, O_CLOEXEC));
    return 0;
}

static int
teardown(void **state)
{
    (void)unlink(path);
    return world_teardown(state);
}

/* Credentials of the profile @profile in a file with @text. */
static void
roles_new(const char *text, struct credentials_config config)
{
    CLEANUP(mem_freep)
    char *url = fake ? mem_printf("http://127.0.0.1:%d", fake_http_port(fake)) : NULL;
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
    config.files[1] = path;
    if (!config.sts_url)
        config.sts_url = url;
    if (!config.profile)
        config.profile = "top";
    ec2_free(STEAL(ec2));
    credentials_free(credentials);
    credentials = credentials_new(http, loop, &config);
}

static void
on_done(struct credentials_wait *wait, const struct fault *fault)
{
    struct waiter *waiter = CONTAINER_OF(wait, struct waiter, wait);

    waiter->done = true;
    waiter->fault = fault ? *fault : (struct fault){ 0 };
}

static bool
all_done(void *cookie)
{
    (void)cookie;
    return waiters[0].done && waiters[1].done;
}

/* Two wait at once. Return: the text of the fault, "" when there are keys. */
static const char *
roles_wait(void)
{
    for (size_t i = 0; i < ARRAY_LEN(waiters); i++) {
        waiters[i] = (struct waiter){ .wait.done = on_done };
        credentials_wait(credentials, &waiters[i].wait);
    }
    assert_true(loop_run_until(loop, all_done, NULL, PATIENCE_MS));
    assert_string_equal(waiters[0].fault.text, waiters[1].fault.text);
    return waiters[0].fault.text;
}

static void
roles_expect(const char *id)
{
    assert_string_equal(roles_wait(), "");
    assert_non_null(credentials_now(credentials));
    assert_string_equal(credentials_now(credentials)->id, id);
}

static void
a_role_is_assumed_with_the_keys_of_its_source(void **state)
{
    static const struct fake_http_rule rules[] = {
        EACH(ASSUMED("ROLE", FAR)),
        { .path = NULL },
    };

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    roles_new("[profile top]\nrole_arn=arn:top\nsource_profile=user\nexternal_id=ours\n"
              "role_session_name=night\nduration_seconds=900\nregion=eu-west-3\n"
              "[profile user]\n" USER_KEYS,
              (struct credentials_config){ 0 });
    roles_expect("ROLE");
    assert_int_equal(fake_http_requests(fake, NULL), 1);
    world_sent("Credential=USER/", true);
    world_sent("/eu-west-3/sts/aws4_request", true);
    world_sent("\r\n\r\nAction=AssumeRole&Version=2011-06-15&RoleArn=arn%3Atop"
               "&RoleSessionName=night&DurationSeconds=900&ExternalId=ours",
               true);
    world_sent("X-Amz-Security-Token", false);
}

static void
roles_are_assumed_one_after_the_other(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(ASSUMED("FIRST", FAR)),
        EACH(ASSUMED("SECOND", FAR)),
        { .path = NULL },
    };

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    roles_new("[profile top]\nrole_arn=arn:top\nsource_profile=middle\n"
              "[profile middle]\nrole_arn=arn:middle\ncredential_source=Environment\n",
              (struct credentials_config){ .region = "eu-north-1" });
    assert_non_null(
        strstr(roles_wait(), "but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not"));
    roles_new("[profile top]\nrole_arn=arn:top\nsource_profile=middle\n"
              "[profile middle]\nrole_arn=arn:middle\nsource_profile=middle\n" USER_KEYS
              "[profile user]\n" USER_KEYS,
              (struct credentials_config){ .region = "eu-north-1" });
    /* The keys of a profile in the middle count more than its role. */
    roles_expect("FIRST");
    world_sent("Credential=USER/", true);
    roles_new("[profile top]\nrole_arn=arn:top\nsource_profile=middle\n"
              "[profile middle]\nrole_arn=arn:middle\nsource_profile=user\n"
              "[profile user]\n" USER_KEYS,
              (struct credentials_config){ .region = "eu-north-1" });
    roles_expect("SECOND");
    world_sent("Credential=SECOND/", true); /* the answer of the first of the two */
    world_sent("X-Amz-Security-Token: " SESSION, true);
    world_sent("RoleArn=arn%3Atop", true);
    assert_int_equal(fake_http_requests(fake, NULL), 3);
}

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    { "[profile top]\nrole_arn=a\n", "has role_arn with neither source_profile nor" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\ncredential_source=Environment\n",
      "has role_arn with both source_profile and" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\n",
      "the source_profile \"b\" of the profile \"top\" is in neither file" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\n[profile b]\nregion=x\n", "has no keys" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\n[profile b]\naws_access_key_id=x\n",
      "lacks aws_secret_access_key" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=b\nsource_profile=top\n",
      "the source_profile \"top\" of the profile \"b\" leads in a circle" },
    { "[profile top]\nrole_arn=a\nsource_profile=top\n", "leads in a circle" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=a\nsource_profile=c\n"
      "[profile c]\nrole_arn=a\nsource_profile=d\n[profile d]\nrole_arn=a\nsource_profile=e\n"
      "[profile e]\nrole_arn=a\nsource_profile=f\n[profile f]\nregion=x\n",
      "the profile \"e\" is reached over more than 4 roles" },
    { "[profile top]\nrole_arn=a\ncredential_source=Magic\n",
      "credential_source Magic, but that is none of Environment" },
    { "[profile top]\nrole_arn=a\ncredential_source=EcsContainer\n",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set" },
    { "[profile top]\nrole_arn=a\ncredential_source=Ec2InstanceMetadata\n",
      "AWS_EC2_METADATA_DISABLED is set" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\nduration_seconds=1h\n",
      "duration_seconds of the profile \"top\" must be 900 to 43200" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\nduration_seconds=899\n", "must be 900 to" },
    { "[profile top]\nrole_arn=a\nsource_profile=b\nmfa_serial=arn:mfa\n",
      "has mfa_serial: nobody is there to type a code" },
    { "[profile top]\nsso_account_id=1\nsso_role_name=r\n",
      "has sso_account_id: nobody is there to sign in; give it a role_arn" },
    { "[profile top]\ncredential_process=/bin/keys\n" USER_KEYS,
      "has credential_process: no program is run; serve the keys at" },
    { "[profile other]\n" USER_KEYS, "AWS_PROFILE is \"top\", which is neither in ~/.aws/cred" },
    { "[profile top]\nweb_identity_token_file=/nowhere/token\nrole_arn=a\n",
      "nothing can be read at AWS_WEB_IDENTITY_TOKEN_FILE, /nowhere/token" },
};

static void
what_cannot_be_followed_is_refused_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *text;

        roles_new(bad[i].text, (struct credentials_config){ 0 });
        text = roles_wait();
        if (!strstr(text, bad[i].why))
            fail_msg("\"%s\" does not say \"%s\"", text, bad[i].why);
        assert_null(credentials_now(credentials));
    }
}

static void
the_services_time_is_taken_once(void **state)
{
#define LATE                                                                                       \
    "HTTP/1.0 403 No\r\nDate: Sat, 01 Jan 2028 00:00:00 GMT\r\n\r\n"                               \
    "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired"           \
    "</Message></Error></ErrorResponse>"
    static const struct fake_http_rule rules[] = {
        ONCE(LATE),
        ONCE(ASSUMED("ROLE", FAR)),
        EACH(LATE),
        { .path = NULL },
    };
    static const char text[] = "[profile top]\nrole_arn=arn:top\nsource_profile=top\n" USER_KEYS;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    roles_new(text, (struct credentials_config){ 0 });
    roles_expect("ROLE");
    world_sent("X-Amz-Date: 20280101T0000", true);
    world_sent("/us-east-1/sts/aws4_request", true); /* no region: the global service's */
    roles_new(text, (struct credentials_config){ 0 });
    assert_non_null(strstr(roles_wait(), "token service for arn:top: SignatureDoesNotMatch: the"));
    assert_int_equal(fake_http_requests(fake, NULL), 4);
}

static char *
ends_in(int64_t left_ms)
{
    const struct clock_port *clock = loop_clock(loop);
    char time[TEXT_TIME_SIZE];

    return mem_printf(ASSUMED("SHORT", "%s"),
                      text_time(clock->now_ms(clock->self) + left_ms, time));
}

/* Keys that last for two minutes are renewed at once; when that fails they are used on. */
static void
a_failed_renewal_leaves_the_keys(void **state)
{
    CLEANUP(mem_freep) char *reply = ends_in(120000);
    const struct fake_http_rule rules[] = {
        ONCE(reply),
        ONCE(ANSWER("500 No", "")),
        EACH(ASSUMED("LONG", FAR)),
        { .path = NULL },
    };

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    roles_new("[profile top]\nrole_arn=arn:top\nsource_profile=top\n" USER_KEYS,
              (struct credentials_config){ 0 });
    roles_expect("SHORT");
    /* Whoever waits gets them, although the renewal failed. */
    roles_expect("SHORT");
    assert_non_null(strstr(told, "the credentials could not be renewed"));
    assert_int_equal(fake_http_requests(fake, NULL), 2);
    /* Not asked again and again. */
    for (int i = 0; i < 5; i++)
        assert_string_equal(credentials_now(credentials)->id, "SHORT");
    roles_expect("LONG");
    assert_int_equal(fake_http_requests(fake, NULL), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_role_is_assumed_with_the_keys_of_its_source),
        TEST(roles_are_assumed_one_after_the_other),
        TEST(what_cannot_be_followed_is_refused_in_words),
        TEST(the_services_time_is_taken_once),
        TEST(a_failed_renewal_leaves_the_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
