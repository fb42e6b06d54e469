/*
 * Signatures are those of AWS's published test suite and of its own SDK.  With --stdin it encodes and signs
 * what tests/cloud/test_requests.py writes, line by line.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/text.h"

#include "../../../src/cloud/ec2_query.h"
#include "../../../src/cloud/ec2_sign.h"

#define FORM "application/x-www-form-urlencoded"

static const struct {
    const char *time;
    struct ec2_sign_request request;
    struct ec2_sign_key key;
    const char *names;
    const char *signature;
} vectors[] = {
    /* post-vanilla, post-x-www-form-urlencoded and -parameters, post-sts-header-before of the suite. */
    { "2015-08-30T12:36:00Z",
      { "example.amazonaws.com", "us-east-1", "service", NULL, "", 0, 0 },
      { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL },
      "host;x-amz-date",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "2015-08-30T12:36:00Z",
      { "example.amazonaws.com", "us-east-1", "service", FORM, "Param1=value1", 0, 0 },
      { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL },
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
    { "2015-08-30T12:36:00Z",
      { "example.amazonaws.com", "us-east-1", "service", FORM "; charset=utf8", "Param1=value1", 0,
        0 },
      { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL },
      "content-type;host;x-amz-date",
      "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe" },
    { "2015-08-30T12:36:00Z",
      { "example.amazonaws.com", "us-east-1", "service", NULL, "", 0, 0 },
      { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AQoDYXdzEPT//////////"
        "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuw"
        "thAx7mSEI/"
        "qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx"
        "6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KS"
        "YvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==" },
      "host;x-amz-date;x-amz-security-token",
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
    /* Of the SDK for Python. */
    { "2026-12-31T23:59:59Z",
      { "127.0.0.1:8080", "eu-north-1", "ec2", FORM "; charset=utf-8",
        "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aberth%3Acluster&"
        "Filter.1.Value.1=%C3%A9",
        0, 0 },
      { "ASIAEXAMPLE", "secret/with+signs==", "session//token+==" },
      "content-type;host;x-amz-date;x-amz-security-token",
      "b730a83f4950dc10da415cff3b86803256421bf2b4fbc09b5439195f56890248" },
};

static void
signatures_are_the_published_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct ec2_sign_request request = vectors[i].request;
        struct ec2_signature signature;
        CLEANUP(mem_freep) char *tail = NULL;

        request.body_len = strlen(request.body);
        assert_true(text_time_parse(vectors[i].time, &request.at_ms));
        ec2_sign(&request, &vectors[i].key, &signature);
        tail = mem_printf("SignedHeaders=%s, Signature=%s", vectors[i].names, vectors[i].signature);
        assert_non_null(strstr(signature.authorization, vectors[i].key.id));
        assert_string_equal(strstr(signature.authorization, "SignedHeaders="), tail);
    }
}

static void
the_date_is_of_the_request(void **state)
{
    struct ec2_sign_request request = { "h", "r", "s", NULL, "", 0, INT64_C(1798761599999) };
    struct ec2_sign_key key = { "ID", "secret", NULL };
    struct ec2_signature signature;

    (void)state;
    ec2_sign(&request, &key, &signature);
    assert_string_equal(signature.date, "20261231T235959Z");
    assert_non_null(strstr(signature.authorization, "Credential=ID/20261231/r/s/aws4_request, "));
    assert_null(strstr(signature.authorization, "secret"));
}

static void
the_host_is_what_a_client_sends(void **state)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: none */
    } cases[] = {
        { "https://ec2.eu-north-1.amazonaws.com", "ec2.eu-north-1.amazonaws.com" },
        { "https://ec2.eu-north-1.amazonaws.com:443/", "ec2.eu-north-1.amazonaws.com" },
        { "http://127.0.0.1:4566/", "127.0.0.1:4566" },
        { "http://127.0.0.1:80", "127.0.0.1" },
        { "http://127.0.0.1:443", "127.0.0.1:443" },
        { "https://user@example.com/", NULL },
        { "https:///", NULL },
        { "example.com", NULL },
    };
    char host[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(ec2_sign_host(cases[i].url, host, sizeof(host)), cases[i].host != NULL);
        if (cases[i].host)
            assert_string_equal(host, cases[i].host);
    }
    assert_false(ec2_sign_host("http://127.0.0.1:4566/", host, 14));
}

enum { LINE_MAX_BYTES = 256 * 1024 };

/* The next of the line's fields: hex of UTF-8, "-" for none. Return: owned; NULL: none. */
static char *
field(char **rest)
{
    char *hex = strsep(rest, " \n");
    char *text;

    if (!hex || strcmp(hex, "-") == 0)
        return NULL;
    text = mem_new0(strlen(hex) / 2 + 1);
    if (!text_hex_parse(hex, (uint8_t *)text, strlen(hex) / 2))
        fail_msg("no hex: %s", hex);
    return text;
}

/* milliseconds host region service key-id secret token name value name value ... */
static void
sign_line(char *line)
{
    struct ec2_sign_request request = {
        .content_type = FORM "; charset=utf-8",
        .at_ms = strtoll(strsep(&line, " "), NULL, 10),
    };
    CLEANUP(mem_freep) char *host = field(&line);
    CLEANUP(mem_freep) char *region = field(&line);
    CLEANUP(mem_freep) char *service = field(&line);
    CLEANUP(mem_freep) char *id = field(&line);
    CLEANUP(mem_freep) char *secret = field(&line);
    CLEANUP(mem_freep) char *token = field(&line);
    struct ec2_signature signature;
    struct ec2_query query;

    ec2_query_init(&query, "Random");
    while (line && *line && *line != '\n') {
        CLEANUP(mem_freep) char *name = field(&line);
        CLEANUP(mem_freep) char *value = field(&line);

        ec2_query_add(&query, value, "%s", name);
    }
    request.host = host;
    request.region = region;
    request.service = service;
    request.body = buf_text(&query.body);
    request.body_len = query.body.len;
    ec2_sign(&request, &(struct ec2_sign_key){ .id = id, .secret = secret, .token = token },
             &signature);
    (void)printf("%s\t%s\t%s\n", signature.date, signature.authorization, buf_text(&query.body));
    ec2_query_fini(&query);
}

static int
sign_all(void)
{
    char *line = mem_new0(LINE_MAX_BYTES);

    while (fgets(line, LINE_MAX_BYTES, stdin))
        sign_line(line);
    mem_free(line);
    return 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_the_published_ones),
        cmocka_unit_test(the_date_is_of_the_request),
        cmocka_unit_test(the_host_is_what_a_client_sends),
    };

    if (argc > 1 && strcmp(argv[1], "--stdin") == 0)
        return sign_all();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
