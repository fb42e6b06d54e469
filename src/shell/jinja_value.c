/* Values as Python has them: what is true, equal, less; their texts; and templates, which are made of
 * texts.  NOLINTBEGIN(misc-no-recursion): blocks within blocks were bounded when they were parsed */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/secret.h"

#include "jinja_node.h"

static bool jinja_render(struct jinja_run *run, const struct jinja_node *first, struct buf *buf);

bool
jinja_is_true(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) > 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL:
        return json_real_value(value) < 0 || json_real_value(value) > 0;
    case JSON_TRUE:
        return true;
    case JSON_FALSE:
    case JSON_NULL:
        break;
    }
    return false;
}

/* Python counts booleans among the numbers. */
static bool
jinja_is_whole(const json_t *value, json_int_t *ret_number)
{
    if (!json_is_integer(value) && !json_is_boolean(value))
        return false;
    *ret_number = json_is_integer(value) ? json_integer_value(value) : json_is_true(value);
    return true;
}

static bool
jinja_is_number(const json_t *value, double *ret_number)
{
    json_int_t whole;

    if (json_is_real(value)) {
        *ret_number = json_real_value(value);
        return true;
    }
    if (!jinja_is_whole(value, &whole))
        return false;
    *ret_number = (double)whole;
    return true;
}

/* Less than 0, 0, more than 0. Return: whether the two have an order. */
static bool
jinja_order(const json_t *lhs, const json_t *rhs, int *ret_order)
{
    json_int_t whole[2];
    double number[2];

    if (jinja_is_whole(lhs, &whole[0]) && jinja_is_whole(rhs, &whole[1])) {
        *ret_order = (whole[0] > whole[1]) - (whole[0] < whole[1]);
        return true;
    }
    if (jinja_is_number(lhs, &number[0]) && jinja_is_number(rhs, &number[1])) {
        *ret_order = (number[0] > number[1]) - (number[0] < number[1]);
        return true;
    }
    if (json_is_string(lhs) && json_is_string(rhs)) {
        *ret_order = strcmp(json_string_value(lhs), json_string_value(rhs));
        return true;
    }
    return false;
}

static bool
jinja_is_equal(const json_t *lhs, const json_t *rhs)
{
    int order;

    return jinja_order(lhs, rhs, &order) ? order == 0 : json_equal(lhs, rhs);
}

static const char *
jinja_type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "a mapping", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "a boolean",
        [JSON_FALSE] = "a boolean",  [JSON_NULL] = "null",
    };

    return names[json_typeof(value)];
}

static json_t *
jinja_contains(struct jinja_run *run, const json_t *item, const json_t *in, bool wanted)
{
    bool found = false;

    if (json_is_string(in) && json_is_string(item)) {
        found = strstr(json_string_value(in), json_string_value(item)) != NULL;
    } else if (json_is_object(in) && json_is_string(item)) {
        found = json_object_get(in, json_string_value(item)) != NULL;
    } else if (json_is_array(in)) {
        for (size_t i = 0; i < json_array_size(in) && !found; i++)
            found = jinja_is_equal(item, json_array_get(in, i));
    } else {
        return jinja_fail(run, "%s cannot be in %s", jinja_type_name(item), jinja_type_name(in));
    }
    return json_boolean(found == wanted);
}

json_t *
jinja_compare(struct jinja_run *run, enum jinja_op op, const json_t *lhs, const json_t *rhs)
{
    int order;

    if (op == JINJA_IN || op == JINJA_NOT_IN)
        return jinja_contains(run, lhs, rhs, op == JINJA_IN);
    if (op == JINJA_EQ || op == JINJA_NE)
        return json_boolean(jinja_is_equal(lhs, rhs) == (op == JINJA_EQ));
    if (!jinja_order(lhs, rhs, &order)) {
        return jinja_fail(run, "%s and %s have no order (a filter int may be missing)",
                          jinja_type_name(lhs), jinja_type_name(rhs));
    }
    switch (op) {
    case JINJA_LT:
        return json_boolean(order < 0);
    case JINJA_LE:
        return json_boolean(order <= 0);
    case JINJA_GT:
        return json_boolean(order > 0);
    default:
        assert(op == JINJA_GE);
        return json_boolean(order >= 0);
    }
}

