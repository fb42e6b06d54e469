#pragma once

/*
 * Query parameters: one table says for each name its type and limits; a route
 * lists which it takes.  Whatever else comes is refused.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/json.h"
#include "berth/base/schema.h"

enum query_name {
    QUERY_LIMIT,
    QUERY_LIMIT_HOSTS, /* "limit" with a higher maximum */
    QUERY_CURSOR,
    QUERY_STATE,
    QUERY_HOST_STATE, /* "state" of hosts */
    QUERY_OPERATION_STATE,
    QUERY_OWNER,
    QUERY_HOST,
    QUERY_INSTANCE,
    QUERY_BLUEPRINT,
    QUERY_POOL,
    QUERY_NAME,
    QUERY_KIND,
    QUERY_AFTER,
    QUERY_ORDER,
    QUERY_FOLLOW,
    QUERY_TAIL,
    QUERY_SINCE,
    QUERY_TIMESTAMPS,
    QUERY_STREAM,
    QUERY_ROUNDS,
    QUERY_FOLLOW_HOST, /* "follow" of a host's log */
    QUERY_RUN,
    QUERY_FAILED,
    QUERY_COUNT,
};

#define QUERY_BIT(name) (UINT32_C(1) << (name))
#define QUERY_PAGE      (QUERY_BIT(QUERY_LIMIT) | QUERY_BIT(QUERY_CURSOR))

struct query {
    uint32_t set;                  /* bits of enum query_name */
    const char *text[QUERY_COUNT]; /* decoded, borrowed from the target; NULL: not given */
    int64_t number[QUERY_COUNT];   /* of numbers, times (ms), ids, booleans, indices of words; the
                                      default when not given */
};

/**
 * query_decode() - parse and check
 * @text:    after the '?', decoded in place; NULL: none
 * @allowed: bits of what the route takes
 * @now_ms:  for times that count from now
 *
 * Return: 0, or -1 when @problems got an entry.
 */
int query_decode(char *text, uint32_t allowed, int64_t now_ms, struct query *ret_query,
                 struct problems *problems);

/** query_has() - it was given. */
static inline bool
query_has(const struct query *query, enum query_name name)
{
    return query->set & QUERY_BIT(name);
}

/** query_describe() - the OpenAPI parameters of @allowed, each a value of an open array. */
void query_describe(uint32_t allowed, struct json_out *out);

/** query_unescape() - decode %XX in place. @plus: '+' is a space. Return: false when an escape is
 * broken, gives NUL, or the result is not UTF-8. */
bool query_unescape(char *text, bool plus);
