/* Blueprints: safe defaults, what is refused and where, and what is stored. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/blueprint.h"

#define MIB (INT64_C(1) << 20)

/* Decodes and checks "{name, image, memory, @fields}". Return: how many problems. */
static size_t
decode(const char *fields, struct blueprint_spec *ret_spec, struct problems *ret_problems)
{
    CLEANUP(mem_freep)
    char *text =
        mem_printf("{\"name\":\"web\",\"image\":\"busybox\",\"memory_bytes\":16777216%s%s}",
                   fields[0] ? "," : "", fields);
    CLEANUP(json_freep) json_t *json = NULL;
    struct fault fault;

    if (json_in_parse(text, strlen(text), &json, &fault))
        fail_msg("%s: %s", text, fault.text);
    memset(ret_problems, 0, sizeof(*ret_problems));
    schema_defaults(&blueprint_schema, ret_spec);
    if (schema_decode(&blueprint_schema, json, ret_spec, "", ret_problems) == 0)
        (void)blueprint_check(ret_spec, ret_problems);
    return ret_problems->count;
}

static void
test_defaults_are_safe(void **state)
{
    struct blueprint_spec spec;
    struct problems problems;

    (void)state;
    assert_int_equal(decode("", &spec, &problems), 0);
    assert_int_equal(spec.memory_swap_bytes, -1);
    assert_int_equal(spec.pids, 256);
    assert_int_equal(spec.slots, 1);
    assert_int_equal(spec.cpus_milli, 0);
    assert_int_equal(spec.lifetime_ms, 0);
    assert_int_equal(spec.end_grace_ms, 60000);
    assert_int_equal(spec.stop_grace_ms, 10000);
    assert_int_equal(spec.log_bytes, 10 * MIB);
    assert_int_equal(spec.ready.kind, READY_PORT);
    assert_int_equal(spec.ready.timeout_ms, 60000);
    assert_int_equal(spec.restart.policy, RESTART_NO);
    assert_int_equal(spec.pull, PULL_MISSING);
    assert_int_equal(spec.cap_add.count, 0);
    assert_null(spec.pool);
    schema_free(&blueprint_schema, &spec);
}

static void
test_seconds_become_milliseconds(void **state)
{
    struct blueprint_spec spec;
    struct problems problems;

    (void)state;
    assert_int_equal(decode("\"lifetime_s\":1.5,\"idle_timeout_s\":60,\"cpus\":0.25,"
                            "\"ready\":{\"timeout_s\":2}",
                            &spec, &problems),
                     0);
    assert_int_equal(spec.lifetime_ms, 1500);
    assert_int_equal(spec.idle_timeout_ms, 60000);
    assert_int_equal(spec.cpus_milli, 250);
    assert_int_equal(spec.ready.timeout_ms, 2000);
    schema_free(&blueprint_schema, &spec);
}

static void
test_good_ones_pass(void **state)
{
    static const char *const good[] = {
        "\"image\":\"registry.lan:5000/team/app:1.2\"",
        "\"image\":\"localhost/app@sha256:"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
        "\"image\":\"a__b/c-d:V_1\"",
        "\"env\":{\"A\":\"{owner}\",\"B\":\"{{}}\"}",
        "\"command\":[\"serve\",\"{instance_id}\"]",
        "\"ports\":[{\"container\":53},{\"container\":53,\"protocol\":\"udp\"}]",
        "\"ports\":[{\"container\":80,\"name\":\"web\"}],\"ready\":{\"kind\":\"http\",\"path\":\"/"
        "up\"}",
        "\"cap_add\":[\"NET_BIND_SERVICE\",\"CAP_SYS_PTRACE\"]",
        "\"tmpfs\":{\"/run\":\"size=1m\"}",
        "\"ulimits\":[{\"name\":\"nofile\",\"soft\":10,\"hard\":20},"
        "{\"name\":\"core\",\"soft\":0,\"hard\":-1}]",
        "\"memory_reservation_bytes\":16777216",
        "\"restart\":{\"policy\":\"on-failure\",\"max_retries\":3}",
        "\"labels\":{\"berthed\":\"yes\"},\"host_labels\":{\"zone\":\"a\"},\"pool\":\"gpu\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct blueprint_spec spec;
        struct problems problems;

        /* A second "image" replaces the first only in a document of its own. */
        CLEANUP(mem_freep)
        char *text =
            mem_printf("{\"name\":\"web\",\"memory_bytes\":16777216,%s%s}",
                       strstr(good[i], "\"image\"") ? "" : "\"image\":\"busybox\",", good[i]);
        CLEANUP(json_freep) json_t *json = NULL;

        memset(&problems, 0, sizeof(problems));
        assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
        schema_defaults(&blueprint_schema, &spec);
        (void)schema_decode(&blueprint_schema, json, &spec, "", &problems);
        (void)blueprint_check(&spec, &problems);
        if (problems.count)
            fail_msg("%s: %s %s", good[i], problems.at[0].pointer, problems.at[0].detail);
        schema_free(&blueprint_schema, &spec);
    }
}