/* Of two texts or lists. */
static json_t *
jinja_join(struct jinja_run *run, const json_t *lhs, const json_t *rhs)
{
    json_t *list;

    if (json_is_string(lhs) && json_is_string(rhs)) {
        if (json_string_length(lhs) + json_string_length(rhs) > JINJA_OUTPUT_MAX)
            return jinja_fail(run, "a text becomes too long");
        return json_sprintf("%s%s", json_string_value(lhs), json_string_value(rhs));
    }
    if (!json_is_array(lhs) || !json_is_array(rhs)) {
        return jinja_fail(run, "%s and %s cannot be added", jinja_type_name(lhs),
                          jinja_type_name(rhs));
    }
    if (json_array_size(lhs) + json_array_size(rhs) > JINJA_NODES_MAX)
        return jinja_fail(run, "a list becomes too long");
    list = json_copy(mem_unconst(lhs));
    (void)json_array_extend(list, mem_unconst(rhs));
    return list;
}

/* Rounds down, as Python does. */
static json_int_t
jinja_divide(const json_int_t pair[2], bool rest)
{
    json_int_t quotient = pair[0] / pair[1];
    json_int_t remainder = pair[0] % pair[1];

    if (remainder != 0 && (remainder < 0) != (pair[1] < 0)) {
        quotient--;
        remainder += pair[1];
    }
    return rest ? remainder : quotient;
}

json_t *
jinja_calculate(struct jinja_run *run, enum jinja_op op, const json_t *lhs, const json_t *rhs)
{
    json_int_t pair[2];
    json_int_t result = 0;
    bool bad = false;

    if (!jinja_is_whole(lhs, &pair[0]) || !jinja_is_whole(rhs, &pair[1])) {
        if (op == JINJA_ADD)
            return jinja_join(run, lhs, rhs);
        return jinja_fail(run, "%s and %s: whole numbers only can be calculated with",
                          jinja_type_name(lhs), jinja_type_name(rhs));
    }
    if (op == JINJA_ADD) {
        bad = __builtin_add_overflow(pair[0], pair[1], &result);
    } else if (op == JINJA_SUBTRACT) {
        bad = __builtin_sub_overflow(pair[0], pair[1], &result);
    } else if (op == JINJA_MULTIPLY) {
        bad = __builtin_mul_overflow(pair[0], pair[1], &result);
    } else {
        bad = pair[1] == 0 || pair[1] == -1; /* the least number has no positive counterpart */
        if (!bad)
            result = jinja_divide(pair, op == JINJA_MODULO);
    }
    return bad ? jinja_fail(run, "a number cannot be calculated") : json_integer(result);
}

/* As Python writes it: the fewest digits that mean the same number. */
static void
jinja_append_real(double number, struct buf *buf)
{
    char text[40];
    int digits = 1;

    do {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
    } while (++digits <= 17 && (strtod(text, NULL) < number || strtod(text, NULL) > number));
    buf_append_string(buf, text);
    if (!strpbrk(text, ".en"))
        buf_append_string(buf, ".0");
}

bool
jinja_append(struct jinja_run *run, const json_t *value, struct buf *buf)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        buf_append(buf, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        buf_printf(buf, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        jinja_append_real(json_real_value(value), buf);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_append_string(buf, json_is_true(value) ? "True" : "False");
        break;
    case JSON_NULL:
        buf_append_string(buf, "None");
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        (void)jinja_fail(run, "%s cannot be put into a text; use the filter join or to_json",
                         jinja_type_name(value));
        break;
    }
    if (buf->overflow)
        (void)jinja_fail(run, "becomes longer than %d bytes", JINJA_OUTPUT_MAX);
    return !run->failed;
}

static bool
jinja_render_emit(struct jinja_run *run, const struct jinja_node *node, struct buf *buf)
{
    CLEANUP(json_freep) json_t *value = jinja_defined(run, node->a);

    return value && (json_is_null(value) || jinja_append(run, value, buf));
}

static bool
jinja_render_if(struct jinja_run *run, const struct jinja_node *node, struct buf *buf)
{
    CLEANUP(json_freep) json_t *condition = jinja_defined(run, node->a);

    return condition && jinja_render(run, jinja_is_true(condition) ? node->b : node->c, buf);
}

