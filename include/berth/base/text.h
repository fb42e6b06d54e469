#pragma once

/*
 * Small pure helpers for text: times, sizes, hex, base64, UTF-8, names.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/mem.h"

enum { TEXT_TIME_SIZE = 25 }; /* "2026-01-02T03:04:05.678Z" and NUL */

/** text_time() - RFC 3339 UTC with milliseconds. Return: @ret_text. */
const char *text_time(int64_t at_ms, char ret_text[TEXT_TIME_SIZE]);

/* The day that was written last: rows of a list share a few. */
struct text_day {
    int64_t day;   /* since the epoch */
    char text[12]; /* "2026-01-02T" and NUL; empty: none yet */
};

/** text_time_of() - the same by way of @day, which is filled as it is used. */
const char *text_time_of(struct text_day *day, int64_t at_ms, char ret_text[TEXT_TIME_SIZE]);

/* "00", "01", ... "99", one after the other. */
extern const char text_digit_pairs[201];
/** text_time_parse() - RFC 3339 (any offset, 0 to 9 digits of fraction) to Unix milliseconds. */
bool text_time_parse(const char *text, int64_t *ret_at_ms);

/* A date of the proleptic Gregorian calendar. */
struct text_date {
    unsigned year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
};

/** text_days_from_date() - days since 1970-01-01. */
int64_t text_days_from_date(int year, int month, int day);
struct text_date text_date_from_days(int64_t days);

/** text_size_parse() - "512m", "1.5GiB", "1073741824": bytes. Units are powers of 1024. */
bool text_size_parse(const char *text, uint64_t *ret_bytes);
/** text_duration_parse() - "90s", "15m", "1h 30m", "2d", "45": seconds. */
bool text_duration_parse(const char *text, int64_t *ret_s);
/** text_size() - for people: "512 MiB". Return: @ret. */
const char *text_size(uint64_t bytes, char ret[24]);
/** text_duration() - for people: "2 h 5 min". Return: @ret. */
const char *text_duration(int64_t ms, char ret[32]);

void text_hex(const uint8_t *data, size_t len, char *ret_text);       /* 2 × len + 1 bytes */
bool text_hex_parse(const char *text, uint8_t *ret_data, size_t len); /* exactly 2 × len digits */
/** text_base64() / text_base64url() - with padding; @ret_text has 4 × ceil(len / 3) + 1 bytes. */
void text_base64(const uint8_t *data, size_t len, char *ret_text);
void text_base64url(const uint8_t *data, size_t len, char *ret_text);
/** text_base64_decode() - @len characters with their padding. Return: whether they are base64 of at most
 * @size bytes, which are in @ret_data then. */
bool text_base64_decode(const char *text, size_t len, uint8_t *ret_data, size_t size,
                        size_t *ret_len);

/** text_utf8_len() - length of the longest valid UTF-8 prefix of @data. */
size_t text_utf8_len(const char *data, size_t len);
/** text_utf8_sequence() - bytes, 1 to 4, of the valid UTF-8 sequence that @data starts with; 0 when
 * there is none.  NUL is a sequence like another. */
size_t text_utf8_sequence(const char *data, size_t len);
/** text_utf8_clean() - replace control characters (but tab and newline if @keep_lines) by spaces
 * and invalid bytes by '?', in place. */
void text_utf8_clean(char *text, bool keep_lines);

/** text_line_vprintf() - print one line for people into @ret_text of @size > 0 bytes: cut to fit on a
 * UTF-8 boundary, then as text_utf8_clean() does without lines. */
void text_line_vprintf(char *ret_text, size_t size, const char *format, va_list args)
    PRINTF_LIKE(3, 0);

/** text_is_name() - lower-case letters, digits, dots and dashes, 1 to 63, starting and ending with
 * a letter or digit: names of pools, blueprints, hosts. */
bool text_is_name(const char *text);

/** text_equal_secret() - compares in constant time. */
bool text_equal_secret(const void *a, const void *b, size_t len);

enum { TEXT_SHA256_SIZE = 32 };

/** text_sha256() - digest of @len bytes. */
void text_sha256(const void *data, size_t len, uint8_t ret_digest[TEXT_SHA256_SIZE]);
