/* JSON trees as YAML in block style, written so that YAML 1.1 and 1.2 readers agree on it. */

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "berth/base/text.h"
#include "berth/base/yaml.h"

enum {
    YAML_INDENT = 2,
    YAML_SIMPLE_KEY_MAX = 160, /* escaped six times as long; readers want the colon within 1024 */
};

/* Whether @text can stand without quotes: begins with a letter, underscore or slash, so that it is
 * neither number, time nor indicator, and is none of the words for something else. */
static bool
yaml_encode_is_plain(const char *text, size_t len)
{
    static const char starts[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
    static const char others[] = "0123456789.@+=-: ";
    static const char *const words[] = {
        "true", "false", "null", "yes", "no", "on", "off", "y", "n"
    };

    if (len == 0 || !strchr(starts, text[0]) || text[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\0' || (!strchr(starts, text[i]) && !strchr(others, text[i])))
            return false;
        if (text[i] == ':' && (i + 1 == len || text[i + 1] == ' '))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(text, words[i]) == 0)
            return false;
    }
    return true;
}

/* The code point of a valid sequence. */
static uint32_t
yaml_encode_point(const char *sequence, size_t len)
{
    static const uint8_t masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t point = (uint8_t)sequence[0] & masks[len];

    assert(len >= 1 && len <= 4);

    for (size_t i = 1; i < len; i++)
        point = point << 6 | ((uint8_t)sequence[i] & 0x3f);
    return point;
}

/* What YAML 1.1 calls printable, without its line breaks and the byte order mark. */
static bool
yaml_encode_is_printable(uint32_t point)
{
    if (point < 0xa0)
        return point >= 0x20 && point < 0x7f;
    return point != 0x2028 && point != 0x2029 && point != 0xfeff && point != 0xfffe &&
           point != 0xffff;
}

static void
yaml_encode_quoted(const char *text, size_t len, struct buf *buf)
{
    buf_append_char(buf, '"');
    while (len > 0) {
        size_t step = text_utf8_sequence(text, len);
        uint32_t point = step > 0 ? yaml_encode_point(text, step) : 0xfffd;

        if (point == '"' || point == '\\') {
            buf_printf(buf, "\\%c", (char)point);
        } else if (point == '\n') {
            buf_append_string(buf, "\\n");
        } else if (step > 0 && yaml_encode_is_printable(point)) {
            buf_append(buf, text, step);
        } else {
            buf_printf(buf, "\\u%04x", point);
        }
        step += step == 0;
        text += step;
        len -= step;
    }
    buf_append_char(buf, '"');
}

static void
yaml_encode_string(const char *text, size_t len, struct buf *buf)
{
    if (yaml_encode_is_plain(text, len)) {
        buf_append(buf, text, len);
    } else {
        yaml_encode_quoted(text, len, buf);
    }
}

static bool
yaml_encode_is_block(const json_t *json)
{
    return json_object_size(json) > 0 || json_array_size(json) > 0;
}

static void
yaml_encode_scalar(const json_t *json, struct buf *buf)
{
    struct json_out out;

    json_out_init(&out, buf);
    if (json_is_string(json)) {
        yaml_encode_string(json_string_value(json), json_string_length(json), buf);
    } else {
        json_out_json(&out, json); /* an empty list or object, too */
    }
    buf_append_char(buf, '\n');
}

static void
yaml_encode_indent(size_t indent, struct buf *buf)
{
    for (size_t i = 0; i < indent; i++)
        buf_append_char(buf, ' ');
}

/* Recursion: as deep as @json, which a parser has limited.  NOLINTBEGIN(misc-no-recursion) */

static void yaml_encode_node(const json_t *json, size_t indent, struct buf *buf);

static void
yaml_encode_member(const char *key, const json_t *value, size_t indent, struct buf *buf)
{
    size_t len = strlen(key);

    if (len > YAML_SIMPLE_KEY_MAX) {
        buf_append_string(buf, "? ");
        yaml_encode_string(key, len, buf);
        buf_append_char(buf, '\n');
        yaml_encode_indent(indent, buf);
    } else {
        yaml_encode_string(key, len, buf);
    }
    buf_append_char(buf, ':');
    if (yaml_encode_is_block(value)) {
        buf_append_char(buf, '\n');
        yaml_encode_indent(indent + YAML_INDENT, buf);
        yaml_encode_node(value, indent + YAML_INDENT, buf);
    } else {
        buf_append_char(buf, ' ');
        yaml_encode_scalar(value, buf);
    }
}

/* @json from column @indent on, where the line already is, to the end of its last line. */
static void
yaml_encode_node(const json_t *json, size_t indent, struct buf *buf)
{
    const char *key;
    json_t *item;
    bool first = true;
    size_t i;

    if (!yaml_encode_is_block(json)) {
        yaml_encode_scalar(json, buf);
        return;
    }
    json_array_foreach(json, i, item)
    {
        yaml_encode_indent(i > 0 ? indent : 0, buf);
        buf_append_string(buf, "- ");
        yaml_encode_node(item, indent + YAML_INDENT, buf);
    }
    json_object_foreach(mem_unconst(json), key, item)
    {
        yaml_encode_indent(first ? 0 : indent, buf);
        yaml_encode_member(key, item, indent, buf);
        first = false;
    }
}

void
yaml_encode(const json_t *json, struct buf *buf)
{
    yaml_encode_node(json, 0, buf);
}

/* NOLINTEND(misc-no-recursion) */
