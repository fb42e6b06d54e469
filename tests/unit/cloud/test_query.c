/*
 * A request's body: the same calls give the same bytes, and nothing of a value reads as syntax.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/cloud/ec2_query.h"

#define BEGIN "Action=Do&Version=2016-11-15"

static void
parameters_stand_in_their_order(void **state)
{
    struct ec2_query query;

    (void)state;
    ec2_query_init(&query, "Do");
    ec2_query_add(&query, "b c", "Name.%d", 2);
    ec2_query_add(&query, NULL, "Missing");
    ec2_query_add(&query, "", "Empty");
    ec2_query_add_number(&query, "Count", -5);
    ec2_query_add_filter(&query, 1, "tag:berth:pool", "default");
    assert_string_equal(buf_text(&query.body),
                        BEGIN "&Name.2=b%20c&Empty=&Count=-5&Filter.1.Name=tag%3Aberth%3Apool"
                              "&Filter.1.Value.1=default");
    ec2_query_fini(&query);
}

static void
only_unreserved_characters_are_sent_as_they_are(void **state)
{
    struct ec2_query query;
    struct buf expected;
    char text[256] = "";

    (void)state;
    ec2_query_init(&query, "Do");
    buf_init(&expected, 0);
    for (int c = 1; c < 256; c++) {
        text[c - 1] = (char)c;
        if (c < 128 && (strchr("-._~", c) || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z'))) {
            buf_printf(&expected, "%c", c);
        } else {
            buf_printf(&expected, "%%%02X", (unsigned)c);
        }
    }
    ec2_query_add(&query, text, "V");
    assert_string_equal(buf_text(&query.body) + strlen(BEGIN "&V="), buf_text(&expected));
    buf_fini(&expected);
    ec2_query_fini(&query);
}

static void
user_data_goes_as_base64(void **state)
{
    struct ec2_query query;

    (void)state;
    ec2_query_init(&query, "Do");
    ec2_query_add_base64(&query, "A", "\xfb\xff?");
    ec2_query_add_base64(&query, "B", "#!");
    ec2_query_add_base64(&query, "C", "");
    assert_string_equal(buf_text(&query.body), BEGIN "&A=%2B%2F8%2F&B=IyE%3D&C=");
    ec2_query_fini(&query);
}

static void
too_much_is_noticed(void **state)
{
    struct ec2_query query;
    char *large = mem_new0(EC2_QUERY_MAX + 1);

    (void)state;
    memset(large, 'x', EC2_QUERY_MAX);
    ec2_query_init(&query, "Do");
    ec2_query_add(&query, large, "V");
    assert_true(query.body.overflow);
    ec2_query_fini(&query);
    mem_free(large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_stand_in_their_order),
        cmocka_unit_test(only_unreserved_characters_are_sent_as_they_are),
        cmocka_unit_test(user_data_goes_as_base64),
        cmocka_unit_test(too_much_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
