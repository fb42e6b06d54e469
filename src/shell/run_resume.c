/* Which steps are done: those with the right tag, and those before the first that are needed again. */
#include <string.h>

#include "run_state.h"

/* Whether a step from @from on, as far as it is done, uses what @step registers or sets. */
static bool
run_is_used(const struct run_state *state, const struct playbook_step *step, const char *name)
{
    const struct playbook *playbook = state->run->playbook;

    for (size_t i = (size_t)(step - playbook->steps) + 1; i < playbook->step_count; i++) {
        if ((i >= state->run->from_step || state->repeats[i]) &&
            playbook_step_uses(&playbook->steps[i], name))
            return true;
    }
    return false;
}

static bool
run_is_needed(const struct run_state *state, const struct playbook_step *step)
{
    const struct playbook_task *task = step->task;
    const char *name;
    json_t *value;

    for (size_t i = 0; i < state->run->fresh_count; i++) {
        if (playbook_step_uses(step, state->run->fresh[i]))
            return true;
    }
    if (task->registered && run_is_used(state, step, task->registered))
        return true;
    if (!module_is(task->module, "set_fact"))
        return false;
    json_object_foreach(task->args, name, value)
    {
        if (run_is_used(state, step, name))
            return true;
    }
    return false;
}

/* From the last to the first, so that what a repeated step uses is repeated as well. */
void
run_plan_repeats(struct run_state *state)
{
    const struct playbook *playbook = state->run->playbook;
    bool has_facts = false;

    for (size_t i = state->run->from_step; i-- > 0;) {
        const struct playbook_step *step = &playbook->steps[i];

        if (step->is_handler || !playbook_step_is_selected(step, state->run->tag))
            continue;
        state->repeats[i] = step->task ? run_is_needed(state, step) : !has_facts;
        has_facts |= !step->task;
    }
}

void
run_notify(struct run_state *state, const struct playbook_step *step)
{
    const struct playbook_play *play = step->play;

    for (size_t i = 0; i < json_array_size(step->task->notify); i++) {
        const char *name = json_string_value(json_array_get(step->task->notify, i));

        for (size_t k = 0; k < play->handler_count; k++)
            state->notified[k] |= playbook_is_notified(&play->handlers[k], name);
    }
}

void
run_enter_play(struct run_state *state, const struct playbook_step *entered)
{
    const struct playbook *playbook = state->run->playbook;

    mem_free(state->notified);
    state->notified = mem_new0(entered->play->handler_count + 1);
    for (size_t i = 0; i < state->run->from_step; i++) {
        const struct playbook_step *step = &playbook->steps[i];

        if (step->play == entered->play && step->task &&
            playbook_step_is_selected(step, state->run->tag))
            run_notify(state, step);
    }
}
