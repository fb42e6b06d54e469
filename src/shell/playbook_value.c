/* The values of a playbook's keywords. */
#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "playbook_data.h"

int
playbook_refuse(const struct playbook_reader *reader, const json_t *mark, const char *format, ...)
{
    const char *slash = strrchr(reader->path, '/');
    struct yaml_place place = yaml_place(mark);
    char what[FAULT_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    text_line_vprintf(what, sizeof(what), format, args);
    va_end(args);
    return fault_set(reader->fault, FAULT_INVALID, "playbook", "%s:%u:%u: %s",
                     slash ? slash + 1 : reader->path, place.line, place.column, what);
}

int
playbook_pass_on(const struct playbook_reader *reader, const json_t *mark, const struct fault *why)
{
    return playbook_refuse(reader, mark, "%s", why->text);
}

int
playbook_read_text(const struct playbook_reader *reader, struct playbook_at at,
                   const char **ret_text)
{
    if (!json_is_string(at.json))
        return playbook_refuse(reader, at.mark, "this must be a text");
    *ret_text = json_string_value(at.json);
    return 0;
}

/* One that may not be made of variables: @what is to be written there. */
static int
playbook_read_scalar(const struct playbook_reader *reader, struct playbook_at at,
                     enum module_type type, const char *what, json_t **ret_value)
{
    const struct module_arg arg = { .name = "this", .type = type };
    struct fault why;

    if (json_is_string(at.json) && jinja_is_template(json_string_value(at.json)))
        return playbook_refuse(reader, at.mark, "{{ }} is not supported here; write %s", what);
    if (module_arg_coerce(&arg, at.json, ret_value, &why) < 0)
        return playbook_pass_on(reader, at.mark, &why);
    return 0;
}

int
playbook_read_bool(const struct playbook_reader *reader, struct playbook_at at, bool *ret_value)
{
    CLEANUP(json_freep) json_t *value = NULL;

    if (playbook_read_scalar(reader, at, MODULE_BOOL, "true or false", &value) < 0)
        return -1;
    *ret_value = json_is_true(value);
    return 0;
}

int
playbook_read_number(const struct playbook_reader *reader, struct playbook_at at,
                     int64_t *ret_value)
{
    CLEANUP(json_freep) json_t *value = NULL;

    if (playbook_read_scalar(reader, at, MODULE_INT, "a number", &value) < 0)
        return -1;
    *ret_value = json_integer_value(value);
    return 0;
}

int
playbook_read_texts(const struct playbook_reader *reader, struct playbook_at at, json_t **ret_list)
{
    CLEANUP(json_freep) json_t *list = json_array();

    if (json_is_string(at.json)) {
        (void)json_array_append(list, mem_unconst(at.json));
    } else if (!json_is_array(at.json)) {
        return playbook_refuse(reader, at.mark, "this must be a text or a list of texts");
    }
    for (size_t i = 0; i < json_array_size(at.json); i++) {
        struct playbook_at item = playbook_item(at, i);

        if (!json_is_string(item.json))
            return playbook_refuse(reader, item.mark, "this must be a text");
        (void)json_array_append(list, mem_unconst(item.json));
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (jinja_is_template(json_string_value(json_array_get(list, i))))
            return playbook_refuse(reader, at.mark, "{{ }} is not supported here");
    }
    *ret_list = STEAL(list);
    return 0;
}

/* One condition: a text that is an expression, or a boolean. */
static int
playbook_read_condition(const struct playbook_reader *reader, struct playbook_at at,
                        struct playbook_conditions *conditions)
{
    const char *text = json_string_value(at.json);
    struct fault why;
    unsigned line;

    if (json_is_boolean(at.json))
        text = json_is_true(at.json) ? "true" : "false";
    if (!text)
        return playbook_refuse(reader, at.mark, "a condition must be a text or a boolean");
    if (jinja_is_template(text)) {
        return playbook_refuse(reader, at.mark,
                               "a condition is an expression: leave out the {{ }}");
    }
    if (jinja_parse_expression(text, &conditions->list[conditions->count], &line, &why) < 0)
        return playbook_pass_on(reader, at.mark, &why);
    conditions->count++;
    return 0;
}

int
playbook_read_conditions(const struct playbook_reader *reader, struct playbook_at at,
                         struct playbook_conditions *conditions)
{
    size_t count = json_is_array(at.json) ? json_array_size(at.json) : 1;

    assert(!conditions->list);
    conditions->given = true;
    conditions->texts = at.json;
    conditions->constant = json_is_boolean(at.json);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    conditions->list = mem_new0((count + 1) * sizeof(*conditions->list));
    if (!json_is_array(at.json))
        return playbook_read_condition(reader, at, conditions);
    for (size_t i = 0; i < count; i++) {
        if (playbook_read_condition(reader, playbook_item(at, i), conditions) < 0)
            return -1;
    }
    return 0;
}

void
playbook_conditions_fini(struct playbook_conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        jinja_free(conditions->list[i]);
    mem_free(conditions->list);
}

int
playbook_check_name(const struct playbook_reader *reader, const json_t *mark, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char *const words[] = { "and",  "or",   "not",   "in",    "is",   "if",  "else",
                                         "true", "True", "false", "False", "none", "None" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], name) == 0)
            return playbook_refuse(reader, mark, "\"%s\" cannot be a variable's name", name);
    }
    if (!*name || !strchr(letters, *name) ||
        name[strspn(name, "0123456789"
                          "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")]) {
        return playbook_refuse(reader, mark,
                               "\"%.60s\" is no name: letters, digits and _, a letter first", name);
    }
    return 0;
}

