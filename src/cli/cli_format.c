/* Values of the API as people read and write them. */

#include <string.h>
#include <time.h>

#include "berth/base/text.h"
#include "berth/cli/format.h"
#include "berth/cli/grid.h"

/* Blanks and control characters. */
#define FORMAT_BLANKS                                                                              \
    " \001\002\003\004\005\006\a\b\t\n\v\f\r\016\017\020\021\022\023\024\025\026\027\030\031\032"  \
    "\033\034"                                                                                     \
    "\035\036\037\177"

enum { SECOND_MS = 1000 };

int64_t
cli_format_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

const char *
cli_format_age(int64_t ms, char ret[16])
{
    int64_t s = ms > 0 ? ms / SECOND_MS : 0;
    struct buf out = { .cap = 16, .limit = 15 };

    out.data = ret;
    if (s < 120) {
        buf_printf(&out, "%llds", (long long)s);
    } else if (s < 120 * INT64_C(60)) {
        buf_printf(&out, "%lldm", (long long)s / 60);
    } else if (s < 48 * INT64_C(3600)) {
        buf_printf(&out, "%lldh", (long long)s / 3600);
    } else {
        buf_printf(&out, "%lldd", (long long)s / 86400);
    }
    return ret;
}

void
cli_format_wrap(struct buf *out, size_t indent, const char *text, size_t width)
{
    size_t used = 0; /* columns of this line; 0: it has not begun */

    while (*(text += strspn(text, FORMAT_BLANKS))) {
        size_t len = strcspn(text, FORMAT_BLANKS);
        size_t columns = cli_grid_width(text, len);

        if (used > 0 && width > 0 && used + 1 + columns > width) {
            buf_append_char(out, '\n');
            used = 0;
        }
        if (used > 0) {
            buf_append_char(out, ' ');
            used++;
        } else {
            buf_printf(out, "%*s", (int)indent, "");
            used = indent;
        }
        buf_append(out, text, len);
        used += columns;
        text += len;
    }
    buf_append_char(out, '\n');
}

const json_t *
cli_format_path(const json_t *json, const char *path)
{
    while (json && *path) {
        size_t len = strcspn(path, ".");
        CLEANUP(mem_freep) char *key = mem_printf("%.*s", (int)len, path);

        /* Keys of labels may have dots themselves. */
        if (json_object_get(json, path))
            return json_object_get(json, path);
        json = json_object_get(json, key);
        path += len + (path[len] == '.');
    }
    return json;
}

const json_t *
cli_format_first(const json_t *json, const char *paths)
{
    const json_t *found;

    do {
        size_t len = strcspn(paths, "|");
        CLEANUP(mem_freep) char *path = mem_printf("%.*s", (int)len, paths);

        found = cli_format_path(json, path);
        paths += len + (paths[len] == '|');
    } while (*paths && (!found || json_is_null(found)));
    return found;
}

/* Recursion: as deep as JSON_DEPTH_MAX lets documents be.
 * NOLINTBEGIN(misc-no-recursion) */

static void
cli_format_list(const json_t *json, struct buf *out)
{
    const char *key;
    json_t *value;
    size_t i;
    size_t begin = out->len;

    json_array_foreach(json, i, value)
    {
        if (out->len > begin)
            buf_append_char(out, ',');
        cli_format_scalar(value, out);
    }
    json_object_foreach(mem_unconst(json), key, value)
    {
        if (out->len > begin)
            buf_append_char(out, ',');
        buf_printf(out, "%s=", key);
        cli_format_scalar(value, out);
    }
}

void
cli_format_scalar(const json_t *json, struct buf *out)
{
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_STRING:
        buf_append(out, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        buf_printf(out, "%lld", (long long)json_integer_value(json));
        break;
    case JSON_REAL:
        buf_printf(out, "%.10g", json_real_value(json));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_append_string(out, json_is_true(json) ? "true" : "false");
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        cli_format_list(json, out);
        break;
    case JSON_NULL:
        break;
    }
}

static void cli_format_members(const json_t *json, size_t indent, struct buf *out);

static void
cli_format_indent(struct buf *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        buf_append_char(out, ' ');
}

/* What stands behind "key:" or "-". */
static void
cli_format_inner(const json_t *value, size_t indent, struct buf *out)
{
    bool nested = json_is_object(value) || json_is_array(value);

    if (nested && json_object_size(value) + json_array_size(value) > 0) {
        buf_append_char(out, '\n');
        cli_format_members(value, indent, out);
        return;
    }
    buf_append_char(out, ' ');
    if (nested || json_is_null(value))
        buf_append_char(out, '-');
    cli_format_scalar(value, out);
    buf_append_char(out, '\n');
}

