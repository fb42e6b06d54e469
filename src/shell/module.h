#pragma once

/*
 * The modules that a task can name: their arguments, and what they do as a script for /bin/sh.
 *
 * A module's script is the text of src/shell/scripts/NAME.sh with its arguments as quoted assignments
 * before it.  It exits with MODULE_CHANGED when it changed something, 0 when all was as it shall be.
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/fault.h"
#include "berth/base/json.h"

enum { MODULE_CHANGED = 93 };

enum module_type {
    MODULE_TEXT,
    MODULE_PATH, /* on the machine: absolute */
    MODULE_BOOL,
    MODULE_INT,
    MODULE_MODE,   /* of a file: "0644", "u=rw,go=r" */
    MODULE_LIST,   /* of texts; one text is a list of those between commas */
    MODULE_SOURCE, /* a file beside the playbook */
    MODULE_ANY,
    MODULE_CONDITIONS,
};

struct module_arg {
    const char *name;
    enum module_type type;
    bool required;
    const char *choices; /* "started stopped"; NULL: any */
};

enum module_kind {
    MODULE_COMMAND, /* a program of the playbook's: its exit status is the result's */
    MODULE_SCRIPT,  /* one of ours */
    MODULE_LOCAL,   /* nothing happens on the machine */
};

struct module {
    const char *name;
    const struct module_arg *args;
    size_t arg_count;
    const char *free_form; /* the argument that a mere text is; NULL: none */
    enum module_kind kind;
    bool any_args; /* set_fact: names of variables */
};

/** module_find() - by its name, with or without ansible.builtin.; NULL: there is none, and *ret_near
 * is a word like it, or NULL. */
const struct module *module_find(const char *name, const char **ret_near);

/** module_at() - the @index-th that there is, for the page on them; NULL: no more. */
const struct module *module_at(size_t index);

/** module_is() - whether it is the one of that name. */
bool module_is(const struct module *module, const char *name);

/** module_arg_find() - NULL when it has none of that name; then *ret_near is a word like it, or NULL. */
const struct module_arg *module_arg_find(const struct module *module, const char *name,
                                         const char **ret_near);

/**
 * module_arg_coerce() - @value as @arg needs it: texts, booleans, whole numbers, lists of texts
 * @ret_value: owned
 *
 * Return: 0, or -1 with FAULT_INVALID "what it must be".
 */
int module_arg_coerce(const struct module_arg *arg, const json_t *value, json_t **ret_value,
                      struct fault *fault);

/**
 * module_check() - what no single argument tells: which of them go together
 * @args: those that are given, as they are written
 *
 * Return: 0, or -1 with FAULT_INVALID.
 */
int module_check(const struct module *module, const json_t *args, struct fault *fault);

/* What a task does on the machine. */
struct module_plan {
    struct buf script;
    struct buf input; /* its standard input; may be secret */
};

void module_plan_init(struct module_plan *plan);
/** module_plan_clear() - empty again; what was there is wiped. */
void module_plan_clear(struct module_plan *plan);
void module_plan_fini(struct module_plan *plan);

/**
 * module_plan() - the script of a task whose module is not MODULE_LOCAL
 * @args: coerced
 * @content: of copy and template: what the file shall hold; may be NULL
 * @environment: an object of texts; may be NULL
 *
 * Return: 0, or -1 with FAULT_INVALID.
 */
int module_plan(const struct module *module, const json_t *args, const struct buf *content,
                const json_t *environment, struct module_plan *plan, struct fault *fault);

/** module_guard() - the script that says whether a command is not to be run, because of creates and
 * removes: it exits with MODULE_CHANGED then. Return: false: there is no need to ask. */
bool module_guard(const json_t *args, const json_t *environment, struct buf *script);

/** module_quote() - @text as one word of the shell. */
void module_quote(struct buf *buf, const char *text);

/* A script of src/shell/scripts, by its name without .sh. */
struct module_script {
    const char *name;
    const char *text;
};
extern const struct module_script module_scripts[];
extern const size_t module_script_count;

/** module_script_find() - never NULL for one that is there. */
const char *module_script_find(const char *name);
