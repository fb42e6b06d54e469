/*
 * Errors are told apart by their code, whatever the HTTP status, and no secret is among their words.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/cloud/ec2_fault.h"

static const struct {
    int status; /* HTTP */
    enum fault_kind kind;
    const char *code;
    enum ec2_lesson lesson;
    bool repeat;
} cases[] = {
    { 500, FAULT_CLOUD_CAPACITY, "InsufficientInstanceCapacity", EC2_LESSON_NONE, false },
    { 500, FAULT_CLOUD_CAPACITY, "InsufficientHostCapacity", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_CAPACITY, "SpotMaxPriceTooLow", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_CAPACITY, "Unsupported", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_LIMIT, "InstanceLimitExceeded", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_LIMIT, "VcpuLimitExceeded", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_LIMIT, "MaxSpotInstanceCountExceeded", EC2_LESSON_NONE, false },
    { 503, FAULT_CLOUD_THROTTLED, "RequestLimitExceeded", EC2_LESSON_NONE, true },
    { 400, FAULT_CLOUD_THROTTLED, "Throttling", EC2_LESSON_NONE, true },
    { 401, FAULT_CLOUD_DENIED, "AuthFailure", EC2_LESSON_CLOCK, false },
    { 400, FAULT_CLOUD_DENIED, "RequestExpired", EC2_LESSON_CLOCK, false },
    { 403, FAULT_CLOUD_DENIED, "UnauthorizedOperation", EC2_LESSON_NONE, false },
    { 403, FAULT_CLOUD_DENIED, "ExpiredTokenException", EC2_LESSON_CREDENTIALS, false },
    { 400, FAULT_CLOUD_DENIED, "InvalidClientTokenId", EC2_LESSON_CREDENTIALS, false },
    { 400, FAULT_MACHINE_GONE, "IdempotentInstanceTerminated", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_UNSURE, "IdempotentParameterMismatch", EC2_LESSON_NONE, false },
    { 400, FAULT_MACHINE_GONE, "InvalidInstanceID.NotFound", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_REFUSED, "InvalidInstanceID.Malformed", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_REFUSED, "InvalidAMIID.NotFound", EC2_LESSON_NONE, false },
    { 400, FAULT_CLOUD_REFUSED, "MissingParameter", EC2_LESSON_NONE, false },
    { 500, FAULT_CLOUD_FAILED, "InternalError", EC2_LESSON_NONE, false },
    { 503, FAULT_CLOUD_FAILED, "Unavailable", EC2_LESSON_NONE, false },
    /* Codes that are new, and answers without one. */
    { 400, FAULT_CLOUD_REFUSED, "SomethingNew", EC2_LESSON_NONE, false },
    { 500, FAULT_CLOUD_FAILED, "SomethingNew", EC2_LESSON_NONE, false },
    { 403, FAULT_CLOUD_DENIED, "", EC2_LESSON_NONE, false },
    { 404, FAULT_CLOUD_REFUSED, "", EC2_LESSON_NONE, false },
    { 429, FAULT_CLOUD_THROTTLED, "", EC2_LESSON_NONE, true },
    { 502, FAULT_CLOUD_FAILED, "", EC2_LESSON_NONE, false },
    { 302, FAULT_CLOUD_FAILED, "", EC2_LESSON_NONE, false },
};

static void
each_code_has_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ec2_error error = { .status = cases[i].status };
        const struct ec2_rule *rule;

        memcpy(error.code, cases[i].code, strlen(cases[i].code));
        rule = ec2_fault_rule(&error);
        if (rule->kind != cases[i].kind || rule->repeat != cases[i].repeat ||
            rule->lesson != cases[i].lesson) {
            fail_msg("%d %s: %s, repeat %d, lesson %d", cases[i].status, cases[i].code,
                     fault_rule(rule->kind)->code, rule->repeat, rule->lesson);
        }
    }
}

static void
read_as(const char *body, struct ec2_error *error)
{
    *error = (struct ec2_error){ .status = 400 };
    (void)ec2_fault_read(body, strlen(body), error);
}

