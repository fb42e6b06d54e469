/* The command line: what is understood, what is refused and with which words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/suggest.h"
#include "berth/cli/args.h"

#define PARSE(args, fault, ...) test_parse((const char *const[]){ __VA_ARGS__, NULL }, args, fault)

enum { WORDS_MAX = 16 };

static int
test_parse(const char *const *words, struct cli_args *args, struct fault *fault)
{
    static char *copy[WORDS_MAX];
    size_t count = 0;

    for (; words[count]; count++)
        copy[count] = mem_unconst(words[count]);
    return cli_args_parse(copy, count, args, fault);
}

static void
test_refused(const char *const *words, const char *says)
{
    struct cli_args args;
    struct fault fault = { 0 };

    assert_int_equal(test_parse(words, &args, &fault), -1);
    assert_int_equal(fault.kind, FAULT_INVALID);
    if (!strstr(fault.text, says))
        fail_msg("'%s' does not say '%s'", fault.text, says);
    cli_args_fini(&args);
}

#define REFUSED(says, ...) test_refused((const char *const[]){ __VA_ARGS__, NULL }, says)

static void
flags_stand_anywhere_and_in_every_form(void **state)
{
    struct cli_args args;
    struct fault fault;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "--url=u", "run", "-qo", "json", "demo", "--count", "3",
                           "--lifetime=1h", "--wait", "-n3"),
                     0);
    assert_string_equal(args.command->path, "run");
    assert_int_equal(args.word_count, 1);
    assert_string_equal(cli_args_word(&args, 0), "demo");
    assert_null(cli_args_word(&args, 1));
    assert_string_equal(cli_args_text(&args, "url"), "u");
    assert_string_equal(cli_args_text(&args, "output"), "json");
    assert_true(cli_args_has(&args, "quiet"));
    assert_false(cli_args_has(&args, "dry-run"));
    assert_int_equal(cli_args_number(&args, "count"), 3);
    assert_int_equal(cli_args_number(&args, "lifetime"), 3600);
    assert_int_equal(cli_args_number(&args, "wait"), 300);
    cli_args_fini(&args);
}

static void
defaults_are_there(void **state)
{
    struct cli_args args;
    struct fault fault;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "run", "demo"), 0);
    assert_int_equal(cli_args_number(&args, "count"), 1);
    assert_int_equal(cli_args_number(&args, "timeout"), 60);
    assert_string_equal(cli_args_text(&args, "output"), "table");
    assert_null(cli_args_text(&args, "owner"));
    cli_args_fini(&args);
}

static void
wait_takes_its_value_only_with_an_equals_sign(void **state)
{
    struct cli_args args;
    struct fault fault;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "stop", "--wait", "i-1", "--wait=90"), 0);
    assert_string_equal(cli_args_word(&args, 0), "i-1");
    assert_int_equal(cli_args_number(&args, "wait"), 90);
    cli_args_fini(&args);
}

static void
repeated_flags_come_one_by_one(void **state)
{
    struct cli_args args;
    struct fault fault;
    size_t at = 0;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "ps", "--filter", "a=1", "-f", "b=2"), 0);
    assert_string_equal(cli_args_next(&args, "filter", &at), "a=1");
    assert_string_equal(cli_args_next(&args, "filter", &at), "b=2");
    assert_null(cli_args_next(&args, "filter", &at));
    cli_args_fini(&args);
    REFUSED("twice", "run", "demo", "--owner", "ann", "--owner", "bob");
}

static void
what_follows_the_instance_of_exec_is_not_ours(void **state)
{
    struct cli_args args;
    struct fault fault;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "exec", "-u", "root", "web", "--", "ls", "-l", "--user"),
                     0);
    assert_string_equal(cli_args_text(&args, "user"), "root");
    assert_int_equal(args.word_count, 4);
    assert_string_equal(cli_args_word(&args, 1), "ls");
    assert_string_equal(cli_args_word(&args, 3), "--user");
    cli_args_fini(&args);
    assert_int_equal(PARSE(&args, &fault, "exec", "web", "grep", "--", "-v"), 0);
    assert_string_equal(cli_args_word(&args, 2), "--");
    cli_args_fini(&args);
}

static void
two_dashes_end_the_flags(void **state)
{
    struct cli_args args;
    struct fault fault;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "blueprint", "rm", "--", "-x", "--y"), 0);
    assert_int_equal(args.word_count, 2);
    assert_string_equal(cli_args_word(&args, 0), "-x");
    cli_args_fini(&args);
}

static void
a_group_alone_is_no_command(void **state)
{
    struct cli_args args;
    struct fault fault;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "host"), 0);
    assert_null(args.command);
    assert_string_equal(args.group->name, "host");
    cli_args_fini(&args);
}

static void
help_comes_before_all_complaints_about_arguments(void **state)
{
    struct cli_args args;
    struct fault fault;

    (void)state;
    assert_int_equal(PARSE(&args, &fault, "run", "--help"), 0);
    assert_true(args.help);
    cli_args_fini(&args);
}

static void
wrong_ones_are_refused_with_the_nearest(void **state)
{
    (void)state;
    REFUSED("maybe 'blueprint'", "bluprint");
    REFUSED("maybe 'activate'", "host", "acitvate");
    REFUSED("there is no command 'zzzzzz'", "zzzzzz");
    REFUSED("maybe --dry-run", "run", "x", "--dryrun");
    REFUSED("before the command", "--zzzz", "ps");
    REFUSED("no flag -Z", "ps", "-Z");
    REFUSED("takes no value", "run", "x", "--quiet=yes");
    REFUSED("--count N", "run", "x", "--count");
    REFUSED("-o FORMAT", "ps", "-o");
    REFUSED("needs BLUEPRINT", "run");
    REFUSED("needs COMMAND", "exec", "web");
    REFUSED("no use for 'y'", "run", "x", "y");
    REFUSED("none of bash zsh fish", "completion", "tcsh");
    REFUSED("is not KEY=VALUE", "ps", "--filter", "state");
}

static void
numbers_sizes_and_durations_have_limits(void **state)
{
    static const struct cli_flag size = { .name = "size", .type = CLI_SIZE };
    static const struct cli_flag duration = {
        .name = "d", .type = CLI_DURATION, .min = 1, .max = 3600
    };
    static const struct cli_flag number = { .name = "n", .type = CLI_NUMBER, .min = -5, .max = 5 };
    static const char *const bad_numbers[] = { "", "6", "-6", "1x", "99999999999999999999" };
    static const char *const bad_sizes[] = { "", "12 parsecs", "-1", "99999999999g" };
    static const char *const bad_durations[] = { "", "0", "2h", "5 fortnights", "-1s" };
    int64_t value = 0;

    (void)state;
    assert_int_equal(cli_args_value_parse(&size, "1.5GiB", &value, NULL), 0);
    assert_int_equal(value, INT64_C(3) << 29);
    assert_int_equal(cli_args_value_parse(&duration, "1h", &value, NULL), 0);
    assert_int_equal(value, 3600);
    assert_int_equal(cli_args_value_parse(&number, "-5", &value, NULL), 0);
    assert_int_equal(value, -5);
    for (size_t i = 0; i < ARRAY_LEN(bad_numbers); i++)
        assert_int_equal(cli_args_value_parse(&number, bad_numbers[i], &value, NULL), -1);
    for (size_t i = 0; i < ARRAY_LEN(bad_sizes); i++)
        assert_int_equal(cli_args_value_parse(&size, bad_sizes[i], &value, NULL), -1);
    for (size_t i = 0; i < ARRAY_LEN(bad_durations); i++)
        assert_int_equal(cli_args_value_parse(&duration, bad_durations[i], &value, NULL), -1);
    assert_int_equal(value, -5);
}

static void
suggestions_are_near_or_none(void **state)
{
    struct suggest suggest;

    (void)state;
    suggest_init(&suggest, "drian");
    suggest_offer(&suggest, "add");
    suggest_offer(&suggest, "drain");
    suggest_offer(&suggest, "trains");
    assert_string_equal(suggest.best, "drain");
    suggest_init(&suggest, "xyz");
    suggest_offer(&suggest, "ps");
    suggest_offer(&suggest, "");
    assert_null(suggest.best);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_stand_anywhere_and_in_every_form),
        cmocka_unit_test(defaults_are_there),
        cmocka_unit_test(wait_takes_its_value_only_with_an_equals_sign),
        cmocka_unit_test(repeated_flags_come_one_by_one),
        cmocka_unit_test(what_follows_the_instance_of_exec_is_not_ours),
        cmocka_unit_test(two_dashes_end_the_flags),
        cmocka_unit_test(a_group_alone_is_no_command),
        cmocka_unit_test(help_comes_before_all_complaints_about_arguments),
        cmocka_unit_test(wrong_ones_are_refused_with_the_nearest),
        cmocka_unit_test(numbers_sizes_and_durations_have_limits),
        cmocka_unit_test(suggestions_are_near_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
