/* What a task does on the machine, as a script.  All that comes from a playbook goes into it quoted. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "berth/base/secret.h"

#include "module.h"

enum { MODULE_SCRIPT_MAX = 4 << 20 };

static int module_plan_command(const json_t *args, struct module_plan *plan, struct fault *fault);
static void module_plan_stdin(const json_t *args, struct module_plan *plan);
static void module_plan_script(const struct module *module, const json_t *args,
                               const struct buf *content, struct module_plan *plan);

void
module_plan_init(struct module_plan *plan)
{
    buf_init_secret(&plan->script, MODULE_SCRIPT_MAX);
    buf_init_secret(&plan->input, MODULE_SCRIPT_MAX);
}

void
module_plan_clear(struct module_plan *plan)
{
    buf_clear(&plan->script);
    buf_clear(&plan->input);
}

void
module_plan_fini(struct module_plan *plan)
{
    buf_fini(&plan->script);
    buf_fini(&plan->input);
}

const char *
module_script_find(const char *name)
{
    for (size_t i = 0; i < module_script_count; i++) {
        if (strcmp(module_scripts[i].name, name) == 0)
            return module_scripts[i].text;
    }
    abort(); /* they are built in */
}

void
module_quote(struct buf *buf, const char *text)
{
    buf_append_char(buf, '\'');
    for (; *text; text++) {
        if (*text == '\'') {
            buf_append_string(buf, "'\\''");
        } else {
            buf_append_char(buf, *text);
        }
    }
    buf_append_char(buf, '\'');
}

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): as in NAME=VALUE */
module_assign(struct buf *buf, const char *name, const char *value)
{
    buf_printf(buf, "%s=", name);
    module_quote(buf, value);
    buf_append_char(buf, '\n');
}

static void
module_export(const json_t *environment, struct buf *script)
{
    const char *name;
    json_t *value;

    json_object_foreach(mem_unconst(environment), name, value)
    {
        buf_append_string(script, "export ");
        module_assign(script, name, json_string_value(value));
    }
}

bool
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): as in module_plan() */
module_guard(const json_t *args, const json_t *environment, struct buf *script)
{
    const char *creates = json_in_string(args, "creates", NULL);
    const char *removes = json_in_string(args, "removes", NULL);

    if (!creates && !removes)
        return false;
    module_export(environment, script);
    if (creates)
        module_assign(script, "creates", creates);
    if (removes)
        module_assign(script, "removes", removes);
    buf_append_string(script, module_script_find("guard"));
    return true;
}

int
module_plan(const struct module *module, const json_t *args, const struct buf *content,
            const json_t *environment, struct module_plan *plan, struct fault *fault)
{
    module_export(environment, &plan->script);
    if (module->kind == MODULE_SCRIPT) {
        module_plan_script(module, args, content, plan);
    } else if (module_is(module, "raw") && !json_object_get(args, "executable")) {
        buf_append_string(&plan->script, json_in_string(args, "cmd", ""));
    } else {
        const char *chdir = json_in_string(args, "chdir", NULL);

        if (chdir) {
            buf_append_string(&plan->script, "cd -- ");
            module_quote(&plan->script, chdir);
            buf_append_string(&plan->script, " || exit 1\n");
        }
        if (!module_is(module, "command")) {
            buf_append_string(&plan->script, "exec ");
            module_quote(&plan->script, json_in_string(args, "executable", "/bin/sh"));
            buf_append_string(&plan->script, " -c ");
            module_quote(&plan->script, json_in_string(args, "cmd", ""));
            buf_append_char(&plan->script, '\n');
        } else if (module_plan_command(args, plan, fault) < 0) {
            return -1;
        }
        module_plan_stdin(args, plan);
    }
    if (plan->script.overflow || plan->input.overflow) {
        return fault_set(fault, FAULT_INVALID, "module", "the task is larger than %d bytes",
                         MODULE_SCRIPT_MAX);
    }
    return 0;
}

/* A backslash and what stands behind it. Return: false: nothing does. */
static bool
module_escape(const char **at, char quote, struct buf *word)
{
    if (!(*at)[1])
        return false;
    if (quote && (*at)[1] != '"' && (*at)[1] != '\\')
        buf_append_char(word, '\\');
    (*at)++;
    buf_append_char(word, **at);
    return true;
}