static void
both_forms_are_read(void **state)
{
    struct ec2_error error;
    struct fault fault;

    (void)state;
    read_as("<Response><Errors><Error><Code>AuthFailure</Code><Message>no &amp; no</Message>"
            "</Error></Errors><RequestID>r-1</RequestID></Response>",
            &error);
    assert_string_equal(error.code, "AuthFailure");
    assert_string_equal(error.message, "no & no");
    assert_string_equal(error.request_id, "r-1");
    assert_int_equal(ec2_fault_set(&error, "test", &fault), -1);
    assert_string_equal(fault.text, "AuthFailure: no & no (request r-1)");
    assert_int_equal(fault.remote_code, 400);
    read_as("<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>"
            "<Message>x</Message></Error><RequestId>r-2</RequestId></ErrorResponse>",
            &error);
    assert_string_equal(error.code, "ExpiredToken");
    assert_string_equal(error.request_id, "r-2");
    read_as("<html>Bad gateway", &error);
    assert_string_equal(error.code, "");
    (void)ec2_fault_set(&error, "test", &fault);
    assert_string_equal(fault.text, "HTTP status 400");
}

static void
what_was_signed_is_not_repeated(void **state)
{
    struct ec2_error error;
    struct fault fault;

    (void)state;
    read_as("<Response><Errors><Error><Code>SignatureDoesNotMatch</Code>"
            "<Message>The canonical string should have been x-amz-security-token:TOKEN</Message>"
            "</Error></Errors></Response>",
            &error);
    (void)ec2_fault_set(&error, "test", &fault);
    assert_null(strstr(fault.text, "TOKEN"));
    assert_non_null(strstr(fault.text, "SignatureDoesNotMatch: "));
}

static void
what_lacks_is_named(void **state)
{
    struct ec2_error error;
    struct fault fault;

    (void)state;
    read_as("<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
            "<Message>You are not authorized to perform this operation. User: "
            "arn:aws:iam::123456789012:user/"
            "with-a-long-name-for-berth is not authorized to perform: ec2:CreateTags on resource: "
            "x</Message>"
            "</Error></Errors></Response>",
            &error);
    error.action = "RunInstances";
    (void)ec2_fault_set(&error, "test", &fault);
    assert_string_equal(fault.text,
                        "UnauthorizedOperation: the keys lack the permission ec2:CreateTags");
    read_as("<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
            "<Message>You are not authorized to perform this operation. Encoded: AbC</Message>"
            "</Error></Errors></Response>",
            &error);
    error.action = "RunInstances";
    (void)ec2_fault_set(&error, "test", &fault);
    assert_string_equal(fault.text,
                        "UnauthorizedOperation: the keys lack the permission ec2:RunInstances");
    read_as("<Response><Errors><Error><Code>VcpuLimitExceeded</Code><Message>more</Message>"
            "</Error></Errors></Response>",
            &error);
    (void)ec2_fault_set(&error, "test", &fault);
    assert_non_null(strstr(fault.text, "Service Quotas, EC2, \"Running On-Demand"));
}

static void
long_words_are_cut(void **state)
{
    char body[1200];
    struct ec2_error error;
    struct fault fault;
    char words[801];

    (void)state;
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    (void)snprintf(body, sizeof(body),
                   "<Response><Errors><Error><Code>%.200s</Code><Message>%s</Message></Error>"
                   "</Errors><RequestID>r-3</RequestID></Response>",
                   words, words);
    read_as(body, &error);
    assert_int_equal(strlen(error.code), sizeof(error.code) - 1);
    (void)ec2_fault_set(&error, "test", &fault);
    assert_non_null(strstr(fault.text, "r-3"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_its_meaning),
        cmocka_unit_test(both_forms_are_read),
        cmocka_unit_test(what_was_signed_is_not_repeated),
        cmocka_unit_test(what_lacks_is_named),
        cmocka_unit_test(long_words_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
