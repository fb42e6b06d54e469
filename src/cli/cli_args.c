/* The command line, read by the table. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/suggest.h"
#include "berth/base/text.h"
#include "berth/cli/args.h"

static const char where[] = "cli.args";

/* Words still to be read. */
struct args_reader {
    char *const *words;
    size_t count;
    size_t at;
    struct cli_args *args;
    const char *path[2]; /* words that name the command */
    size_t path_len;
    bool only_words; /* after "--", or what is not ours */
};

static int cli_args_word_read(struct args_reader *reader, const char *word, struct fault *fault);
static int cli_args_long(struct args_reader *reader, const char *name, struct fault *fault);
static int cli_args_short(struct args_reader *reader, const char *letters, struct fault *fault);
static int cli_args_add(struct args_reader *reader, const struct cli_flag *flag, const char *text,
                        struct fault *fault);
static int cli_args_check(const struct cli_args *args, struct fault *fault);

int
cli_args_parse(char *const *words, size_t count, struct cli_args *ret_args, struct fault *fault)
{
    struct args_reader reader = { .words = words, .count = count, .args = ret_args };

    *ret_args = (struct cli_args){ 0 };
    ret_args->words = mem_new0((count + 1) * sizeof(*ret_args->words));
    ret_args->values = mem_new0((count * 2 + 1) * sizeof(*ret_args->values));
    while (reader.at < count) {
        const char *word = words[reader.at++];
        int result = 0;

        if (reader.only_words || word[0] != '-' || word[1] == '\0') {
            result = cli_args_word_read(&reader, word, fault);
        } else if (strcmp(word, "--") == 0) {
            reader.only_words = true;
        } else if (word[1] == '-') {
            result = cli_args_long(&reader, word + 2, fault);
        } else {
            result = cli_args_short(&reader, word + 1, fault);
        }
        if (result < 0)
            return result;
    }
    return ret_args->help ? 0 : cli_args_check(ret_args, fault);
}

void
cli_args_fini(struct cli_args *args)
{
    mem_free(args->values);
    mem_free(args->words);
    *args = (struct cli_args){ 0 };
}

static int
cli_args_unknown_command(const struct args_reader *reader, const char *word, struct fault *fault)
{
    const struct cli_group *group = reader->args->group;
    size_t skip = group ? strlen(group->name) + 1 : 0;
    const struct cli_command *command;
    const struct cli_group *other;
    struct suggest suggest;

    suggest_init(&suggest, word);
    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        if (!command->hidden && cli_table_in_group(command, group))
            suggest_offer(&suggest, command->path + skip);
    }
    for (size_t i = 0; !group && (other = cli_table_group(i)); i++)
        suggest_offer(&suggest, other->name);
    if (suggest.best) {
        return fault_set(fault, FAULT_INVALID, where, "there is no command '%s%s%s', maybe '%s'?",
                         group ? group->name : "", group ? " " : "", word, suggest.best);
    }
    return fault_set(fault, FAULT_INVALID, where, "there is no command '%s%s%s'",
                     group ? group->name : "", group ? " " : "", word);
}

/* An argument, or a part of the command's name. */
static int
cli_args_word_read(struct args_reader *reader, const char *word, struct fault *fault)
{
    struct cli_args *args = reader->args;
    const struct cli_arg *arg;
    size_t used;

    if (!args->command) {
        reader->path[reader->path_len++] = word;
        args->command = cli_table_find(reader->path, reader->path_len, &used);
        if (args->command) {
            args->group = NULL;
            return 0;
        }
        if (used == reader->path_len) {
            args->group = cli_table_group_find(word);
            return 0;
        }
        return cli_args_unknown_command(reader, word, fault);
    }
    args->words[args->word_count++] = word;
    for (arg = args->command->args; arg && arg->name; arg++) {
        if (arg->arity == CLI_REST && (size_t)(arg - args->command->args) <= args->word_count) {
            /* "exec ID -- ls" is as good as "exec ID ls". */
            if (!reader->only_words && reader->at < reader->count &&
                strcmp(reader->words[reader->at], "--") == 0)
                reader->at++;
            reader->only_words = true;
        }
    }
    return 0;
}

