/* Expressions, by recursive descent; how deep they may be nested is bounded by jinja_deeper().
 * NOLINTBEGIN(misc-no-recursion) */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jinja_node.h"

/* From what binds least to what binds most. */
static struct jinja_node *jinja_parse_and(struct jinja_reader *reader);
static struct jinja_node *jinja_parse_not(struct jinja_reader *reader);
static struct jinja_node *jinja_parse_compare(struct jinja_reader *reader);
static struct jinja_node *jinja_parse_sum(struct jinja_reader *reader);
static struct jinja_node *jinja_parse_concat(struct jinja_reader *reader);
static struct jinja_node *jinja_parse_product(struct jinja_reader *reader);
static struct jinja_node *jinja_parse_unary(struct jinja_reader *reader, bool filters);
static struct jinja_node *jinja_parse_primary(struct jinja_reader *reader);
static struct jinja_node *jinja_parse_postfix(struct jinja_reader *reader, struct jinja_node *node);
static struct jinja_node *jinja_parse_filters(struct jinja_reader *reader, struct jinja_node *node);

static struct jinja_node *
jinja_pair(struct jinja_reader *reader, enum jinja_op op, struct jinja_node *lhs,
           struct jinja_node *rhs)
{
    struct jinja_node *node = jinja_node_new(reader, op);

    node->a = lhs;
    node->b = rhs;
    return node;
}

struct jinja_node *
jinja_parse_chain(struct jinja_reader *reader)
{
    struct jinja_node *node;

    if (!jinja_deeper(reader))
        return NULL;
    node = jinja_parse_and(reader);
    while (!reader->failed && jinja_takes(reader, "or"))
        node = jinja_pair(reader, JINJA_OR, node, jinja_parse_and(reader));
    reader->depth--;
    return reader->failed ? NULL : node;
}

struct jinja_node *
jinja_parse(struct jinja_reader *reader)
{
    struct jinja_node *node = jinja_parse_chain(reader);
    struct jinja_node *choose;

    while (!reader->failed && jinja_takes(reader, "if")) {
        choose = jinja_node_new(reader, JINJA_CHOOSE);
        choose->b = node;
        choose->a = jinja_parse_chain(reader);
        if (!reader->failed && !jinja_takes(reader, "else"))
            return jinja_refuse(reader, "\"if\" needs an \"else\" here");
        choose->c = jinja_parse_chain(reader);
        node = choose;
    }
    return reader->failed ? NULL : node;
}

static struct jinja_node *
jinja_parse_and(struct jinja_reader *reader)
{
    struct jinja_node *node = jinja_parse_not(reader);

    while (!reader->failed && jinja_takes(reader, "and"))
        node = jinja_pair(reader, JINJA_AND, node, jinja_parse_not(reader));
    return node;
}

static struct jinja_node *
jinja_parse_not(struct jinja_reader *reader)
{
    struct jinja_node *node;

    if (!jinja_takes(reader, "not"))
        return jinja_parse_compare(reader);
    if (!jinja_deeper(reader))
        return NULL;
    node = jinja_pair(reader, JINJA_NOT, jinja_parse_not(reader), NULL);
    reader->depth--;
    return node;
}

/* Whether a comparison comes next; its sign is taken. */
static bool
jinja_takes_comparison(struct jinja_reader *reader, enum jinja_op *ret_op)
{
    static const struct {
        const char *sign;
        enum jinja_op op;
    } signs[] = {
        { "==", JINJA_EQ }, { "!=", JINJA_NE }, { "<=", JINJA_LE }, { ">=", JINJA_GE },
        { "<", JINJA_LT },  { ">", JINJA_GT },  { "in", JINJA_IN },
    };

    if (jinja_takes(reader, "not")) {
        *ret_op = JINJA_NOT_IN;
        if (!jinja_takes(reader, "in"))
            (void)jinja_refuse(reader, "\"in\" is missing after \"not\"");
        return !reader->failed;
    }
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (jinja_takes(reader, signs[i].sign)) {
            *ret_op = signs[i].op;
            return true;
        }
    }
    return false;
}

static struct jinja_node *
jinja_parse_compare(struct jinja_reader *reader)
{
    struct jinja_node *node = jinja_parse_sum(reader);
    enum jinja_op op;

    if (reader->failed || !jinja_takes_comparison(reader, &op))
        return node;
    node = jinja_pair(reader, op, node, jinja_parse_sum(reader));
    if (!reader->failed && jinja_takes_comparison(reader, &op)) {
        return jinja_refuse(reader,
                            "comparisons in a row (a < b < c) are not supported; use \"and\"");
    }
    return node;
}

static struct jinja_node *
jinja_parse_sum(struct jinja_reader *reader)
{
    struct jinja_node *node = jinja_parse_concat(reader);
    enum jinja_op op = JINJA_ADD;

    while (!reader->failed && (jinja_sees(reader, "+") || jinja_sees(reader, "-"))) {
        op = jinja_sees(reader, "+") ? JINJA_ADD : JINJA_SUBTRACT;
        jinja_next(reader);
        node = jinja_pair(reader, op, node, jinja_parse_concat(reader));
    }
    return node;
}

