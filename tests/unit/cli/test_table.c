/* The table of commands is sound, and help, manual and completion tell all of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/cli/args.h"
#include "berth/cli/complete.h"
#include "berth/cli/help.h"
#include "berth/cli/man.h"

/* As the manual page writes it. */
static char *
test_roff(const char *text)
{
    struct buf out;

    buf_init(&out, 0);
    for (; *text; text++) {
        if (*text == '-') {
            buf_append_string(&out, "\\-");
        } else {
            buf_append_char(&out, *text);
        }
    }
    return buf_take(&out);
}

static void
test_mentions(const char *text, const char *word, const char *path)
{
    if (!strstr(text, word))
        fail_msg("'%s' is not mentioned for '%s'", word, path);
}

static void
test_flag_is_sound(const struct cli_command *command, const struct cli_flag *flag)
{
    int64_t value;

    assert_non_null(flag->doc);
    assert_true(flag->doc[strlen(flag->doc) - 1] == '.');
    assert_int_equal(flag->type == CLI_SWITCH, flag->value == NULL);
    assert_int_equal(flag->type == CLI_CHOICE, flag->choices != NULL);
    if (flag->fallback)
        assert_int_equal(cli_args_value_parse(flag, flag->fallback, &value, NULL), 0);
    if (flag->type == CLI_NUMBER)
        assert_true(flag->max > flag->min);
    /* A letter or a name that two flags have would hide the second. */
    assert_ptr_equal(cli_table_flag_find(command, flag->name, strlen(flag->name)), flag);
    if (flag->letter)
        assert_ptr_equal(cli_table_flag_find(command, &flag->letter, 1), flag);
}

static void
every_row_is_sound(void **state)
{
    const struct cli_command *command;
    const struct cli_flag *flag;

    (void)state;
    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        const char *words[2] = { command->path, NULL };
        CLEANUP(mem_freep) char *copy = mem_strdup(command->path);
        char *space = strchr(copy, ' ');
        size_t used;

        if (space)
            *space = '\0';
        words[0] = copy;
        words[1] = space ? space + 1 : NULL;
        assert_ptr_equal(cli_table_find(words, space ? 2 : 1, &used), command);
        assert_non_null(command->run);
        assert_non_null(command->summary);
        assert_true(command->summary[strlen(command->summary) - 1] != '.');
        assert_true(command->hidden || command->examples);
        for (size_t k = 0; (flag = cli_table_flag(command, k)); k++)
            test_flag_is_sound(command, flag);
        for (const struct cli_arg *arg = command->args; arg && arg->name; arg++) {
            assert_true(arg[1].name == NULL || arg->arity == CLI_ONE ||
                        arg->arity == CLI_MAYBE_ONE);
        }
    }
}

/* Split a line as a shell would, with single quotes only, up to what is the shell's. */
static size_t
test_split(char *line, char **words, size_t most)
{
    size_t count = 0;

    while (count < most) {
        char end = ' ';

        line += strspn(line, " ");
        if (!*line || strchr("|<>&;)", *line))
            break;
        if (*line == '\'') {
            end = '\'';
            line++;
        }
        words[count++] = line;
        line = strchr(line, end);
        if (!line)
            break;
        *line++ = '\0';
    }
    return count;
}

static void
test_example(const struct cli_command *command, const char *text, size_t len)
{
    CLEANUP(mem_freep) char *line = mem_printf("%.*s", (int)len, text);
    char *begin = strstr(line, "berth ");
    struct cli_args args;
    struct fault fault = { 0 };
    char *words[16];
    size_t count;

    assert_non_null(begin);
    /* What a shell puts in is not to be seen here. */
    if (strchr(begin, '$') || strstr(line, "<("))
        return;
    count = test_split(begin + strlen("berth "), words, ARRAY_LEN(words));
    if (cli_args_parse(words, count, &args, &fault) < 0)
        fail_msg("'%.*s': %s", (int)len, text, fault.text);
    assert_ptr_equal(args.command, command);
    cli_args_fini(&args);
}

static void
every_example_is_understood(void **state)
{
    const struct cli_command *command;

    (void)state;
    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        for (const char *at = command->examples; at && *at;) {
            size_t len = strcspn(at, "\n");

            test_example(command, at, len);
            at += len + (at[len] == '\n');
        }
    }
}