static void
test_wrong_ones_are_refused_by_name(void **state)
{
    static const struct {
        const char *fields;
        const char *pointer;
    } wrong[] = {
        { "\"env\":{\"a/b\":\"{nobody}\"}", "/env/a~1b" },
        { "\"env\":{\"A=B\":\"x\"}", "/env" },
        { "\"command\":[\"ok\",\"{\"]", "/command/1" },
        { "\"entrypoint\":[\"${HOME}\"]", "/entrypoint/0" },
        { "\"memory_reservation_bytes\":16777217", "/memory_reservation_bytes" },
        { "\"cap_add\":[\"ALL\"]", "/cap_add/0" },
        { "\"cap_add\":[\"NET_ADMIN\",\"net_raw\"]", "/cap_add/1" },
        { "\"tmpfs\":{\"run\":\"\"}", "/tmpfs" },
        { "\"labels\":{\"berth.instance\":\"x\"}", "/labels" },
        { "\"ulimits\":[{\"name\":\"files\",\"soft\":1,\"hard\":1}]", "/ulimits/0/name" },
        { "\"ulimits\":[{\"name\":\"nofile\",\"soft\":2,\"hard\":1}]", "/ulimits/0/soft" },
        { "\"ulimits\":[{\"name\":\"nofile\",\"soft\":-1,\"hard\":1}]", "/ulimits/0/soft" },
        { "\"ports\":[{\"container\":80},{\"container\":80}]", "/ports/1" },
        { "\"ports\":[{\"container\":80,\"host\":9},{\"container\":81,\"host\":9}]", "/ports/1" },
        { "\"ports\":[{\"container\":0}]", "/ports/0/container" },
        { "\"ports\":[{\"container\":80,\"name\":\"a\"},{\"container\":81,\"name\":\"a\"}]",
          "/ports/1" },
        { "\"ready\":{\"kind\":\"http\"},\"ports\":[{\"container\":80}]", "/ready/path" },
        { "\"ready\":{\"kind\":\"http\",\"path\":\"/\"}", "/ready/kind" },
        { "\"ready\":{\"kind\":\"http\",\"path\":\"up\"}", "/ready/path" },
        { "\"ready\":{\"port\":81},\"ports\":[{\"container\":80}]", "/ready/port" },
        { "\"ready\":{\"port\":53},\"ports\":[{\"container\":53,\"protocol\":\"udp\"}]",
          "/ready/port" },
        { "\"pids\":0", "/pids" },
        { "\"memory_reservation_bytes\":-1", "/memory_reservation_bytes" },
        { "\"slots\":0", "/slots" },
        { "\"route\":{}", "/route" },
        { "\"version\":2", "/version" },
        { "\"pool\":\"Not A Name\"", "/pool" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct blueprint_spec spec;
        struct problems problems;

        if (decode(wrong[i].fields, &spec, &problems) != 1)
            fail_msg("%s: %zu problems", wrong[i].fields, problems.count);
        if (strncmp(problems.at[0].pointer, wrong[i].pointer, strlen(wrong[i].pointer)) != 0)
            fail_msg("%s: at %s", wrong[i].fields, problems.at[0].pointer);
        schema_free(&blueprint_schema, &spec);
    }
}

static void
test_memory_has_a_least_value(void **state)
{
    static const char *const documents[] = {
        "{\"name\":\"web\",\"image\":\"busybox\"}",
        "{\"name\":\"web\",\"image\":\"busybox\",\"memory_bytes\":0}",
        "{\"name\":\"web\",\"image\":\"busybox\",\"memory_bytes\":6291455}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct blueprint_spec spec;
        struct problems problems = { 0 };
        CLEANUP(json_freep) json_t *json = NULL;

        assert_int_equal(json_in_parse(documents[i], strlen(documents[i]), &json, NULL), 0);
        schema_defaults(&blueprint_schema, &spec);
        assert_int_equal(schema_decode(&blueprint_schema, json, &spec, "", &problems), -1);
        assert_string_equal(problems.at[0].pointer, "/memory_bytes");
        schema_free(&blueprint_schema, &spec);
    }
}

static void
test_image_references(void **state)
{
    static const char *const wrong[] = {
        "",       ":",          "a:",         "/a",      "a/",  "a//b", "A/b",
        "a b",    "a:b:c",      "a@sha256:1", "a@md5:0", "-a",  "a-",   "a:.tag",
        "a:-tag", "http://a/b", "reg:5000/",  "a/b@",    "a\n", "./a",
    };
    const struct schema_field *image = NULL;

    (void)state;
    for (size_t i = 0; i < blueprint_schema.field_count; i++) {
        if (strcmp(blueprint_schema.fields[i].name, "image") == 0)
            image = &blueprint_schema.fields[i];
    }
    assert_non_null(image);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        if (image && !image->check(wrong[i]))
            fail_msg("'%s' passes", wrong[i]);
    }
}

