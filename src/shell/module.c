/* Which modules there are, and what their arguments may be. */
#include "module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/suggest.h"

#include "jinja.h"

static const struct module_arg module_command_args[] = {
    { "cmd", MODULE_TEXT, false, NULL },
    { "argv", MODULE_LIST, false, NULL },
    { "chdir", MODULE_PATH, false, NULL },
    { "creates", MODULE_PATH, false, NULL },
    { "removes", MODULE_PATH, false, NULL },
    { "stdin", MODULE_TEXT, false, NULL },
    { "stdin_add_newline", MODULE_BOOL, false, NULL },
};

static const struct module_arg module_shell_args[] = {
    { "cmd", MODULE_TEXT, false, NULL },        { "chdir", MODULE_PATH, false, NULL },
    { "creates", MODULE_PATH, false, NULL },    { "removes", MODULE_PATH, false, NULL },
    { "stdin", MODULE_TEXT, false, NULL },      { "stdin_add_newline", MODULE_BOOL, false, NULL },
    { "executable", MODULE_PATH, false, NULL },
};

static const struct module_arg module_raw_args[] = {
    { "cmd", MODULE_TEXT, true, NULL },
    { "executable", MODULE_PATH, false, NULL },
};

static const struct module_arg module_copy_args[] = {
    { "dest", MODULE_PATH, true, NULL },     { "src", MODULE_SOURCE, false, NULL },
    { "content", MODULE_TEXT, false, NULL }, { "owner", MODULE_TEXT, false, NULL },
    { "group", MODULE_TEXT, false, NULL },   { "mode", MODULE_MODE, false, NULL },
    { "force", MODULE_BOOL, false, NULL },
};

static const struct module_arg module_template_args[] = {
    { "dest", MODULE_PATH, true, NULL },   { "src", MODULE_SOURCE, true, NULL },
    { "owner", MODULE_TEXT, false, NULL }, { "group", MODULE_TEXT, false, NULL },
    { "mode", MODULE_MODE, false, NULL },  { "force", MODULE_BOOL, false, NULL },
};

static const struct module_arg module_file_args[] = {
    { "path", MODULE_PATH, true, NULL },
    { "state", MODULE_TEXT, false, "file directory absent touch link" },
    { "src", MODULE_TEXT, false, NULL },
    { "owner", MODULE_TEXT, false, NULL },
    { "group", MODULE_TEXT, false, NULL },
    { "mode", MODULE_MODE, false, NULL },
    { "recurse", MODULE_BOOL, false, NULL },
    { "force", MODULE_BOOL, false, NULL },
};

static const struct module_arg module_systemd_args[] = {
    { "name", MODULE_TEXT, false, NULL },
    { "state", MODULE_TEXT, false, "started stopped restarted reloaded" },
    { "enabled", MODULE_BOOL, false, NULL },
    { "masked", MODULE_BOOL, false, NULL },
    { "daemon_reload", MODULE_BOOL, false, NULL },
};

static const struct module_arg module_apt_args[] = {
    { "name", MODULE_LIST, false, NULL },
    { "state", MODULE_TEXT, false, "present absent latest" },
    { "update_cache", MODULE_BOOL, false, NULL },
    { "cache_valid_time", MODULE_INT, false, NULL },
    { "install_recommends", MODULE_BOOL, false, NULL },
    { "purge", MODULE_BOOL, false, NULL },
    { "lock_timeout", MODULE_INT, false, NULL },
};

static const struct module_arg module_assert_args[] = {
    { "that", MODULE_CONDITIONS, true, NULL },
    { "fail_msg", MODULE_TEXT, false, NULL },
    { "success_msg", MODULE_TEXT, false, NULL },
};

static const struct module_arg module_msg_args[] = {
    { "msg", MODULE_ANY, false, NULL },
};

static const struct module_arg module_set_fact_args[] = {
    { "*", MODULE_ANY, false, NULL },
};

static const struct module_arg module_meta_args[] = {
    { "action", MODULE_TEXT, true, "flush_handlers" },
};

#define MODULE_ARGS(args) args, ARRAY_LEN(args)

static const struct module modules[] = {
    { "apt", MODULE_ARGS(module_apt_args), NULL, MODULE_SCRIPT, false },
    { "assert", MODULE_ARGS(module_assert_args), NULL, MODULE_LOCAL, false },
    { "command", MODULE_ARGS(module_command_args), "cmd", MODULE_COMMAND, false },
    { "copy", MODULE_ARGS(module_copy_args), NULL, MODULE_SCRIPT, false },
    { "debug", MODULE_ARGS(module_msg_args), NULL, MODULE_LOCAL, false },
    { "fail", MODULE_ARGS(module_msg_args), NULL, MODULE_LOCAL, false },
    { "file", MODULE_ARGS(module_file_args), NULL, MODULE_SCRIPT, false },
    { "meta", MODULE_ARGS(module_meta_args), "action", MODULE_LOCAL, false },
    { "raw", MODULE_ARGS(module_raw_args), "cmd", MODULE_COMMAND, false },
    { "set_fact", MODULE_ARGS(module_set_fact_args), NULL, MODULE_LOCAL, true },
    { "shell", MODULE_ARGS(module_shell_args), "cmd", MODULE_COMMAND, false },
    { "systemd", MODULE_ARGS(module_systemd_args), NULL, MODULE_SCRIPT, false },
    { "template", MODULE_ARGS(module_template_args), NULL, MODULE_SCRIPT, false },
};

