#include "vars.h"

#include <string.h>

enum { VARS_DEPTH_MAX = 16 };

static int vars_get(struct jinja_scope *scope, const char *name, json_t **ret_value,
                    struct fault *fault);

void
vars_init(struct vars *vars, const json_t *given, const char *host)
{
    *vars = (struct vars){ .scope = { .get = vars_get }, .given = given };
    vars->locals = json_object();
    vars->results = json_object();
    vars->facts = json_object();
    (void)json_object_set_new(vars->facts, "inventory_hostname", json_string(host));
}

void
vars_fini(struct vars *vars)
{
    json_decref(vars->locals);
    json_decref(vars->results);
    json_decref(vars->facts);
}

static int
vars_get(struct jinja_scope *scope, const char *name, json_t **ret_value, struct fault *fault)
{
    struct vars *vars = CONTAINER_OF(scope, struct vars, scope);
    const struct {
        const json_t *of;
        bool is_template;
    } layers[] = {
        { vars->locals, false },
        { vars->given, false },
        { vars->results, false },
        { vars->task ? vars->task->vars : NULL, true },
        { vars->play ? vars->play->vars : NULL, true },
        { vars->facts, false },
    };
    json_t *value = NULL;
    size_t i = 0;
    int status;

    for (; i < ARRAY_LEN(layers) && !value; i++)
        value = json_object_get(layers[i].of, name);
    if (!value || !layers[i - 1].is_template) {
        *ret_value = json_incref(value);
        return 0;
    }
    if (vars->depth == VARS_DEPTH_MAX) {
        return fault_set(fault, FAULT_INVALID, "vars", "the variable \"%s\" is made of itself",
                         name);
    }
    vars->depth++;
    status = vars_render(vars, value, ret_value, fault);
    vars->depth--;
    return status;
}

static int
vars_render_text(struct vars *vars, const json_t *value, json_t **ret_value, struct fault *fault)
{
    const char *text = json_string_value(value);
    CLEANUP(jinja_freep) struct jinja *jinja = NULL;
    unsigned line;

    if (!jinja_is_template(text)) {
        *ret_value = json_incref(mem_unconst(value));
        return 0;
    }
    if (jinja_parse_template(text, &jinja, &line, fault) < 0)
        return -1;
    return jinja_value(jinja, &vars->scope, ret_value, fault);
}

/* Values come from yaml_parse_marked(), which bounds how deep they are nested, and variables of
 * variables are bounded by depth.  NOLINTBEGIN(misc-no-recursion) */
static int
vars_render_list(struct vars *vars, const json_t *value, json_t **ret_value, struct fault *fault)
{
    CLEANUP(json_freep) json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = NULL;

        if (vars_render(vars, json_array_get(value, i), &item, fault) < 0)
            return -1;
        (void)json_array_append_new(list, item);
    }
    *ret_value = STEAL(list);
    return 0;
}

int
vars_render(struct vars *vars, const json_t *value, json_t **ret_value, struct fault *fault)
{
    CLEANUP(json_freep) json_t *object = NULL;
    const char *key;
    json_t *member;

    if (json_is_string(value))
        return vars_render_text(vars, value, ret_value, fault);
    if (json_is_array(value))
        return vars_render_list(vars, value, ret_value, fault);
    if (!json_is_object(value)) {
        *ret_value = json_incref(mem_unconst(value));
        return 0;
    }
    object = json_object();
    json_object_foreach(mem_unconst(value), key, member)
    {
        json_t *made = NULL;

        if (vars_render(vars, member, &made, fault) < 0)
            return -1;
        (void)json_object_set_new(object, key, made);
    }
    *ret_value = STEAL(object);
    return 0;
}
/* NOLINTEND(misc-no-recursion) */

int
vars_test(struct vars *vars, const struct playbook_conditions *conditions, bool *ret_is_true,
          struct fault *fault)
{
    bool is_true = true;

    for (size_t i = 0; i < conditions->count && is_true; i++) {
        CLEANUP(json_freep) json_t *value = NULL;

        if (jinja_value(conditions->list[i], &vars->scope, &value, fault) < 0)
            return -1;
        is_true = jinja_is_true(value);
    }
    *ret_is_true = is_true;
    return 0;
}
