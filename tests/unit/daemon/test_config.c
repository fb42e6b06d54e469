/*
 * The configuration: the example shows every key with its default, and what is
 * wrong is refused with its place and what it must be.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/yaml.h"
#include "berth/daemon/config.h"

#define EXAMPLE BERTH_TEST_SOURCE "/config/berthd.example.yaml"

enum { TEXT_MAX = 1 << 20 };

/* What the example shows a value other than the default of. */
static const char *const shown[] = { "provider", "plain", "duration_s", "create" };

static json_t *
read_yaml(const char *path)
{
    char *text = mem_new0(TEXT_MAX);
    FILE *file = fopen(path, "re");
    struct fault fault;
    json_t *json;
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, TEXT_MAX, file);
    (void)fclose(file);
    if (yaml_parse(path, text, len, &json, &fault) < 0)
        fail_msg("%s", fault.text);
    mem_free(text);
    return json;
}

/* The tests' only thread. NULL: not set. */
static void
set_docker_host(const char *value)
{
    if (value) {
        (void)setenv("DOCKER_HOST", value, 1); /* NOLINT(concurrency-mt-unsafe): one thread */
    } else {
        (void)unsetenv("DOCKER_HOST"); /* NOLINT(concurrency-mt-unsafe): one thread */
    }
}

/* --- The example --------------------------------------------------------------------------------- */

/* As deep as the schema is nested.  NOLINTBEGIN(misc-no-recursion) */

static void walk(const struct schema *schema, const json_t *json, const char *place, bool named);

/* A number, a truth or a word of the example is the default of its field. */
static void
compare(const struct schema_field *field, const json_t *value, const char *place)
{
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        if (strcmp(field->name, shown[i]) == 0)
            return;
    }
    if (field->type == SCHEMA_BOOL && json_is_true(value) != (field->fallback != 0))
        fail_msg("%s/%s is not its default", place, field->name);
    if (field->type == SCHEMA_INT && json_integer_value(value) != field->fallback)
        fail_msg("%s/%s is not its default, %lld", place, field->name, (long long)field->fallback);
    if (field->type == SCHEMA_MILLI &&
        (int64_t)(json_number_value(value) * 1000 + 0.5) != field->fallback) {
        fail_msg("%s/%s is not its default, %lld thousandths", place, field->name,
                 (long long)field->fallback);
    }
    if (field->type == SCHEMA_MICRO &&
        (int64_t)(json_number_value(value) * 1000000 + 0.5) != field->fallback)
        fail_msg("%s/%s is not its default", place, field->name);
    if (field->type == SCHEMA_ENUM)
        assert_string_equal(json_string_value(value), field->names[field->fallback]);
}

/* The entries of a list or a map show each key at least once between them. */
static json_t *
put_together(const json_t *entries)
{
    json_t *all = json_object();
    const char *key;
    json_t *entry;
    size_t i;

    if (json_is_array(entries)) {
        json_array_foreach(entries, i, entry) assert_int_equal(json_object_update(all, entry), 0);
    } else {
        json_object_foreach(mem_unconst(entries), key, entry)
            assert_int_equal(json_object_update(all, entry), 0);
    }
    return all;
}

static void
walk_field(const struct schema_field *field, const json_t *json, const char *place)
{
    CLEANUP(mem_freep) char *here = mem_printf("%s/%s", place, field->name);
    const json_t *value = json_object_get(json, field->name);
    json_t *all;

    if (!value)
        fail_msg("%s does not show %s", EXAMPLE, here);
    switch (field->type) {
    case SCHEMA_OBJECT:
        walk(field->sub, value, here, false);
        break;
    case SCHEMA_OBJECTS:
    case SCHEMA_OBJECT_MAP:
        all = put_together(value);
        walk(field->sub, all, here, field->type == SCHEMA_OBJECT_MAP);
        json_decref(all);
        break;
    case SCHEMA_BOOL:
    case SCHEMA_INT:
    case SCHEMA_MILLI:
    case SCHEMA_MICRO:
    case SCHEMA_ENUM:
        compare(field, value, place);
        break;
    case SCHEMA_STRING:
    case SCHEMA_STRINGS:
    case SCHEMA_MAP:
        break;
    }
}

