#include "run.h"

#include <assert.h>
#include <string.h>

#include "berth/base/secret.h"

#include "run_state.h"

/* Bytes of each stream: of a command, and of the script that gathers facts. */
enum { RUN_OUTPUT_MAX = 1 << 20, RUN_FACTS_MAX = 16 << 10 };

/* In the order in which they run. */
static void run_on_timer(struct clock_timer *timer);
static void run_on_deadline(struct clock_timer *timer);
static void run_pump(struct run_state *state);
static void run_next(struct run_state *state);
static void run_step(struct run_state *state);
static void run_item(struct run_state *state);
static void run_attempt(struct run_state *state);
static void run_act(struct run_state *state);
static void run_command(struct run_state *state, enum run_phase phase);
static void run_on_output(struct remote_command *command, bool is_stderr, const char *data,
                          size_t len);
static void run_on_done(struct remote_command *command, const struct fault *fault);
static void run_on_guard(struct run_state *state);
static void run_on_command(struct run_state *state);
static void run_on_facts(struct run_state *state);
static void run_judge(struct run_state *state);
static void run_step_end(struct run_state *state);
static void run_end(struct run_state *state);

static void
run_timer_set(struct run_state *state, struct clock_timer *timer, int64_t in_ms)
{
    const struct clock_port *clock = state->run->clock;

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + in_ms);
}

void
run_start(struct run *run)
{
    struct run_state *state = mem_new0(sizeof(*state));
    size_t steps = run->playbook->step_count;

    run->state = state;
    run->step_count = (uint32_t)steps;
    run->step_name = "";
    if (run->from_step > steps)
        run->from_step = (uint32_t)steps;
    state->run = run;
    state->timer.fire = run_on_timer;
    state->deadline.fire = run_on_deadline;
    redact_words_init(&state->words, run->secrets, run->secret_count);
    redact_init(&state->streams[0], &state->words);
    redact_init(&state->streams[1], &state->words);
    module_plan_init(&state->plan);
    vars_init(&state->vars, run->vars, run->host);
    state->repeats = mem_new0(steps + 1);
    run_plan_repeats(state);
    run_timer_set(state, &state->timer, 0);
    if (run->timeout_ms > 0)
        run_timer_set(state, &state->deadline, run->timeout_ms);
}

/* Ends the run as soon as nothing is under way. */
static void
run_stop(struct run_state *state, const struct fault *fault)
{
    if (state->ends)
        return;
    state->ends = true;
    state->end = *fault;
    if (state->in_command) {
        state->run->remote->cancel(state->run->remote->self, &state->command);
    } else if (!state->pumping) {
        run_timer_set(state, &state->timer, 0);
    }
}

void
run_cancel(struct run *run)
{
    struct fault fault;

    (void)fault_set(&fault, FAULT_CANCELLED, "run", "the run was cancelled");
    run_stop(run->state, &fault);
}

static void
run_on_deadline(struct clock_timer *timer)
{
    struct run_state *state = CONTAINER_OF(timer, struct run_state, deadline);
    struct fault fault;

    (void)fault_set(&fault, FAULT_TIMEOUT, "run", "the playbook took longer than %lld s",
                    (long long)(state->run->timeout_ms / 1000));
    run_stop(state, &fault);
}

static void
run_on_timer(struct clock_timer *timer)
{
    run_pump(CONTAINER_OF(timer, struct run_state, timer));
}

static void
run_pump(struct run_state *state)
{
    static void (*const phases[])(struct run_state *) = {
        [RUN_NEXT] = run_next,         [RUN_STEP] = run_step, [RUN_ITEM] = run_item,
        [RUN_ATTEMPT] = run_attempt,   [RUN_ACT] = run_act,   [RUN_JUDGE] = run_judge,
        [RUN_STEP_END] = run_step_end,
    };
    const struct clock_port *clock = state->run->clock;

    state->pumping = true;
    while (state->phase != RUN_END && !state->ends && !state->in_command &&
           state->timer.at_mono_ms == 0)
        phases[state->phase](state);
    state->pumping = false;
    if (state->in_command)
        return;
    if (state->ends) {
        clock->timer_clear(clock->self, &state->timer);
    } else if (state->timer.at_mono_ms != 0) {
        return;
    }
    run_end(state);
}

static bool
run_is_due(const struct run_state *state, const struct playbook_step *step)
{
    size_t index = (size_t)(step - state->run->playbook->steps);

    assert(step);
    if (index < state->run->from_step)
        return state->repeats[index];
    if (step->is_handler)
        return state->notified[step->task - step->play->handlers];
    return playbook_step_is_selected(step, state->run->tag);
}

static void
run_next(struct run_state *state)
{
    const struct playbook *playbook = state->run->playbook;

    while (state->next < playbook->step_count) {
        const struct playbook_step *step = &playbook->steps[state->next++];

        if (!state->step || state->step->play != step->play)
            run_enter_play(state, step);
        state->step = step;
        if (run_is_due(state, step)) {
            state->phase = RUN_STEP;
            return;
        }
    }
    state->phase = RUN_END;
}

