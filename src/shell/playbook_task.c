/* One task: its keywords, its module and that one's arguments. */
#include <assert.h>
#include <string.h>

#include "berth/base/suggest.h"

#include "playbook_data.h"

typedef int playbook_read_fn(struct playbook_reader *reader, struct playbook_at at);

static playbook_read_fn playbook_task_name;
static playbook_read_fn playbook_task_when;
static playbook_read_fn playbook_task_changed_when;
static playbook_read_fn playbook_task_failed_when;
static playbook_read_fn playbook_task_until;
static playbook_read_fn playbook_task_register;
static playbook_read_fn playbook_task_environment;
static playbook_read_fn playbook_task_vars;
static playbook_read_fn playbook_task_loop;
static playbook_read_fn playbook_task_notify;
static playbook_read_fn playbook_task_listen;
static playbook_read_fn playbook_task_tags;
static playbook_read_fn playbook_task_become;
static playbook_read_fn playbook_task_become_user;
static playbook_read_fn playbook_task_timeout;
static playbook_read_fn playbook_task_delay;
static playbook_read_fn playbook_task_retries;
static playbook_read_fn playbook_task_ignore_errors;
static playbook_read_fn playbook_task_no_log;

static const struct {
    const char *name;
    playbook_read_fn *read; /* NULL: with the module's arguments */
} playbook_keywords[] = {
    { "args", NULL },
    { "become", playbook_task_become },
    { "become_user", playbook_task_become_user },
    { "changed_when", playbook_task_changed_when },
    { "delay", playbook_task_delay },
    { "environment", playbook_task_environment },
    { "failed_when", playbook_task_failed_when },
    { "ignore_errors", playbook_task_ignore_errors },
    { "listen", playbook_task_listen },
    { "loop", playbook_task_loop },
    { "name", playbook_task_name },
    { "no_log", playbook_task_no_log },
    { "notify", playbook_task_notify },
    { "register", playbook_task_register },
    { "retries", playbook_task_retries },
    { "tags", playbook_task_tags },
    { "timeout", playbook_task_timeout },
    { "until", playbook_task_until },
    { "vars", playbook_task_vars },
    { "when", playbook_task_when },
};

/* In the order in which they run. */
static int playbook_read_keyword(struct playbook_reader *reader, struct playbook_at at,
                                 const char *key);
static int playbook_read_args(struct playbook_reader *reader, struct playbook_at at,
                              const char *module_key);
static int playbook_add_args(struct playbook_reader *reader, struct playbook_at at);
static int playbook_check_arg(struct playbook_reader *reader, struct playbook_at at,
                              const struct module_arg *arg);
static int playbook_check_task(struct playbook_reader *reader, struct playbook_at at);

const char *
playbook_keyword(size_t index)
{
    return index < ARRAY_LEN(playbook_keywords) ? playbook_keywords[index].name : NULL;
}

void
playbook_task_fini(struct playbook_task *task)
{
    playbook_conditions_fini(&task->when);
    playbook_conditions_fini(&task->changed_when);
    playbook_conditions_fini(&task->failed_when);
    playbook_conditions_fini(&task->until);
    playbook_conditions_fini(&task->that);
    jinja_free(task->template);
    json_decref(task->args);
    json_decref(task->notify);
    json_decref(task->listen);
    json_decref(task->tags);
}

