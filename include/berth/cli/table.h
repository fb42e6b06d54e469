#pragma once

/*
 * The one table of commands.  Parsing, usage errors, --help, the completion of
 * three shells and the manual pages are made from it, so they can't disagree.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli;

/* Carries a command out. Return: the program's exit code, an enum fault_exit but for `exec`. */
typedef int (*cli_run_fn)(struct cli *cli);

enum cli_type {
    CLI_SWITCH,   /* no value */
    CLI_TEXT,     /* not empty */
    CLI_NUMBER,   /* min..max */
    CLI_SIZE,     /* "512m": bytes */
    CLI_DURATION, /* "1h 30m": seconds, min..max when max is set */
    CLI_MAYBE,    /* a duration that may be left out: --wait or --wait=30s */
    CLI_CHOICE,   /* one of choices */
    CLI_PAIR,     /* "key=value" */
};

/* What completion offers for a value. */
enum cli_words {
    CLI_WORDS_NONE,
    CLI_WORDS_FILE,
    CLI_WORDS_COMMAND,
    CLI_WORDS_CONTEXT,
    CLI_WORDS_INSTANCE, /* this and what follows: asked of the daemon */
    CLI_WORDS_HOST,
    CLI_WORDS_BLUEPRINT,
    CLI_WORDS_POOL,
    CLI_WORDS_TOKEN,
    CLI_WORDS_OPERATION,
};

struct cli_flag {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum cli_type type;
    bool repeats;
    enum cli_words words;
    const char *value;          /* what stands for the value in help; NULL for a switch */
    const char *fallback;       /* as somebody would write it; NULL: none */
    const char *const *choices; /* NULL-terminated */
    int64_t min;
    int64_t max;
    const char *doc; /* one sentence */
};

enum cli_arity {
    CLI_ONE,
    CLI_MAYBE_ONE,
    CLI_SOME, /* one or more; the last argument only */
    CLI_ANY,  /* none or more; the last argument only */
    CLI_REST, /* one or more, flags among them are not ours; the last argument only */
};

struct cli_arg {
    const char *name; /* in capitals */
    enum cli_arity arity;
    enum cli_words words;
    const char *const *choices; /* NULL: anything */
    const char *doc;
};

/* Flags that many commands have. Those of all commands are not named here. */
enum cli_set {
    CLI_SET_OUTPUT = 1 << 0, /* -o -q */
    CLI_SET_LIST = 1 << 1,   /* --filter --limit */
    CLI_SET_WATCH = 1 << 2,
    CLI_SET_WAIT = 1 << 3,
    CLI_SET_DRY_RUN = 1 << 5,
};

struct cli_command {
    const char *path;           /* "host drain": group and verb, or one word */
    const char *summary;        /* a few words, no full stop */
    const char *text;           /* paragraphs; NULL: the summary says it all */
    const char *examples;       /* a line each */
    const char *filters;        /* keys of --filter that the server knows, by spaces; NULL: none */
    const struct cli_arg *args; /* ends with name NULL; NULL: none */
    const struct cli_flag *flags; /* ends with name NULL; NULL: none */
    unsigned sets;
    bool hidden; /* for completion and the build */
    cli_run_fn run;
};

struct cli_group {
    const char *name;
    const char *summary;
};

/* The parts that cli_table_at() goes through; each ends with path NULL. */
extern const struct cli_command cli_table_instance[];
extern const struct cli_command cli_table_fleet[];
extern const struct cli_command cli_table_system[];
extern const struct cli_command cli_table_own[];

/** cli_table_at() - the @index-th command, in the order of help; NULL beyond the last. */
const struct cli_command *cli_table_at(size_t index);

/** cli_table_group() - the @index-th group of commands ("host", ...); NULL beyond the last. */
const struct cli_group *cli_table_group(size_t index);

/** cli_table_group_find() - by name; NULL when there is none. */
const struct cli_group *cli_table_group_find(const char *name);

/**
 * cli_table_find() - the command that @words begin with
 * @words:    [count]
 * @ret_used: how many words name it; set even when there is none: 1 when the first is a group
 *
 * Return: NULL when there is none.
 */
const struct cli_command *cli_table_find(const char *const *words, size_t count, size_t *ret_used);

/** cli_table_in_group() - @command belongs to @group; NULL: it belongs to none. */
bool cli_table_in_group(const struct cli_command *command, const struct cli_group *group);

/** cli_table_flag() - the @index-th flag of @command: its own, then those of its sets, then those of
 * all commands; NULL beyond the last.  @command NULL: those of all commands only. */
const struct cli_flag *cli_table_flag(const struct cli_command *command, size_t index);

/** cli_table_flag_is_common() - it is one of all commands. */
bool cli_table_flag_is_common(const struct cli_flag *flag);

/** cli_table_flag_find() - by name or, when @len is 1, by letter; NULL when there is none. */
const struct cli_flag *cli_table_flag_find(const struct cli_command *command, const char *name,
                                           size_t len);