/* A step that failed before it did anything. */
static void
run_fail_step(struct run_state *state, const struct fault *why)
{
    json_decref(state->result);
    state->result = result_failed(why->text);
    state->phase = RUN_STEP_END;
}

static void
run_step(struct run_state *state)
{
    const struct playbook_task *task = state->step->task;
    struct run *run = state->run;
    struct fault why;

    state->vars.task = task;
    state->vars.play = state->step->play;
    state->item = 0;
    state->phase = RUN_ITEM;
    run->step = state->next - 1;
    run->ignored = false;
    run_name(state);
    if (state->step->is_handler)
        state->notified[task - state->step->play->handlers] = false;
    if (run->on_step)
        run->on_step(run);
    if (!task || !task->loop || state->ends)
        return;
    if (vars_render(&state->vars, task->loop, &state->items, &why) < 0) {
        run_fail_step(state, &why);
    } else if (!json_is_array(state->items)) {
        (void)fault_set(&why, FAULT_INVALID, "run", "what loop names is no list");
        run_fail_step(state, &why);
    } else {
        state->item_results = json_array();
    }
}

static void
run_item(struct run_state *state)
{
    const struct playbook_task *task = state->step->task;
    bool is_true = true;
    struct fault why;

    if (state->items && state->item == json_array_size(state->items)) {
        state->phase = RUN_STEP_END;
        return;
    }
    state->attempt = 1;
    state->phase = RUN_JUDGE;
    if (!task) {
        module_plan_clear(&state->plan);
        buf_append_string(&state->plan.script, module_script_find("facts"));
        run_command(state, RUN_FACTS);
        return;
    }
    if (state->items) {
        (void)json_object_set(state->vars.locals, "item",
                              json_array_get(state->items, state->item));
    }
    if (vars_test(&state->vars, &task->when, &is_true, &why) < 0) {
        state->result = result_failed(why.text);
    } else if (!is_true) {
        state->result = result_skipped();
    } else {
        state->phase = RUN_ATTEMPT;
    }
}

static void
run_attempt(struct run_state *state)
{
    const struct module *module = state->step->task->module;
    struct fault why;

    state->phase = RUN_JUDGE;
    module_plan_clear(&state->plan);
    if (run_prepare_item(state, &why) < 0) {
        state->result = result_failed(why.text);
    } else if (module->kind == MODULE_LOCAL) {
        state->result = run_local(state);
    } else if (module->kind == MODULE_COMMAND &&
               module_guard(state->args, state->environment, &state->plan.script)) {
        run_command(state, RUN_GUARD);
    } else {
        state->phase = RUN_ACT;
    }
}

static void
run_act(struct run_state *state)
{
    const struct playbook_task *task = state->step->task;
    bool has_content = module_is(task->module, "copy") || module_is(task->module, "template");
    struct buf content;
    struct fault why;

    module_plan_clear(&state->plan);
    buf_init_secret(&content, 0);
    if ((has_content && run_content(state, &content, &why) < 0) ||
        module_plan(task->module, state->args, has_content ? &content : NULL, state->environment,
                    &state->plan, &why) < 0) {
        state->result = result_failed(why.text);
        state->phase = RUN_JUDGE;
    } else {
        run_command(state, RUN_COMMAND);
    }
    buf_fini(&content);
}

/* The script in plan, on the machine. */
static void
run_command(struct run_state *state, enum run_phase phase)
{
    const struct playbook_task *task = state->step->task;
    const struct playbook_play *play = state->step->play;
    bool become = task && task->become >= 0 ? task->become : play->become;
    const char *user = task && task->become_user ? task->become_user : play->become_user;

    state->command = (struct remote_command){
        .script = buf_text(&state->plan.script),
        .user = become ? (user ? user : "root") : NULL,
        .input = state->plan.input.len > 0 ? state->plan.input.data : NULL,
        .input_len = state->plan.input.len,
        .output_limit = phase == RUN_FACTS ? RUN_FACTS_MAX : RUN_OUTPUT_MAX,
        .timeout_ms = task && task->timeout_ms ? task->timeout_ms : RUN_STEP_TIMEOUT_MS,
        .on_output = phase == RUN_COMMAND ? run_on_output : NULL,
        .done = run_on_done,
    };
    state->phase = phase;
    state->in_command = true;
    state->run->remote->run(state->run->remote->self, &state->command);
}

static void
run_on_output(struct remote_command *command, bool is_stderr, const char *data, size_t len)
{
    run_emit(CONTAINER_OF(command, struct run_state, command), is_stderr, data, len, false);
}

static void
run_report_end(struct run_state *state, enum shell_end end)
{
    if (state->run->on_step_end)
        state->run->on_step_end(state->run, end);
}

