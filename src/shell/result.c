#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of memory: an object with its members, and a text of a list beside its bytes. */
enum { RESULT_COST = 1000, RESULT_LINE_COST = 96 };

static json_t *
result_new(bool changed, bool failed)
{
    json_t *result = json_object();

    (void)json_object_set_new(result, "changed", json_boolean(changed));
    (void)json_object_set_new(result, "failed", json_boolean(failed));
    return result;
}

json_t *
result_skipped(void)
{
    json_t *result = result_new(false, false);

    (void)json_object_set_new(result, "skipped", json_true());
    return result;
}

json_t *
result_failed(const char *msg)
{
    json_t *result = result_new(false, true);

    (void)json_object_set_new(result, "msg", json_string(msg));
    return result;
}

json_t *
result_fine(void)
{
    return result_new(false, false);
}

bool
result_is(const json_t *result, const char *name)
{
    return json_is_true(json_object_get(result, name));
}

/* Bytes as a text: what is not UTF-8 becomes "?". @strip: without the newlines at its end. */
static json_t *
result_text(const struct buf *bytes, bool strip)
{
    struct buf buf;
    size_t len = bytes->len;
    json_t *text;

    while (strip && len > 0 && strchr("\r\n", bytes->data[len - 1]))
        len--;
    buf_init_secret(&buf, 0);
    for (size_t at = 0; at < len;) {
        size_t sequence = text_utf8_sequence(bytes->data + at, len - at);

        if (sequence == 0 || bytes->data[at] == '\0') {
            buf_append_char(&buf, '?');
        } else {
            buf_append(&buf, bytes->data + at, sequence);
        }
        at += sequence ? sequence : 1;
    }
    text = json_stringn(buf_text(&buf), buf.len);
    buf_fini(&buf);
    return text;
}

/* The first ones: a line costs a hundred times its newline. */
static json_t *
result_lines(const json_t *text)
{
    const char *at = json_string_value(text);
    json_t *lines = json_array();

    while (*at && json_array_size(lines) < RESULT_LINES_MAX) {
        size_t len = strcspn(at, "\n");
        size_t cut = len > 0 && at[len - 1] == '\r' ? len - 1 : len;

        (void)json_array_append_new(lines, json_stringn(at, cut));
        at += len + (at[len] == '\n');
    }
    return lines;
}

static void
result_add_output(json_t *result, const struct remote_command *command, bool strip)
{
    json_t *out = result_text(&command->out, strip);
    json_t *err = result_text(&command->err, strip);

    (void)json_object_set_new(result, "rc", json_integer(command->exit_code));
    (void)json_object_set_new(result, "stdout_lines", result_lines(out));
    (void)json_object_set_new(result, "stderr_lines", result_lines(err));
    (void)json_object_set_new(result, "stdout", out);
    (void)json_object_set_new(result, "stderr", err);
}

json_t *
result_of_command(const struct module *module, const struct remote_command *command)
{
    bool changed = command->exit_code == MODULE_CHANGED;
    CLEANUP(json_freep) json_t *err = NULL;
    json_t *result;

    if (module->kind == MODULE_COMMAND) {
        result = result_new(true, command->exit_code != 0);
        result_add_output(result, command, !module_is(module, "raw"));
        if (command->exit_code != 0)
            (void)json_object_set_new(result, "msg", json_string("non-zero return code"));
        return result;
    }
    result = result_new(changed, !changed && command->exit_code != 0);
    if (!result_is(result, "failed"))
        return result;
    err = result_text(&command->err, true);
    (void)json_object_set_new(result, "rc", json_integer(command->exit_code));
    (void)json_object_set(result, "msg", err);
    return result;
}

json_t *
result_of_guard(const struct remote_command *command)
{
    json_t *result = result_new(false, false);

    result_add_output(result, command, true);
    (void)json_object_set_new(result, "rc", json_integer(0));
    return result;
}

json_t *
result_of_items(const json_t *items)
{
    size_t count = json_array_size(items);
    bool changed = false;
    bool failed = false;
    size_t skipped = 0;
    json_t *result;

    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(items, i);

        changed |= result_is(item, "changed");
        failed |= result_is(item, "failed");
        skipped += result_is(item, "skipped");
    }
    result = result_new(changed, failed);
    if (skipped == count)
        (void)json_object_set_new(result, "skipped", json_true());
    (void)json_object_set(result, "results", mem_unconst(items));
    return result;
}

/* The first that failed, if it is of a loop. */
static const json_t *
result_culprit(const json_t *result)
{
    const json_t *items = json_object_get(result, "results");

    for (size_t i = 0; i < json_array_size(items); i++) {
        if (result_is(json_array_get(items, i), "failed"))
            return json_array_get(items, i);
    }
    return result;
}

/* @ret_len: without what ends it. */
static const char *
result_last_line(const char *text, size_t *ret_len)
{
    size_t len = strlen(text);
    size_t from;

    while (len > 0 && strchr("\r\n", text[len - 1]))
        len--;
    for (from = len; from > 0 && text[from - 1] != '\n';)
        from--;
    *ret_len = len - from;
    return text + from;
}

size_t
result_cost(const json_t *result)
{
    static const char *const texts[] = { "stdout", "stderr", "msg" };
    static const char *const lists[] = { "stdout_lines", "stderr_lines" };
    size_t cost = RESULT_COST;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        cost += 2 * json_string_length(json_object_get(result, texts[i])); /* and in its lines */
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        cost += RESULT_LINE_COST * json_array_size(json_object_get(result, lists[i]));
    return cost;
}

void
result_why(const json_t *result, struct buf *buf)
{
    const json_t *culprit = result_culprit(result);
    const char *err = json_in_string(culprit, "stderr", "");
    size_t len;
    const char *line = result_last_line(err, &len);
    const char *msg = json_in_string(culprit, "msg", "");
    int64_t rc = json_in_int(culprit, "rc", 0);

    if (json_is_true(json_object_get(culprit, "failed_when_result"))) {
        buf_append_string(buf, "failed_when is true");
    } else if (rc != 0 && json_object_get(culprit, "stdout")) {
        buf_printf(buf, "exit status %lld", (long long)rc);
    } else {
        buf_append_string(buf, *msg ? msg : "failed");
    }
    if (len > 0) {
        buf_append_string(buf, ": ");
        buf_append(buf, line, len);
    }
}

static void
result_add_fact(json_t *facts, char *line)
{
    char *value = strchr(line, '=');
    char *dot;
    json_t *fact;
    json_t *inner;

    if (!value)
        return;
    *value++ = '\0';
    if (*value && strlen(value) < 18 && !value[strspn(value, "0123456789")] &&
        (strstr(line, "_mb") || strstr(line, "_vcpus"))) {
        fact = json_integer(strtoll(value, NULL, 10));
    } else {
        fact = json_string(value);
    }
    dot = strchr(line, '.');
    if (!dot) {
        (void)json_object_set_new(facts, line, fact);
        return;
    }
    *dot = '\0';
    inner = json_object_get(facts, line);
    if (!inner) {
        inner = json_object();
        (void)json_object_set_new(facts, line, inner);
    }
    (void)json_object_set_new(inner, dot + 1, fact);
}

void
result_facts(const struct remote_command *command, json_t *facts)
{
    CLEANUP(json_freep) json_t *text = result_text(&command->out, true);
    CLEANUP(json_freep) json_t *lines = result_lines(text);

    for (size_t i = 0; i < json_array_size(lines); i++) {
        CLEANUP(mem_freep) char *line = mem_strdup(json_string_value(json_array_get(lines, i)));

        result_add_fact(facts, line);
    }
}
