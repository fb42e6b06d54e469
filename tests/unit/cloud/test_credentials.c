/*
 * Keys are found where the SDKs find them, used while they last, and replaced when they are refused.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ec2_world.h"

static char folder[40];
static char credentials_path[64];
static char config_path[64];
static const struct {
    const char *name;
    const char *value;
} * environment; /* ends with name NULL */

static const char *
environment_get(const char *name)
{
    for (size_t i = 0; environment[i].name; i++) {
        if (strcmp(environment[i].name, name) == 0)
            return environment[i].value;
    }
    return NULL;
}

static int
keys_setup(void **state)
{
    (void)world_setup(state);
    credentials_free(credentials);
    credentials = NULL;
    (void)snprintf(folder, sizeof(folder), "/tmp/berth-test-keys-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(credentials_path, sizeof(credentials_path), "%s/credentials", folder);
    (void)snprintf(config_path, sizeof(config_path), "%s/config", folder);
    return 0;
}

static int
keys_teardown(void **state)
{
    (void)unlink(credentials_path);
    (void)unlink(config_path);
    assert_int_equal(rmdir(folder), 0);
    return world_teardown(state);
}

static void
write_text(FILE *out, const char *text)
{
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void
write_credentials(const char *text)
{
    write_text(fopen(credentials_path, "we"), text);
}

static void
keys_new(const struct credentials_config *config)
{
    credentials_free(credentials);
    credentials = credentials_new(http, loop, config);
}

struct waiter {
    struct credentials_wait wait;
    int done_count;
    struct fault fault;
};

static void
waiter_on_done(struct credentials_wait *wait, const struct fault *fault)
{
    struct waiter *waiter = CONTAINER_OF(wait, struct waiter, wait);

    waiter->done_count++;
    waiter->fault = fault ? *fault : (struct fault){ 0 };
}

static bool
waiter_is_done(void *cookie)
{
    return ((const struct waiter *)cookie)->done_count > 0;
}

/* Return: the text of the fault; "" when there are keys now. Borrowed until the next call. */
static const char *
keys_wait(void)
{
    static struct waiter waiter;

    waiter = (struct waiter){ .wait.done = waiter_on_done };
    credentials_wait(credentials, &waiter.wait);
    assert_int_equal(waiter.done_count, 0);
    assert_true(loop_run_until(loop, waiter_is_done, &waiter, PATIENCE_MS));
    assert_int_equal(waiter.fault.kind, waiter.fault.text[0] ? FAULT_CLOUD_DENIED : FAULT_NONE);
    return waiter.fault.text;
}

static void
keys_expect(const char *id)
{
    const struct credentials_keys *keys;

    assert_string_equal(keys_wait(), "");
    keys = credentials_now(credentials);
    assert_non_null(keys);
    assert_string_equal(keys->id, id);
    assert_string_equal(secret_bytes(keys->key), KEY);
}

static void
no_keys_expect(const char *why)
{
    const char *text = keys_wait();

    assert_null(credentials_now(credentials));
    if (!strstr(text, why))
        fail_msg("\"%s\" does not say \"%s\"", text, why);
}

static void
the_environment_comes_first(void **state)
{
    const __typeof__(*environment) full[] = {
        { "AWS_ACCESS_KEY_ID", "GIVEN" },
        { "AWS_SECRET_ACCESS_KEY", KEY },
        { "AWS_SESSION_TOKEN", SESSION },
        { "AWS_SHARED_CREDENTIALS_FILE", credentials_path },
        { NULL, NULL },
    };
    const __typeof__(*environment) half[] = {
        { "AWS_ACCESS_KEY_ID", "GIVEN" },
        { "HOME", folder },
        { "AWS_SHARED_CREDENTIALS_FILE", credentials_path },
        { NULL, NULL },
    };
    const __typeof__(*environment) empty[] = {
        { "AWS_ACCESS_KEY_ID", "" },
        { "AWS_EC2_METADATA_DISABLED", "True" },
        { "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/keys" },
        { NULL, NULL },
    };

    (void)state;
    write_credentials("[default]\naws_access_key_id=FILE\naws_secret_access_key=" KEY "\n");
    environment = full;
    credentials = credentials_from_env(http, loop, environment_get);
    keys_expect("GIVEN");
    assert_string_equal(secret_bytes(credentials_now(credentials)->token), SESSION);
    credentials_free(credentials);
    environment = half;
    credentials = credentials_from_env(http, loop, environment_get);
    no_keys_expect("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    credentials_free(credentials);
    environment = empty;
    credentials = credentials_from_env(http, loop, environment_get);
    assert_non_null(strstr(told, "AWS_CONTAINER_CREDENTIALS_FULL_URI is not used"));
    no_keys_expect("no AWS credentials: AWS_ACCESS_KEY_ID is not set");
}

/* Keys in plain text come from this machine, or its container host, alone. */
static void
keys_come_from_near(void **state)
{
    static const struct {
        const char *url;
        bool used;
    } rows[] = {
        { "http://example.com/", false },       { "http://localhost.example.com/", false },
        { "http://127.example.com/", false },   { "http://127.0.0.1.example.com/", false },
        { "http://169.254.170.2x/", false },    { "http://[::1].example.com/", false },
        { "http://localhost:99/keys", true },   { "http://127.0.0.1:99/keys", true },
        { "http://169.254.170.23/keys", true }, { "https://example.com/keys", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const __typeof__(*environment) one[] = {
            { "AWS_CONTAINER_CREDENTIALS_FULL_URI", rows[i].url },
            { NULL, NULL },
        };

        told[0] = '\0';
        environment = one;
        credentials = credentials_from_env(http, loop, environment_get);
        assert_int_equal(strstr(told, "is not used") == NULL, rows[i].used);
        credentials_free(STEAL(credentials));
    }
}

static void
profiles_are_found_in_both_files(void **state)
{
    struct credentials_config config = { .files = { credentials_path, config_path } };

    (void)state;
    keys_new(&config);
    no_keys_expect("the profile \"default\" has none in /tmp/");
    write_text(fopen(config_path, "we"),
               "[profile web]\naws_access_key_id=WEB\naws_secret_access_key=" KEY "\n"
               "[profile half]\naws_access_key_id=HALF\n");
    write_credentials("[default]\naws_access_key_id = ONE\naws_secret_access_key = " KEY
                      "\naws_session_token = " SESSION "\n");
    keys_expect("ONE");
    config.profile = "web";
    keys_new(&config);
    keys_expect("WEB");
    config.profile = "half";
    keys_new(&config);
    no_keys_expect("lacks aws_secret_access_key");
}

static char *
fake_url(const char *path)
{
    return mem_printf("http://127.0.0.1:%d%s", fake_http_port(fake), path);
}

#define EXPIRES(time)                                                                              \
    OK("{\"Code\":\"Success\",\"AccessKeyId\":\"ROLE\",\"SecretAccessKey\":\"" KEY                 \
       "\",\"Token\":\"" SESSION "\",\"Expiration\":\"" time "\"}")
#define ROLES "/latest/meta-data/iam/security-credentials/"

static void
the_metadata_service_is_asked_with_a_session(void **state)
{
    static const struct fake_http_rule rules[] = {
        { "/latest/api/token", .reply = OK("imds-SECRET"), .then = FAKE_HTTP_CLOSE },
        { ROLES, .reply = OK("berth-role\n"), .then = FAKE_HTTP_CLOSE },
        { ROLES "berth-role", .reply = EXPIRES("2100-01-01T00:00:00Z"), .then = FAKE_HTTP_CLOSE },
        { .path = NULL },
    };
    CLEANUP(mem_freep) char *url = NULL;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    url = fake_url("");
    keys_new(&(struct credentials_config){ .metadata_url = url });
    keys_expect("ROLE");
    world_sent("GET " ROLES "berth-role HTTP/1.1\r\n", true);
    world_sent("X-aws-ec2-metadata-token: imds-SECRET\r\n", true);
    assert_string_equal(secret_bytes(credentials_now(credentials)->token), SESSION);
    assert_int_equal(fake_http_requests(fake, NULL), 3);
}

static void
what_the_metadata_service_lacks_is_told(void **state)
{
    static const struct fake_http_rule rules[] = {
        { "/latest/api/token", .reply = ANSWER("403 No", ""), .only_first = 1,
          .then = FAKE_HTTP_CLOSE },
        { "/latest/api/token", .reply = OK("imds-SECRET"), .then = FAKE_HTTP_CLOSE },
        { ROLES, .reply = ANSWER("404 No", ""), .only_first = 1, .then = FAKE_HTTP_CLOSE },
        { ROLES, .reply = OK("../../user-data\n"), .only_first = 1, .then = FAKE_HTTP_CLOSE },
        { ROLES, .reply = OK("r"), .then = FAKE_HTTP_CLOSE },
        { ROLES "r", .reply = OK("{\"Code\":\"Failed\"}"), .only_first = 1,
          .then = FAKE_HTTP_CLOSE },
        { ROLES "r", .reply = EXPIRES("2020-01-01T00:00:00Z"), .then = FAKE_HTTP_CLOSE },
        { .path = NULL },
    };
    CLEANUP(mem_freep) char *url = NULL;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    url = fake_url("");
    keys_new(&(struct credentials_config){ .metadata_url = url });
    no_keys_expect("metadata service: it answers with status 403");
    no_keys_expect("404: this machine has no role");
    no_keys_expect("names no role");
    no_keys_expect("no AccessKeyId");
    no_keys_expect("have ended");
    fake_http_free(STEAL(fake));
    no_keys_expect("metadata service: connection refused");
}

static void
the_containers_endpoint_is_asked_with_its_token(void **state)
{
    static const struct fake_http_rule rules[] = {
        { "/keys", .reply = EXPIRES("2100-01-01T00:00:00Z"), .then = FAKE_HTTP_CLOSE },
        { .path = NULL },
    };
    CLEANUP(mem_freep) char *url = NULL;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    url = fake_url("/keys");
    keys_new(&(struct credentials_config){ .container_url = url,
                                           .container_token = world_secret("pod-SECRET"),
                                           .metadata_url = "http://127.0.0.1:1" });
    keys_expect("ROLE");
    world_sent("Authorization: pod-SECRET\r\n", true);
}

static void
a_web_identity_becomes_a_role(void **state)
{
    static const struct fake_http_rule rules[] = {
        ONCE(OK("<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>"
                "<Credentials><AccessKeyId>STS</AccessKeyId><SecretAccessKey>" KEY
                "</SecretAccessKey><SessionToken>" SESSION "</SessionToken>"
                "<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>"
                "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")),
        ONCE(ANSWER("400 No", "<ErrorResponse><Error><Code>InvalidIdentityToken</Code>"
                              "<Message>no</Message></Error><RequestId>r-1</RequestId>"
                              "</ErrorResponse>")),
        ONCE(OK("{}")),
        EACH(OK("<AssumeRoleWithWebIdentityResponse/>")),
        { .path = NULL },
    };
    CLEANUP(mem_freep) char *url = NULL;
    struct credentials_config config = { .identity_file = credentials_path, .role_arn = "arn:r" };

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    url = fake_url("/");
    keys_new(&config);
    no_keys_expect("nothing can be read at AWS_WEB_IDENTITY_TOKEN_FILE, /tmp/");
    write_credentials("identity-SECRET\n");
    config.sts_url = "http://127.0.0.1/path";
    keys_new(&config);
    no_keys_expect("AWS_ENDPOINT_URL must be https:// or http://, a name");
    config.sts_url = url;
    keys_new(&config);
    keys_expect("STS");
    assert_string_equal(secret_bytes(credentials_now(credentials)->token), SESSION);
    world_sent("\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Ar"
               "&RoleSessionName=berth&WebIdentityToken=identity-SECRET",
               true);
    world_sent("Authorization:", false);
    keys_new(&config);
    no_keys_expect("security token service for arn:r: InvalidIdentityToken: no (request r-1)");
    no_keys_expect("service for arn:r: the answer with the keys is not XML");
    no_keys_expect("no AccessKeyId");
}

#define ENDED(code)                                                                                \
    {                                                                                              \
        ONCE(NO("403 No", code)), ONCE(LISTED("", "")), EACH(NO("403 No", code)),                  \
        {                                                                                          \
            .path = NULL                                                                           \
        }                                                                                          \
    }

/* EC2 says of a session that has ended what it says of a clock that is wrong. */
static void
keys_that_are_refused_are_looked_up_again(void **state)
{
    static const struct fake_http_rule rules[][4] = { ENDED("ExpiredToken"),
                                                      ENDED("RequestExpired"),
                                                      ENDED("AuthFailure") };
    struct asked asked;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        write_credentials("[default]\naws_access_key_id=OLD\naws_secret_access_key=" KEY "\n");
        ec2_free(STEAL(ec2));
        keys_new(&(struct credentials_config){ .files = { credentials_path, NULL } });
        keys_expect("OLD");
        ec2 = ec2_new(http, loop, credentials);
        world_serve(rules[i]);
        write_credentials("[default]\naws_access_key_id=NEW\naws_secret_access_key=" KEY "\n");
        asked_run(&asked, CLOUD_LIST, FAULT_NONE);
        world_sent("Credential=NEW/", true);
        /* Once for each call. */
        asked_run(&asked, CLOUD_LIST, FAULT_CLOUD_DENIED);
        assert_int_equal(fake_http_requests(fake, "/"), 4);
        fake_http_free(STEAL(fake));
    }
}

static void
without_keys_nothing_is_asked(void **state)
{
    static const struct fake_http_rule rules[] = { { .path = NULL } };
    struct asked asked[2];

    (void)state;
    keys_new(&(struct credentials_config){ 0 });
    ec2_free(ec2);
    ec2 = ec2_new(http, loop, credentials);
    world_serve(rules);
    asked_start(&asked[0], CLOUD_LIST);
    asked_start(&asked[1], CLOUD_TERMINATE);
    ec2_port(ec2)->cancel(ec2_port(ec2)->self, &asked[1].call);
    asked_wait(&asked[0], FAULT_CLOUD_DENIED);
    asked_wait(&asked[1], FAULT_CANCELLED);
    assert_int_equal(fake_http_requests(fake, NULL), 0);
}

static bool
nobody_is_connected(void *cookie)
{
    (void)cookie;
    return fake_http_connections(fake) > 0 && fake_http_open(fake) == 0;
}

static void
on_tick(struct clock_timer *timer)
{
    const struct clock_port *clock = loop_clock(loop);

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + 2);
}

static void
a_look_under_way_can_be_given_up(void **state)
{
    static const struct fake_http_rule rules[] = {
        { "/latest/api/token", .reply = "", .then = FAKE_HTTP_STALL },
        { .path = NULL },
    };
    struct clock_timer tick = { .fire = on_tick };
    struct waiter waiter = { .wait.done = waiter_on_done };
    CLEANUP(mem_freep) char *url = NULL;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    url = fake_url("");
    keys_new(&(struct credentials_config){ .metadata_url = url });
    credentials_wait(credentials, &waiter.wait);
    on_tick(&tick);
    while (fake_http_requests(fake, NULL) == 0)
        (void)loop_run_until(loop, waiter_is_done, &waiter, 5);
    credentials_leave(credentials, &waiter.wait);
    credentials_free(STEAL(credentials));
    assert_true(loop_run_until(loop, nobody_is_connected, NULL, PATIENCE_MS));
    loop_clock(loop)->timer_clear(loop_clock(loop)->self, &tick);
    assert_int_equal(waiter.done_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_setup, keys_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_environment_comes_first),
        TEST(keys_come_from_near),
        TEST(profiles_are_found_in_both_files),
        TEST(the_metadata_service_is_asked_with_a_session),
        TEST(what_the_metadata_service_lacks_is_told),
        TEST(the_containers_endpoint_is_asked_with_its_token),
        TEST(a_web_identity_becomes_a_role),
        TEST(keys_that_are_refused_are_looked_up_again),
        TEST(without_keys_nothing_is_asked),
        TEST(a_look_under_way_can_be_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