int
playbook_read_name(const struct playbook_reader *reader, struct playbook_at at,
                   const char **ret_name)
{
    if (playbook_read_text(reader, at, ret_name) < 0)
        return -1;
    return playbook_check_name(reader, at.mark, *ret_name);
}

int
playbook_read_mapping(const struct playbook_reader *reader, struct playbook_at at, bool words,
                      const json_t **ret_mapping)
{
    const char *key;
    json_t *value;

    if (!json_is_object(at.json))
        return playbook_refuse(reader, at.mark, "this must be a mapping (NAME: VALUE)");
    json_object_foreach(mem_unconst(at.json), key, value)
    {
        if (playbook_check_name(reader, yaml_mark_key(at.mark, key), key) < 0)
            return -1;
        if (words && (json_is_array(value) || json_is_object(value)))
            return playbook_refuse(reader, yaml_mark_value(at.mark, key), "this must be a text");
    }
    *ret_mapping = at.json;
    return playbook_check_templates(reader, at);
}

static int
playbook_check_text(const struct playbook_reader *reader, struct playbook_at at)
{
    const char *text = json_string_value(at.json);
    CLEANUP(jinja_freep) struct jinja *jinja = NULL;
    struct fault why;
    unsigned line;

    if (!jinja_is_template(text) || jinja_parse_template(text, &jinja, &line, &why) == 0)
        return 0;
    if (line > 1)
        return playbook_refuse(reader, at.mark, "in line %u of this text: %s", line, why.text);
    return playbook_pass_on(reader, at.mark, &why);
}

int
/* NOLINTNEXTLINE(misc-no-recursion): the reader of YAML bounds how deep values are nested */
playbook_check_templates(const struct playbook_reader *reader, struct playbook_at at)
{
    const char *key;
    json_t *value;

    if (json_is_string(at.json))
        return playbook_check_text(reader, at);
    for (size_t i = 0; i < json_array_size(at.json); i++) {
        if (playbook_check_templates(reader, playbook_item(at, i)) < 0)
            return -1;
    }
    json_object_foreach(mem_unconst(at.json), key, value)
    {
        if (jinja_is_template(key)) {
            return playbook_refuse(reader, yaml_mark_key(at.mark, key),
                                   "{{ }} is not supported in a name");
        }
        if (playbook_check_templates(reader, playbook_member(at, key)) < 0)
            return -1;
    }
    return 0;
}
