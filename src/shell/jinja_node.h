#pragma once

/*
 * A parsed text as a tree.
 */

#include "jinja.h"

enum jinja_op {
    /* Expressions. */
    JINJA_CONST, /* value */
    JINJA_NAME,  /* text */
    JINJA_ATTR,  /* a . text */
    JINJA_ITEM,  /* a [ b ] */
    JINJA_LIST,  /* items */
    JINJA_DICT,  /* items: key, value, key, value, ... */
    JINJA_NOT,
    JINJA_NEGATE,
    JINJA_AND,
    JINJA_OR,
    JINJA_EQ,
    JINJA_NE,
    JINJA_LT,
    JINJA_LE,
    JINJA_GT,
    JINJA_GE,
    JINJA_IN,
    JINJA_NOT_IN,
    JINJA_ADD,
    JINJA_SUBTRACT,
    JINJA_MULTIPLY,
    JINJA_DIVIDE, /* // */
    JINJA_MODULO,
    JINJA_CONCAT,
    JINJA_FILTER, /* a | text(items) */
    JINJA_TEST,   /* a is text; which is in index; negate: is not */
    JINJA_CHOOSE, /* b if a else c */
    /* Parts of a template, chained by next. */
    JINJA_TEXT, /* value */
    JINJA_EMIT, /* {{ a }} */
    JINJA_IF,   /* a: b, else c */
    JINJA_FOR,  /* text in a: b, else c */
};

struct jinja_node {
    enum jinja_op op;
    bool negate;
    size_t index;  /* of the filter or test in its table */
    json_t *value; /* owned */
    char *text;    /* owned */
    struct jinja_node *a;
    struct jinja_node *b;
    struct jinja_node *c;
    struct jinja_node *items; /* the first of a chain */
    struct jinja_node *next;  /* in the chain that it is in */
    struct jinja_node *older; /* all nodes, for the end */
};

struct jinja {
    struct jinja_node *root; /* NULL: an empty template */
    struct jinja_node *nodes;
    size_t node_count;
    bool is_expression;
    size_t newlines; /* at the text's end: Ansible puts back those that Jinja2 drops */
};

/* Reads one text. */
struct jinja_reader {
    struct jinja *jinja;
    const char *start;
    const char *at;
    const char *end; /* of the expression */
    size_t depth;
    bool failed;
    const char *failed_at; /* what was wrong stands there */
    struct fault *fault;
    /* The token that comes next. */
    enum jinja_token {
        JINJA_TOKEN_END,
        JINJA_TOKEN_NAME,
        JINJA_TOKEN_STRING,
        JINJA_TOKEN_NUMBER,
        JINJA_TOKEN_SIGN,
    } token;
    const char *token_at;
    size_t token_len;
};

/** jinja_node_new() - of @reader's text; never NULL. */
struct jinja_node *jinja_node_new(struct jinja_reader *reader, enum jinja_op op);

/** jinja_refuse() - remember what is wrong, once, and where. Return: NULL. */
struct jinja_node *jinja_refuse(struct jinja_reader *reader, const char *format, ...)
    PRINTF_LIKE(2, 3);

/** jinja_deeper() - one level down, unless that is too deep. Return: whether. */
bool jinja_deeper(struct jinja_reader *reader);

/* Tokens: the next one; whether it is this sign or word; the same, and take it if it is. */
void jinja_next(struct jinja_reader *reader);
bool jinja_sees(const struct jinja_reader *reader, const char *sign);
bool jinja_takes(struct jinja_reader *reader, const char *sign);
char *jinja_token_text(const struct jinja_reader *reader);
json_t *jinja_token_string(struct jinja_reader *reader);

/** jinja_parse() - one expression, from the token that comes next. Return: NULL when it failed. */
struct jinja_node *jinja_parse(struct jinja_reader *reader);
/** jinja_parse_chain() - one without "if": of a for block. */
struct jinja_node *jinja_parse_chain(struct jinja_reader *reader);

/* One evaluation. */
struct jinja_run {
    struct jinja_scope *scope;
    struct fault *fault;
    size_t steps;
    bool failed;      /* fault is filled */
    char missing[96]; /* of the last value that was not defined: its name */
    json_t *locals;   /* owned: variables of for blocks */
};

/** jinja_defined() - what @node stands for, owned; NULL: it failed, also because it is not defined. */
json_t *jinja_defined(struct jinja_run *run, const struct jinja_node *node);
/** jinja_fail() - Return: NULL. */
json_t *jinja_fail(struct jinja_run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/** jinja_filter_find() / jinja_test_find() - the index of @name; false: there is none, and *ret_near
 * is a word like it, or NULL. */
bool jinja_filter_find(const char *name, size_t *ret_index, const char **ret_near);
bool jinja_test_find(const char *name, size_t *ret_index, const char **ret_near);
/** jinja_filter_arguments() - how many it may have. */
void jinja_filter_arguments(size_t index, size_t *ret_least, size_t *ret_most);
/** jinja_filter_apply() - @value NULL: not defined, which only "default" takes; @arguments: a list.
 * Return: owned; NULL when it failed. */
json_t *jinja_filter_apply(struct jinja_run *run, size_t index, json_t *value,
                           const json_t *arguments);
/** jinja_test_apply() - @value NULL: not defined. */
bool jinja_test_apply(struct jinja_run *run, size_t index, const json_t *value);

/** jinja_compare() - a comparison's result, owned; NULL when it failed. */
json_t *jinja_compare(struct jinja_run *run, enum jinja_op op, const json_t *lhs,
                      const json_t *rhs);
/** jinja_calculate() - +, -, *, //, %. */
json_t *jinja_calculate(struct jinja_run *run, enum jinja_op op, const json_t *lhs,
                        const json_t *rhs);
/** jinja_append() - a value as Python's str() writes it. Return: whether it is one that can be. */
bool jinja_append(struct jinja_run *run, const json_t *value, struct buf *buf);
