#pragma once

/*
 * A time zone: what the clocks of a place show.  Made from the bytes of a TZif file of version 2 or
 * newer (RFC 9636), with the rule in its footer for the years beyond its table.  NULL is UTC.
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"

struct zone;

/* A time in which the clocks are not changed. */
struct zone_span {
    int64_t from_s;   /* Unix time; INT64_MIN: since ever */
    int64_t until_s;  /* INT64_MAX: for ever */
    int32_t offset_s; /* local time less UTC */
};

/** zone_parse() - Return: 0, or -1 with FAULT_INVALID; @ret_zone is for zone_free(). */
int zone_parse(const uint8_t *data, size_t len, struct zone **ret_zone, struct fault *fault);
void zone_free(struct zone *zone);

/** zone_span_at() - the span that holds @at_s.  Two spans side by side may have the same offset. */
struct zone_span zone_span_at(const struct zone *zone, int64_t at_s);

/** zone_name_check() - a schema_check_fn: "Europe/Helsinki" is well formed; whether there is such a
 * zone is for the zone port to say. */
const char *zone_name_check(const char *text);
