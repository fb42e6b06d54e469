#include "zone_rule.h"

#include <stddef.h>

#include "berth/base/text.h"

enum {
    RULE_MINUTE_S = 60,
    RULE_HOUR_S = 3600,
    RULE_DAY_S = 86400,
    RULE_HOURS_MAX = 167,
    RULE_OFFSET_HOURS_MAX = 24,
    RULE_LAST_WEEK = 5,
    RULE_FEBRUARY = 59, /* days up to its end */
    RULE_YEAR_MAX = 9990,
    RULE_YEARS = 3, /* that are looked at: the one before, this, and the one after */
};

/* --- Reading ------------------------------------------------------------------------------------- */

static bool
zone_rule_letter(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

/* "EET" or "<+03>". */
static bool
zone_rule_name(const char **at)
{
    const char *from = *at;

    if (**at == '<') {
        while (**at && **at != '>')
            ++*at;
        return *(*at)++ == '>';
    }
    while (zone_rule_letter(**at))
        ++*at;
    return *at - from >= 3;
}

static bool
zone_rule_number(const char **at, int max, int *ret_number)
{
    const char *from = *at;
    int number = 0;

    for (; **at >= '0' && **at <= '9'; ++*at) {
        number = number * 10 + (**at - '0');
        if (number > max)
            return false;
    }
    *ret_number = number;
    return *at > from;
}

/* "-2", "5:30", "+02:00:00" */
static bool
zone_rule_time(const char **at, int hours_max, int32_t *ret_s)
{
    int sign = **at == '-' ? -1 : 1;
    int part[3] = { 0 };

    if (**at == '-' || **at == '+')
        ++*at;
    if (!zone_rule_number(at, hours_max, &part[0]))
        return false;
    for (size_t i = 1; i < ARRAY_LEN(part) && **at == ':'; i++) {
        ++*at;
        if (!zone_rule_number(at, 59, &part[i]))
            return false;
    }
    *ret_s = sign * (part[0] * RULE_HOUR_S + part[1] * RULE_MINUTE_S + part[2]);
    return true;
}

static bool
zone_rule_is(const char **at, char letter)
{
    if (**at != letter)
        return false;
    ++*at;
    return true;
}

/* ",M3.5.0/3", ",J60", ",59/2" */
static bool
zone_rule_edge(const char **at, struct zone_edge *ret_edge)
{
    *ret_edge = (struct zone_edge){ .kind = ZONE_DAY_ZERO, .time_s = 2 * RULE_HOUR_S };
    if (!zone_rule_is(at, ','))
        return false;
    if (zone_rule_is(at, 'M')) {
        ret_edge->kind = ZONE_DAY_WEEK;
        if (!zone_rule_number(at, 12, &ret_edge->month) || ret_edge->month == 0 ||
            !zone_rule_is(at, '.') || !zone_rule_number(at, RULE_LAST_WEEK, &ret_edge->week) ||
            ret_edge->week == 0 || !zone_rule_is(at, '.') ||
            !zone_rule_number(at, 6, &ret_edge->day))
            return false;
    } else {
        if (zone_rule_is(at, 'J'))
            ret_edge->kind = ZONE_DAY_JULIAN;
        if (!zone_rule_number(at, 365, &ret_edge->day) ||
            (ret_edge->kind == ZONE_DAY_JULIAN && ret_edge->day == 0))
            return false;
    }
    return !zone_rule_is(at, '/') || zone_rule_time(at, RULE_HOURS_MAX, &ret_edge->time_s);
}

bool
zone_rule_parse(const char *text, struct zone_rule *ret_rule)
{
    struct zone_rule rule = { 0 };
    const char *at = text;
    int32_t west_s;

    /* POSIX counts westwards. */
    if (!zone_rule_name(&at) || !zone_rule_time(&at, RULE_OFFSET_HOURS_MAX, &west_s))
        return false;
    rule.standard_s = -west_s;
    if (*at) {
        rule.has_summer = true;
        rule.summer_s = rule.standard_s + RULE_HOUR_S;
        if (!zone_rule_name(&at))
            return false;
        if (*at != ',') {
            if (!zone_rule_time(&at, RULE_OFFSET_HOURS_MAX, &west_s))
                return false;
            rule.summer_s = -west_s;
        }
        if (!zone_rule_edge(&at, &rule.begin) || !zone_rule_edge(&at, &rule.end) || *at)
            return false;
    }
    *ret_rule = rule;
    return true;
}

/* --- In a year ----------------------------------------------------------------------------------- */

static int64_t
zone_rule_floor(int64_t value, int64_t unit)
{
    return value / unit - (value % unit < 0);
}

static bool
zone_rule_leap(int year)
{
    return text_days_from_date(year, 3, 1) - text_days_from_date(year, 2, 1) == 29;
}

/* The day of @year, since 1970, on which clocks are changed. */
static int64_t
zone_rule_day(const struct zone_edge *edge, int year)
{
    int64_t january = text_days_from_date(year, 1, 1);
    int64_t first;
    int64_t next;
    int64_t day;

    if (edge->kind == ZONE_DAY_ZERO)
        return january + edge->day;
    if (edge->kind == ZONE_DAY_JULIAN)
        return january + edge->day - 1 + (edge->day > RULE_FEBRUARY && zone_rule_leap(year));
    first = text_days_from_date(year, edge->month, 1);
    next = text_days_from_date(year + edge->month / 12, edge->month % 12 + 1, 1);
    /* 1970-01-01 was a Thursday, day 4 of its week. */
    day = first + (edge->day + 7 - (first + 4 - zone_rule_floor(first + 4, 7) * 7)) % 7;
    day += (edge->week - 1) * INT64_C(7);
    return day < next ? day : day - 7;
}

static void
zone_rule_take(struct zone_span *span, int64_t edge_s, int32_t offset_s, int64_t at_s)
{
    if (edge_s > at_s) {
        if (edge_s < span->until_s)
            span->until_s = edge_s;
    } else if (edge_s >= span->from_s) {
        span->from_s = edge_s;
        span->offset_s = offset_s;
    }
}

struct zone_span
zone_rule_span_at(const struct zone_rule *rule, int64_t at_s)
{
    struct zone_span span = { INT64_MIN, INT64_MAX, rule->standard_s };
    int64_t day = zone_rule_floor(at_s, RULE_DAY_S);
    int year;

    if (!rule->has_summer)
        return span;
    year = (int)text_date_from_days(day).year - 1;
    /* Summer time that ends as it begins anew goes on: its begin is taken last. */
    for (int i = 0; i < RULE_YEARS && year <= RULE_YEAR_MAX; i++, year++) {
        int64_t end_s = zone_rule_day(&rule->end, year) * RULE_DAY_S + rule->end.time_s;
        int64_t begin_s = zone_rule_day(&rule->begin, year) * RULE_DAY_S + rule->begin.time_s;

        zone_rule_take(&span, end_s - rule->summer_s, rule->standard_s, at_s);
        zone_rule_take(&span, begin_s - rule->standard_s, rule->summer_s, at_s);
    }
    return span;
}
