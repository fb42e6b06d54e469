/* JSON out, by hand: one reservation for each value, and strings are copied in runs. */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

enum {
    INT_TEXT_MAX = 20, /* -9223372036854775808 and 18446744073709551615 */
    DECIMALS_MAX = 6,
};

void
json_out_init(struct json_out *out, struct buf *buf)
{
    *out = (struct json_out){ .buf = buf };
}

/* Room for @most bytes and a comma, which is there already if one is needed; NULL beyond the limit.
 * The capacity never exceeds the limit, so that most calls need not ask the buffer. */
static inline char *
json_out_begin(struct json_out *out, size_t most)
{
    struct buf *buf = out->buf;
    char *at = buf->cap - buf->len >= most + 2 ? buf->data + buf->len
                                               : buf_reserve(buf, most + out->comma);

    if (at && out->comma)
        *at++ = ',';
    out->comma = true;
    return at;
}

/* What was written ends at @end. */
static inline void
json_out_end(struct json_out *out, const char *end)
{
    out->buf->len = (size_t)(end - out->buf->data);
    assert(out->buf->len < out->buf->cap);
    out->buf->data[out->buf->len] = '\0';
}

static inline void
json_out_bytes(struct json_out *out, const char *bytes, size_t len)
{
    char *at = json_out_begin(out, len);

    if (!at)
        return;
    memcpy(at, bytes, len);
    json_out_end(out, at + len);
}

void
json_out_object(struct json_out *out)
{
    json_out_bytes(out, "{", 1);
    out->comma = false;
}

void
json_out_object_end(struct json_out *out)
{
    out->comma = false;
    json_out_bytes(out, "}", 1);
}

void
json_out_array(struct json_out *out)
{
    json_out_bytes(out, "[", 1);
    out->comma = false;
}

void
json_out_array_end(struct json_out *out)
{
    out->comma = false;
    json_out_bytes(out, "]", 1);
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether one of the 8 bytes of @word is a control character, a quote, a backslash or not ASCII.  For
 * a byte below 0x80, b - 0x20 borrows into bit 7 when it is a control character, and (b ^ c) - 1 when
 * it is c; a borrow can only add findings above a true one. */
static inline bool
json_out_is_special_8(uint64_t word)
{
    uint64_t quote = (word ^ EACH_BYTE('"')) - EACH_BYTE(1);
    uint64_t backslash = (word ^ EACH_BYTE('\\')) - EACH_BYTE(1);

    return ((word | (word - EACH_BYTE(0x20)) | quote | backslash) & EACH_BYTE(0x80)) != 0;
}

static inline bool
json_out_is_special(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\' || (unsigned char)c >= 0x80;
}

/* Copies from @value what needs no escape, up to @len bytes. Return: how many. */
static inline size_t
json_out_copy_plain(char *to, const char *value, size_t len)
{
    size_t at = 0;
    uint64_t word;
    uint32_t head;
    uint32_t tail;

    for (; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, value + at, sizeof(word));
        if (json_out_is_special_8(word))
            break;
        memcpy(to + at, &word, sizeof(word));
    }
    /* The rest in one go, with some bytes of what went before. */
    if (len >= sizeof(word) && len - at < sizeof(word)) {
        memcpy(&word, value + len - sizeof(word), sizeof(word));
        memcpy(to + len - sizeof(word), &word, sizeof(word));
        if (!json_out_is_special_8(word))
            return len;
    } else if (len >= sizeof(head) && len < sizeof(word)) {
        memcpy(&head, value, sizeof(head));
        memcpy(&tail, value + len - sizeof(tail), sizeof(tail));
        memcpy(to, &head, sizeof(head));
        memcpy(to + len - sizeof(tail), &tail, sizeof(tail));
        if (!json_out_is_special_8((uint64_t)head << 32 | tail))
            return len;
    }
    for (; at < len && !json_out_is_special(value[at]); at++)
        to[at] = value[at];
    return at;
}

