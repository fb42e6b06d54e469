#include "berth/domain/cron.h"

#include <limits.h>
#include <string.h>

#include "berth/base/text.h"

enum {
    CRON_MINUTE_S = 60,
    CRON_HOUR_S = 3600,
    CRON_DAY_S = 86400,
    CRON_FIELDS = 5,
    CRON_DAYS_MAX = 3300,  /* 29 February is at most eight years away */
    CRON_SPANS_MAX = 1000, /* of a zone that changes its clocks that often in eight years */
    CRON_NAME_LEN = 3,
    CRON_NUMBER_MAX = 99,
    CRON_WEEK = 7,
    CRON_EPOCH_WEEKDAY = 4, /* 1970-01-01 was a Thursday */
};

struct cron_field {
    unsigned min;
    unsigned max;
    const char *names; /* three letters each, or NULL */
    const char *wrong;
};

static const struct cron_field cron_fields[CRON_FIELDS] = {
    { 0, 59, NULL,
      "must begin with the minute: * or 0 to 59, as range 0-30, list 0,15 or step */10" },
    { 0, 23, NULL,
      "must have the hour as second field: * or 0 to 23, as range 8-18, list 8,12 or step */2" },
    { 1, 31, NULL,
      "must have the day of the month as third field: * or 1 to 31, as range 1-7, list 1,15 or "
      "step */2" },
    { 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec",
      "must have the month as fourth field: * or 1 to 12 or jan to dec, as range, list or step" },
    { 0, 7, "sunmontuewedthufrisat",
      "must have the day of the week as fifth field: * or 0 to 7 (Sunday is both) or sun to sat, "
      "as "
      "range, list or step" },
};

/* --- Reading ------------------------------------------------------------------------------------- */

/* What is read; moves on. */
struct cron_reader {
    const char *at;
    const struct cron_field *field;
};

static bool
cron_read_number(struct cron_reader *reader, unsigned *ret_number)
{
    unsigned number = 0;
    const char *from = reader->at;

    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        number = number * 10 + (unsigned)(*reader->at - '0');
        if (number > CRON_NUMBER_MAX)
            return false;
    }
    *ret_number = number;
    return reader->at > from;
}

/* Whether @text begins with the three letters of @name, large or small. */
static bool
cron_is_word(const char *text, const char *name)
{
    enum { SMALL = 0x20 };

    for (size_t i = 0; i < CRON_NAME_LEN; i++) {
        if (text[i] == '\0' || (text[i] | SMALL) != name[i])
            return false;
    }
    return true;
}

static bool
cron_read_name(struct cron_reader *reader, unsigned *ret_number)
{
    const char *names = reader->field->names;

    for (size_t i = 0; names && names[i]; i += CRON_NAME_LEN) {
        if (cron_is_word(reader->at, &names[i])) {
            *ret_number = reader->field->min + (unsigned)(i / CRON_NAME_LEN);
            reader->at += CRON_NAME_LEN;
            return true;
        }
    }
    return false;
}

static bool
cron_read_value(struct cron_reader *reader, unsigned *ret_value)
{
    unsigned value;

    if (!cron_read_number(reader, &value) && !cron_read_name(reader, &value))
        return false;
    *ret_value = value;
    return value >= reader->field->min && value <= reader->field->max;
}

/* "*", "*'/'10", "5", "1-5", "0-30/10": the bits that it names into @bits. */
static bool
cron_read_item(struct cron_reader *reader, uint64_t *bits)
{
    unsigned from = reader->field->min;
    unsigned to = reader->field->max;
    unsigned step = 1;
    bool range = true;

    if (*reader->at == '*') {
        reader->at++;
    } else {
        if (!cron_read_value(reader, &from))
            return false;
        to = from;
        range = *reader->at == '-';
        if (range) {
            reader->at++;
            if (!cron_read_value(reader, &to) || to < from)
                return false;
        }
    }
    if (*reader->at == '/') {
        reader->at++;
        if (!range || !cron_read_number(reader, &step) || step == 0)
            return false;
    }
    for (unsigned value = from; value <= to; value += step)
        *bits |= UINT64_C(1) << value;
    return true;
}

