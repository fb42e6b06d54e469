#include "berth/domain/cost.h"

#include <assert.h>

#include "berth/base/text.h"

#define COST_HOUR_MS INT64_C(3600000)
#define COST_DAY_MS  INT64_C(86400000)

enum { COST_CENTURY = 100, COST_MONTHS = 12 };

int64_t
cost_add_micro(int64_t a, int64_t b)
{
    int64_t sum;

    assert(a >= 0 && b >= 0);
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int64_t
cost_of_micro(int64_t price_micro, int64_t duration_ms)
{
    int64_t whole;
    int64_t part;

    if (price_micro <= 0 || duration_ms <= 0)
        return 0;
    if (__builtin_mul_overflow(price_micro, duration_ms / COST_HOUR_MS, &whole) ||
        __builtin_mul_overflow(price_micro, duration_ms % COST_HOUR_MS, &part))
        return INT64_MAX;
    return cost_add_micro(whole, part / COST_HOUR_MS + (part % COST_HOUR_MS > 0));
}

static int64_t
cost_day(int64_t now_ms)
{
    return now_ms / COST_DAY_MS - (now_ms % COST_DAY_MS < 0);
}

int32_t
cost_month(int64_t now_ms)
{
    struct text_date date = text_date_from_days(cost_day(now_ms));

    return (int32_t)(date.year * COST_CENTURY + date.month);
}

int64_t
cost_month_start_ms(int64_t now_ms)
{
    struct text_date date = text_date_from_days(cost_day(now_ms));

    return text_days_from_date((int)date.year, (int)date.month, 1) * COST_DAY_MS;
}

int64_t
cost_month_end_ms(int64_t now_ms)
{
    struct text_date date = text_date_from_days(cost_day(now_ms));
    int month = (int)date.month % COST_MONTHS + 1;

    return text_days_from_date((int)date.year + (month == 1), month, 1) * COST_DAY_MS;
}
