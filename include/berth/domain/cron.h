#pragma once

/*
 * Times that repeat, as crontab(5) writes them: minute, hour, day of the month, month, day of the
 * week.  Each is `*`, a number, a range 1-5, a list 1,3-5 of such, and with a step a range or `*`
 * as in 0-30/10; months and days of the week may be named by their first three letters; Sunday is
 * 0 and 7.  When both kinds of days are restricted (do not begin with `*`), one that fits is enough.
 *
 * When clocks go forward, what is named in the hour that is left out comes at the moment of the
 * change; when they go back, what is named in the hour that comes twice comes the first time only.
 * With `*` for the hour it comes whenever the clock shows it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/domain/zone.h"

struct cron {
    uint64_t minutes; /* bit n: n */
    uint32_t hours;
    uint32_t days; /* of the month: bits 1 to 31 */
    uint16_t months;
    uint8_t weekdays; /* bit 0: Sunday */
    bool any_hour;
    bool any_day; /* of the month: begins with `*` */
    bool any_weekday;
};

/** cron_parse() - Return: NULL, or what is wrong ("must be ..."), static. */
const char *cron_parse(const char *text, struct cron *ret_cron);
/** cron_check() - the same as a schema_check_fn. */
const char *cron_check(const char *text);

/** cron_next_s() - the first time after @after_s, Unix seconds. */
int64_t cron_next_s(const struct cron *cron, const struct zone *zone, int64_t after_s);
/** cron_last_s() - the last time at or before @at_s and not before @since_s; INT64_MIN: none. */
int64_t cron_last_s(const struct cron *cron, const struct zone *zone, int64_t at_s,
                    int64_t since_s);