int
playbook_read_task(struct playbook_reader *reader, struct playbook_at at)
{
    const char *module_key = NULL;
    const char *key;
    json_t *value;

    *reader->task = (struct playbook_task){
        .become = -1, .retries = -1, .delay_ms = 5000, .args = json_object(), .tags = json_array()
    };
    if (!json_is_object(at.json))
        return playbook_refuse(reader, at.mark, "a task must be a mapping");
    json_object_foreach(mem_unconst(at.json), key, value)
    {
        const char *near = NULL;
        const struct module *module = module_find(key, &near);

        if (module && module_key) {
            return playbook_refuse(reader, yaml_mark_key(at.mark, key),
                                   "a task has one module: %s and %s cannot be together",
                                   reader->task->module->name, module->name);
        }
        if (module) {
            module_key = key;
            reader->task->module = module;
        } else if (playbook_read_keyword(reader, at, key) < 0) {
            return -1;
        }
    }
    if (!module_key)
        return playbook_refuse(reader, at.mark, "the task names no module");
    if (!reader->task->name)
        reader->task->name = reader->task->module->name;
    if (playbook_read_args(reader, at, module_key) < 0)
        return -1;
    return playbook_check_task(reader, at);
}

/* A word that is neither a keyword nor a module; perhaps nearly one. */
static int
playbook_refuse_word(const struct playbook_reader *reader, const json_t *mark, const char *word)
{
    const char *near = NULL;
    struct suggest suggest;

    if (strncmp(word, "with_", 5) == 0)
        return playbook_refuse(reader, mark, "\"%.40s\" is not supported; use loop", word);
    suggest_init(&suggest, word);
    for (size_t i = 0; i < ARRAY_LEN(playbook_keywords); i++)
        suggest_offer(&suggest, playbook_keywords[i].name);
    (void)module_find(word, &near);
    if (!near)
        near = suggest.best;
    return playbook_refuse(reader, mark, "\"%.60s\" is not supported%s%s%s", word,
                           near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int
playbook_read_keyword(struct playbook_reader *reader, struct playbook_at at, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(playbook_keywords); i++) {
        if (strcmp(playbook_keywords[i].name, key) != 0)
            continue;
        if (!playbook_keywords[i].read)
            return 0;
        return playbook_keywords[i].read(reader, playbook_member(at, key));
    }
    return playbook_refuse_word(reader, yaml_mark_key(at.mark, key), key);
}

/* Ansible replaces variables of the environment in a command's words. */
static int
playbook_check_words(const struct playbook_reader *reader, struct playbook_at at)
{
    const char *text = json_string_value(at.json);

    if (text && strchr(text, '$')) {
        return playbook_refuse(reader, at.mark,
                               "command has no variables of the shell ($); use shell");
    }
    for (size_t i = 0; i < json_array_size(at.json); i++) {
        struct playbook_at item = playbook_item(at, i);

        if (json_is_string(item.json) && strchr(json_string_value(item.json), '$')) {
            return playbook_refuse(reader, item.mark,
                                   "command has no variables of the shell ($); use shell");
        }
    }
    return 0;
}

/* NAME=VALUE among the words of a command, which Ansible takes out as arguments; and so on. */
static int
playbook_check_free_form(const struct playbook_reader *reader, struct playbook_at at)
{
    static const char *const words[] = { "creates=", "removes=", "chdir=", "executable=",
                                         "stdin=" };
    const char *text = json_string_value(at.json);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        for (const char *found = strstr(text, words[i]); found;
             found = strstr(found + 1, words[i])) {
            if (found == text || strchr(" \t\n", found[-1]))
                return playbook_refuse(reader, at.mark, "\"%s\" belongs below args:", words[i]);
        }
    }
    return 0;
}

static int
playbook_read_args(struct playbook_reader *reader, struct playbook_at at, const char *module_key)
{
    const struct module *module = reader->task->module;
    struct playbook_at given = playbook_member(at, module_key);
    struct playbook_at more = playbook_member(at, "args");

    if (json_is_string(given.json)) {
        if (!module->free_form) {
            return playbook_refuse(reader, given.mark,
                                   "the arguments of %s must be a mapping (NAME: VALUE)",
                                   module->name);
        }
        if (module->kind == MODULE_COMMAND && playbook_check_free_form(reader, given) < 0)
            return -1;
        if (playbook_check_arg(reader, given, module_arg_find(module, module->free_form, NULL)) < 0)
            return -1;
        (void)json_object_set(reader->task->args, module->free_form, mem_unconst(given.json));
    } else if (json_is_object(given.json)) {
        if (playbook_add_args(reader, given) < 0)
            return -1;
    } else if (!json_is_null(given.json) || module->arg_count == 0) {
        return playbook_refuse(reader, given.mark, "the arguments of %s must be a mapping",
                               module->name);
    }
    if (!more.json)
        return 0;
    if (!json_is_object(more.json))
        return playbook_refuse(reader, more.mark, "args must be a mapping");
    return playbook_add_args(reader, more);
}