/* @named: the name is the key of the entry. */
static void
walk(const struct schema *schema, const json_t *json, const char *place, bool named)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].flags & SCHEMA_INLINE) {
            walk(schema->fields[i].sub, json, place, false);
        } else if (!named || strcmp(schema->fields[i].name, "name") != 0) {
            walk_field(&schema->fields[i], json, place);
        }
    }
}

/* NOLINTEND(misc-no-recursion) */

static void
test_example_shows_every_key(void **state)
{
    CLEANUP(json_freep) json_t *json = read_yaml(EXAMPLE);

    (void)state;
    walk(&config_schema, json, "", false);
}

static void
test_example_is_good(void **state)
{
    struct problems problems = { 0 };
    struct config example;
    struct config defaults;
    struct fault fault;

    (void)state;
    set_docker_host(NULL);
    if (config_load(EXAMPLE, &example, &problems, &fault) < 0)
        fail_msg("%s", fault.text);
    assert_int_equal(config_load(NULL, &defaults, &problems, &fault), 0);
    assert_string_equal(example.cluster, defaults.cluster);
    assert_string_equal(example.data_dir, defaults.data_dir);
    assert_int_equal(example.listen.count, defaults.listen.count);
    for (size_t i = 0; i < example.listen.count; i++)
        assert_string_equal(example.listen.at[i], defaults.listen.at[i]);
    assert_string_equal(((struct config_pool *)example.pools.at)->engine,
                        ((struct config_pool *)defaults.pools.at)->engine);
    config_fini(&example);
    config_fini(&defaults);
}

static void
test_docker_host(void **state)
{
    struct problems problems = { 0 };
    struct config config;
    struct fault fault;

    (void)state;
    set_docker_host("unix:///elsewhere.sock");
    assert_int_equal(config_load(NULL, &config, &problems, &fault), 0);
    assert_string_equal(((struct config_pool *)config.pools.at)->engine, "unix:///elsewhere.sock");
    config_fini(&config);
    set_docker_host("tcp://10.0.0.5:2375");
    assert_int_equal(config_load(NULL, &config, &problems, &fault), -1);
    assert_string_equal(problems.at[0].pointer, "/pools/default/engine");
    assert_non_null(strstr(fault.text, "DOCKER_HOST"));
    set_docker_host(NULL);
}

/* --- What is wrong ------------------------------------------------------------------------------- */

/* Loads @text as a file. Return: as config_load(). */
static int
load_text(const char *text, struct config *config, struct problems *problems, struct fault *fault)
{
    char path[] = "/tmp/berth-config-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    int result;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    *problems = (struct problems){ 0 };
    result = config_load(path, config, problems, fault);
    (void)unlink(path);
    return result;
}

#define HOST_KEY             "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m"
#define STATIC_HOST(members) "pools: {p: {provider: static, hosts: [{name: a, " members "}]}}"
#define TLS                  "engine: 'tcp://10.0.0.5:2376', ca: /ca, cert: /cert, key: /key"

