/* Which words and tags stand where: what of a playbook needs a variable, and what is done for a tag. */
#include <string.h>

#include "playbook_data.h"

static bool
playbook_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
playbook_has_word(const char *text, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    const char *at = text;

    while ((at = memmem(at, len - (size_t)(at - text), word, word_len))) {
        if ((at == text || !playbook_is_letter(at[-1])) &&
            (at + word_len == text + len || !playbook_is_letter(at[word_len])))
            return true;
        at++;
    }
    return false;
}

static bool
/* NOLINTNEXTLINE(misc-no-recursion): the reader of YAML bounds how deep values are nested */
playbook_value_uses(const json_t *value, const char *word)
{
    const char *key;
    json_t *member;

    if (json_is_string(value))
        return playbook_has_word(json_string_value(value), json_string_length(value), word);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (playbook_value_uses(json_array_get(value, i), word))
            return true;
    }
    json_object_foreach(mem_unconst(value), key, member)
    {
        if (playbook_value_uses(member, word))
            return true;
    }
    return false;
}

bool
playbook_step_uses(const struct playbook_step *step, const char *name)
{
    const struct playbook_task *task = step->task;
    const json_t *values[] = {
        step->play->vars,
        step->play->environment,
        task ? task->args : NULL,
        task ? task->vars : NULL,
        task ? task->environment : NULL,
        task ? task->loop : NULL,
        task ? task->when.texts : NULL,
        task ? task->changed_when.texts : NULL,
        task ? task->failed_when.texts : NULL,
        task ? task->until.texts : NULL,
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (values[i] && playbook_value_uses(values[i], name))
            return true;
    }
    return task && task->template &&
           playbook_has_word(buf_text(&task->file->data), task->file->data.len, name);
}

static bool
playbook_has_tag(const json_t *tags, const char *tag)
{
    if (json_is_string(tags))
        return strcmp(json_string_value(tags), tag) == 0;
    for (size_t i = 0; i < json_array_size(tags); i++) {
        if (strcmp(json_string_value(json_array_get(tags, i)), tag) == 0)
            return true;
    }
    return false;
}

bool
playbook_step_is_selected(const struct playbook_step *step, const char *tag)
{
    const json_t *tags[2] = { step->play->tags, step->task ? step->task->tags : NULL };
    bool never = false;
    bool wanted = !tag;

    if (!step->task || step->is_handler)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        if (tag && playbook_has_tag(tags[i], tag))
            return true;
        wanted |= playbook_has_tag(tags[i], "always");
        never |= playbook_has_tag(tags[i], "never");
    }
    return wanted && !never;
}

bool
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, the stock playbook is refused */
playbook_uses_tagged(const struct playbook *playbook, const char *name, const char *tag)
{
    for (size_t i = 0; i < playbook->step_count; i++) {
        const struct playbook_step *step = &playbook->steps[i];

        if (step->task && !step->is_handler && playbook_step_is_selected(step, tag) &&
            playbook_step_uses(step, name))
            return true;
    }
    return false;
}

bool
playbook_uses(const struct playbook *playbook, const char *name)
{
    if (playbook_has_word(buf_text(&playbook->text), playbook->text.len, name))
        return true;
    for (size_t i = 0; i < playbook->file_count; i++) {
        const struct buf *data = &playbook->files[i].data;

        if (playbook_has_word(buf_text(data), data->len, name))
            return true;
    }
    return false;
}
