#pragma once

/*
 * The part of Jinja2 that playbooks may use (docs/PLAYBOOKS.md), with Ansible's settings: trim_blocks is
 * on, trailing newlines are kept, and what is not defined is an error that names it.
 *
 * What is outside of it is refused when it is parsed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/fault.h"
#include "berth/base/json.h"

enum {
    JINJA_DEPTH_MAX = 40,          /* of parentheses, lists, blocks within one another */
    JINJA_NODES_MAX = 20000,       /* of one text */
    JINJA_OUTPUT_MAX = 4 << 20,    /* bytes that one text may become */
    JINJA_STEPS_MAX = 1000 * 1000, /* nodes that one evaluation may visit */
};

/* One text, parsed. */
struct jinja;

/* Where names get their values from. */
struct jinja_scope {
    /* Return: 0 and *ret_value owned, NULL when there is no such variable; or -1 with @fault. */
    int (*get)(struct jinja_scope *scope, const char *name, json_t **ret_value,
               struct fault *fault);
};

/** jinja_is_template() - whether @text has {{, {% or {# in it. */
bool jinja_is_template(const char *text);

/**
 * jinja_parse_template() - a text with {{ }}, {% %} and {# #} in it
 * jinja_parse_expression() - what stands between the braces, and in `when`
 *
 * Return: 0, or -1 with FAULT_INVALID "what is wrong"; @ret_line: in which line of the text, from 1.
 */
int jinja_parse_template(const char *text, struct jinja **ret_jinja, unsigned *ret_line,
                         struct fault *fault);
int jinja_parse_expression(const char *text, struct jinja **ret_jinja, unsigned *ret_line,
                           struct fault *fault);
void jinja_free(struct jinja *jinja);
MEM_DEFINE_FREEP(struct jinja, jinja_free);

/**
 * jinja_value() - what it stands for
 *
 * A template of nothing but {{ NAME }} has that variable's value.  Another one that is only {{ }} and
 * makes a list, mapping or boolean has that value; all others are text.
 *
 * Return: 0 and *ret_value owned, or -1 with FAULT_INVALID.
 */
int jinja_value(const struct jinja *jinja, struct jinja_scope *scope, json_t **ret_value,
                struct fault *fault);

/** jinja_text() - the same of a template, but always a text. */
int jinja_text(const struct jinja *jinja, struct jinja_scope *scope, json_t **ret_text,
               struct fault *fault);

/** jinja_is_true() - as Python has it: not false, null, 0, "", [] and {}. */
bool jinja_is_true(const json_t *value);

/** jinja_filter_name() / jinja_test_name() - the @index-th of those that there are, for the page on
 * them; NULL: no more. */
const char *jinja_filter_name(size_t index);
const char *jinja_test_name(size_t index);
