/*
 * The security token service is asked where the SDKs ask it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/cloud/credentials_sts.h"

static const struct {
    const char *endpoint;
    const char *region;
    bool legacy;
    const char *url; /* NULL: refused */
    const char *signed_for;
} cases[] = {
    { NULL, NULL, false, "https://sts.amazonaws.com/", "us-east-1" },
    { NULL, "eu-north-1", false, "https://sts.eu-north-1.amazonaws.com/", "eu-north-1" },
    { NULL, "eu-north-1", true, "https://sts.amazonaws.com/", "us-east-1" },
    { NULL, "eu-south-1", true, "https://sts.eu-south-1.amazonaws.com/", "eu-south-1" },
    { NULL, "cn-north-1", true, "https://sts.cn-north-1.amazonaws.com.cn/", "cn-north-1" },
    { "http://127.0.0.1:99", "eu-north-1", true, "http://127.0.0.1:99/", "eu-north-1" },
    { "https://sts.example//", NULL, false, "https://sts.example/", "us-east-1" },
    { "https://sts.example/path", NULL, false, NULL, NULL },
    { "sts.example", NULL, false, NULL, NULL },
    { "https://", NULL, false, NULL, NULL },
};

static void
each_region_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credentials_sts sts = { 0 };

        assert_int_equal(
            credentials_sts_find(cases[i].endpoint, cases[i].legacy, cases[i].region, &sts),
            cases[i].url != NULL);
        if (!cases[i].url)
            continue;
        assert_string_equal(sts.url, cases[i].url);
        assert_string_equal(sts.region, cases[i].signed_for);
        mem_free(sts.url);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_region_has_its_place) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