/* One character that is not plain, to @at: at most 6 bytes. Return: how many were read. */
static size_t
json_out_special(char **at, const char *value, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    unsigned char c = (unsigned char)*value;
    size_t step;

    if (c >= 0x80) {
        step = text_utf8_sequence(value, len);
        memcpy(*at, step > 0 ? value : "\xef\xbf\xbd", step > 0 ? step : 3);
        *at += step > 0 ? step : 3;
        return step > 0 ? step : 1;
    }
    *(*at)++ = '\\';
    for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
        if (*value == shorts[i]) {
            *(*at)++ = shorts[i + 1];
            return 1;
        }
    }
    memcpy(*at, "u00", 3);
    (*at)[3] = hex[c >> 4];
    (*at)[4] = hex[c & 15];
    *at += 5;
    return 1;
}

enum { PIECE = 64, ESCAPED_MAX = 6 };

/* Writes up to PIECE characters of @value, escaped where they must be.  Return: bytes read. */
static size_t
json_out_piece(struct buf *buf, const char *value, size_t len)
{
    char piece[PIECE * ESCAPED_MAX];
    char *at = piece;
    size_t read = 0;

    for (int most = PIECE; most > 0 && read < len; most--) {
        if (json_out_is_special(value[read])) {
            read += json_out_special(&at, value + read, len - read);
        } else {
            *at++ = value[read++];
        }
    }
    buf_append(buf, piece, (size_t)(at - piece));
    return read;
}

/* The rest of a string: plain runs, and pieces of what must be escaped. */
static void
json_out_escaped(struct buf *buf, const char *value, size_t len)
{
    size_t read = 0;

    while (read < len)
        read += json_out_piece(buf, value + read, len - read);
}

/* A value, or a key with its colon. */
static void
json_out_quoted(struct json_out *out, const char *value, size_t len, bool is_key)
{
    char *at = json_out_begin(out, len + 2 + is_key);
    size_t plain;

    if (!at)
        return;
    out->comma = !is_key;
    *at++ = '"';
    plain = json_out_copy_plain(at, value, len);
    at += plain;
    if (plain < len) {
        json_out_end(out, at);
        json_out_escaped(out->buf, value + plain, len - plain);
        buf_append(out->buf, "\":", 1 + (size_t)is_key);
        return;
    }
    *at++ = '"';
    if (is_key)
        *at++ = ':';
    json_out_end(out, at);
}

void
json_out_string_n(struct json_out *out, const char *value, size_t len)
{
    json_out_quoted(out, value, len, false);
}

void
json_out_key_n(struct json_out *out, const char *key, size_t len)
{
    json_out_quoted(out, key, len, true);
}

void
json_out_string(struct json_out *out, const char *value)
{
    if (value) {
        json_out_string_n(out, value, strlen(value));
    } else {
        json_out_null(out);
    }
}

/* --- Numbers and times, into room that is there -------------------------------------------------- */