static void
cli_format_members(const json_t *json, size_t indent, struct buf *out)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach(mem_unconst(json), key, value)
    {
        cli_format_indent(out, indent);
        buf_printf(out, "%s:", key);
        cli_format_inner(value, indent + 2, out);
    }
    json_array_foreach(json, i, value)
    {
        size_t begin = out->len;

        /* The dash takes the place of the first member's indent. */
        if (json_is_object(value) && json_object_size(value) > 0) {
            cli_format_members(value, indent + 2, out);
            out->data[begin + indent] = '-';
            continue;
        }
        cli_format_indent(out, indent);
        buf_append_char(out, '-');
        cli_format_inner(value, indent + 2, out);
    }
}

void
cli_format_plain(const json_t *json, struct buf *out)
{
    cli_format_members(json, 0, out);
}

static bool
cli_format_ends(const char *key, const char *suffix)
{
    size_t len = strlen(key);
    size_t suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(key + len - suffix_len, suffix) == 0;
}

static json_t *
cli_format_time(const char *text, int64_t now_ms)
{
    char age[16];
    int64_t at_ms;

    if (!text_time_parse(text, &at_ms))
        return json_string(text);
    if (at_ms > now_ms)
        return json_sprintf("%.19sZ (in %s)", text, cli_format_age(at_ms - now_ms, age));
    return json_sprintf("%.19sZ (%s ago)", text, cli_format_age(now_ms - at_ms, age));
}

/* A scalar member as people read it. */
static json_t *
cli_format_member(const char *key, const json_t *value, int64_t now_ms)
{
    char text[32];

    if (json_is_integer(value) && json_integer_value(value) > 0 && cli_format_ends(key, "_bytes"))
        return json_string(text_size((uint64_t)json_integer_value(value), text));
    if (json_is_number(value) && json_number_value(value) > 0 && cli_format_ends(key, "_s"))
        return json_string(text_duration((int64_t)(json_number_value(value) * SECOND_MS), text));
    if (json_is_string(value) && (cli_format_ends(key, "_at") || strcmp(key, "at") == 0))
        return cli_format_time(json_string_value(value), now_ms);
    return cli_format_humane(value, now_ms);
}

json_t *
cli_format_humane(const json_t *json, int64_t now_ms)
{
    json_t *copy;
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(json)) {
        copy = json_array();
        json_array_foreach(json, i, value)
        {
            json_array_append_new(copy, cli_format_humane(value, now_ms));
        }
        return copy;
    }
    if (!json_is_object(json))
        return json_copy(mem_unconst(json));
    copy = json_object();
    json_object_foreach(mem_unconst(json), key, value)
    {
        if (!json_is_null(value))
            json_object_set_new(copy, key, cli_format_member(key, value, now_ms));
    }
    return copy;
}

/* The member @key of @object, a string, as the number that the API wants. */
static int
cli_format_exact_member(json_t *object, const char *key, const char *text, struct fault *fault)
{
    uint64_t bytes;
    int64_t seconds;

    if (cli_format_ends(key, "_bytes")) {
        if (!text_size_parse(text, &bytes) || bytes > INT64_MAX) {
            return fault_set(fault, FAULT_INVALID, "cli.format",
                             "%s: '%.40s' is not a size like 512m or 1.5g", key, text);
        }
        json_object_set_new(object, key, json_integer((json_int_t)bytes));
    } else if (cli_format_ends(key, "_s")) {
        if (!text_duration_parse(text, &seconds)) {
            return fault_set(fault, FAULT_INVALID, "cli.format",
                             "%s: '%.40s' is not a duration like 90s, 15m or 1h30m", key, text);
        }
        json_object_set_new(object, key, json_integer(seconds));
    }
    return 0;
}

static bool
cli_format_is_own(const char *key)
{
    static const char *const own[] = { "env", "labels", "host_labels", "tmpfs" };

    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (strcmp(own[i], key) == 0)
            return true;
    }
    return false;
}

int
cli_format_exact(json_t *json, struct fault *fault)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;
    int result = 0;

    json_array_foreach(json, i, value)
    {
        if (result == 0)
            result = cli_format_exact(value, fault);
    }
    json_object_foreach_safe(json, next, key, value)
    {
        if (result < 0 || cli_format_is_own(key))
            continue;
        if (json_is_string(value)) {
            result = cli_format_exact_member(json, key, json_string_value(value), fault);
        } else {
            result = cli_format_exact(value, fault);
        }
    }
    return result;
}

/* NOLINTEND(misc-no-recursion) */