const struct module *
module_at(size_t index)
{
    return index < ARRAY_LEN(modules) ? &modules[index] : NULL;
}

bool
module_is(const struct module *module, const char *name)
{
    return strcmp(module->name, name) == 0;
}

const struct module *
module_find(const char *name, const char **ret_near)
{
    static const char prefix[] = "ansible.builtin.";
    struct suggest suggest;

    if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
        name += sizeof(prefix) - 1;
    if (strcmp(name, "systemd_service") == 0)
        name = "systemd";
    suggest_init(&suggest, name);
    for (size_t i = 0; i < ARRAY_LEN(modules); i++) {
        if (module_is(&modules[i], name))
            return &modules[i];
        suggest_offer(&suggest, modules[i].name);
    }
    *ret_near = suggest.best;
    return NULL;
}

const struct module_arg *
module_arg_find(const struct module *module, const char *name, const char **ret_near)
{
    struct suggest suggest;

    if (module->any_args)
        return &module->args[0];
    suggest_init(&suggest, name);
    for (size_t i = 0; i < module->arg_count; i++) {
        if (strcmp(module->args[i].name, name) == 0)
            return &module->args[i];
        suggest_offer(&suggest, module->args[i].name);
    }
    *ret_near = suggest.best;
    return NULL;
}

static int PRINTF_LIKE(2, 3) module_refuse(struct fault *fault, const char *format, ...)
{
    char what[FAULT_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    text_line_vprintf(what, sizeof(what), format, args);
    va_end(args);
    return fault_set(fault, FAULT_INVALID, "module", "%s", what);
}

/* As Ansible makes a text of a scalar. */
static json_t *
module_text(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_copy(mem_unconst(value));
    case JSON_INTEGER:
        return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return json_sprintf("%.15g", json_real_value(value));
    case JSON_TRUE:
        return json_string("True");
    case JSON_FALSE:
        return json_string("False");
    default:
        return NULL;
    }
}

static int
module_coerce_text(const struct module_arg *arg, const json_t *value, json_t **ret_value,
                   struct fault *fault)
{
    CLEANUP(json_freep) json_t *text = module_text(value);
    const char *string = json_string_value(text);

    if (!text)
        return module_refuse(fault, "\"%s\" must be a text", arg->name);
    if (strlen(string) != json_string_length(text))
        return module_refuse(fault, "\"%s\" has a NUL character in it", arg->name);
    if (arg->type == MODULE_PATH && (*string != '/' || strchr(string, '$'))) {
        return module_refuse(
            fault, "\"%s\" must be a path from / on, without variables of the shell", arg->name);
    }
    if (arg->choices) {
        const char *at = strstr(arg->choices, string);

        if (!*string || !at || (at > arg->choices && at[-1] != ' ') ||
            (at[strlen(string)] && at[strlen(string)] != ' '))
            return module_refuse(fault, "\"%s\" must be one of: %s", arg->name, arg->choices);
    }
    *ret_value = STEAL(text);
    return 0;
}

static int
module_coerce_bool(const struct module_arg *arg, const json_t *value, json_t **ret_value,
                   struct fault *fault)
{
    static const char *const words[] = { "no",  "off", "0", "false", "n", "f",
                                         "yes", "on",  "1", "true",  "y", "t" };

    if (json_is_boolean(value)) {
        *ret_value = json_copy(mem_unconst(value));
        return 0;
    }
    if (json_is_integer(value) && (json_integer_value(value) | 1) == 1) {
        *ret_value = json_boolean(json_integer_value(value) == 1);
        return 0;
    }
    for (size_t i = 0; json_is_string(value) && i < ARRAY_LEN(words); i++) {
        if (strcasecmp(json_string_value(value), words[i]) == 0) {
            *ret_value = json_boolean(i >= ARRAY_LEN(words) / 2);
            return 0;
        }
    }
    return module_refuse(fault, "\"%s\" must be true or false", arg->name);
}

static int
module_coerce_int(const struct module_arg *arg, const json_t *value, json_t **ret_value,
                  struct fault *fault)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    long long number = json_integer_value(value);

    errno = 0;
    if (text)
        number = strtoll(text, &end, 10);
    if ((!text && !json_is_integer(value)) || (text && (end == text || *end || errno)))
        return module_refuse(fault, "\"%s\" must be a whole number", arg->name);
    if (number < 0 || number > INT32_MAX)
        return module_refuse(fault, "\"%s\" must be between 0 and %d", arg->name, INT32_MAX);
    *ret_value = json_integer(number);
    return 0;
}

