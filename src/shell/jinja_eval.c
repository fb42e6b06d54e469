/* What a tree stands for.  How deep an expression is nested was bounded when it was parsed, and how much
 * is done is bounded by steps.  NOLINTBEGIN(misc-no-recursion) */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jinja_node.h"

/* Owned; NULL: it failed, or is not defined. */
static json_t *jinja_evaluate(struct jinja_run *run, const struct jinja_node *node);

json_t *
jinja_fail(struct jinja_run *run, const char *format, ...)
{
    char what[FAULT_TEXT_SIZE];
    va_list args;

    if (run->failed)
        return NULL;
    run->failed = true;
    va_start(args, format);
    text_line_vprintf(what, sizeof(what), format, args);
    va_end(args);
    (void)fault_set(run->fault, FAULT_INVALID, "jinja.value", "%s", what);
    return NULL;
}

static json_t *
jinja_missing(struct jinja_run *run, const char *name)
{
    (void)snprintf(run->missing, sizeof(run->missing), "%s", name);
    return NULL;
}

json_t *
jinja_defined(struct jinja_run *run, const struct jinja_node *node)
{
    json_t *value = jinja_evaluate(run, node);

    if (!value)
        (void)jinja_fail(run, "\"%s\" is not defined", run->missing);
    return value;
}

static json_t *
jinja_evaluate_name(struct jinja_run *run, const char *name)
{
    json_t *value = json_object_get(run->locals, name);

    if (value)
        return json_incref(value);
    if (run->scope->get(run->scope, name, &value, run->fault) < 0) {
        run->failed = true;
        return NULL;
    }
    return value ? value : jinja_missing(run, name);
}

/* The member @name of what @node->a stands for; of what is not defined, that is not either. */
static json_t *
jinja_evaluate_attribute(struct jinja_run *run, const struct jinja_node *node)
{
    CLEANUP(json_freep) json_t *of = jinja_evaluate(run, node->a);
    json_t *value = json_object_get(of, node->text);
    char name[sizeof(run->missing)];

    if (value)
        return json_incref(value);
    if (of)
        (void)snprintf(name, sizeof(name), "%s.%s", node->a->text ? node->a->text : "", node->text);
    return of ? jinja_missing(run, name) : NULL;
}

static json_t *
jinja_evaluate_item(struct jinja_run *run, const struct jinja_node *node)
{
    CLEANUP(json_freep) json_t *of = jinja_evaluate(run, node->a);
    CLEANUP(json_freep) json_t *index = of ? jinja_defined(run, node->b) : NULL;
    json_int_t at = json_integer_value(index);
    json_t *value = NULL;

    if (!index)
        return NULL;
    if (json_is_object(of) && json_is_string(index))
        value = json_object_get(of, json_string_value(index));
    if (json_is_array(of) && json_is_integer(index))
        value = json_array_get(of, (size_t)(at < 0 ? at + (json_int_t)json_array_size(of) : at));
    if (value)
        return json_incref(value);
    return jinja_missing(run, json_is_string(index) ? json_string_value(index) : "an item");
}