/* The variables of one round of a for block. */
static void
jinja_render_locals(struct jinja_run *run, const struct jinja_node *node, const json_t *list,
                    size_t i)
{
    (void)json_object_set(run->locals, node->text, json_array_get(list, i));
    (void)json_object_set_new(run->locals, "loop",
                              json_pack("{sI sI sb sb sI}", "index", (json_int_t)i + 1, "index0",
                                        (json_int_t)i, "first", i == 0, "last",
                                        i + 1 == json_array_size(list), "length",
                                        (json_int_t)json_array_size(list)));
}

static bool
jinja_render_for(struct jinja_run *run, const struct jinja_node *node, struct buf *buf)
{
    CLEANUP(json_freep) json_t *list = jinja_defined(run, node->a);
    CLEANUP(json_freep) json_t *outer = run->locals ? json_copy(run->locals) : json_object();
    json_t *swap;

    if (!list)
        return false;
    if (!json_is_array(list)) {
        (void)jinja_fail(run, "{%% for %%} goes over lists only, not over %s",
                         jinja_type_name(list));
        return false;
    }
    if (json_array_size(list) == 0)
        return jinja_render(run, node->c, buf);
    swap = run->locals;
    run->locals = STEAL(outer);
    outer = swap;
    for (size_t i = 0; i < json_array_size(list) && !run->failed; i++) {
        jinja_render_locals(run, node, list, i);
        (void)jinja_render(run, node->b, buf);
    }
    swap = run->locals;
    run->locals = STEAL(outer);
    outer = swap;
    return !run->failed;
}

static bool
jinja_render(struct jinja_run *run, const struct jinja_node *first, struct buf *buf)
{
    bool good = true;

    for (const struct jinja_node *node = first; node && good; node = node->next) {
        if (++run->steps > JINJA_STEPS_MAX)
            (void)jinja_fail(run, "takes too many steps");
        if (node->op == JINJA_TEXT) {
            good = jinja_append(run, node->value, buf);
        } else if (node->op == JINJA_EMIT) {
            good = jinja_render_emit(run, node, buf);
        } else if (node->op == JINJA_IF) {
            good = jinja_render_if(run, node, buf);
        } else {
            good = jinja_render_for(run, node, buf);
        }
    }
    return good && !run->failed;
}
/* NOLINTEND(misc-no-recursion) */

/* A template that is one {{ }} and keeps its value's type; see jinja_value(). */
static bool
jinja_keeps_type(const struct jinja_node *only, const json_t *value)
{
    if (only->a->op == JINJA_NAME && !json_is_null(value))
        return true;
    return json_is_array(value) || json_is_object(value) || json_is_boolean(value);
}

static int
jinja_value_of_text(const struct jinja *jinja, struct jinja_run *run, json_t **ret_value)
{
    struct buf buf;
    size_t newlines;
    bool good;

    buf_init_secret(&buf, JINJA_OUTPUT_MAX);
    good = jinja_render(run, jinja->root, &buf);
    newlines = 0;
    while (newlines < buf.len && buf.data[buf.len - 1 - newlines] == '\n')
        newlines++;
    for (; good && newlines < jinja->newlines; newlines++)
        buf_append_char(&buf, '\n');
    if (good)
        *ret_value = json_stringn(buf_text(&buf), buf.len);
    buf_fini(&buf);
    return good ? 0 : -1;
}

int
jinja_value(const struct jinja *jinja, struct jinja_scope *scope, json_t **ret_value,
            struct fault *fault)
{
    const struct jinja_node *root = jinja->root;
    struct jinja_run run = { .scope = scope, .fault = fault };
    json_t *value = NULL;
    int status = -1;

    if (jinja->is_expression || (root && root->op == JINJA_EMIT && !root->next && !jinja->newlines))
        value = jinja_defined(&run, jinja->is_expression ? root : root->a);
    if (value && (jinja->is_expression || jinja_keeps_type(root, value))) {
        *ret_value = STEAL(value);
        status = 0;
    } else if (!run.failed) {
        status = jinja_value_of_text(jinja, &run, ret_value);
    }
    json_decref(value);
    json_decref(run.locals);
    return status;
}

int
jinja_text(const struct jinja *jinja, struct jinja_scope *scope, json_t **ret_text,
           struct fault *fault)
{
    struct jinja_run run = { .scope = scope, .fault = fault };
    int status = jinja_value_of_text(jinja, &run, ret_text);

    json_decref(run.locals);
    return status;
}