/* Octal digits become five, so that chmod takes away what is not among them. */
static int
module_coerce_mode(const struct module_arg *arg, const json_t *value, json_t **ret_value,
                   struct fault *fault)
{
    const char *text = json_string_value(value);
    size_t digits = text ? strspn(text, "01234567") : 0;

    if (!text)
        return module_refuse(fault, "\"%s\" must be in quotes, as in \"0644\"", arg->name);
    if (digits >= 3 && digits <= 5 && !text[digits]) {
        *ret_value = json_sprintf("%05lo", strtoul(text, NULL, 8));
        return 0;
    }
    if (digits > 0 || !*text || text[strspn(text, "ugoarwxXst=+-,")] || !strpbrk(text, "=+-")) {
        return module_refuse(fault, "\"%s\" must be a mode, such as \"0644\" or \"u=rw,go=r\"",
                             arg->name);
    }
    *ret_value = json_string(text);
    return 0;
}

static json_t *
module_split(const char *text)
{
    json_t *list = json_array();
    size_t len;

    for (; *text; text += len + (text[len] == ',')) {
        len = strcspn(text, ",");
        (void)json_array_append_new(list, json_stringn(text, len));
    }
    return list;
}

static int
module_coerce_list(const struct module_arg *arg, const json_t *value, json_t **ret_value,
                   struct fault *fault)
{
    CLEANUP(json_freep) json_t *list = NULL;

    if (json_is_string(value)) {
        *ret_value = module_split(json_string_value(value));
        return 0;
    }
    list = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *text = module_text(json_array_get(value, i));

        if (!text || strlen(json_string_value(text)) != json_string_length(text)) {
            json_decref(text);
            return module_refuse(fault, "\"%s\" must be a list of texts", arg->name);
        }
        (void)json_array_append_new(list, text);
    }
    if (!json_is_array(value))
        return module_refuse(fault, "\"%s\" must be a list of texts", arg->name);
    *ret_value = STEAL(list);
    return 0;
}

int
module_arg_coerce(const struct module_arg *arg, const json_t *value, json_t **ret_value,
                  struct fault *fault)
{
    switch (arg->type) {
    case MODULE_BOOL:
        return module_coerce_bool(arg, value, ret_value, fault);
    case MODULE_INT:
        return module_coerce_int(arg, value, ret_value, fault);
    case MODULE_MODE:
        return module_coerce_mode(arg, value, ret_value, fault);
    case MODULE_LIST:
        return module_coerce_list(arg, value, ret_value, fault);
    case MODULE_ANY:
    case MODULE_CONDITIONS:
        *ret_value = json_incref(mem_unconst(value));
        return 0;
    case MODULE_TEXT:
    case MODULE_PATH:
    case MODULE_SOURCE:
        break;
    }
    return module_coerce_text(arg, value, ret_value, fault);
}

static int
module_check_file(const json_t *args, struct fault *fault)
{
    static const char *const not_of_links[] = { "mode", "owner", "group" };
    const char *state = json_in_string(args, "state", "file");
    bool link = strcmp(state, "link") == 0;

    if (link != (json_object_get(args, "src") != NULL) && !jinja_is_template(state))
        return module_refuse(fault, "\"src\" and \"state: link\" go together");
    for (size_t i = 0; link && i < ARRAY_LEN(not_of_links); i++) {
        if (json_object_get(args, not_of_links[i]))
            return module_refuse(fault, "\"%s\" of a link is not supported", not_of_links[i]);
    }
    if (json_object_get(args, "recurse") && strcmp(state, "directory") != 0)
        return module_refuse(fault, "\"recurse\" needs \"state: directory\"");
    return 0;
}

int
module_check(const struct module *module, const json_t *args, struct fault *fault)
{
    bool cmd = json_object_get(args, "cmd") != NULL;

    for (size_t i = 0; i < module->arg_count; i++) {
        if (module->args[i].required && !json_object_get(args, module->args[i].name))
            return module_refuse(fault, "%s needs \"%s\"", module->name, module->args[i].name);
    }
    if (module->kind == MODULE_COMMAND && cmd == (json_object_get(args, "argv") != NULL))
        return module_refuse(fault, "%s needs a command, and only one", module->name);
    if (module_is(module, "copy") &&
        (json_object_get(args, "src") != NULL) == (json_object_get(args, "content") != NULL))
        return module_refuse(fault, "copy needs one of \"src\" and \"content\"");
    if (module_is(module, "systemd") && !json_object_get(args, "name") &&
        !json_is_true(json_object_get(args, "daemon_reload")))
        return module_refuse(fault, "systemd needs \"name\", or \"daemon_reload: true\"");
    return module_is(module, "file") ? module_check_file(args, fault) : 0;
}