static bool
cli_args_is_filter(const struct cli_command *command, const char *name)
{
    const char *keys = command->filters ? command->filters : "";
    size_t len = strlen(name);

    while (*keys) {
        size_t key_len = strcspn(keys, " ");

        if (key_len == len && strncmp(keys, name, len) == 0)
            return true;
        keys += key_len + strspn(keys + key_len, " ");
    }
    return false;
}

static int
cli_args_unknown_flag(const struct cli_args *args, const char *name, struct fault *fault)
{
    const struct cli_flag *flag;
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; (flag = cli_table_flag(args->command, i)); i++)
        suggest_offer(&suggest, flag->name);
    if (suggest.best) {
        return fault_set(fault, FAULT_INVALID, where, "there is no flag --%s, maybe --%s?", name,
                         suggest.best);
    }
    if (!args->command) {
        return fault_set(fault, FAULT_INVALID, where, "there is no flag --%s before the command",
                         name);
    }
    if (cli_args_is_filter(args->command, name)) {
        return fault_set(fault, FAULT_INVALID, where, "'%s' has no flag --%s: --filter %s=VALUE",
                         args->command->path, name, name);
    }
    return fault_set(fault, FAULT_INVALID, where, "'%s' has no flag --%s", args->command->path,
                     name);
}

static int
cli_args_long(struct args_reader *reader, const char *name, struct fault *fault)
{
    size_t len = strcspn(name, "=");
    const char *text = name[len] ? name + len + 1 : NULL;
    const struct cli_flag *flag =
        len > 1 ? cli_table_flag_find(reader->args->command, name, len) : NULL;

    if (!flag) {
        CLEANUP(mem_freep) char *alone = mem_printf("%.*s", (int)(len < 64 ? len : 64), name);

        return cli_args_unknown_flag(reader->args, alone, fault);
    }
    if (flag->type == CLI_SWITCH && text)
        return fault_set(fault, FAULT_INVALID, where, "--%s takes no value", flag->name);
    if (flag->type != CLI_SWITCH && flag->type != CLI_MAYBE && !text) {
        if (reader->at == reader->count) {
            return fault_set(fault, FAULT_INVALID, where, "--%s needs a value: --%s %s", flag->name,
                             flag->name, flag->value);
        }
        text = reader->words[reader->at++];
    }
    return cli_args_add(reader, flag, text, fault);
}

/* The value of a short flag: the rest of its word (-ojson), or the next one. */
static int
cli_args_short_value(struct args_reader *reader, const struct cli_flag *flag, const char *rest,
                     const char **ret_text, struct fault *fault)
{
    if (*rest) {
        *ret_text = rest + (*rest == '=');
        return 0;
    }
    if (reader->at == reader->count) {
        return fault_set(fault, FAULT_INVALID, where, "-%c needs a value: -%c %s", flag->letter,
                         flag->letter, flag->value);
    }
    *ret_text = reader->words[reader->at++];
    return 0;
}

static int
cli_args_short(struct args_reader *reader, const char *letters, struct fault *fault)
{
    const char *text = NULL;

    for (; *letters && !text; letters++) {
        const struct cli_flag *flag = cli_table_flag_find(reader->args->command, letters, 1);

        if (!flag) {
            return fault_set(fault, FAULT_INVALID, where, "there is no flag -%c%s", *letters,
                             reader->args->command ? "" : " before the command");
        }
        if (flag->type != CLI_SWITCH && flag->type != CLI_MAYBE &&
            cli_args_short_value(reader, flag, letters + 1, &text, fault) < 0)
            return -1;
        if (cli_args_add(reader, flag, text, fault) < 0)
            return -1;
    }
    return 0;
}

