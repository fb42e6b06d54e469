#pragma once

/* The rule in the footer of a TZif file: the environment variable TZ of POSIX, with the hours of
 * -167 to 167 that RFC 9636 (3.3.1) adds.  "EET-2EEST,M3.5.0/3,M10.5.0/4" */

#include <stdbool.h>
#include <stdint.h>

#include "berth/domain/zone.h"

enum zone_day {
    ZONE_DAY_JULIAN, /* 1 to 365, without 29 February */
    ZONE_DAY_ZERO,   /* 0 to 365, with it */
    ZONE_DAY_WEEK,   /* weekday @day of week @week (5: the last) of @month */
};

/* When clocks are changed, each year. */
struct zone_edge {
    enum zone_day kind;
    int month;
    int week;
    int day;
    int32_t time_s; /* on the clock until then */
};

struct zone_rule {
    int32_t standard_s;
    int32_t summer_s;
    bool has_summer;
    struct zone_edge begin; /* of summer time */
    struct zone_edge end;
};

bool zone_rule_parse(const char *text, struct zone_rule *ret_rule);
struct zone_span zone_rule_span_at(const struct zone_rule *rule, int64_t at_s);