static void
test_image_keys_know_the_full_name(void **state)
{
    static const char *const same[] = { "busybox", "busybox:latest", "library/busybox",
                                        "docker.io/library/busybox", "docker.io/busybox:latest" };
    static const char *const different[] = {
        "busybox",         "busybox:1", "app/busybox", "busy/box", "localhost:5000/busybox",
        "busybox@sha256:1"
    };

    (void)state;
    for (size_t i = 1; i < ARRAY_LEN(same); i++)
        assert_true(blueprint_image_key(same[i]) == blueprint_image_key(same[0]));
    for (size_t i = 0; i < ARRAY_LEN(different); i++) {
        for (size_t j = 0; j < i; j++)
            assert_true(blueprint_image_key(different[i]) != blueprint_image_key(different[j]));
    }
    assert_true(blueprint_image_key("a:1@sha256:2") == blueprint_image_key("a@sha256:2"));
    assert_true(blueprint_image_key("reg:5000/a@sha256:2") != blueprint_image_key("reg@sha256:2"));
}

/* What is stored decodes to the same again. */
static void
test_the_stored_form_comes_back(void **state)
{
    struct blueprint_spec spec;
    struct problems problems;
    struct blueprint *first;
    struct blueprint *second;
    CLEANUP(json_freep) json_t *json = NULL;

    (void)state;
    assert_int_equal(decode("\"env\":{\"A\":\"1\"},\"ports\":[{\"container\":80,\"name\":\"web\"}],"
                            "\"cpus\":1.5,\"tmpfs\":{\"/run\":\"\"},\"command\":[\"a\",\"b\"],"
                            "\"ulimits\":[{\"name\":\"nofile\",\"soft\":1,\"hard\":2}]",
                            &spec, &problems),
                     0);
    first = blueprint_new(&spec);
    assert_null(spec.name);
    assert_int_equal(json_in_parse(first->spec_json, strlen(first->spec_json), &json, NULL), 0);
    memset(&problems, 0, sizeof(problems));
    schema_defaults(&blueprint_schema, &spec);
    assert_int_equal(schema_decode(&blueprint_schema, json, &spec, "", &problems), 0);
    second = blueprint_new(&spec);
    assert_string_equal(first->spec_json, second->spec_json);
    assert_true(first->image_key == second->image_key);
    assert_int_equal(first->name_key, second->name_key);
    blueprint_free(first);
    blueprint_free(second);
    blueprint_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_safe),
        cmocka_unit_test(test_seconds_become_milliseconds),
        cmocka_unit_test(test_good_ones_pass),
        cmocka_unit_test(test_wrong_ones_are_refused_by_name),
        cmocka_unit_test(test_memory_has_a_least_value),
        cmocka_unit_test(test_image_references),
        cmocka_unit_test(test_image_keys_know_the_full_name),
        cmocka_unit_test(test_the_stored_form_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
