#pragma once

/*
 * Money: prices are millionths of a currency an hour, sums millionths of it.  Months are those of
 * the calendar in UTC.  All saturates at INT64_MAX.
 */

#include <stdint.h>

/** cost_of_micro() - of @duration_ms (below 0: nothing) at @price_micro an hour, rounded up. */
int64_t cost_of_micro(int64_t price_micro, int64_t duration_ms);
/** cost_add_micro() - the sum of two that are not negative. */
int64_t cost_add_micro(int64_t a, int64_t b);

/** cost_month() - 202611. */
int32_t cost_month(int64_t now_ms);
/** cost_month_start_ms() / _end_ms() - the first moment of this month, and of the next. */
int64_t cost_month_start_ms(int64_t now_ms);
int64_t cost_month_end_ms(int64_t now_ms);
