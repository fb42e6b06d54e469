/* What a task makes of its variables, and what is made of its result. */
#include <string.h>

#include "berth/base/secret.h"

#include "run_state.h"

enum { RUN_KEPT_MAX = 32 << 20 }; /* bytes that results may cost in a run */

static int
run_prepare_arg(struct run_state *state, const char *name, const json_t *value, struct fault *why)
{
    const struct module *module = state->step->task->module;
    const char *near = NULL;
    const struct module_arg *arg = module_arg_find(module, name, &near);
    json_t *made = NULL;
    json_t *coerced = NULL;
    int status;

    if (arg->type == MODULE_CONDITIONS)
        return 0;
    if (vars_render(&state->vars, value, &made, why) < 0)
        return -1;
    status = module_arg_coerce(arg, made, &coerced, why);
    json_decref(made);
    if (status == 0)
        (void)json_object_set_new(state->args, name, coerced);
    return status;
}

static int
run_prepare_environment(struct run_state *state, const json_t *environment, struct fault *why)
{
    const char *name;
    json_t *value;

    json_object_foreach(mem_unconst(environment), name, value)
    {
        struct module_arg arg = { .name = name, .type = MODULE_TEXT };
        CLEANUP(json_freep) json_t *made = NULL;
        json_t *text = NULL;

        if (vars_render(&state->vars, value, &made, why) < 0 ||
            module_arg_coerce(&arg, made, &text, why) < 0)
            return -1;
        (void)json_object_set_new(state->environment, name, text);
    }
    return 0;
}

int
run_prepare_item(struct run_state *state, struct fault *why)
{
    const struct playbook_task *task = state->step->task;
    const char *name;
    json_t *value;

    json_decref(state->args);
    json_decref(state->environment);
    state->args = json_object();
    state->environment = json_object();
    if (run_prepare_environment(state, state->step->play->environment, why) < 0 ||
        run_prepare_environment(state, task->environment, why) < 0)
        return -1;
    json_object_foreach(task->args, name, value)
    {
        if (run_prepare_arg(state, name, value, why) < 0)
            return -1;
    }
    return 0;
}

int
run_content(struct run_state *state, struct buf *ret_content, struct fault *why)
{
    const struct playbook_task *task = state->step->task;
    json_t *text = NULL;

    if (task->template) {
        if (jinja_text(task->template, &state->vars.scope, &text, why) < 0)
            return -1;
        buf_append(ret_content, json_string_value(text), json_string_length(text));
        json_decref(text);
    } else if (task->file) {
        buf_append(ret_content, buf_text(&task->file->data), task->file->data.len);
    } else {
        buf_append_string(ret_content, json_in_string(state->args, "content", ""));
    }
    return 0;
}

/* Ansible's: texts that mean a boolean become one. */
static json_t *
run_fact(json_t *value)
{
    static const char *const words[] = { "false", "no", "true", "yes" };

    for (size_t i = 0; json_is_string(value) && i < ARRAY_LEN(words); i++) {
        if (strcasecmp(json_string_value(value), words[i]) == 0)
            return json_boolean(i >= 2);
    }
    return json_incref(value);
}

static void
run_set_facts(struct run_state *state)
{
    const char *name;
    json_t *value;

    json_object_foreach(state->args, name, value)(void)
        json_object_set_new(state->vars.results, name, run_fact(value));
}

/* A message as debug and fail write it. */
static char *
run_message(const json_t *args)
{
    const json_t *msg = json_object_get(args, "msg");

    if (!msg)
        return NULL;
    return json_is_string(msg) ? mem_strdup(json_string_value(msg))
                               : json_dumps(msg, JSON_ENCODE_ANY | JSON_INDENT(1));
}

static json_t *
run_local_assert(struct run_state *state)
{
    bool is_true = false;
    struct fault why;

    if (vars_test(&state->vars, &state->step->task->that, &is_true, &why) < 0)
        return result_failed(why.text);
    if (is_true)
        return result_fine();
    return result_failed(json_in_string(state->args, "fail_msg", "Assertion failed"));
}

json_t *
run_local(struct run_state *state)
{
    const struct module *module = state->step->task->module;
    CLEANUP(mem_freep) char *message = run_message(state->args);

    if (module_is(module, "assert"))
        return run_local_assert(state);
    if (module_is(module, "fail"))
        return result_failed(message ? message : "Failed as requested from task");
    if (module_is(module, "set_fact")) {
        run_set_facts(state);
    } else {
        run_emit(state, false, message ? message : "Hello world!",
                 strlen(message ? message : "Hello world!"), false);
    }
    if (!module_is(module, "set_fact"))
        run_emit(state, false, "\n", 1, true);
    return result_fine();
}

