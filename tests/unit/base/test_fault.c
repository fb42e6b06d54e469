#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/fault.h"
#include "berth/base/log.h"
#include "berth/base/secret.h"

static void
test_table_is_complete_and_codes_are_unique(void **state)
{
    (void)state;
    for (int kind = FAULT_NONE; kind < FAULT_KIND_COUNT; kind++) {
        const struct fault_rule *rule = fault_rule((enum fault_kind)kind);

        assert_non_null(rule->code);
        assert_non_null(rule->title);
        assert_int_equal(fault_kind_from_code(rule->code), kind);
        assert_int_equal(rule->blame == BLAME_NOBODY, rule->weight == 0);
        assert_in_range(rule->exit_code, EXIT_OK, EXIT_UNREACHABLE);
        if (kind == FAULT_NONE)
            continue;
        assert_in_range(rule->http_status, 400, 599);
        assert_int_not_equal(rule->exit_code, EXIT_OK);
    }
}

static void
test_codes_that_others_rely_on(void **state)
{
    static const struct {
        const char *code;
        int http_status;
    } promised[] = {
        { "invalid_request", 400 },
        { "unauthorized", 401 },
        { "forbidden", 403 },
        { "not_found", 404 },
        { "method_not_allowed", 405 },
        { "conflict", 409 },
        { "precondition_failed", 412 },
        { "payload_too_large", 413 },
        { "unsupported_media_type", 415 },
        { "idempotency_key_reused", 422 },
        { "quota_exceeded", 403 },
        { "no_capacity", 503 },
        { "rate_limited", 429 },
        { "storage_full", 503 },
        { "engine_unreachable", 502 },
        { "timeout", 504 },
        { "internal", 500 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(promised); i++) {
        const struct fault_rule *rule = fault_rule(fault_kind_from_code(promised[i].code));

        assert_string_equal(rule->code, promised[i].code);
        assert_int_equal(rule->http_status, promised[i].http_status);
    }
    assert_int_equal(fault_kind_from_code("no such code"), FAULT_BUG);
    assert_int_equal(fault_kind_from_code(NULL), FAULT_BUG);
}

static void
test_who_is_blamed_and_what_is_unsure(void **state)
{
    (void)state;
    assert_int_equal(fault_rule(FAULT_LOST)->blame, BLAME_HOST);
    assert_int_equal(fault_rule(FAULT_IMAGE)->blame, BLAME_BLUEPRINT);
    assert_int_equal(fault_rule(FAULT_REGISTRY)->blame, BLAME_NOBODY);
    assert_true(fault_rule(FAULT_TIMEOUT)->unsure);
    assert_true(fault_rule(FAULT_LOST)->unsure);
    assert_true(fault_rule(FAULT_ENGINE)->unsure);
    assert_false(fault_rule(FAULT_UNREACHABLE)->unsure);
    assert_false(fault_rule(FAULT_IMAGE)->retry);
}

static void
test_set_makes_one_clean_line(void **state)
{
    struct fault fault = { .remote_code = 500 };

    (void)state;
    assert_int_equal(fault_set(&fault, FAULT_ENGINE, "docker.create", "a\nb\x1b[31m%d", 7), -1);
    assert_int_equal(fault.kind, FAULT_ENGINE);
    assert_string_equal(fault.where, "docker.create");
    assert_int_equal(fault.remote_code, 0);
    assert_string_equal(fault.text, "a b [31m7");
    assert_int_equal(fault_set(NULL, FAULT_ENGINE, "docker.create", "x"), -1);
}

static void
test_set_may_quote_its_own_text(void **state)
{
    struct fault fault;

    (void)state;
    (void)fault_set(&fault, FAULT_TLS, "a", "inner");
    (void)fault_set(&fault, fault.kind, "b", "outer: %s", fault.text);
    assert_string_equal(fault.text, "outer: inner");
}

static void
test_set_cuts_between_characters(void **state)
{
    struct fault fault;
    char wide[FAULT_TEXT_SIZE + 50];

    (void)state;
    for (size_t i = 0; i + 3 < sizeof(wide); i += 3)
        memcpy(wide + i, "\xe2\x82\xac", 4); /* the euro sign */
    (void)fault_set(&fault, FAULT_BUG, "a", "x%s", wide);
    assert_int_equal(strlen(fault.text), 199);
    (void)fault_set(&fault, FAULT_BUG, "a", "xx%s", wide);
    assert_int_equal(strlen(fault.text), 197);
    assert_null(strchr(fault.text, '?'));
}

static char log_seen[2000];
static int log_count;

static void
log_to_test(const struct log_line *line)
{
    (void)snprintf(log_seen, sizeof(log_seen), "%d %s %s", (int)line->level, line->topic,
                   line->text);
    log_count++;
}

static void
test_log_levels_and_lines(void **state)
{
    (void)state;
    log_error("none", "dropped without a sink");
    log_setup(LOG_LEVEL_WARN, log_to_test);
    log_info("host", "not at this level");
    assert_int_equal(log_count, 0);
    log_warn("host", "one\nline \xff%d", 1);
    assert_string_equal(log_seen, "1 host one line ?1");
    log_level_set(LOG_LEVEL_DEBUG);
    log_debug("host", "%s", "now");
    assert_int_equal(log_count, 2);
    log_setup(LOG_LEVEL_DEBUG, NULL);
    log_error("host", "dropped");
    assert_int_equal(log_count, 2);
    assert_int_equal(log_level_from_string("warn"), LOG_LEVEL_WARN);
    assert_int_equal(log_level_from_string("debug"), LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_from_string("loud"), -1);
    assert_int_equal(log_level_from_string(NULL), -1);
}

static void
test_secret_wipes_the_callers_copy(void **state)
{
    char password[] = "hunter2";
    CLEANUP(secret_freep) struct secret *secret = secret_new(password, 7);

    (void)state;
    assert_memory_equal(password, "\0\0\0\0\0\0\0", 7);
    assert_string_equal(secret_bytes(secret), "hunter2");
    assert_int_equal(secret_len(secret), 7);
    secret_free(NULL);
    secret_free(secret_new(password, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_complete_and_codes_are_unique),
        cmocka_unit_test(test_codes_that_others_rely_on),
        cmocka_unit_test(test_who_is_blamed_and_what_is_unsure),
        cmocka_unit_test(test_set_makes_one_clean_line),
        cmocka_unit_test(test_set_may_quote_its_own_text),
        cmocka_unit_test(test_set_cuts_between_characters),
        cmocka_unit_test(test_log_levels_and_lines),
        cmocka_unit_test(test_secret_wipes_the_callers_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
