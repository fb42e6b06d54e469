#pragma once

/*
 * Events: what happened, in order, kept in the store.  Every move of a life
 * cycle is one; so is every decision that somebody may ask about later.
 */

#include <stdint.h>

struct event {
    int64_t seq; /* 1, 2, ... without a gap; the id in event streams */
    int64_t at_ms;
    const char *kind;    /* static or borrowed: "instance.running", "host.active", ... */
    int64_t pool_id;     /* 0: none */
    int64_t host_id;     /* 0: none */
    int64_t instance_id; /* 0: none */
    const char *owner;   /* borrowed; NULL: nobody's, seen by operators only */
    const char *text;    /* borrowed; in plain words */
};