static int
cli_args_add(struct args_reader *reader, const struct cli_flag *flag, const char *text,
             struct fault *fault)
{
    struct cli_args *args = reader->args;
    struct cli_value value = { .flag = flag, .text = text };

    if (text && cli_args_value_parse(flag, text, &value.number, fault) < 0)
        return -1;
    if (!text && flag->type == CLI_MAYBE &&
        cli_args_value_parse(flag, flag->fallback, &value.number, fault) < 0)
        return -1;
    if (!flag->repeats && args->command && text && flag->type != CLI_MAYBE) {
        for (size_t i = 0; i < args->value_count; i++) {
            if (args->values[i].flag == flag && strcmp(args->values[i].text, text) != 0)
                return fault_set(fault, FAULT_INVALID, where, "--%s is given twice", flag->name);
        }
    }
    args->values[args->value_count++] = value;
    if (strcmp(flag->name, "help") == 0)
        args->help = true;
    return 0;
}

static int
cli_args_number_parse(const struct cli_flag *flag, const char *text, int64_t *ret_number,
                      struct fault *fault)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || *end || end == text || number < flag->min || number > flag->max) {
        return fault_set(fault, FAULT_INVALID, where,
                         "--%s: '%.40s' is not a number from %lld to %lld", flag->name, text,
                         (long long)flag->min, (long long)flag->max);
    }
    *ret_number = number;
    return 0;
}

static int
cli_args_duration_parse(const struct cli_flag *flag, const char *text, int64_t *ret_number,
                        struct fault *fault)
{
    int64_t seconds;

    if (!text_duration_parse(text, &seconds)) {
        return fault_set(fault, FAULT_INVALID, where,
                         "--%s: '%.40s' is not a duration like 90s, 15m or 1h30m", flag->name,
                         text);
    }
    if (flag->max > 0 && (seconds < flag->min || seconds > flag->max)) {
        return fault_set(fault, FAULT_INVALID, where, "--%s must be %lld to %lld seconds",
                         flag->name, (long long)flag->min, (long long)flag->max);
    }
    *ret_number = seconds;
    return 0;
}

static int
cli_args_choice_parse(const struct cli_flag *flag, const char *text, struct fault *fault)
{
    char list[120] = "";
    struct suggest suggest;
    size_t used = 0;

    suggest_init(&suggest, text);
    for (const char *const *choice = flag->choices; *choice; choice++) {
        size_t len = strlen(*choice);

        if (strcmp(*choice, text) == 0)
            return 0;
        suggest_offer(&suggest, *choice);
        if (used + len + 2 < sizeof(list)) {
            list[used] = ' ';
            memcpy(list + used + 1, *choice, len + 1);
            used += len + 1;
        }
    }
    return fault_set(fault, FAULT_INVALID, where, "--%s: '%.40s' is none of%s%s%s%s", flag->name,
                     text, list, suggest.best ? ", maybe '" : "", suggest.best ? suggest.best : "",
                     suggest.best ? "'?" : "");
}

int
cli_args_value_parse(const struct cli_flag *flag, const char *text, int64_t *ret_number,
                     struct fault *fault)
{
    uint64_t bytes;

    switch (flag->type) {
    case CLI_NUMBER:
        return cli_args_number_parse(flag, text, ret_number, fault);
    case CLI_DURATION:
    case CLI_MAYBE:
        return cli_args_duration_parse(flag, text, ret_number, fault);
    case CLI_CHOICE:
        return cli_args_choice_parse(flag, text, fault);
    case CLI_SIZE:
        if (!text_size_parse(text, &bytes) || bytes > INT64_MAX) {
            return fault_set(fault, FAULT_INVALID, where,
                             "--%s: '%.40s' is not a size like 512m or 1.5g", flag->name, text);
        }
        *ret_number = (int64_t)bytes;
        return 0;
    case CLI_PAIR:
        if (!strchr(text, '=') || text[0] == '=') {
            return fault_set(fault, FAULT_INVALID, where, "--%s: '%.40s' is not %s", flag->name,
                             text, flag->value);
        }
        return 0;
    case CLI_TEXT:
        if (text[0] == '\0')
            return fault_set(fault, FAULT_INVALID, where, "--%s is empty", flag->name);
        return 0;
    case CLI_SWITCH:
        break;
    }
    return 0;
}

