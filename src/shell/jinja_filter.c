/* The filters that there are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/suggest.h"

#include "jinja_node.h"

typedef json_t *jinja_filter(struct jinja_run *run, json_t *value, const json_t *arguments);

static jinja_filter jinja_filter_b64decode;
static jinja_filter jinja_filter_b64encode;
static jinja_filter jinja_filter_bool;
static jinja_filter jinja_filter_default;
static jinja_filter jinja_filter_first;
static jinja_filter jinja_filter_int;
static jinja_filter jinja_filter_join;
static jinja_filter jinja_filter_last;
static jinja_filter jinja_filter_length;
static jinja_filter jinja_filter_lower;
static jinja_filter jinja_filter_quote;
static jinja_filter jinja_filter_replace;
static jinja_filter jinja_filter_split;
static jinja_filter jinja_filter_string;
static jinja_filter jinja_filter_ternary;
static jinja_filter jinja_filter_to_json;
static jinja_filter jinja_filter_trim;
static jinja_filter jinja_filter_upper;

static const struct {
    const char *name;
    jinja_filter *apply;
    size_t least; /* arguments */
    size_t most;
} jinja_filters[] = {
    { "b64decode", jinja_filter_b64decode, 0, 0 }, { "b64encode", jinja_filter_b64encode, 0, 0 },
    { "bool", jinja_filter_bool, 0, 0 },           { "count", jinja_filter_length, 0, 0 },
    { "d", jinja_filter_default, 0, 2 },           { "default", jinja_filter_default, 0, 2 },
    { "first", jinja_filter_first, 0, 0 },         { "int", jinja_filter_int, 0, 1 },
    { "join", jinja_filter_join, 0, 1 },           { "last", jinja_filter_last, 0, 0 },
    { "length", jinja_filter_length, 0, 0 },       { "lower", jinja_filter_lower, 0, 0 },
    { "quote", jinja_filter_quote, 0, 0 },         { "replace", jinja_filter_replace, 2, 2 },
    { "split", jinja_filter_split, 0, 1 },         { "string", jinja_filter_string, 0, 0 },
    { "ternary", jinja_filter_ternary, 2, 2 },     { "to_json", jinja_filter_to_json, 0, 0 },
    { "trim", jinja_filter_trim, 0, 0 },           { "upper", jinja_filter_upper, 0, 0 },
};

const char *
jinja_filter_name(size_t index)
{
    return index < ARRAY_LEN(jinja_filters) ? jinja_filters[index].name : NULL;
}

bool
jinja_filter_find(const char *name, size_t *ret_index, const char **ret_near)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < ARRAY_LEN(jinja_filters); i++) {
        if (strcmp(jinja_filters[i].name, name) == 0) {
            *ret_index = i;
            return true;
        }
        suggest_offer(&suggest, jinja_filters[i].name);
    }
    *ret_near = suggest.best;
    return false;
}

void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the least stands first */
jinja_filter_arguments(size_t index, size_t *ret_least, size_t *ret_most)
{
    *ret_least = jinja_filters[index].least;
    *ret_most = jinja_filters[index].most;
}

json_t *
jinja_filter_apply(struct jinja_run *run, size_t index, json_t *value, const json_t *arguments)
{
    if (!value && jinja_filters[index].apply != jinja_filter_default)
        return jinja_fail(run, "\"%s\" is not defined", run->missing);
    return jinja_filters[index].apply(run, value, arguments);
}

/* @value as a text, in a buffer that is the caller's to end. */
static bool
jinja_filter_text(struct jinja_run *run, const json_t *value, struct buf *buf)
{
    buf_init_secret(buf, JINJA_OUTPUT_MAX);
    return jinja_append(run, value, buf);
}

/* The buffer's text, and its end. */
static json_t *
jinja_filter_done(struct jinja_run *run, struct buf *buf)
{
    json_t *value = run->failed || buf->overflow ? NULL : json_stringn(buf_text(buf), buf->len);

    if (!value)
        (void)jinja_fail(run, "makes no text: it is too long, or not UTF-8");
    buf_fini(buf);
    return value;
}

static json_t *
jinja_filter_string(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    struct buf buf;

    (void)arguments;
    (void)jinja_filter_text(run, value, &buf);
    return jinja_filter_done(run, &buf);
}

static json_t *
jinja_filter_default(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    json_t *other = json_array_get(arguments, 0);
    json_t *also_false = json_array_get(arguments, 1);

    (void)run;
    if (value && (jinja_is_true(value) || !also_false || !jinja_is_true(also_false)))
        return json_incref(value);
    return other ? json_incref(other) : json_string("");
}