/* clang-format off */
static const struct {
    const char *text;
    const char *pointer;
    const char *says; /* what it must be, or what to do */
} bad[] = {
    { "colour: red", "/colour", "is not a field" },
    { "pool: {}", "/pool", "did you mean \"pools\"?" },
    { "cluster: Big One", "/cluster", "lower-case letters" },
    { "cluster: 5", "/cluster", "must be a string" },
    { "data_dir: berth", "/data_dir", "must be an absolute path" },
    { "listen: unix:/x", "/listen", "must be a list" },
    { "listen: ['tcp://127.0.0.1:1']", "/listen/0", "must be unix:/PATH or http://ADDRESS:PORT" },
    { "listen: ['unix:berthd.sock']", "/listen/0", "must be unix:/PATH" },
    { "listen: ['unix:/x', 'http://127.0.0.1']", "/listen/1", "must be unix:/PATH or http://ADDRESS:PORT" },
    { "listen: ['http://127.0.0.1:65536']", "/listen/0", "http://ADDRESS:PORT" },
    { "listen: ['http://127.0.0.1:80x']", "/listen/0", "http://ADDRESS:PORT" },
    { "listen: ['http://:80']", "/listen/0", "http://ADDRESS:PORT" },
    { "listen: ['http://0.0.0.0:7070']", "/listen/0", "allow_remote: true" },
    { "listen: ['http://localhost.example.org:7070']", "/listen/0", "allow_remote: true" },
    { "allow_remote: maybe", "/allow_remote", "must be true or false" },
    { "log: {level: loud}", "/log/level", "must be one of: error, warn, info, debug" },
    { "log: {format: xml}", "/log/format", "must be one of: auto, logfmt, journal" },
    { "housekeeping: {interval_s: 0}", "/housekeeping/interval_s", "must be at least 1 (seconds)" },
    { "housekeeping: {interval_s: fast}", "/housekeeping/interval_s", "must be a number" },
    { "retention: {events: 999}", "/retention/events", "must be at least 1000" },
    { "limits: {queue: 1.5}", "/limits/queue", "must be a whole number" },
    { "limits: {connections: 8k}", "/limits/connections", "must be a whole number" },
    { "registries: {'r:1': {username: u}}", "/registries/r:1/password_file", "is missing" },
    { "pools: [default]", "/pools", "must be an object" },
    { "pools: {Default: {}}", "/pools/Default", "lower-case letters" },
    { "pools: {default: {provider: ec3}}", "/pools/default/provider", "must be one of: local, static, ec2" },
    { "pools: {default: {engine: 'ssh://x'}}", "/pools/default/engine", "must be unix:///PATH" },
    { "pools: {default: {engine: 'tcp://10.0.0.5:2375'}}", "/pools/default/engine", "use provider static for tcp" },
    { "pools: {default: {hosts: [{name: a, engine: 'unix:///x'}]}}", "/pools/default/hosts", "use provider static" },
    { "pools: {p: {provider: static, engine: 'unix:///x'}}", "/pools/p/engine", "to each of its hosts" },
    { STATIC_HOST("ca: /ca"), "/pools/p/hosts/0", "needs engine (a machine that runs one) or ssh" },
    { STATIC_HOST("engine: 'unix:///x', ssh: root@a, host_key: '" HOST_KEY "'"), "/pools/p/hosts/0", "needs engine" },
    { STATIC_HOST("ssh: root@a"), "/pools/p/hosts/0", "ssh-keyscan -t ed25519" },
    { STATIC_HOST("ssh: root, host_key: '" HOST_KEY "'"), "/pools/p/hosts/0/ssh", "user@address" },
    { STATIC_HOST("ssh: root@a, host_key: ssh-rsa AAAAB3NzaC1yc2E="), "/pools/p/hosts/0/host_key", "no other kind is verified" },
    { STATIC_HOST("ssh: root@a, plain: true, host_key: '" HOST_KEY "'"), "/pools/p/hosts/0", "are of an engine" },
    { STATIC_HOST("engine: 'tcp://10.0.0.5:2376'"), "/pools/p/hosts/0", "needs ca, cert and key" },
    { STATIC_HOST("engine: 'tcp://10.0.0.5:2376', ca: /ca"), "/pools/p/hosts/0", "needs ca, cert and key" },
    { STATIC_HOST(TLS ", plain: true"), "/pools/p/hosts/0", "exclude each other" },
    { "pools: {p: {provider: static, hosts: [{name: a, " TLS "}, {name: a, " TLS "}]}}", "/pools/p/hosts/1",
      "another host a" },
    { "pools: {default: {overcommit: {memory: 0}}}", "/pools/default/overcommit/memory", "must be at least 0.1" },
    { "pools: {default: {policy: {error_treshold: 3}}}", "/pools/default/policy/error_treshold",
      "did you mean \"error_threshold\"?" },
#define POLICY(members) "pools: {default: {policy: {" members "}}}"
#define SCHEDULE(members) POLICY("schedules: [{duration_s: 3600, " members "}]")
    { POLICY("min_hosts: 3, max_hosts: 2"), "/pools/default/policy/min_hosts", "must be at most max_hosts" },
    { POLICY("host_lifetime_s: 300"), "/pools/default/policy/host_lifetime_low_s", "must be less than host_lifetime_s" },
    { SCHEDULE("cron: '0 25 * * *'"), "/pools/default/policy/schedules/0/cron", "the hour as second field" },
    { SCHEDULE("cron: '0 7 * * *', min_hosts: 11"), "/pools/default/policy/schedules/0/min_hosts", "must be at most max_hosts" },
    { SCHEDULE("cron: '0 7 * * *', time_zone: ../x"), "/pools/default/policy/schedules/0/time_zone", "must be the name of a time zone" },
    { SCHEDULE("cron: '0 7 * * *', time_zone: Europe/Nowhere"), "/pools/default/policy/schedules/0/time_zone",
      "there is no time zone Europe/Nowhere" },
#define EC2(members) "pools: {p: {provider: ec2, region: r, " members "}}"
#define TYPES        "machine_types: [{type: t3.small}]"
#define IMAGE        "image: ami-1"
    { EC2(TYPES), "/pools/p/image", "needs an id, or an owner and a name" },
    { EC2(TYPES ", image: {name: debian-*}"), "/pools/p/image", "needs an id, or an owner and a name" },
    { EC2(TYPES ", image: 5"), "/pools/p/image", "must be an object" },
    { EC2(TYPES ", image: ''"), "/pools/p/image/id", "must not be empty" },
    { EC2(IMAGE), "/pools/p/machine_types", "at least one" },
    { EC2(IMAGE ", " TYPES ", hosts: [{name: a, engine: 'unix:///x'}]"), "/pools/p/hosts", "its hosts are launched" },
    { EC2(IMAGE ", " TYPES ", engine: 'unix:///x'"), "/pools/p/engine", "must not be given" },
    { EC2(IMAGE ", " TYPES ", subnet: subnet-1"), "/pools/p/subnet", "did you mean \"subnets\"?" },
    { EC2(IMAGE ", " TYPES ", ssh_usr: admin"), "/pools/p/ssh_usr", "did you mean \"ssh_user\"?" },
    { EC2(IMAGE ", " TYPES ", ssh_user: Admin"), "/pools/p/ssh_user", "must be a user's name" },
    { EC2(IMAGE ", " TYPES ", playbook: ./mine.yml"), "/pools/p/playbook", "must be an absolute path" },
    { EC2(IMAGE ", " TYPES ", playbook: nowhere.yml"), "/pools/p/playbook", "nowhere.yml" },
    { EC2(IMAGE ", " TYPES ", playbook_vars: {berth_ca: x}"), "/pools/p/playbook_vars/berth_ca", "is given by Berth" },
    { EC2(IMAGE ", " TYPES ", playbook_vars: {a-b: x}"), "/pools/p/playbook_vars/a-b", "letters, digits and _" },
    { EC2(IMAGE ", " TYPES ", playbook_vars: {berth_deadman: '600'}"), "/pools/p/playbook_vars/berth_deadman", "stands nowhere in the playbook" },
    { EC2(IMAGE ", " TYPES ", orchestrator: [everybody]"), "/pools/p/orchestrator/0", "an IP address or a network" },
    { EC2(IMAGE ", " TYPES ", orchestrator: [10.0.0.0/33]"), "/pools/p/orchestrator/0", "an IP address or a network" },
    { EC2(IMAGE ", " TYPES ", certificate_lifetime_s: 60"), "/pools/p/certificate_lifetime_s", "must be at least 86400" },
    { EC2(IMAGE ", " TYPES ", address: outer"), "/pools/p/address", "must be one of: private, public" },
    { "pools: {p: {provider: ec2, " IMAGE ", " TYPES "}}", "/pools/p/region", "AWS_REGION" },
    { "pools: {p: {" IMAGE "}}", "/pools/p/image", "it belongs to provider ec2" },
    { "pools: {p: {provider: local, ssh_user: admin}}", "/pools/p/ssh_user", "it belongs to provider ec2" },
    { "pools: {p: {provider: static, " IMAGE "}}", "/pools/p/image", "it belongs to provider ec2" },
    { "pools: {p: {provider: static, playbook: nowhere.yml}}", "/pools/p/playbook", "nowhere.yml" },
    { "[]", "", "must be an object" },
};
/* clang-format on */