static struct jinja_node *
jinja_parse_concat(struct jinja_reader *reader)
{
    struct jinja_node *node = jinja_parse_product(reader);

    while (!reader->failed && jinja_takes(reader, "~"))
        node = jinja_pair(reader, JINJA_CONCAT, node, jinja_parse_product(reader));
    return node;
}

static struct jinja_node *
jinja_parse_product(struct jinja_reader *reader)
{
    struct jinja_node *node = jinja_parse_unary(reader, true);

    while (!reader->failed) {
        if (jinja_takes(reader, "*")) {
            node = jinja_pair(reader, JINJA_MULTIPLY, node, jinja_parse_unary(reader, true));
        } else if (jinja_takes(reader, "//")) {
            node = jinja_pair(reader, JINJA_DIVIDE, node, jinja_parse_unary(reader, true));
        } else if (jinja_takes(reader, "%")) {
            node = jinja_pair(reader, JINJA_MODULO, node, jinja_parse_unary(reader, true));
        } else {
            break;
        }
    }
    if (!reader->failed && (jinja_sees(reader, "/") || jinja_sees(reader, "**"))) {
        return jinja_refuse(reader, "\"%.*s\" is not supported; there are + - * // %%",
                            (int)reader->token_len, reader->token_at);
    }
    return node;
}

static struct jinja_node *
jinja_parse_unary(struct jinja_reader *reader, bool filters)
{
    struct jinja_node *node;

    if (!jinja_deeper(reader))
        return NULL;
    if (jinja_takes(reader, "-")) {
        node = jinja_pair(reader, JINJA_NEGATE, jinja_parse_unary(reader, false), NULL);
    } else {
        node = jinja_parse_primary(reader);
    }
    node = jinja_parse_postfix(reader, node);
    if (filters)
        node = jinja_parse_filters(reader, node);
    reader->depth--;
    return node;
}

/* What stands before the next item: nothing, "," or ":".  Return: false: another thing does. */
static bool
jinja_takes_between(struct jinja_reader *reader, bool pairs, size_t count)
{
    const char *between = pairs && count % 2 == 1 ? ":" : ",";

    if (count == 0 || jinja_takes(reader, between))
        return true;
    (void)jinja_refuse(reader, "\"%s\" is missing", between);
    return false;
}

/* Up to @close, with commas between; pairs: "key: value". */
static struct jinja_node *
jinja_parse_items(struct jinja_reader *reader, const char *close, bool pairs, size_t *ret_count)
{
    struct jinja_node *first = NULL;
    struct jinja_node **tail = &first;
    size_t count = 0;

    while (!reader->failed && !jinja_takes(reader, close)) {
        if (!jinja_takes_between(reader, pairs, count))
            return NULL;
        if (jinja_takes(reader, close))
            break;
        *tail = jinja_parse(reader);
        if (!*tail)
            return NULL;
        if (jinja_sees(reader, "="))
            return jinja_refuse(reader, "arguments with a name are not supported");
        assert(!(*tail)->next); /* a node is in one chain only */
        tail = &(*tail)->next;
        count++;
    }
    if (pairs && count % 2 == 1)
        return jinja_refuse(reader, "a value is missing");
    *ret_count = count;
    return reader->failed ? NULL : first;
}

static struct jinja_node *
jinja_parse_number(struct jinja_reader *reader)
{
    CLEANUP(mem_freep) char *text = jinja_token_text(reader);
    struct jinja_node *node = jinja_node_new(reader, JINJA_CONST);

    errno = 0;
    node->value =
        strchr(text, '.') ? json_real(strtod(text, NULL)) : json_integer(strtoll(text, NULL, 10));
    if (errno != 0)
        return jinja_refuse(reader, "the number %.40s is too large", text);
    jinja_next(reader);
    return node;
}

static struct jinja_node *
jinja_parse_word(struct jinja_reader *reader)
{
    static const struct {
        const char *word;
        json_type type;
    } words[] = {
        { "true", JSON_TRUE },   { "True", JSON_TRUE }, { "false", JSON_FALSE },
        { "False", JSON_FALSE }, { "none", JSON_NULL }, { "None", JSON_NULL },
    };
    static const char *const reserved[] = { "and", "or", "not", "in", "is", "if", "else" };
    struct jinja_node *node = jinja_node_new(reader, JINJA_NAME);

    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (jinja_sees(reader, reserved[i]))
            return jinja_refuse(reader, "a value is missing before \"%s\"", reserved[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!jinja_sees(reader, words[i].word))
            continue;
        node->op = JINJA_CONST;
        node->value =
            words[i].type == JSON_NULL ? json_null() : json_boolean(words[i].type == JSON_TRUE);
    }
    if (node->op == JINJA_NAME)
        node->text = jinja_token_text(reader);
    jinja_next(reader);
    if (jinja_sees(reader, "(")) {
        return jinja_refuse(reader, "calls such as %.40s(...) are not supported",
                            node->text ? node->text : "this");
    }
    return node;
}

