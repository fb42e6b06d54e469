#pragma once

/*
 * JSON in, through jansson with limits; JSON out, through a small writer that
 * appends to a buffer, because lists of ten thousand rows are rendered at once.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "berth/base/buf.h"
#include "berth/base/fault.h"
#include "berth/base/text.h"

enum { JSON_DEPTH_MAX = 32 };

static inline void
json_freep(json_t **slot)
{
    json_decref(*slot);
}

/** json_wipe_install() - from now on whatever jansson frees is overwritten first, in the whole process;
 * before its first use.  What it hands out to be freed with free() (json_dumps()) is not. */
void json_wipe_install(void);

/**
 * json_in_parse() - parse one document of at most @len bytes
 * @ret_json: owned
 *
 * Nesting beyond JSON_DEPTH_MAX, duplicate keys, NUL characters and invalid UTF-8 are refused.
 *
 * Return: 0, or -1 with FAULT_INVALID that tells line and column.
 */
int json_in_parse(const char *data, size_t len, json_t **ret_json, struct fault *fault);

/* Readers for answers of other programs: a missing or mistyped member gives the default. */
const char *json_in_string(const json_t *object, const char *key, const char *fallback);
int64_t json_in_int(const json_t *object, const char *key, int64_t fallback);
bool json_in_bool(const json_t *object, const char *key, bool fallback);

/*
 * The writer.  Commas come by themselves; nesting is the caller's to close.
 * Strings must be UTF-8: what is not becomes U+FFFD.
 */
struct json_out {
    struct buf *buf; /* borrowed */
    bool comma;      /* the next value needs one before it */
    struct text_day day;
};

void json_out_init(struct json_out *out, struct buf *buf);
void json_out_object(struct json_out *out);
void json_out_object_end(struct json_out *out);
void json_out_array(struct json_out *out);
void json_out_array_end(struct json_out *out);
void json_out_key_n(struct json_out *out, const char *key, size_t len);

/* Inline, so that the compiler counts the letters of a literal. */
static inline void
json_out_key(struct json_out *out, const char *key)
{
    json_out_key_n(out, key, strlen(key));
}

/** json_out_string() - NULL gives null. */
void json_out_string(struct json_out *out, const char *value);
void json_out_string_n(struct json_out *out, const char *value, size_t len);
void json_out_int(struct json_out *out, int64_t value);
void json_out_uint(struct json_out *out, uint64_t value);
void json_out_bool(struct json_out *out, bool value);
void json_out_null(struct json_out *out);
/** json_out_milli() - @value thousandths as a decimal number: 1500 gives 1.5. */
void json_out_milli(struct json_out *out, int64_t value);
/** json_out_micro() - @value millionths as a decimal number: 83200 gives 0.0832. */
void json_out_micro(struct json_out *out, int64_t value);
/** json_out_time() - @at_ms (Unix epoch) as RFC 3339 UTC with milliseconds; 0 gives null. */
void json_out_time(struct json_out *out, int64_t at_ms);
/** json_out_raw() - a value that is JSON already. */
void json_out_raw(struct json_out *out, const char *json, size_t len);
/** json_out_text() - a piece of JSON that brings its own commas, up to where a value may follow:
 * inline, so that the compiler knows how long a literal is. */
static inline void
json_out_text(struct json_out *out, const char *text, size_t len)
{
    struct buf *buf = out->buf;

    if (buf->cap - buf->len > len) {
        memcpy(buf->data + buf->len, text, len);
        buf->len += len;
        buf->data[buf->len] = '\0';
    } else {
        buf_append(buf, text, len);
    }
    out->comma = false;
}

/*
 * The pen: several values and the texts between them in room that is taken once.
 * Each call writes at @at and returns where the next one goes.
 */

/* Bytes that one takes at the most. */
enum { JSON_OUT_PEN_NUMBER = 32, JSON_OUT_PEN_TIME = TEXT_TIME_SIZE + 1 };

/** json_out_pen() - room for @most bytes; NULL beyond the buffer's limit.  What is written brings its
 * own commas, up to where a value may follow, and json_out_pen_end() says where it ends. */
char *json_out_pen(struct json_out *out, size_t most);
void json_out_pen_end(struct json_out *out, const char *at);
char *json_out_pen_uint(char *at, uint64_t value);
char *json_out_pen_int(char *at, int64_t value);
char *json_out_pen_milli(char *at, int64_t value);
char *json_out_pen_time(struct json_out *out, char *at, int64_t at_ms);

static inline char *
json_out_pen_text(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

/** json_out_json() - a jansson value; NULL gives null. */
void json_out_json(struct json_out *out, const json_t *value);

/* Key and value in one call. */

static inline void
json_out_kv_string(struct json_out *out, const char *key, const char *value)
{
    json_out_key(out, key);
    json_out_string(out, value);
}

static inline void
json_out_kv_int(struct json_out *out, const char *key, int64_t value)
{
    json_out_key(out, key);
    json_out_int(out, value);
}

static inline void
json_out_kv_uint(struct json_out *out, const char *key, uint64_t value)
{
    json_out_key(out, key);
    json_out_uint(out, value);
}

static inline void
json_out_kv_bool(struct json_out *out, const char *key, bool value)
{
    json_out_key(out, key);
    json_out_bool(out, value);
}

static inline void
json_out_kv_milli(struct json_out *out, const char *key, int64_t value)
{
    json_out_key(out, key);
    json_out_milli(out, value);
}

static inline void
json_out_kv_micro(struct json_out *out, const char *key, int64_t value)
{
    json_out_key(out, key);
    json_out_micro(out, value);
}

static inline void
json_out_kv_time(struct json_out *out, const char *key, int64_t at_ms)
{
    json_out_key(out, key);
    json_out_time(out, at_ms);
}
