/* Times, durations and sizes, written by hand: a list of ten thousand rows has many of them. */

#include <stdio.h>
#include <string.h>

#include "berth/base/text.h"

enum {
    DAY_S = 86400,
    MS = 1000,
    YEAR_MAX = 9999,
};

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z */
static const int64_t text_time_min_ms = -62167219200000;
static const int64_t text_time_max_ms = 253402300799999;

/* This and its inverse are Howard Hinnant's, howardhinnant.github.io/date_algorithms.html: years
 * begin in March. */
int64_t
text_days_from_date(int year, int month, int day)
{
    int64_t from_march = month > 2 ? year : year - 1;
    int64_t era = (from_march >= 0 ? from_march : from_march - 399) / 400;
    int64_t year_of_era = from_march - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct text_date
text_date_from_days(int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned day_of_era = (unsigned)(shifted - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month_from_march = (5 * day_of_year + 2) / 153;
    unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    return (struct text_date){
        .year = (unsigned)((int64_t)year_of_era + era * 400) + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
}

const char text_digit_pairs[201] = "00010203040506070809"
                                   "10111213141516171819"
                                   "20212223242526272829"
                                   "30313233343536373839"
                                   "40414243444546474849"
                                   "50515253545556575859"
                                   "60616263646566676869"
                                   "70717273747576777879"
                                   "80818283848586878889"
                                   "90919293949596979899";

/* Two digits and what follows them. */
static inline void
text_put_two(char *at, unsigned value, char then)
{
    memcpy(at, &text_digit_pairs[2 * (size_t)value], 2);
    at[2] = then;
}

static void
text_day_fill(struct text_day *day, int64_t days)
{
    const struct text_date date = text_date_from_days(days);
    char *at = day->text;

    day->day = days;
    text_put_two(at, date.year / 100, '0');
    text_put_two(at + 2, date.year % 100, '-');
    text_put_two(at + 5, date.month, '-');
    text_put_two(at + 8, date.day, 'T');
    at[11] = '\0';
}

const char *
text_time_of(struct text_day *day, int64_t at_ms, char ret_text[TEXT_TIME_SIZE])
{
    int64_t days;
    unsigned ms;
    unsigned s;
    char *const at = ret_text;

    if (at_ms < text_time_min_ms)
        at_ms = text_time_min_ms;
    if (at_ms > text_time_max_ms)
        at_ms = text_time_max_ms;
    days = at_ms / ((int64_t)DAY_S * MS);
    if (at_ms % ((int64_t)DAY_S * MS) < 0)
        days--;
    if (day->day != days || !day->text[0])
        text_day_fill(day, days);
    ms = (unsigned)(at_ms - days * DAY_S * MS);
    s = ms / MS;
    ms %= MS;
    memcpy(at, day->text, 11);
    text_put_two(at + 11, s / 3600, ':');
    text_put_two(at + 14, s / 60 % 60, ':');
    text_put_two(at + 17, s % 60, '.');
    at[20] = (char)('0' + ms / 100);
    text_put_two(at + 21, ms % 100, 'Z');
    at[24] = '\0';
    return ret_text;
}

const char *
text_time(int64_t at_ms, char ret_text[TEXT_TIME_SIZE])
{
    struct text_day day = { 0 };

    return text_time_of(&day, at_ms, ret_text);
}

/* Read exactly @digits digits and move past them. */
static bool
text_get_digits(const char **at, int digits, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        if ((*at)[i] < '0' || (*at)[i] > '9')
            return false;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    *ret_value = value;
    return true;
}

static bool
text_get_char(const char **at, const char *any_of)
{
    if (**at == '\0' || !strchr(any_of, **at))
        return false;
    (*at)++;
    return true;
}

static bool
text_get_date(const char **at, int64_t *ret_days)
{
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year;
    int month;
    int day;
    int most;

    if (!text_get_digits(at, 4, &year) || !text_get_char(at, "-") ||
        !text_get_digits(at, 2, &month) || !text_get_char(at, "-") ||
        !text_get_digits(at, 2, &day) || month < 1 || month > 12)
        return false;
    most = month_days[month - 1];
    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
        most++;
    if (day < 1 || day > most)
        return false;
    *ret_days = text_days_from_date(year, month, day);
    return true;
}

/* "15:04:05.678" in milliseconds; a leap second (:60) counts as the first of the next minute. */
static bool
text_get_clock(const char **at, int64_t *ret_ms)
{
    int scale = 100;
    int fraction_ms = 0;
    int hour;
    int minute;
    int s;

    if (!text_get_digits(at, 2, &hour) || !text_get_char(at, ":") ||
        !text_get_digits(at, 2, &minute) || !text_get_char(at, ":") ||
        !text_get_digits(at, 2, &s) || hour > 23 || minute > 59 || s > 60)
        return false;
    if (text_get_char(at, ".")) {
        int digits = 0;
        int digit;

        for (; digits < 9 && text_get_digits(at, 1, &digit); digits++, scale /= 10)
            fraction_ms += digit * scale;
        if (digits == 0)
            return false;
    }
    *ret_ms = (hour * INT64_C(3600) + minute * INT64_C(60) + s) * MS + fraction_ms;
    return true;
}

static bool
text_get_offset(const char **at, int64_t *ret_ms)
{
    int sign = **at == '-' ? -1 : 1;
    int hour;
    int minute;

    if (text_get_char(at, "Zz")) {
        *ret_ms = 0;
        return true;
    }
    if (!text_get_char(at, "+-") || !text_get_digits(at, 2, &hour) || !text_get_char(at, ":") ||
        !text_get_digits(at, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_ms = sign * (hour * INT64_C(3600) + minute * INT64_C(60)) * MS;
    return true;
}

bool
text_time_parse(const char *text, int64_t *ret_at_ms)
{
    int64_t days;
    int64_t clock_ms;
    int64_t offset_ms;

    if (!text || !text_get_date(&text, &days) || !text_get_char(&text, "Tt ") ||
        !text_get_clock(&text, &clock_ms) || !text_get_offset(&text, &offset_ms) || *text != '\0')
        return false;
    *ret_at_ms = days * DAY_S * MS + clock_ms - offset_ms;
    return true;
}

/* A whole number and what follows it; false without a digit or beyond 64 bits. */
static bool
text_get_number(const char **at, uint64_t *ret_value)
{
    const char *start = *at;
    uint64_t value = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(**at - '0'), &value))
            return false;
    }
    *ret_value = value;
    return *at > start;
}

/* ".25" in millionths; zero without a point, false without a digit behind it. */
static bool
text_get_millionths(const char **at, uint64_t *ret_value)
{
    uint64_t scale = 100000;
    uint64_t value = 0;

    *ret_value = 0;
    if (!text_get_char(at, "."))
        return true;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
        value += (uint64_t)(**at - '0') * scale;
    *ret_value = value;
    return true;
}

static bool
text_size_unit(const char *text, uint64_t *ret_unit)
{
    static const char letters[] = "kmgt";
    char first = (char)(*text | 0x20);
    const char *found;

    *ret_unit = 1;
    if (*text == '\0' || strcasecmp(text, "b") == 0)
        return true;
    found = strchr(letters, first);
    if (!found)
        return false;
    *ret_unit = UINT64_C(1) << (10 * (found - letters + 1));
    text++;
    return *text == '\0' || strcasecmp(text, "b") == 0 || strcasecmp(text, "ib") == 0;
}

bool
text_size_parse(const char *text, uint64_t *ret_bytes)
{
    uint64_t whole;
    uint64_t millionths;
    uint64_t unit;
    uint64_t bytes;

    if (!text || !text_get_number(&text, &whole) || !text_get_millionths(&text, &millionths))
        return false;
    (void)text_get_char(&text, " ");
    if (!text_size_unit(text, &unit) || (unit == 1 && millionths > 0) ||
        __builtin_mul_overflow(whole, unit, &bytes) ||
        __builtin_add_overflow(bytes, millionths * unit / 1000000, &bytes))
        return false;
    *ret_bytes = bytes;
    return true;
}

static const struct {
    const char *name;
    int64_t s;
} text_duration_units[] = {
    { "w", INT64_C(7) * DAY_S },
    { "d", DAY_S },
    { "h", 3600 },
    { "min", 60 },
    { "m", 60 },
    { "s", 1 },
};

/* The seconds of the unit at *@at, which moves past it; 0 when there is none. */
static int64_t
text_get_unit(const char **at)
{
    size_t len = 0;

    while ((*at)[len] >= 'a' && (*at)[len] <= 'z')
        len++;
    for (size_t i = 0; i < ARRAY_LEN(text_duration_units); i++) {
        if (strlen(text_duration_units[i].name) == len &&
            memcmp(*at, text_duration_units[i].name, len) == 0) {
            *at += len;
            return text_duration_units[i].s;
        }
    }
    return 0;
}

/* One "15m" of "1h 15m", with the spaces behind it. */
static bool
text_get_duration(const char **at, int64_t *total_s)
{
    uint64_t number;
    int64_t unit_s;
    int64_t part_s;

    if (!text_get_number(at, &number) || number > INT64_MAX)
        return false;
    (void)text_get_char(at, " ");
    unit_s = text_get_unit(at);
    if (unit_s == 0 || __builtin_mul_overflow((int64_t)number, unit_s, &part_s) ||
        __builtin_add_overflow(*total_s, part_s, total_s))
        return false;
    while (text_get_char(at, " "))
        ;
    return true;
}

bool
text_duration_parse(const char *text, int64_t *ret_s)
{
    const char *at = text;
    uint64_t number;
    int64_t total_s = 0;

    if (!text)
        return false;
    if (text_get_number(&at, &number) && *at == '\0' && number <= INT64_MAX) {
        *ret_s = (int64_t)number;
        return true;
    }
    at = text;
    do {
        if (!text_get_duration(&at, &total_s))
            return false;
    } while (*at != '\0');
    *ret_s = total_s;
    return true;
}

const char *
text_size(uint64_t bytes, char ret[24])
{
    static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    size_t unit = 0;
    uint64_t size = 1;
    uint64_t tenths;

    while (unit + 1 < ARRAY_LEN(names) && bytes / size >= 1024) {
        size *= 1024;
        unit++;
    }
    tenths = bytes / size * 10 + (bytes % size * 10 + size / 2) / size;
    if (tenths >= 10240 && unit + 1 < ARRAY_LEN(names)) {
        tenths = 10;
        unit++;
    }
    if (tenths % 10 == 0) {
        (void)snprintf(ret, 24, "%u %s", (unsigned)(tenths / 10), names[unit]);
    } else {
        (void)snprintf(ret, 24, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10),
                       names[unit]);
    }
    return ret;
}

const char *
text_duration(int64_t ms, char ret[32])
{
    static const struct {
        const char *name;
        uint64_t s;
    } units[] = { { "d", DAY_S }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
    const char *sign = ms < 0 ? "-" : "";
    uint64_t size_ms = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    uint64_t left_s = size_ms / MS;
    size_t i = 0;
    uint64_t next;

    if (size_ms < MS) {
        (void)snprintf(ret, 32, "%s%u ms", sign, (unsigned)size_ms);
        return ret;
    }
    while (left_s < units[i].s)
        i++;
    next = i + 1 < ARRAY_LEN(units) ? left_s % units[i].s / units[i + 1].s : 0;
    if (next > 0) {
        (void)snprintf(ret, 32, "%s%llu %s %u %s", sign, (unsigned long long)(left_s / units[i].s),
                       units[i].name, (unsigned)next, units[i + 1].name);
    } else {
        (void)snprintf(ret, 32, "%s%llu %s", sign, (unsigned long long)(left_s / units[i].s),
                       units[i].name);
    }
    return ret;
}