static struct jinja_node *
jinja_parse_primary(struct jinja_reader *reader)
{
    struct jinja_node *node = NULL;
    size_t count;

    if (reader->failed)
        return NULL;
    switch (reader->token) {
    case JINJA_TOKEN_NAME:
        return jinja_parse_word(reader);
    case JINJA_TOKEN_NUMBER:
        return jinja_parse_number(reader);
    case JINJA_TOKEN_STRING:
        node = jinja_node_new(reader, JINJA_CONST);
        node->value = jinja_token_string(reader);
        jinja_next(reader);
        return node;
    case JINJA_TOKEN_END:
        return jinja_refuse(reader, "a value is missing at the end");
    case JINJA_TOKEN_SIGN:
        break;
    }
    if (jinja_takes(reader, "(")) {
        node = jinja_parse(reader);
        if (!reader->failed && !jinja_takes(reader, ")"))
            return jinja_refuse(reader, "\")\" is missing");
        return node;
    }
    if (jinja_sees(reader, "[") || jinja_sees(reader, "{")) {
        bool pairs = jinja_sees(reader, "{");

        node = jinja_node_new(reader, pairs ? JINJA_DICT : JINJA_LIST);
        jinja_next(reader);
        node->items = jinja_parse_items(reader, pairs ? "}" : "]", pairs, &count);
        return node;
    }
    return jinja_refuse(reader, "\"%.*s\" is not expected here", (int)reader->token_len,
                        reader->token_at);
}

static struct jinja_node *
jinja_parse_attribute(struct jinja_reader *reader, struct jinja_node *of)
{
    struct jinja_node *node = jinja_node_new(reader, JINJA_ATTR);

    node->a = of;
    if (reader->token != JINJA_TOKEN_NAME)
        return jinja_refuse(reader, "a name is missing after \".\"");
    node->text = jinja_token_text(reader);
    jinja_next(reader);
    if (jinja_sees(reader, "(")) {
        return jinja_refuse(reader, "calls such as .%.40s(...) are not supported; use a filter",
                            node->text);
    }
    return node;
}

static struct jinja_node *
jinja_parse_postfix(struct jinja_reader *reader, struct jinja_node *node)
{
    while (!reader->failed) {
        if (jinja_takes(reader, ".")) {
            node = jinja_parse_attribute(reader, node);
        } else if (jinja_takes(reader, "[")) {
            node = jinja_pair(reader, JINJA_ITEM, node, jinja_parse(reader));
            if (!reader->failed && !jinja_takes(reader, "]"))
                return jinja_refuse(reader, "\"]\" is missing; slices are not supported");
        } else {
            break;
        }
    }
    return reader->failed ? NULL : node;
}

/* "Did you mean" of a name that is not there. */
static struct jinja_node *
jinja_refuse_name(struct jinja_reader *reader, const char *kind, const char *name, const char *near)
{
    return jinja_refuse(reader, "the %s \"%.40s\" is not supported%s%s%s", kind, name,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static struct jinja_node *
jinja_parse_filter(struct jinja_reader *reader, struct jinja_node *of)
{
    struct jinja_node *node = jinja_node_new(reader, JINJA_FILTER);
    const char *near = NULL;
    size_t count = 0;
    size_t least;
    size_t most;

    node->a = of;
    if (reader->token != JINJA_TOKEN_NAME)
        return jinja_refuse(reader, "a filter's name is missing after \"|\"");
    node->text = jinja_token_text(reader);
    if (!jinja_filter_find(node->text, &node->index, &near))
        return jinja_refuse_name(reader, "filter", node->text, near);
    jinja_next(reader);
    if (jinja_takes(reader, "("))
        node->items = jinja_parse_items(reader, ")", false, &count);
    jinja_filter_arguments(node->index, &least, &most);
    if (!reader->failed && (count < least || count > most)) {
        return jinja_refuse(reader, "the filter \"%s\" has %zu to %zu arguments", node->text, least,
                            most);
    }
    return node;
}

static struct jinja_node *
jinja_parse_test(struct jinja_reader *reader, struct jinja_node *of)
{
    struct jinja_node *node = jinja_node_new(reader, JINJA_TEST);
    const char *near = NULL;

    node->a = of;
    node->negate = jinja_takes(reader, "not");
    if (reader->token != JINJA_TOKEN_NAME)
        return jinja_refuse(reader, "a test's name is missing after \"is\"");
    node->text = jinja_token_text(reader);
    if (!jinja_test_find(node->text, &node->index, &near))
        return jinja_refuse_name(reader, "test", node->text, near);
    jinja_next(reader);
    if (jinja_sees(reader, "("))
        return jinja_refuse(reader, "the test \"%s\" has no arguments", node->text);
    return node;
}

static struct jinja_node *
jinja_parse_filters(struct jinja_reader *reader, struct jinja_node *node)
{
    while (!reader->failed) {
        if (jinja_takes(reader, "|")) {
            node = jinja_parse_filter(reader, node);
        } else if (jinja_takes(reader, "is")) {
            node = jinja_parse_test(reader, node);
        } else {
            break;
        }
    }
    return reader->failed ? NULL : node;
}
/* NOLINTEND(misc-no-recursion) */