static int
playbook_add_args(struct playbook_reader *reader, struct playbook_at at)
{
    const struct module *module = reader->task->module;
    const char *key;
    json_t *value;

    json_object_foreach(mem_unconst(at.json), key, value)
    {
        const char *near = NULL;
        const struct module_arg *arg = module_arg_find(module, key, &near);
        struct playbook_at member = playbook_member(at, key);

        if (!arg) {
            return playbook_refuse(
                reader, yaml_mark_key(at.mark, key), "\"%.60s\" is not supported in %s%s%s%s", key,
                module->name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
        if (module->any_args && playbook_check_name(reader, yaml_mark_key(at.mark, key), key) < 0)
            return -1;
        if (json_is_null(value) && !module->any_args)
            return playbook_refuse(reader, member.mark, "\"%s\" has no value", key);
        if (playbook_check_arg(reader, member, arg) < 0)
            return -1;
        (void)json_object_set(reader->task->args, key, value);
    }
    return 0;
}

/* A file that Ansible would look at as data, because it begins like a list or a mapping. */
static bool
playbook_is_reread(const struct module_arg *arg, const char *text)
{
    return strcmp(arg->name, "content") == 0 && (*text == '[' || *text == '{') &&
           strncmp(text, "{{", 2) != 0;
}

static int
playbook_check_arg(struct playbook_reader *reader, struct playbook_at at,
                   const struct module_arg *arg)
{
    const char *text = json_string_value(at.json);
    bool is_template = text && jinja_is_template(text);
    CLEANUP(json_freep) json_t *value = NULL;
    struct fault why;

    if (arg->type == MODULE_CONDITIONS)
        return playbook_read_conditions(reader, at, &reader->task->that);
    if (module_is(reader->task->module, "command") && arg->type != MODULE_PATH &&
        strcmp(arg->name, "stdin") != 0 && playbook_check_words(reader, at) < 0)
        return -1;
    if (arg->type == MODULE_SOURCE && is_template)
        return playbook_refuse(reader, at.mark, "{{ }} is not supported in \"%s\"", arg->name);
    if (playbook_check_templates(reader, at) < 0)
        return -1;
    if (is_template && playbook_is_reread(arg, text)) {
        return playbook_refuse(reader, at.mark,
                               "Ansible reads a content that begins with %c and has {{ }} as data; "
                               "use template",
                               *text);
    }
    if (!is_template && module_arg_coerce(arg, at.json, &value, &why) < 0)
        return playbook_pass_on(reader, at.mark, &why);
    if (arg->type != MODULE_SOURCE)
        return 0;
    return playbook_read_file(reader, at,
                              module_is(reader->task->module, "template") ? "templates" : "files",
                              &reader->task->file);
}

static int
playbook_check_template_file(struct playbook_reader *reader, struct playbook_at at)
{
    const struct playbook_file *file = reader->task->file;
    const char *slash = strrchr(file->path, '/');
    struct fault why;
    unsigned line;

    if (strlen(buf_text(&file->data)) != file->data.len)
        return playbook_refuse(reader, at.mark, "the template has a NUL character in it");
    if (jinja_parse_template(buf_text(&file->data), &reader->task->template, &line, &why) < 0) {
        return fault_set(reader->fault, FAULT_INVALID, "playbook", "%s:%u: %s",
                         slash ? slash + 1 : file->path, line, why.text);
    }
    return 0;
}

/* What goes together. */
static int
playbook_check_task(struct playbook_reader *reader, struct playbook_at at)
{
    struct playbook_task *task = reader->task;
    struct fault why;

    if (module_check(task->module, task->args, &why) < 0)
        return playbook_pass_on(reader, at.mark, &why);
    if (task->retries >= 0 && !task->until.given)
        return playbook_refuse(reader, yaml_mark_key(at.mark, "retries"), "retries needs until");
    if (task->listen && !reader->in_handler) {
        return playbook_refuse(reader, yaml_mark_key(at.mark, "listen"),
                               "only a handler can listen");
    }
    if (module_is(task->module, "meta") && (reader->in_handler || task->when.given || task->loop))
        return playbook_refuse(reader, at.mark, "meta stands among tasks, without when or loop");
    if (module_is(task->module, "template"))
        return playbook_check_template_file(reader, at);
    return 0;
}

static int
playbook_task_name(struct playbook_reader *reader, struct playbook_at at)
{
    if (playbook_read_text(reader, at, &reader->task->name) < 0)
        return -1;
    return playbook_check_templates(reader, at);
}

static int
playbook_task_when(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_conditions(reader, at, &reader->task->when);
}

static int
playbook_task_changed_when(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_conditions(reader, at, &reader->task->changed_when);
}

static int
playbook_task_failed_when(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_conditions(reader, at, &reader->task->failed_when);
}

static int
playbook_task_until(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_conditions(reader, at, &reader->task->until);
}

static int
playbook_task_register(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_name(reader, at, &reader->task->registered);
}

static int
playbook_task_environment(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_mapping(reader, at, true, &reader->task->environment);
}

static int
playbook_task_vars(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_mapping(reader, at, false, &reader->task->vars);
}

static int
playbook_task_loop(struct playbook_reader *reader, struct playbook_at at)
{
    if (!json_is_array(at.json) && !json_is_string(at.json))
        return playbook_refuse(reader, at.mark, "loop must be a list");
    if (json_is_string(at.json) && !jinja_is_template(json_string_value(at.json)))
        return playbook_refuse(reader, at.mark, "loop must be a list, or a {{ }} that makes one");
    reader->task->loop = at.json;
    return playbook_check_templates(reader, at);
}

static int
playbook_task_notify(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_texts(reader, at, &reader->task->notify);
}

static int
playbook_task_listen(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_texts(reader, at, &reader->task->listen);
}

static int
playbook_task_tags(struct playbook_reader *reader, struct playbook_at at)
{
    json_decref(reader->task->tags);
    reader->task->tags = NULL;
    return playbook_read_texts(reader, at, &reader->task->tags);
}

static int
playbook_task_become(struct playbook_reader *reader, struct playbook_at at)
{
    bool become;

    if (playbook_read_bool(reader, at, &become) < 0)
        return -1;
    reader->task->become = become;
    return 0;
}

static int
playbook_task_become_user(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_text(reader, at, &reader->task->become_user);
}

static int
playbook_read_seconds(struct playbook_reader *reader, struct playbook_at at, int64_t *ret_ms)
{
    if (playbook_read_number(reader, at, ret_ms) < 0)
        return -1;
    if (*ret_ms > 86400)
        return playbook_refuse(reader, at.mark, "this must be a day (86400) at the most");
    *ret_ms *= 1000;
    return 0;
}

static int
playbook_task_timeout(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_seconds(reader, at, &reader->task->timeout_ms);
}

static int
playbook_task_delay(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_seconds(reader, at, &reader->task->delay_ms);
}

static int
playbook_task_retries(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_number(reader, at, &reader->task->retries);
}

static int
playbook_task_ignore_errors(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_bool(reader, at, &reader->task->ignore_errors);
}

static int
playbook_task_no_log(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_bool(reader, at, &reader->task->no_log);
}
