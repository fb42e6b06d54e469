/* A playbook, and templates: what is accepted can be run through without a machine; the rest is refused
 * with words. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../src/shell/playbook_data.h"
#include "../../src/shell/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each file is the same template. */
static int
fuzz_open(const char *path, struct buf *data)
{
    static const char text[] = "{% for x in a %}{{ x | default(b) }}{% endfor %}\n";

    buf_append_string(data, strlen(path) % 2 ? text : "plain");
    return strstr(path, "none") ? -1 : 0;
}

/* Makes each task's values; what comes of it may be a fault, but one with words. */
static void
fuzz_render(const struct playbook *playbook)
{
    struct fault fault = { 0 };
    struct vars vars;

    vars_init(&vars, NULL, "host");
    for (size_t i = 0; i < playbook->step_count; i++) {
        const struct playbook_task *task = playbook->steps[i].task;
        json_t *value = NULL;
        bool is_true;

        vars.play = playbook->steps[i].play;
        vars.task = task;
        if (!task)
            continue;
        if (vars_render(&vars, task->args, &value, &fault) < 0)
            assert(fault.text[0]);
        json_decref(value);
        (void)vars_test(&vars, &task->when, &is_true, &fault);
    }
    vars_fini(&vars);
}

/* The same bytes as a template. */
static void
fuzz_template(const char *text)
{
    struct fault fault = { 0 };
    struct jinja *jinja = NULL;
    struct vars vars;
    json_t *value = NULL;
    unsigned line = 0;

    if (jinja_parse_template(text, &jinja, &line, &fault) < 0) {
        assert(fault.text[0] && line > 0);
        return;
    }
    vars_init(&vars, NULL, "host");
    if (jinja_text(jinja, &vars.scope, &value, &fault) < 0)
        assert(fault.text[0]);
    json_decref(value);
    vars_fini(&vars);
    jinja_free(jinja);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(playbook_freep) struct playbook *playbook = NULL;
    CLEANUP(mem_freep) char *text = mem_printf("%.*s", (int)size, (const char *)data);
    struct fault fault = { 0 };

    fuzz_template(text);
    if (playbook_parse("dir/fuzz.yml", (const char *)data, size, fuzz_open, &playbook, &fault) <
        0) {
        assert(fault.kind == FAULT_INVALID && fault.text[0]);
        return 0;
    }
    fuzz_render(playbook);
    return 0;
}
