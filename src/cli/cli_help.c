#include <stdio.h>
#include <string.h>

#include "berth/cli/help.h"

enum {
    HELP_WIDTH = 80,
    HELP_INDENT = 2,
    HELP_COLUMN = 26, /* where explanations begin */
    HELP_TEXT_MAX = 1024,
};

static void
cli_help_pad(struct buf *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        buf_append_char(out, ' ');
}

/* Append @text in lines that begin at column @indent; the first one begins where we are, @at. */
static void
cli_help_wrap(struct buf *out, const char *text, size_t indent, size_t at)
{
    bool first = true;

    while (*text) {
        size_t len = strcspn(text, " \n");

        if (!first && at + 1 + len > HELP_WIDTH) {
            buf_append_char(out, '\n');
            cli_help_pad(out, indent);
            at = indent;
            first = true;
        }
        if (!first)
            buf_append_char(out, ' ');
        buf_append(out, text, len);
        at += len + !first;
        first = false;
        text += len;
        if (text[0] == '\n' && text[1]) {
            buf_append_string(out, "\n\n");
            cli_help_pad(out, indent);
            at = indent;
            first = true;
        }
        text += *text != '\0';
    }
    buf_append_char(out, '\n');
}

/* "  term        explanation" */
static void
cli_help_item(const char *term, struct buf *out, const char *text)
{
    size_t len = strlen(term) + HELP_INDENT;

    cli_help_pad(out, HELP_INDENT);
    buf_append_string(out, term);
    if (len + 2 > HELP_COLUMN) {
        buf_append_char(out, '\n');
        len = 0;
    }
    cli_help_pad(out, HELP_COLUMN - len);
    cli_help_wrap(out, text, HELP_COLUMN, HELP_COLUMN);
}

static void
cli_help_commands(struct buf *out, const struct cli_group *group)
{
    const struct cli_command *command;

    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        if (!command->hidden && cli_table_in_group(command, group))
            cli_help_item(command->path, out, command->summary);
    }
}

void
cli_help_overview(struct buf *out)
{
    const struct cli_group *group;

    buf_append_string(out, "berth - the command line of Berth, a small container cloud\n\n"
                           "Usage: berth COMMAND [ARGUMENTS] [FLAGS]\n\nCommands:\n");
    cli_help_commands(out, NULL);
    for (size_t i = 0; (group = cli_table_group(i)); i++) {
        buf_printf(out, "\n%s:\n", group->summary);
        cli_help_commands(out, group);
    }
    buf_append_string(out, "\nFlags of all commands:\n");
    for (size_t i = 0; cli_table_flag(NULL, i); i++) {
        const struct cli_flag *flag = cli_table_flag(NULL, i);
        struct buf term;

        buf_init(&term, HELP_TEXT_MAX);
        cli_help_flag(flag, &term);
        cli_help_item(buf_text(&term), out, flag->doc);
        buf_fini(&term);
    }
    buf_append_string(out, "\n'berth COMMAND --help' explains one; berth(1) explains all.\n");
}

void
cli_help_group(const struct cli_group *group, struct buf *out)
{
    buf_printf(out, "%s\n\nUsage: berth %s COMMAND [ARGUMENTS] [FLAGS]\n\nCommands:\n",
               group->summary, group->name);
    cli_help_commands(out, group);
    buf_printf(out, "\n'berth %s COMMAND --help' explains one.\n", group->name);
}

void
cli_help_usage(const struct cli_command *command, struct buf *out)
{
    static const char *const forms[] = {
        [CLI_ONE] = " %s",      [CLI_MAYBE_ONE] = " [%s]", [CLI_SOME] = " %s...",
        [CLI_ANY] = " [%s...]", [CLI_REST] = " %s...",
    };

    buf_printf(out, "berth %s", command->path);
    for (const struct cli_arg *arg = command->args; arg && arg->name; arg++) {
        CLEANUP(mem_freep) char *form = mem_strdup(forms[arg->arity]);
        char *hole = strstr(form, "%s");

        buf_append(out, form, (size_t)(hole - form));
        buf_append_string(out, arg->name);
        buf_append_string(out, hole + 2);
    }
    buf_append_string(out, " [FLAGS]");
}

void
cli_help_flag(const struct cli_flag *flag, struct buf *out)
{
    if (flag->letter)
        buf_printf(out, "-%c, ", flag->letter);
    buf_printf(out, "--%s", flag->name);
    if (flag->value)
        buf_printf(out, flag->type == CLI_MAYBE ? "[=%s]" : " %s", flag->value);
}

void
cli_help_flag_text(const struct cli_flag *flag, struct buf *out)
{
    buf_append_string(out, flag->doc);
    if (flag->choices) {
        buf_append_string(out, " One of");
        for (size_t i = 0; flag->choices[i]; i++)
            buf_printf(out, "%s %s", i ? "," : "", flag->choices[i]);
        buf_append_char(out, '.');
    }
    if (flag->repeats)
        buf_append_string(out, " May be repeated.");
    if (flag->fallback && strcmp(flag->fallback, "0") != 0)
        buf_printf(out, " Default: %s.", flag->fallback);
}

static void
cli_help_flags(const struct cli_command *command, bool common, struct buf *out)
{
    const struct cli_flag *flag;
    bool first = true;

    for (size_t i = 0; (flag = cli_table_flag(command, i)); i++) {
        struct buf term;
        struct buf text;

        if (cli_table_flag_is_common(flag) != common)
            continue;
        buf_init(&term, HELP_TEXT_MAX);
        buf_init(&text, HELP_TEXT_MAX);
        if (first)
            buf_append_string(out, common ? "\nFlags of all commands:\n" : "\nFlags:\n");
        cli_help_flag(flag, &term);
        cli_help_flag_text(flag, &text);
        cli_help_item(buf_text(&term), out, buf_text(&text));
        buf_fini(&term);
        buf_fini(&text);
        first = false;
    }
}

static void
cli_help_examples(const struct cli_command *command, struct buf *out)
{
    buf_append_string(out, "\nExamples:\n");
    for (const char *at = command->examples; *at;) {
        size_t len = strcspn(at, "\n");

        cli_help_pad(out, HELP_INDENT);
        buf_append(out, at, len);
        buf_append_char(out, '\n');
        at += len + (at[len] == '\n');
    }
}

void
cli_help_command(const struct cli_command *command, struct buf *out)
{
    buf_printf(out, "%s\n\nUsage: ", command->summary);
    cli_help_usage(command, out);
    buf_append_char(out, '\n');
    if (command->text) {
        buf_append_char(out, '\n');
        cli_help_wrap(out, command->text, 0, 0);
    }
    if (command->args)
        buf_append_string(out, "\nArguments:\n");
    for (const struct cli_arg *arg = command->args; arg && arg->name; arg++)
        cli_help_item(arg->name, out, arg->doc);
    cli_help_flags(command, false, out);
    if (command->filters) {
        CLEANUP(mem_freep)
        char *text =
            mem_printf("Keys of --filter that the daemon knows: %s. Others are looked for in "
                       "the rows.",
                       command->filters);

        buf_append_char(out, '\n');
        cli_help_wrap(out, text, 0, 0);
    }
    cli_help_flags(command, true, out);
    if (command->examples)
        cli_help_examples(command, out);
}
