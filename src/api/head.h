#pragma once

/* Reading a request's head: strictly, since what is in front of us may read it otherwise. */

#include "request.h"

/**
 * head_check() - collect the headers and find what is wrong with them or the target
 *
 * Fills headers, id, is_head, segments, and the query's text.
 *
 * Return: 0, or -1 when the request was refused.
 */
int head_check(struct request *request, const char *version, char **ret_query);

/** head_has_body() - a body was announced. */
bool head_has_body(const struct request *request);
/** head_body_len() - as announced; UINT64_MAX: not told. */
uint64_t head_body_len(const struct request *request);
/** head_is_media() - @value is the media type @type, with any parameters. */
bool head_is_media(const char *value, const char *type);
/** head_accepts() - Accept names exactly @type. */
bool head_accepts(const struct request *request, const char *type);
