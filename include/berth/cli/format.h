#pragma once

/*
 * Values of the API as people read them.
 */

#include "berth/base/json.h"

/** cli_format_age() - "45s", "5m", "3h", "2d" of @ms; less than nothing is "0s". Return: @ret. */
const char *cli_format_age(int64_t ms, char ret[16]);

/** cli_format_path() - the member of @json at @path, dots between names; NULL when there is none. */
const json_t *cli_format_path(const json_t *json, const char *path);

/** cli_format_first() - the first of @paths, separated by '|', that is there and not null. */
const json_t *cli_format_first(const json_t *json, const char *paths);

/** cli_format_scalar() - append a string as it is, a number, true, false; "" for null; lists and
 * objects separated by commas ("a,b", "k=v,l=w"). */
void cli_format_scalar(const json_t *json, struct buf *out);

/** cli_format_plain() - append the object or list @json, a member a line, indented; for people only:
 * nothing is quoted. */
void cli_format_plain(const json_t *json, struct buf *out);

/** cli_format_humane() - a copy of @json for people: members ending in _bytes become sizes, in _s
 * durations, in _at times with their age at @now_ms; nulls go. Owned. */
json_t *cli_format_humane(const json_t *json, int64_t now_ms) MUST_USE;

/**
 * cli_format_exact() - its opposite, in place: strings of members ending in _bytes become bytes, in
 * _s seconds.  Maps whose keys are the user's own (env, labels, host_labels, tmpfs) are left alone.
 *
 * Return: 0, or -1 with FAULT_INVALID that names the member.
 */
int cli_format_exact(json_t *json, struct fault *fault);

/** cli_format_wrap() - append @text in lines of at most @width columns (0: one line), broken at blanks,
 * each after @indent blanks; control characters become blanks. */
void cli_format_wrap(struct buf *out, size_t indent, const char *text, size_t width);

/** cli_format_now_ms() - wall clock, Unix epoch. */
int64_t cli_format_now_ms(void);