static bool
cron_is_space(char letter)
{
    return letter == ' ' || letter == '\t';
}

/* One field and the space behind it. */
static bool
cron_read_field(struct cron_reader *reader, uint64_t *ret_bits)
{
    *ret_bits = 0;
    while (cron_read_item(reader, ret_bits)) {
        if (*reader->at != ',') {
            if (*reader->at != '\0' && !cron_is_space(*reader->at))
                return false;
            while (cron_is_space(*reader->at))
                reader->at++;
            return true;
        }
        reader->at++;
    }
    return false;
}

static int64_t cron_local_next(const struct cron *cron, int64_t from_s);

const char *
cron_parse(const char *text, struct cron *ret_cron)
{
    struct cron_reader reader = { .at = text };
    uint64_t bits[CRON_FIELDS];
    bool any[CRON_FIELDS];
    struct cron cron;

    while (cron_is_space(*reader.at))
        reader.at++;
    for (size_t i = 0; i < CRON_FIELDS; i++) {
        reader.field = &cron_fields[i];
        any[i] = *reader.at == '*';
        if (*reader.at == '\0') {
            return "must be five fields: minute, hour, day of the month, month, day of the week";
        }
        if (!cron_read_field(&reader, &bits[i]))
            return cron_fields[i].wrong;
    }
    if (*reader.at != '\0')
        return "must be five fields: minute, hour, day of the month, month, day of the week";
    cron = (struct cron){
        .minutes = bits[0],
        .hours = (uint32_t)bits[1],
        .days = (uint32_t)bits[2],
        .months = (uint16_t)bits[3],
        .weekdays = (uint8_t)((bits[4] | bits[4] >> CRON_WEEK) & 0x7f),
        .any_hour = any[1],
        .any_day = any[2],
        .any_weekday = any[4],
    };
    if (cron_local_next(&cron, 0) == INT64_MAX)
        return "must name a day that exists";
    *ret_cron = cron;
    return NULL;
}

const char *
cron_check(const char *text)
{
    struct cron cron;

    return cron_parse(text, &cron);
}

/* --- On one clock -------------------------------------------------------------------------------- */

static int64_t
cron_floor(int64_t value, int64_t unit)
{
    return value / unit - (value % unit < 0);
}

static bool
cron_has_day(const struct cron *cron, int64_t day)
{
    struct text_date date = text_date_from_days(day);
    int64_t weekday =
        (day + CRON_EPOCH_WEEKDAY) - cron_floor(day + CRON_EPOCH_WEEKDAY, CRON_WEEK) * CRON_WEEK;
    bool by_month = cron->days >> date.day & 1;
    bool by_week = cron->weekdays >> weekday & 1;

    if (!(cron->months >> date.month & 1))
        return false;
    return cron->any_day || cron->any_weekday ? by_month && by_week : by_month || by_week;
}

/* The first time of a day at or after its second @from_s; -1: none. */
static int64_t
cron_in_day_next(const struct cron *cron, int64_t from_s)
{
    int64_t minute_of_day = cron_floor(from_s + CRON_MINUTE_S - 1, CRON_MINUTE_S);
    unsigned hour = (unsigned)(minute_of_day / 60);
    unsigned minute = (unsigned)(minute_of_day % 60);

    for (; hour < 24; hour++, minute = 0) {
        uint64_t left = cron->minutes >> minute;

        if (cron->hours >> hour & 1 && left) {
            minute += (unsigned)__builtin_ctzll(left);
            return (int64_t)hour * CRON_HOUR_S + (int64_t)minute * CRON_MINUTE_S;
        }
    }
    return -1;
}

/* The last time of a day at or before its second @to_s; -1: none. */
static int64_t
cron_in_day_last(const struct cron *cron, int64_t to_s)
{
    int64_t minute = to_s / CRON_MINUTE_S % 60;

    for (int64_t hour = to_s / CRON_HOUR_S; hour >= 0; hour--, minute = 59) {
        uint64_t left = cron->minutes & (UINT64_MAX >> (63 - minute));

        if (cron->hours >> hour & 1 && left)
            return hour * CRON_HOUR_S + INT64_C(60) * (63 - __builtin_clzll(left));
    }
    return -1;
}