static json_t *
jinja_evaluate_list(struct jinja_run *run, const struct jinja_node *first)
{
    json_t *list = json_array();

    for (const struct jinja_node *node = first; node && !run->failed; node = node->next) {
        json_t *value = jinja_defined(run, node);

        if (value)
            (void)json_array_append_new(list, value);
    }
    if (!run->failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *
jinja_evaluate_dict(struct jinja_run *run, const struct jinja_node *first)
{
    json_t *dict = json_object();

    for (const struct jinja_node *node = first; node && !run->failed; node = node->next->next) {
        CLEANUP(json_freep) json_t *key = jinja_defined(run, node);
        json_t *value = key ? jinja_defined(run, node->next) : NULL;

        if (value && !json_is_string(key)) {
            json_decref(value);
            (void)jinja_fail(run, "a key must be text");
        } else if (value) {
            (void)json_object_set_new(dict, json_string_value(key), value);
        }
    }
    if (!run->failed)
        return dict;
    json_decref(dict);
    return NULL;
}

/* Python's: the first that decides, not a boolean. */
static json_t *
jinja_evaluate_logic(struct jinja_run *run, const struct jinja_node *node)
{
    json_t *lhs = jinja_defined(run, node->a);

    if (!lhs || jinja_is_true(lhs) == (node->op == JINJA_OR))
        return lhs;
    json_decref(lhs);
    return jinja_defined(run, node->b);
}

static json_t *
jinja_evaluate_choose(struct jinja_run *run, const struct jinja_node *node)
{
    CLEANUP(json_freep) json_t *condition = jinja_defined(run, node->a);

    if (!condition)
        return NULL;
    return jinja_evaluate(run, jinja_is_true(condition) ? node->b : node->c);
}

static json_t *
jinja_evaluate_filter(struct jinja_run *run, const struct jinja_node *node)
{
    CLEANUP(json_freep) json_t *value = jinja_evaluate(run, node->a);
    CLEANUP(json_freep) json_t *arguments = NULL;

    if (!run->failed)
        arguments = jinja_evaluate_list(run, node->items);
    return arguments ? jinja_filter_apply(run, node->index, value, arguments) : NULL;
}

static json_t *
jinja_evaluate_test(struct jinja_run *run, const struct jinja_node *node)
{
    CLEANUP(json_freep) json_t *value = jinja_evaluate(run, node->a);
    bool passes;

    if (run->failed)
        return NULL;
    passes = jinja_test_apply(run, node->index, value);
    return run->failed ? NULL : json_boolean(passes != node->negate);
}

static json_t *
jinja_evaluate_concat(struct jinja_run *run, const json_t *lhs, const json_t *rhs)
{
    struct buf buf;
    json_t *value = NULL;

    buf_init_secret(&buf, JINJA_OUTPUT_MAX);
    if (jinja_append(run, lhs, &buf) && jinja_append(run, rhs, &buf))
        value = json_stringn(buf_text(&buf), buf.len);
    buf_fini(&buf);
    return value;
}

/* Of two values that must be there. */
static json_t *
jinja_evaluate_pair(struct jinja_run *run, const struct jinja_node *node)
{
    CLEANUP(json_freep) json_t *lhs = jinja_defined(run, node->a);
    CLEANUP(json_freep) json_t *rhs = lhs ? jinja_defined(run, node->b) : NULL;

    if (!rhs)
        return NULL;
    if (node->op == JINJA_CONCAT)
        return jinja_evaluate_concat(run, lhs, rhs);
    if (node->op >= JINJA_ADD && node->op <= JINJA_MODULO)
        return jinja_calculate(run, node->op, lhs, rhs);
    return jinja_compare(run, node->op, lhs, rhs);
}

static json_t *
jinja_evaluate_one(struct jinja_run *run, const struct jinja_node *node)
{
    CLEANUP(json_freep) json_t *value = jinja_defined(run, node->a);
    CLEANUP(json_freep) json_t *zero = json_integer(0);

    if (!value)
        return NULL;
    if (node->op == JINJA_NOT)
        return json_boolean(!jinja_is_true(value));
    return jinja_calculate(run, JINJA_SUBTRACT, zero, value);
}

static json_t *
jinja_evaluate(struct jinja_run *run, const struct jinja_node *node)
{
    if (run->failed)
        return NULL;
    if (++run->steps > JINJA_STEPS_MAX)
        return jinja_fail(run, "takes too many steps");
    switch (node->op) {
    case JINJA_CONST:
        return json_incref(node->value);
    case JINJA_NAME:
        return jinja_evaluate_name(run, node->text);
    case JINJA_ATTR:
        return jinja_evaluate_attribute(run, node);
    case JINJA_ITEM:
        return jinja_evaluate_item(run, node);
    case JINJA_LIST:
        return jinja_evaluate_list(run, node->items);
    case JINJA_DICT:
        return jinja_evaluate_dict(run, node->items);
    case JINJA_NOT:
    case JINJA_NEGATE:
        return jinja_evaluate_one(run, node);
    case JINJA_AND:
    case JINJA_OR:
        return jinja_evaluate_logic(run, node);
    case JINJA_FILTER:
        return jinja_evaluate_filter(run, node);
    case JINJA_TEST:
        return jinja_evaluate_test(run, node);
    case JINJA_CHOOSE:
        return jinja_evaluate_choose(run, node);
    default:
        return jinja_evaluate_pair(run, node);
    }
}
/* NOLINTEND(misc-no-recursion) */
