#pragma once

/*
 * A host that failed too often gets no work until a canary container ran on it,
 * and then little, until it is trusted again.
 *
 *   trusted --fault, beyond the threshold--> suspended --canary ran--> probation --placed well--> trusted
 *                                            |  ^  ^ \--vouched--> trusted    |
 *                                            \--/  \----------fault-----------/
 *                                         canary failed
 *
 * Pauses between canaries grow; they are counted, not measured, so that no clock that is put forward
 * or back can shorten or prolong a trial.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/schema.h"

enum {
    TRIAL_PAUSE_MIN_MS = 15000,  /* before the first canary, then twice as long each time, */
    TRIAL_PAUSE_MAX_MS = 600000, /* up to this */
    TRIAL_PROBATION_MIN = 1,     /* placements that must go well, whatever the pool says */
};

enum trial_state {
    TRIAL_SUSPENDED, /* no work; canaries */
    TRIAL_PROBATION, /* a canary ran: one placement at a time */
    TRIAL_STATE_COUNT,
    TRIAL_TRUSTED = TRIAL_STATE_COUNT, /* there is no trial */
};

enum trial_event {
    TRIAL_EV_CANARY_RAN,
    TRIAL_EV_CANARY_FAILED,
    TRIAL_EV_PLACED,  /* a placement on probation went well, more are wanted */
    TRIAL_EV_PROVEN,  /* the last one went well */
    TRIAL_EV_FAULT,   /* it failed on probation */
    TRIAL_EV_VOUCHED, /* by an operator, or its failures were another's */
    TRIAL_EVENT_COUNT,
};

struct trial_edge {
    enum trial_state from;
    enum trial_event on;
    enum trial_state to;
};

extern const struct trial_edge trial_edges[];
extern const size_t trial_edge_count;

enum trial_outcome { TRIAL_OK, TRIAL_NO_SUCH_EDGE };

/** trial_next() - the state after @event. Return: TRIAL_OK, or TRIAL_NO_SUCH_EDGE (@ret untouched). */
int trial_next(enum trial_state from, enum trial_event event, enum trial_state *ret_state);

/** trial_state_name() - "suspended", "probation". */
const char *trial_state_name(int32_t state);

struct trial {
    int64_t since_ms;        /* when it was suspended; wall clock, for people */
    int64_t canary_at_ms;    /* of the next canary; wall clock */
    int64_t canaries_failed; /* in a row */
    int64_t placements_left; /* TRIAL_PROBATION: successes still wanted */
    int64_t relapses;        /* suspended again out of probation */
    int64_t waited_ms;       /* sum of the pauses that have passed */
    int32_t state;           /* enum trial_state */
};

extern const struct schema trial_schema;

/** trial_new() - suspended, the first canary after a pause; owned. */
struct trial *trial_new(int64_t now_ms);

/** trial_pause_of() - the pause after @failures in a row: 15 s, 30 s, ... 10 min. */
int64_t trial_pause_of(int64_t failures);
/** trial_pause_ms() - before the next canary, in all. */
int64_t trial_pause_ms(const struct trial *trial);
/** trial_wait_ms() - what is left of the pause after a restart; between 0 and the pause, whatever the
 * clock says. */
int64_t trial_wait_ms(const struct trial *trial, int64_t now_ms);

/** trial_canary_ran() - to probation: @probation placements must go well. */
void trial_canary_ran(struct trial *trial, int64_t probation);
/** trial_canary_failed() - the next pause is longer. */
void trial_canary_failed(struct trial *trial, int64_t now_ms);
/** trial_canary_missed() - it was due, but the host could not be asked: it runs when it can. The
 * pause has passed all the same. */
void trial_canary_missed(struct trial *trial, int64_t now_ms);
/** trial_placed() - a placement on probation went well. Return: TRIAL_TRUSTED when it was the last
 * that was wanted: the caller ends the trial; else TRIAL_PROBATION. */
enum trial_state trial_placed(struct trial *trial);
/** trial_relapsed() - a fault on probation: suspended again, with a longer pause. */
void trial_relapsed(struct trial *trial, int64_t now_ms);

/** trial_is_untrusted() - suspended for @most_ms of pauses: it does not recover. @most_ms 0: never. */
bool trial_is_untrusted(const struct trial *trial, int64_t most_ms);