/* Python's int(): of a text that is no number, the argument. */
static json_t *
jinja_filter_int(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    json_t *other = json_array_get(arguments, 0);
    char *end = NULL;
    long long number;

    (void)run;
    if (json_is_integer(value))
        return json_incref(value);
    if (json_is_boolean(value))
        return json_integer(json_is_true(value));
    if (json_is_real(value))
        return json_integer((json_int_t)json_real_value(value));
    if (json_is_string(value)) {
        errno = 0;
        number = strtoll(json_string_value(value), &end, 10);
        if (end != json_string_value(value) && !end[strspn(end, " \t\r\n")] && errno == 0)
            return json_integer(number);
    }
    return other ? json_incref(other) : json_integer(0);
}

/* Ansible's: yes, on, 1, true; null stays null. */
static json_t *
jinja_filter_bool(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    static const char *const words[] = { "yes", "on", "1", "true" };
    bool is_true = json_is_true(value) || json_integer_value(value) == 1;

    (void)run;
    (void)arguments;
    if (json_is_null(value))
        return json_null();
    for (size_t i = 0; json_is_string(value) && i < ARRAY_LEN(words); i++)
        is_true |= strcasecmp(json_string_value(value), words[i]) == 0;
    return json_boolean(is_true);
}

static json_t *
jinja_filter_case(struct jinja_run *run, const json_t *value, char first, char other)
{
    struct buf buf;

    (void)jinja_filter_text(run, value, &buf);
    for (size_t i = 0; i < buf.len; i++) {
        if (buf.data[i] >= first && buf.data[i] <= first + 25)
            buf.data[i] = (char)(buf.data[i] - first + other);
    }
    return jinja_filter_done(run, &buf);
}

static json_t *
jinja_filter_lower(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    (void)arguments;
    return jinja_filter_case(run, value, 'A', 'a');
}

static json_t *
jinja_filter_upper(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    (void)arguments;
    return jinja_filter_case(run, value, 'a', 'A');
}

static json_t *
jinja_filter_trim(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    struct buf buf;

    (void)arguments;
    (void)jinja_filter_text(run, value, &buf);
    while (buf.len > 0 && strchr(" \t\r\n\v\f", buf.data[buf.len - 1]))
        buf.data[--buf.len] = '\0';
    buf_consume(&buf, strspn(buf_text(&buf), " \t\r\n\v\f"));
    return jinja_filter_done(run, &buf);
}

static json_t *
jinja_filter_length(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    size_t count = 0;

    (void)arguments;
    if (json_is_array(value))
        return json_integer((json_int_t)json_array_size(value));
    if (json_is_object(value))
        return json_integer((json_int_t)json_object_size(value));
    if (!json_is_string(value))
        return jinja_fail(run, "only a text, a list and a mapping have a length");
    for (const char *c = json_string_value(value); *c; c++)
        count += ((unsigned char)*c & 0xc0) != 0x80; /* the first byte of a letter */
    return json_integer((json_int_t)count);
}

static json_t *
jinja_filter_end(struct jinja_run *run, const json_t *value, bool last)
{
    size_t count = json_array_size(value);

    if (count == 0)
        return jinja_fail(run, "a list with something in it is needed for first and last");
    return json_incref(json_array_get(value, last ? count - 1 : 0));
}

static json_t *
jinja_filter_first(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    (void)arguments;
    return jinja_filter_end(run, value, false);
}

static json_t *
jinja_filter_last(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    (void)arguments;
    return jinja_filter_end(run, value, true);
}

static json_t *
jinja_filter_join(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    const json_t *between = json_array_get(arguments, 0);
    struct buf buf;

    if (!json_is_array(value))
        return jinja_fail(run, "only a list can be joined");
    buf_init_secret(&buf, JINJA_OUTPUT_MAX);
    for (size_t i = 0; i < json_array_size(value) && !run->failed; i++) {
        if (i > 0 && between)
            (void)jinja_append(run, between, &buf);
        (void)jinja_append(run, json_array_get(value, i), &buf);
    }
    return jinja_filter_done(run, &buf);
}

static const char jinja_white[] = " \t\r\n\v\f";

/* Both stop when there are too many parts, which is told afterwards. */
static bool
jinja_split_has_room(const json_t *list)
{
    return json_array_size(list) <= JINJA_NODES_MAX;
}