/* One of changed_when and failed_when. */
static void
run_judge_condition(struct run_state *state, const struct playbook_conditions *conditions,
                    const char *key)
{
    struct fault why;
    bool is_true = false;

    if (!conditions->given || result_is(state->result, "skipped"))
        return;
    if (vars_test(&state->vars, conditions, &is_true, &why) < 0) {
        (void)json_object_set_new(state->result, "failed", json_true());
        (void)json_object_set_new(state->result, "msg", json_string(why.text));
        return;
    }
    (void)json_object_set_new(state->result, key, json_boolean(is_true));
}

void
run_judge_result(struct run_state *state, bool *ret_again)
{
    const struct playbook_task *task = state->step->task;
    int64_t attempts = task->retries < 0 ? 3 : task->retries == 0 ? 1 : task->retries + 1;
    bool is_true = true;
    struct fault why;

    *ret_again = false;
    if (task->until.given)
        (void)json_object_set_new(state->result, "attempts", json_integer(state->attempt));
    if (task->registered)
        (void)json_object_set(state->vars.results, task->registered, state->result);
    run_judge_condition(state, &task->changed_when, "changed");
    run_judge_condition(state, &task->failed_when, "failed");
    if (task->failed_when.given && result_is(state->result, "failed"))
        (void)json_object_set_new(state->result, "failed_when_result", json_true());
    if (!task->until.given || attempts == 1)
        return;
    if (vars_test(&state->vars, &task->until, &is_true, &why) < 0) {
        (void)json_object_set_new(state->result, "msg", json_string(why.text));
        (void)json_object_set_new(state->result, "failed", json_true());
    } else if (!is_true && state->attempt < attempts) {
        *ret_again = true;
    } else if (!is_true) {
        (void)json_object_set_new(state->result, "failed", json_true());
        (void)json_object_set_new(state->result, "attempts", json_integer(attempts - 1));
    }
}

void
run_keep_result(struct run_state *state)
{
    const struct playbook_task *task = state->step->task;

    if (!task->registered && !state->items)
        return;
    state->kept += result_cost(state->result);
    if (state->kept <= RUN_KEPT_MAX)
        return;
    json_decref(state->result);
    state->result = result_failed("the results that are kept have become too large");
    if (task->registered)
        (void)json_object_set(state->vars.results, task->registered, state->result);
}

void
run_emit(struct run_state *state, bool is_stderr, const char *data, size_t len, bool last)
{
    struct run *run = state->run;
    struct buf out;

    if (!run->on_output || !state->step->task || state->step->task->no_log)
        return;
    buf_init(&out, 0);
    redact_feed(&state->streams[is_stderr], data, len, last, &out);
    if (out.len > 0)
        run->on_output(run, out.data, out.len);
    buf_fini(&out);
}

/* @buf without secrets. */
static void
run_blank(const struct run_state *state, struct buf *buf)
{
    struct redact redact;
    struct buf out;

    redact_init(&redact, &state->words);
    buf_init(&out, 0);
    redact_feed(&redact, buf_text(buf), buf->len, true, &out);
    redact_fini(&redact);
    buf_fini(buf);
    *buf = out;
}

void
run_name(struct run_state *state)
{
    CLEANUP(json_freep) json_t *written = NULL;
    CLEANUP(json_freep) json_t *made = NULL;
    const char *name = playbook_step_name(state->run->playbook, state->next - 1);
    struct fault why;
    struct buf buf;

    written = json_string(name);
    if (vars_render(&state->vars, written, &made, &why) == 0 && json_is_string(made))
        name = json_string_value(made);
    buf_init(&buf, 0);
    buf_append_string(&buf, name);
    run_blank(state, &buf);
    mem_free(state->name);
    state->name = buf_take(&buf);
    state->run->step_name = state->name;
}

void
run_say_failed(struct run_state *state, struct fault *fault)
{
    struct buf why;

    buf_init_secret(&why, 0);
    result_why(state->result, &why);
    if (!json_object_get(state->result, "rc")) {
        run_emit(state, true, why.data, why.len, false);
        run_emit(state, true, "\n", 1, true);
    }
    run_blank(state, &why);
    if (state->step->task && state->step->task->no_log) {
        (void)fault_set(fault, FAULT_PREPARE, "run", "step \"%s\" failed (no_log hides why)",
                        state->name);
    } else {
        (void)fault_set(fault, FAULT_PREPARE, "run", "step \"%s\": %s", state->name,
                        buf_text(&why));
    }
    buf_fini(&why);
}
