#include "measure.h"

#include <time.h>

#include "berth/base/mem.h"

static const int measure_codes[MEASURE_STATUSES_MAX] = {
    0,   200, 201, 202, 204, 304, 400, 401, 403, 404, 405,
    409, 412, 413, 414, 415, 422, 429, 500, 502, 503, 504,
};

int64_t
measure_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The index that stands for an HTTP status. */
static size_t
measure_status(int status)
{
    for (size_t i = 1; i < ARRAY_LEN(measure_codes); i++) {
        if (measure_codes[i] == status)
            return i;
    }
    return 0;
}

int
measure_status_code(size_t i)
{
    return measure_codes[i];
}

void
measure_add(struct measure *measure, int route, int64_t took_us, int status)
{
    size_t i = route < 0 ? MEASURE_ROUTES_MAX - 1 : (size_t)route;

    measure->routes[i].statuses[measure_status(status)]++;
    meter_add(&measure->routes[i].took, took_us);
}