/* At white space, of which there may be any. */
static void
jinja_split_words(const char *at, json_t *list)
{
    for (at += strspn(at, jinja_white); *at && jinja_split_has_room(list);
         at += strspn(at, jinja_white)) {
        size_t len = strcspn(at, jinja_white);

        (void)json_array_append_new(list, json_stringn(at, len));
        at += len;
    }
}

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): as strstr() has them */
jinja_split_at(const char *at, const char *between, json_t *list)
{
    const char *next;

    for (; (next = strstr(at, between)) && jinja_split_has_room(list); at = next + strlen(between))
        (void)json_array_append_new(list, json_stringn(at, (size_t)(next - at)));
    (void)json_array_append_new(list, json_string(at));
}

static json_t *
jinja_filter_split(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    const char *between = json_string_value(json_array_get(arguments, 0));
    const char *at = json_string_value(value);
    json_t *list;

    if (!at || (json_array_size(arguments) > 0 && (!between || !*between)))
        return jinja_fail(run, "split needs a text, and a text to split at");
    list = json_array();
    if (between) {
        jinja_split_at(at, between, list);
    } else {
        jinja_split_words(at, list);
    }
    if (jinja_split_has_room(list))
        return list;
    json_decref(list);
    return jinja_fail(run, "split makes more than %d parts", JINJA_NODES_MAX);
}

static json_t *
jinja_filter_replace(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    const char *old = json_string_value(json_array_get(arguments, 0));
    const char *new = json_string_value(json_array_get(arguments, 1));
    const char *at = json_string_value(value);
    const char *next;
    struct buf buf;

    if (!at || !old || !*old || !new)
        return jinja_fail(run, "replace needs three texts");
    buf_init_secret(&buf, JINJA_OUTPUT_MAX);
    while ((next = strstr(at, old))) {
        buf_append(&buf, at, (size_t)(next - at));
        buf_append_string(&buf, new);
        at = next + strlen(old);
    }
    buf_append_string(&buf, at);
    return jinja_filter_done(run, &buf);
}

static json_t *
jinja_filter_ternary(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    (void)run;
    return json_incref(json_array_get(arguments, jinja_is_true(value) ? 0 : 1));
}

/* Python's shlex.quote(). */
static json_t *
jinja_filter_quote(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "@%+=:,./-_";
    struct buf text;
    struct buf buf;

    (void)arguments;
    (void)jinja_filter_text(run, value, &text);
    if (text.len > 0 && strspn(text.data, plain) == text.len)
        return jinja_filter_done(run, &text);
    buf_init_secret(&buf, JINJA_OUTPUT_MAX);
    buf_append_char(&buf, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'') {
            buf_append_string(&buf, "'\"'\"'");
        } else {
            buf_append_char(&buf, text.data[i]);
        }
    }
    buf_append_char(&buf, '\'');
    buf_fini(&text);
    return jinja_filter_done(run, &buf);
}

static json_t *
jinja_filter_b64encode(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    CLEANUP(mem_freep) char *code = NULL;
    struct buf buf;
    json_t *encoded = NULL;

    (void)arguments;
    if (jinja_filter_text(run, value, &buf)) {
        code = mem_new0((buf.len + 2) / 3 * 4 + 1);
        text_base64((const uint8_t *)buf_text(&buf), buf.len, code);
        encoded = json_string(code);
    }
    buf_fini(&buf);
    return encoded;
}

static int
jinja_b64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static json_t *
jinja_filter_b64decode(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    const char *code = json_string_value(value);
    uint32_t bits = 0;
    size_t digits = 0;
    struct buf buf;

    (void)arguments;
    buf_init_secret(&buf, JINJA_OUTPUT_MAX);
    for (; code && *code && *code != '='; code++) {
        int digit = jinja_b64_digit(*code);

        if (strchr("\r\n", *code))
            continue;
        if (digit < 0)
            break;
        bits = bits << 6 | (uint32_t)digit;
        if (++digits % 4 != 1)
            buf_append_char(&buf, (char)(bits >> (6 - 2 * ((digits + 3) % 4)) & 0xff));
    }
    if (!code || (*code && *code != '=') || digits % 4 == 1)
        (void)jinja_fail(run, "is not base64");
    return jinja_filter_done(run, &buf);
}

/* As Python's json.dumps() writes it: with ", " and ": ", and hex digits in lower case. */
static json_t *
jinja_filter_to_json(struct jinja_run *run, json_t *value, const json_t *arguments)
{
    char *text = json_dumps(value, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    json_t *json;

    (void)arguments;
    if (!text)
        return jinja_fail(run, "cannot be written as JSON");
    for (char *c = text; *c; c++) {
        if (*c != '\\')
            continue;
        c++;
        for (size_t i = 1; *c == 'u' && i <= 4; i++)
            c[i] = (char)(c[i] >= 'A' && c[i] <= 'F' ? c[i] - 'A' + 'a' : c[i]);
    }
    json = json_string(text);
    mem_free(text);
    return json;
}
