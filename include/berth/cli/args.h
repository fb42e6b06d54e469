#pragma once

/*
 * The command line, read by the table.  Flags may stand anywhere, long ones may
 * be written --name=value or --name value, short ones together (-qo json);
 * "--" ends them.
 */

#include "berth/base/fault.h"
#include "berth/cli/table.h"

struct cli_value {
    const struct cli_flag *flag;
    const char *text; /* borrowed from the command line; NULL: none was given */
    int64_t number;   /* of NUMBER, SIZE (bytes), DURATION and MAYBE (seconds) */
};

struct cli_args {
    const struct cli_command *command; /* NULL: none was named */
    const struct cli_group *group;     /* the group whose verb is missing; NULL: none */
    struct cli_value *values;          /* owned: [value_count] */
    size_t value_count;
    const char **words; /* owned: [word_count], the arguments; each is borrowed */
    size_t word_count;
    bool help; /* --help: nothing else was checked */
};

/**
 * cli_args_parse() - read @words
 * @words:    [count] without the program's name; borrowed as long as @ret_args is used
 * @ret_args: cli_args_fini() frees it, also after a failure
 *
 * Return: 0, or -1 with FAULT_INVALID: unknown command or flag (with the nearest), missing, surplus
 * or wrong values.
 */
int cli_args_parse(char *const *words, size_t count, struct cli_args *ret_args,
                   struct fault *fault);
void cli_args_fini(struct cli_args *args);

/* In all that follows @name is a flag of the command; assert() otherwise. */

/** cli_args_has() - it was given. */
bool cli_args_has(const struct cli_args *args, const char *name);
/** cli_args_text() - its last value, else its default, else NULL. */
const char *cli_args_text(const struct cli_args *args, const char *name);
/** cli_args_number() - the same as a number; 0 without a default. */
int64_t cli_args_number(const struct cli_args *args, const char *name);
/** cli_args_next() - its values one by one: @at begins with 0. NULL beyond the last. */
const char *cli_args_next(const struct cli_args *args, const char *name, size_t *at);

/** cli_args_word() - the @index-th argument, NULL when there are fewer. */
const char *cli_args_word(const struct cli_args *args, size_t index);

/** cli_args_value_parse() - is @text good for @flag? @ret_number: as in struct cli_value.
 * Return: 0, or -1 with FAULT_INVALID. */
int cli_args_value_parse(const struct cli_flag *flag, const char *text, int64_t *ret_number,
                         struct fault *fault);