/* @value in decimal digits that end before @end. Return: where they begin. */
static char *
json_out_digits(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, &text_digit_pairs[value % 100 * 2], 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, &text_digit_pairs[value * 2], 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

static uint64_t
json_out_magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

char *
json_out_pen_uint(char *at, uint64_t value)
{
    char text[INT_TEXT_MAX];
    char *from;

    if (value < 10) {
        *at = (char)('0' + value);
        return at + 1;
    }
    from = json_out_digits(text + sizeof(text), value);
    memcpy(at, from, (size_t)(text + sizeof(text) - from));
    return at + (text + sizeof(text) - from);
}

char *
json_out_pen_int(char *at, int64_t value)
{
    if (value < 0)
        *at++ = '-';
    return json_out_pen_uint(at, json_out_magnitude(value));
}

/* @value in parts of which 10 to the power of @digits are one. */
static char *
json_out_decimal(char *at, int64_t value, int digits, uint64_t one)
{
    uint64_t size = json_out_magnitude(value);
    uint64_t fraction = size % one;
    int last = 0;

    if (value < 0)
        *at++ = '-';
    at = json_out_pen_uint(at, size / one);
    if (fraction == 0)
        return at;
    for (int i = digits; i > 0; i--, fraction /= 10) {
        at[i] = (char)('0' + fraction % 10);
        if (last == 0 && fraction % 10 > 0)
            last = i;
    }
    *at = '.';
    return at + last + 1;
}

char *
json_out_pen_milli(char *at, int64_t value)
{
    return json_out_decimal(at, value, 3, 1000);
}

char *
json_out_pen_time(struct json_out *out, char *at, int64_t at_ms)
{
    if (at_ms == 0)
        return json_out_pen_text(at, "null", 4);
    *at = '"';
    (void)text_time_of(&out->day, at_ms, at + 1);
    at[TEXT_TIME_SIZE] = '"';
    return at + TEXT_TIME_SIZE + 1;
}

void
json_out_uint(struct json_out *out, uint64_t value)
{
    char text[INT_TEXT_MAX];

    json_out_bytes(out, text, (size_t)(json_out_pen_uint(text, value) - text));
}

void
json_out_int(struct json_out *out, int64_t value)
{
    char text[INT_TEXT_MAX];

    json_out_bytes(out, text, (size_t)(json_out_pen_int(text, value) - text));
}

void
json_out_bool(struct json_out *out, bool value)
{
    json_out_bytes(out, value ? "true" : "false", value ? 4 : 5);
}

void
json_out_null(struct json_out *out)
{
    json_out_bytes(out, "null", 4);
}

void
json_out_milli(struct json_out *out, int64_t value)
{
    char text[INT_TEXT_MAX + DECIMALS_MAX + 2];

    json_out_bytes(out, text, (size_t)(json_out_pen_milli(text, value) - text));
}

void
json_out_micro(struct json_out *out, int64_t value)
{
    char text[INT_TEXT_MAX + DECIMALS_MAX + 2];

    json_out_bytes(out, text,
                   (size_t)(json_out_decimal(text, value, DECIMALS_MAX, 1000000) - text));
}

void
json_out_time(struct json_out *out, int64_t at_ms)
{
    char text[TEXT_TIME_SIZE + 1];

    json_out_bytes(out, text, (size_t)(json_out_pen_time(out, text, at_ms) - text));
}

char *
json_out_pen(struct json_out *out, size_t most)
{
    struct buf *buf = out->buf;

    return buf->cap - buf->len > most ? buf->data + buf->len : buf_reserve(buf, most);
}

void
json_out_pen_end(struct json_out *out, const char *at)
{
    json_out_end(out, at);
    out->comma = false;
}

void
json_out_raw(struct json_out *out, const char *json, size_t len)
{
    json_out_bytes(out, json, len);
}

/* The shorter of two forms that reads back as the same number, always with a point. */
static void
json_out_real(struct json_out *out, double value)
{
    char text[32];
    char full[40];
    size_t mantissa;

    (void)snprintf(text, sizeof(text), "%.15g", value);
    if (strtod(text, NULL) != value)
        (void)snprintf(text, sizeof(text), "%.17g", value);
    mantissa = strspn(text, "-0123456789");
    if (text[mantissa] == '.' || text[mantissa] == ',') { /* a program may have set a locale */
        text[mantissa] = '.';
        json_out_bytes(out, text, strlen(text));
        return;
    }
    (void)snprintf(full, sizeof(full), "%.*s.0%s", (int)mantissa, text, text + mantissa);
    json_out_bytes(out, full, strlen(full));
}

/* Recursion: as deep as @value, which a parser has limited. */
void
json_out_json(struct json_out *out, const json_t *value) /* NOLINT(misc-no-recursion): bounded */
{
    const json_t *item;
    const char *key;
    size_t i;

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        json_out_object(out);
        json_object_foreach(mem_unconst(value), key, item)
        {
            json_out_key(out, key);
            json_out_json(out, item);
        }
        json_out_object_end(out);
        break;
    case JSON_ARRAY:
        json_out_array(out);
        json_array_foreach(value, i, item) json_out_json(out, item);
        json_out_array_end(out);
        break;
    case JSON_STRING:
        json_out_string_n(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        json_out_int(out, json_integer_value(value));
        break;
    case JSON_REAL:
        json_out_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_out_bool(out, json_is_true(value));
        break;
    case JSON_NULL:
        json_out_null(out);
        break;
    }
}