static void
check_mentions(const struct cli_command *command, const struct buf *man)
{
    const struct cli_flag *flag;
    struct buf help;
    struct buf offered;
    const char *prefix;
    CLEANUP(mem_freep) char *copy = mem_strdup(command->path);
    char *space = strchr(copy, ' ');
    const char *words[3] = { copy, "--", NULL };
    CLEANUP(mem_freep) char *path = test_roff(command->path);

    if (space) {
        *space = '\0';
        words[1] = space + 1;
        words[2] = "--";
    }
    buf_init(&help, 0);
    buf_init(&offered, 0);
    cli_help_command(command, &help);
    (void)cli_complete_words(words, space ? 3 : 2, &offered, &prefix);
    test_mentions(buf_text(man), path, command->path);
    test_mentions(buf_text(man), command->summary, command->path);
    for (size_t k = 0; (flag = cli_table_flag(command, k)); k++) {
        CLEANUP(mem_freep) char *name = mem_printf("--%s", flag->name);
        CLEANUP(mem_freep) char *roff = test_roff(name);

        test_mentions(buf_text(&help), name, command->path);
        test_mentions(buf_text(&offered), name, command->path);
        test_mentions(buf_text(man), roff, command->path);
    }
    buf_fini(&help);
    buf_fini(&offered);
}

static void
help_manual_and_completion_name_every_command_and_flag(void **state)
{
    const struct cli_command *command;
    struct buf man;

    (void)state;
    buf_init(&man, 0);
    cli_man_berth(&man);
    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        if (!command->hidden)
            check_mentions(command, &man);
    }
    buf_fini(&man);
}

static void
help_fits_eighty_columns(void **state)
{
    const struct cli_command *command;

    (void)state;
    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        struct buf help;
        const char *end;

        buf_init(&help, 0);
        cli_help_command(command, &help);
        /* Examples are lines to be copied. */
        end = strstr(buf_text(&help), "\nExamples:");
        for (const char *at = buf_text(&help); *at && (!end || at < end);) {
            size_t len = strcspn(at, "\n");

            if (len > 80)
                fail_msg("'%.*s' of '%s' is too long", (int)len, at, command->path);
            at += len + 1;
        }
        buf_fini(&help);
    }
}

static void
completion_offers_what_fits(void **state)
{
    static const struct {
        const char *words[4];
        size_t count;
        enum cli_words kind;
        const char *offers; /* whole */
    } cases[] = {
        { { "hos" }, 1, CLI_WORDS_NONE, "host\tMachines that run containers\n" },
        { { "host", "dra" }, 2, CLI_WORDS_NONE, "drain\tLet hosts run empty\n" },
        { { "host", "drain", "" }, 3, CLI_WORDS_HOST, "" },
        { { "ps", "-o", "js" }, 3, CLI_WORDS_NONE, "json\t\n" },
        { { "ps", "--output=js" }, 2, CLI_WORDS_NONE, "--output=json\t\n" },
        { { "run", "x", "--pool", "" }, 4, CLI_WORDS_POOL, "" },
        { { "exec", "web", "" }, 3, CLI_WORDS_NONE, "" },
        { { "exec", "web", "-" }, 3, CLI_WORDS_NONE, "" },
        { { "run", "x", "y" }, 3, CLI_WORDS_NONE, "" },
        { { "ps", "--zzz=" }, 2, CLI_WORDS_NONE, "" },
        { { "completion", "f" }, 2, CLI_WORDS_NONE, "fish\t\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *prefix;
        struct buf out;

        buf_init(&out, 0);
        assert_int_equal(cli_complete_words(cases[i].words, cases[i].count, &out, &prefix),
                         cases[i].kind);
        assert_string_equal(buf_text(&out), cases[i].offers);
        buf_fini(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_sound),
        cmocka_unit_test(every_example_is_understood),
        cmocka_unit_test(help_manual_and_completion_name_every_command_and_flag),
        cmocka_unit_test(help_fits_eighty_columns),
        cmocka_unit_test(completion_offers_what_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
