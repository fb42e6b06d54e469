#pragma once

/* Requests by route and status, and how long they took. */

#include "berth/engine/meter.h"

enum { MEASURE_ROUTES_MAX = 64, MEASURE_STATUSES_MAX = 24 };

struct measure_route {
    uint64_t statuses[MEASURE_STATUSES_MAX]; /* by index; measure_status_code() */
    struct meter_histogram took;
};

struct measure {
    struct measure_route routes[MEASURE_ROUTES_MAX]; /* the last one: no route */
    uint64_t denied;                                 /* failed authentications */
    uint64_t evicted;                                /* connections cut because others wanted in */
    uint64_t timed_out;   /* connections cut because they were too slow */
    uint64_t connections; /* accepted */
};

/** measure_now_us() - monotonic. */
int64_t measure_now_us(void);
/** measure_status_code() - the HTTP status at index @i; 0: all others. */
int measure_status_code(size_t i);
/** measure_add() - one answer. @route: index in the table of routes; -1: none. */
void measure_add(struct measure *measure, int route, int64_t took_us, int status);