/* One word, as Python's shlex.split() reads it. Return: false: a quote does not end. */
static bool
module_word(const char **at, struct buf *word)
{
    char quote = '\0';

    for (; **at && (quote || !strchr(" \t\r\n", **at)); (*at)++) {
        bool opens = !quote && (**at == '"' || **at == '\'');

        if (**at == '\\' && quote != '\'') {
            if (!module_escape(at, quote, word))
                return false;
        } else if (opens || **at == quote) {
            quote = **at;
            if (!opens)
                quote = '\0';
        } else {
            buf_append_char(word, **at);
        }
    }
    return quote == '\0';
}

/* The words of a command's text, each quoted for the shell. Return: how many; -1: a quote does not end. */
static int
module_words(const char *text, struct buf *script)
{
    int count = 0;

    for (;;) {
        struct buf word;
        bool good;

        text += strspn(text, " \t\r\n");
        if (!*text)
            return count;
        buf_init_secret(&word, MODULE_SCRIPT_MAX);
        good = module_word(&text, &word);
        buf_append_char(script, ' ');
        module_quote(script, buf_text(&word));
        buf_fini(&word);
        if (!good)
            return -1;
        count++;
    }
}

/* exec with the words of cmd or argv. */
static int
module_plan_command(const json_t *args, struct module_plan *plan, struct fault *fault)
{
    const json_t *argv = json_object_get(args, "argv");
    int count = (int)json_array_size(argv);

    buf_append_string(&plan->script, "exec");
    for (size_t i = 0; i < json_array_size(argv); i++) {
        buf_append_char(&plan->script, ' ');
        module_quote(&plan->script, json_string_value(json_array_get(argv, i)));
    }
    if (!argv)
        count = module_words(json_in_string(args, "cmd", ""), &plan->script);
    buf_append_char(&plan->script, '\n');
    if (count < 0)
        return fault_set(fault, FAULT_INVALID, "module", "a quote of the command does not end");
    if (count == 0)
        return fault_set(fault, FAULT_INVALID, "module", "the command is empty");
    return 0;
}

static void
module_plan_stdin(const json_t *args, struct module_plan *plan)
{
    const char *text = json_in_string(args, "stdin", NULL);

    if (!text)
        return;
    buf_append_string(&plan->input, text);
    if (json_in_bool(args, "stdin_add_newline", true))
        buf_append_char(&plan->input, '\n');
}

/* What the file shall hold, and what it is called in a folder. */
static void
module_plan_content(const json_t *args, const struct buf *content, struct module_plan *plan)
{
    const char *src = json_in_string(args, "src", NULL);
    const char *slash = src ? strrchr(src, '/') : NULL;
    uint8_t digest[TEXT_SHA256_SIZE];
    char hex[2 * TEXT_SHA256_SIZE + 1];

    text_sha256(buf_text(content), content->len, digest);
    text_hex(digest, sizeof(digest), hex);
    module_assign(&plan->script, "content_sha256", hex);
    if (src)
        module_assign(&plan->script, "source_name", slash ? slash + 1 : src);
    buf_append(&plan->input, content->data, content->len);
}

static void
module_plan_script(const struct module *module, const json_t *args, const struct buf *content,
                   struct module_plan *plan)
{
    for (size_t i = 0; i < module->arg_count; i++) {
        const struct module_arg *arg = &module->args[i];
        const json_t *value = json_object_get(args, arg->name);

        if (json_is_boolean(value)) {
            module_assign(&plan->script, arg->name, json_is_true(value) ? "yes" : "no");
        } else if (json_is_string(value) && strcmp(arg->name, "content") != 0) {
            module_assign(&plan->script, arg->name, json_string_value(value));
        } else if (json_is_integer(value)) {
            buf_printf(&plan->script, "%s=%" JSON_INTEGER_FORMAT "\n", arg->name,
                       json_integer_value(value));
        }
        if (!json_is_array(value))
            continue;
        buf_append_string(&plan->script, "set --");
        for (size_t k = 0; k < json_array_size(value); k++) {
            buf_append_char(&plan->script, ' ');
            module_quote(&plan->script, json_string_value(json_array_get(value, k)));
        }
        buf_append_char(&plan->script, '\n');
    }
    if (content)
        module_plan_content(args, content, plan);
    buf_append_string(&plan->script, module_script_find("common"));
    buf_append_string(&plan->script,
                      module_script_find(module_is(module, "template") ? "copy" : module->name));
}