static void
test_bad_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct problems problems;
        struct config config;
        struct fault fault;

        if (load_text(bad[i].text, &config, &problems, &fault) == 0)
            fail_msg("is taken as good: %s", bad[i].text);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_true(problems.count > 0);
        assert_string_equal(problems.at[0].pointer, bad[i].pointer);
        if (!strstr(problems.at[0].detail, bad[i].says)) {
            fail_msg("%s: said \"%s\" and not \"%s\"", bad[i].text, problems.at[0].detail,
                     bad[i].says);
        }
        assert_non_null(strstr(fault.text, problems.at[0].detail));
    }
}

/* All of them are told at once. */
static void
test_many(void **state)
{
    struct problems problems;
    struct config config;
    struct fault fault;

    (void)state;
    assert_int_equal(
        load_text("cluster: A\ndata_dir: b\nlog: {level: c}", &config, &problems, &fault), -1);
    assert_int_equal(problems.count, 3);
}

/* What is no YAML is told with file, line and column. */
static void
test_syntax(void **state)
{
    struct problems problems;
    struct config config;
    struct fault fault;

    (void)state;
    assert_int_equal(load_text("cluster: a\ncluster: b\n", &config, &problems, &fault), -1);
    assert_non_null(strstr(fault.text, ":2:1: the key \"cluster\" is there already"));
    assert_int_equal(load_text("log: {level: info", &config, &problems, &fault), -1);
    assert_int_equal(config_load("/nowhere/berthd.yaml", &config, &problems, &fault), -1);
    assert_non_null(strstr(fault.text, "/nowhere/berthd.yaml: No such file"));
}