static int
cli_args_choice_check(const struct cli_arg *arg, const char *word, struct fault *fault)
{
    const struct cli_flag as_flag = { .name = arg->name,
                                      .type = CLI_CHOICE,
                                      .choices = arg->choices };

    if (!arg->choices)
        return 0;
    if (cli_args_choice_parse(&as_flag, word, fault) == 0)
        return 0;
    /* The same words, without the dashes of a flag. */
    return fault_set(fault, FAULT_INVALID, where, "%s", fault->text + strlen("--"));
}

/* Are all arguments there, and not more? */
static int
cli_args_check(const struct cli_args *args, struct fault *fault)
{
    const struct cli_arg *arg = args->command ? args->command->args : NULL;
    size_t at = 0;

    if (!args->command)
        return 0;
    for (; arg && arg->name; arg++) {
        bool many = arg->arity == CLI_SOME || arg->arity == CLI_ANY || arg->arity == CLI_REST;
        bool needed = arg->arity != CLI_ANY && arg->arity != CLI_MAYBE_ONE;

        if (needed && at == args->word_count) {
            return fault_set(fault, FAULT_INVALID, where, "'%s' needs %s: %s", args->command->path,
                             arg->name, arg->doc);
        }
        for (size_t i = 0; at < args->word_count && (many || i == 0); i++) {
            if (cli_args_choice_check(arg, args->words[at++], fault) < 0)
                return -1;
        }
    }
    if (at < args->word_count) {
        return fault_set(fault, FAULT_INVALID, where, "'%s' has no use for '%.60s'",
                         args->command->path, args->words[at]);
    }
    return 0;
}

static const struct cli_flag *
cli_args_flag(const struct cli_args *args, const char *name)
{
    const struct cli_flag *flag = cli_table_flag_find(args->command, name, strlen(name));

    assert(flag);
    return flag;
}

static const struct cli_value *
cli_args_last(const struct cli_args *args, const struct cli_flag *flag)
{
    for (size_t i = args->value_count; i > 0; i--) {
        if (args->values[i - 1].flag == flag)
            return &args->values[i - 1];
    }
    return NULL;
}

bool
cli_args_has(const struct cli_args *args, const char *name)
{
    return cli_args_last(args, cli_args_flag(args, name)) != NULL;
}

const char *
cli_args_text(const struct cli_args *args, const char *name)
{
    const struct cli_flag *flag = cli_args_flag(args, name);
    const struct cli_value *value = cli_args_last(args, flag);

    return value && value->text ? value->text : flag->fallback;
}

int64_t
cli_args_number(const struct cli_args *args, const char *name)
{
    const struct cli_flag *flag = cli_args_flag(args, name);
    const struct cli_value *value = cli_args_last(args, flag);
    int64_t number = 0;

    if (value)
        return value->number;
    if (flag->fallback && cli_args_value_parse(flag, flag->fallback, &number, NULL) < 0)
        return 0;
    return number;
}

const char *
cli_args_next(const struct cli_args *args, const char *name, size_t *at)
{
    const struct cli_flag *flag = cli_args_flag(args, name);

    while (*at < args->value_count) {
        const struct cli_value *value = &args->values[(*at)++];

        if (value->flag == flag)
            return value->text;
    }
    return NULL;
}

const char *
cli_args_word(const struct cli_args *args, size_t index)
{
    return index < args->word_count ? args->words[index] : NULL;
}
