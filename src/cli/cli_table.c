/* The table of commands as a whole, and the flags that commands share. */

#include <string.h>

#include "berth/base/mem.h"
#include "berth/cli/table.h"

static const struct cli_command *const table_parts[] = {
    cli_table_instance,
    cli_table_fleet,
    cli_table_system,
    cli_table_own,
};

/* clang-format off */
static const struct cli_group table_groups[] = {
    { "blueprint", "What can be run" },
    { "host",      "Machines that run containers" },
    { "pool",      "Groups of hosts and the rules for them" },
    { "route",     "Public addresses of instances" },
    { "token",     "Who may do what" },
    { "image",     "Images on the hosts of a pool" },
    { "operation", "What takes time, and how far it is" },
    { "backup",    "Copies of the daemon's database and keys" },
    { "context",   "Daemons that this command line knows" },
};

static const char *const table_outputs[] = { "table", "wide", "json", "yaml", "name", NULL };

static const struct cli_flag table_set_output[] = {
    { .name = "output", .letter = 'o', .type = CLI_CHOICE, .value = "FORMAT", .fallback = "table", .choices = table_outputs,
      .doc = "How to print: a table, a wider table, JSON, YAML, or one name a line." },
    { .name = "quiet", .letter = 'q', .type = CLI_SWITCH, .doc = "Print ids or names only, one a line." },
    { .name = NULL },
};

static const struct cli_flag table_set_list[] = {
    { .name = "filter", .letter = 'f', .type = CLI_PAIR, .repeats = true, .value = "KEY=VALUE",
      .doc = "Only rows whose member KEY is VALUE (nested: labels.team=blue); all filters must fit." },
    { .name = "limit", .type = CLI_NUMBER, .value = "N", .fallback = "0", .min = 0, .max = 10000000,
      .doc = "At most so many rows; 0: all." },
    { .name = NULL },
};

static const struct cli_flag table_set_watch[] = {
    { .name = "watch", .letter = 'w', .type = CLI_MAYBE, .value = "INTERVAL", .fallback = "2s", .min = 1, .max = 86400,
      .doc = "Print again whenever something changed, until Ctrl-C." },
    { .name = NULL },
};

static const struct cli_flag table_set_wait[] = {
    { .name = "wait", .type = CLI_MAYBE, .value = "TIMEOUT", .fallback = "5m", .min = 1, .max = 604800,
      .doc = "Wait until it is done; exit code 6 when that takes longer than TIMEOUT." },
    { .name = NULL },
};

static const struct cli_flag table_set_dry_run[] = {
    { .name = "dry-run", .type = CLI_SWITCH, .doc = "Check everything and say what would be done, but change nothing." },
    { .name = NULL },
};

static const struct cli_flag table_common[] = {
    { .name = "url", .type = CLI_TEXT, .value = "URL", .doc = "The daemon: http://HOST:PORT, https://HOST or unix:PATH." },
    { .name = "token", .type = CLI_TEXT, .value = "TOKEN",
      .doc = "The token to show. Others on this machine may see it for a moment: BERTH_TOKEN_FILE is better." },
    { .name = "context", .type = CLI_TEXT, .words = CLI_WORDS_CONTEXT, .value = "NAME", .doc = "Use this context instead of the current one." },
    { .name = "timeout", .type = CLI_DURATION, .value = "DURATION", .fallback = "60s", .min = 1, .max = 86400,
      .doc = "Longest wait for one answer." },
    { .name = "yes", .letter = 'y', .type = CLI_SWITCH, .doc = "Never ask for confirmation: do what was said." },
    { .name = "debug", .type = CLI_SWITCH, .doc = "Tell each request, its status and its id on stderr; tokens are never shown." },
    { .name = "help", .letter = 'h', .type = CLI_SWITCH, .doc = "Explain the command." },
    { .name = NULL },
};

static const struct {
    unsigned set;
    const struct cli_flag *flags;
} table_sets[] = {
    { CLI_SET_OUTPUT,  table_set_output },
    { CLI_SET_LIST,    table_set_list },
    { CLI_SET_WATCH,   table_set_watch },
    { CLI_SET_WAIT,    table_set_wait },
    { CLI_SET_DRY_RUN, table_set_dry_run },
};
/* clang-format on */

const struct cli_command *
cli_table_at(size_t index)
{
    for (size_t part = 0; part < ARRAY_LEN(table_parts); part++) {
        for (const struct cli_command *at = table_parts[part]; at->path; at++) {
            if (index-- == 0)
                return at;
        }
    }
    return NULL;
}

const struct cli_group *
cli_table_group(size_t index)
{
    return index < ARRAY_LEN(table_groups) ? &table_groups[index] : NULL;
}

const struct cli_group *
cli_table_group_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table_groups); i++) {
        if (strcmp(table_groups[i].name, name) == 0)
            return &table_groups[i];
    }
    return NULL;
}

const struct cli_command *
cli_table_find(const char *const *words, size_t count, size_t *ret_used)
{
    const struct cli_group *group = count > 0 ? cli_table_group_find(words[0]) : NULL;
    size_t skip = group ? strlen(group->name) + 1 : 0;
    const struct cli_command *command;

    *ret_used = group ? 1 : 0;
    if (count <= *ret_used)
        return NULL;
    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        if (!cli_table_in_group(command, group) ||
            strcmp(command->path + skip, words[*ret_used]) != 0)
            continue;
        ++*ret_used;
        return command;
    }
    return NULL;
}

bool
cli_table_in_group(const struct cli_command *command, const struct cli_group *group)
{
    const char *space = strchr(command->path, ' ');
    size_t len = space ? (size_t)(space - command->path) : 0;

    if (!group || !space)
        return !group && !space;
    return strlen(group->name) == len && strncmp(command->path, group->name, len) == 0;
}

/* The @index-th of @flags; else NULL, and @index is less by their number. */
static const struct cli_flag *
cli_table_flag_in(const struct cli_flag *flags, size_t *index)
{
    for (; flags && flags->name; flags++) {
        if ((*index)-- == 0)
            return flags;
    }
    return NULL;
}

const struct cli_flag *
cli_table_flag(const struct cli_command *command, size_t index)
{
    const struct cli_flag *flag = command ? cli_table_flag_in(command->flags, &index) : NULL;

    for (size_t i = 0; !flag && command && i < ARRAY_LEN(table_sets); i++) {
        if (command->sets & table_sets[i].set)
            flag = cli_table_flag_in(table_sets[i].flags, &index);
    }
    return flag ? flag : cli_table_flag_in(table_common, &index);
}

bool
cli_table_flag_is_common(const struct cli_flag *flag)
{
    return flag >= table_common && flag < table_common + ARRAY_LEN(table_common);
}

const struct cli_flag *
cli_table_flag_find(const struct cli_command *command, const char *name, size_t len)
{
    const struct cli_flag *flag;

    for (size_t i = 0; (flag = cli_table_flag(command, i)); i++) {
        if ((len == 1 && flag->letter == name[0]) ||
            (strlen(flag->name) == len && memcmp(flag->name, name, len) == 0))
            return flag;
    }
    return NULL;
}