/* Both: seconds as the clock shows them, since 1970. */
static int64_t
cron_local_next(const struct cron *cron, int64_t from_s)
{
    int64_t first = cron_floor(from_s, CRON_DAY_S);

    for (int64_t day = first; day < first + CRON_DAYS_MAX; day++) {
        int64_t at_s;

        if (!cron_has_day(cron, day))
            continue;
        at_s = cron_in_day_next(cron, day == first ? from_s - day * CRON_DAY_S : 0);
        if (at_s >= 0)
            return day * CRON_DAY_S + at_s;
    }
    return INT64_MAX;
}

struct cron_range {
    int64_t from_s;
    int64_t to_s;
};

/* The last of them in @range, both ends included; INT64_MIN: none. */
static int64_t
cron_local_last(const struct cron *cron, struct cron_range range)
{
    int64_t last = cron_floor(range.to_s, CRON_DAY_S);

    for (int64_t day = last; (day + 1) * CRON_DAY_S > range.from_s; day--) {
        int64_t at_s;

        if (!cron_has_day(cron, day))
            continue;
        at_s = cron_in_day_last(cron, day == last ? range.to_s - day * CRON_DAY_S : CRON_DAY_S - 1);
        if (at_s >= 0 && day * CRON_DAY_S + at_s >= range.from_s)
            return day * CRON_DAY_S + at_s;
    }
    return INT64_MIN;
}

/* --- Clocks that are changed --------------------------------------------------------------------- */

/* By how much the clock moved when @span began. */
static int32_t
cron_jump_s(const struct zone *zone, const struct zone_span *span)
{
    if (span->from_s == INT64_MIN)
        return 0;
    return span->offset_s - zone_span_at(zone, span->from_s - 1).offset_s;
}

/* Whether something is named in the hour that was left out when @span began. */
static bool
cron_is_in_gap(const struct cron *cron, const struct zone *zone, const struct zone_span *span)
{
    int32_t jump_s = cron_jump_s(zone, span);
    int64_t local_s;

    if (jump_s <= 0 || cron->any_hour)
        return false;
    local_s = span->from_s + span->offset_s;
    return cron_local_next(cron, local_s - jump_s) < local_s;
}

/* What the clock shows at @at_s, which is in @span; or when what it shows is new again, if it went
 * back and what comes a second time does not count. */
static int64_t
cron_local_from(const struct cron *cron, const struct zone *zone, const struct zone_span *span,
                int64_t at_s)
{
    int32_t jump_s = cron_jump_s(zone, span);

    if (jump_s < 0 && !cron->any_hour && at_s < span->from_s - jump_s)
        at_s = span->from_s - jump_s;
    return at_s + span->offset_s;
}

int64_t
cron_next_s(const struct cron *cron, const struct zone *zone, int64_t after_s)
{
    int64_t at_s = after_s + 1;

    for (int i = 0; i < CRON_SPANS_MAX; i++) {
        struct zone_span span = zone_span_at(zone, at_s);
        int64_t local_s;

        if (at_s == span.from_s && cron_is_in_gap(cron, zone, &span))
            return at_s;
        local_s = cron_local_next(cron, cron_local_from(cron, zone, &span, at_s));
        if (local_s == INT64_MAX)
            break;
        if (local_s - span.offset_s < span.until_s)
            return local_s - span.offset_s;
        at_s = span.until_s;
    }
    return INT64_MAX;
}

int64_t
cron_last_s(const struct cron *cron, const struct zone *zone, int64_t at_s, int64_t since_s)
{
    while (at_s >= since_s) {
        struct zone_span span = zone_span_at(zone, at_s);
        int64_t from_s = span.from_s > since_s ? span.from_s : since_s;
        const struct cron_range range = { .from_s = cron_local_from(cron, zone, &span, from_s),
                                          .to_s = at_s + span.offset_s };
        int64_t local_s = cron_local_last(cron, range);

        if (local_s != INT64_MIN)
            return local_s - span.offset_s;
        if (span.from_s >= since_s && cron_is_in_gap(cron, zone, &span))
            return span.from_s;
        if (span.from_s == INT64_MIN)
            break;
        at_s = span.from_s - 1;
    }
    return INT64_MIN;
}