/* The machine did not say how the command ended: nothing more can be done. */
static void
run_on_lost(struct run_state *state, const struct fault *fault)
{
    struct fault late;

    if (state->ends)
        return;
    if (fault->kind != FAULT_TIMEOUT) {
        run_stop(state, fault);
        return;
    }
    (void)fault_set(&late, FAULT_PREPARE, "run", "step \"%s\": no end within %lld s", state->name,
                    (long long)(state->command.timeout_ms / 1000));
    run_stop(state, &late);
    run_report_end(state, SHELL_FAILED);
}

/* What follows is for the next turn: the machine is done with the command only when this returns. */
static void
run_on_done(struct remote_command *command, const struct fault *fault)
{
    struct run_state *state = CONTAINER_OF(command, struct run_state, command);

    state->in_command = false;
    run_timer_set(state, &state->timer, 0);
    if (fault && fault->kind != FAULT_NONE) {
        run_on_lost(state, fault);
        return;
    }
    if (state->phase == RUN_GUARD) {
        run_on_guard(state);
    } else if (state->phase == RUN_FACTS) {
        run_on_facts(state);
    } else {
        run_on_command(state);
    }
}

static void
run_on_guard(struct run_state *state)
{
    state->phase = RUN_JUDGE;
    if (state->command.exit_code == MODULE_CHANGED) {
        state->result = result_of_guard(&state->command);
    } else if (state->command.exit_code != 0) {
        state->result = result_failed("creates and removes could not be looked at");
    } else {
        state->phase = RUN_ACT;
    }
}

static void
run_on_command(struct run_state *state)
{
    run_emit(state, false, NULL, 0, true);
    run_emit(state, true, NULL, 0, true);
    state->result = result_of_command(state->step->task->module, &state->command);
    state->phase = RUN_JUDGE;
}

static void
run_on_facts(struct run_state *state)
{
    if (state->command.exit_code == 0) {
        result_facts(&state->command, state->vars.facts);
        state->result = result_fine();
    } else {
        state->result = result_failed("facts could not be gathered");
    }
    state->phase = RUN_STEP_END;
}

/* Of a step that is done again nobody knows what it changed the first time. */
static void
run_mark_repeated(struct run_state *state)
{
    const struct playbook_task *task = state->step->task;
    const struct playbook_conditions *when = &task->changed_when;

    if (state->run->step >= state->run->from_step || task->module->kind == MODULE_LOCAL ||
        result_is(state->result, "skipped") || (when->constant && json_is_false(when->texts)))
        return;
    (void)json_object_set_new(state->result, "changed", json_true());
}

static void
run_judge(struct run_state *state)
{
    bool again = false;

    if (!result_is(state->result, "skipped"))
        run_judge_result(state, &again);
    if (again) {
        json_decref(STEAL(state->result));
        state->attempt++;
        state->phase = RUN_ATTEMPT;
        run_timer_set(state, &state->timer, state->step->task->delay_ms);
        return;
    }
    run_keep_result(state);
    run_mark_repeated(state);
    state->phase = RUN_STEP_END;
    if (!state->items)
        return;
    (void)json_array_append_new(state->item_results, STEAL(state->result));
    state->item++;
    state->phase = RUN_ITEM;
}

/* What the step leaves. Return: how it ended. */
static enum shell_end
run_settle(struct run_state *state)
{
    const struct playbook_task *task = state->step->task;
    struct fault fault;

    if (task && task->registered)
        (void)json_object_set(state->vars.results, task->registered, state->result);
    if (result_is(state->result, "failed")) {
        state->run->ignored = task && task->ignore_errors;
        run_say_failed(state, &fault);
        if (!state->run->ignored)
            run_stop(state, &fault);
        return SHELL_FAILED;
    }
    if (result_is(state->result, "skipped"))
        return SHELL_SKIPPED;
    if (!result_is(state->result, "changed"))
        return SHELL_OK;
    if (task)
        run_notify(state, state->step);
    return SHELL_CHANGED;
}

static void
run_step_end(struct run_state *state)
{
    enum shell_end end;

    if (state->item_results && !state->result)
        state->result = result_of_items(state->item_results);
    end = run_settle(state);
    json_decref(STEAL(state->items));
    json_decref(STEAL(state->item_results));
    json_decref(STEAL(state->result));
    (void)json_object_clear(state->vars.locals);
    state->phase = RUN_NEXT;
    run_report_end(state, end);
}

static void
run_end(struct run_state *state)
{
    const struct clock_port *clock = state->run->clock;
    struct run *run = state->run;
    struct fault end = state->end;

    clock->timer_clear(clock->self, &state->deadline);
    vars_fini(&state->vars);
    json_decref(state->args);
    json_decref(state->environment);
    json_decref(state->items);
    json_decref(state->item_results);
    json_decref(state->result);
    module_plan_fini(&state->plan);
    redact_fini(&state->streams[0]);
    redact_fini(&state->streams[1]);
    redact_words_fini(&state->words);
    mem_free(state->name);
    mem_free(state->notified);
    mem_free(state->repeats);
    mem_free(state);
    run->state = NULL;
    run->step_name = "";
    run->done(run, end.kind == FAULT_NONE ? NULL : &end);
}
