/*
 * The shared files are read as the SDKs read them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/cloud/credentials_ini.h"

static const char file[] = "# a comment = no\n"
                           "early = value\n"
                           "[default]\n"
                           "aws_access_key_id = AKID # mine\n"
                           "AWS_Secret_Access_Key=wJalr/K7+b=\r\n"
                           "; region = nowhere\n"
                           "s3 =\n"
                           "  region = nested\n"
                           "empty =\n"
                           "twice = one\n"
                           "twice = two\n"
                           "hash = a#b;c\n"
                           "no equals here\n"
                           "[ profile \t web ] # ours\n"
                           "aws_access_key_id=WEB\n"
                           "[profile  webs]\n"
                           "aws_access_key_id=WEBS\n"
                           "[default\n"
                           "aws_access_key_id=BROKEN\n"
                           "[last]\n"
                           "key=end";

static const struct {
    const char *section;
    const char *name;
    const char *value; /* NULL: none */
} cases[] = {
    { "default", "aws_access_key_id", "AKID" },
    { "default", "aws_secret_access_key", "wJalr/K7+b=" },
    { "default", "region", NULL },
    { "default", "empty", NULL },
    { "default", "twice", "two" },
    { "default", "hash", "a#b;c" },
    { "default", "early", NULL },
    { "default", "no equals here", NULL },
    { "profile web", "aws_access_key_id", "WEB" },
    { "profile webs", "aws_access_key_id", "WEBS" },
    { "profile we", "aws_access_key_id", NULL },
    { "web", "aws_access_key_id", NULL },
    { "last", "key", "end" },
    { "last", "ke", NULL },
};

static void
values_are_found_by_section_and_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct credentials_ini ini = { file, sizeof(file) - 1, cases[i].section };
        CLEANUP(secret_freep) struct secret *value = credentials_ini_get(&ini, cases[i].name);

        if (!value != !cases[i].value ||
            (value && strcmp(secret_bytes(value), cases[i].value) != 0)) {
            fail_msg("[%s] %s: %s", cases[i].section, cases[i].name,
                     value ? secret_bytes(value) : "none");
        }
    }
}

static void
sections_are_there_or_not(void **state)
{
    static const char *const there[] = { "default", "profile web", "profile webs", "last" };
    static const char *const missing[] = { "web", "profile", "las", "early", "" };

    (void)state;
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        assert_true(
            credentials_ini_has(&(struct credentials_ini){ file, sizeof(file) - 1, there[i] }));
    }
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        assert_false(
            credentials_ini_has(&(struct credentials_ini){ file, sizeof(file) - 1, missing[i] }));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_section_and_name),
        cmocka_unit_test(sections_are_there_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