static void
test_remote_when_allowed(void **state)
{
    struct problems problems;
    struct config config;
    struct fault fault;

    (void)state;
    assert_int_equal(load_text("allow_remote: true\nlisten: ['http://0.0.0.0:7070']", &config,
                               &problems, &fault),
                     0);
    config_fini(&config);
}

static void
test_a_pool_that_rents(void **state)
{
    struct problems problems;
    struct config_pool *pool;
    struct config config;
    struct fault fault;

    (void)state;
    if (load_text(EC2(IMAGE ", " TYPES ", orchestrator: [10.0.0.0/24, 'fd00::1'], spot: true, "
                            "playbook_vars: {berth_deadman_s: '600'}"),
                  &config, &problems, &fault) < 0)
        fail_msg("%s", fault.text);
    pool = config.pools.at;
    assert_int_equal(pool->provider, PROVIDER_EC2);
    assert_string_equal(pool->ec2.image.id, "ami-1");
    assert_string_equal(pool->ec2.region, "r");
    assert_true(pool->ec2.spot);
    assert_int_equal(pool->shell.orchestrator.count, 2);
    assert_string_equal(pool->shell.playbook_vars.at[0].value, "600");
    assert_int_equal(pool->shell.certificate_lifetime_ms, INT64_C(90) * 86400 * 1000);
    config_fini(&config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_that_rents),
        cmocka_unit_test(test_example_shows_every_key),
        cmocka_unit_test(test_example_is_good),
        cmocka_unit_test(test_docker_host),
        cmocka_unit_test(test_bad_fields),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_remote_when_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
