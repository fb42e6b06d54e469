#pragma once

/*
 * A lane: the calls to one host's engine, with its own queue, limit and circuit
 * breaker, so that nothing about one host can delay work on another.
 *
 *   joining --compared--> open --fault--> broken --probe answered--> joining
 *
 * While a host joins, heavy calls wait; while it is broken they fail at once.
 * Calls wait for others of their share only: a registry that takes an hour must
 * not keep a container from being stopped.
 */

#include "state.h"

enum lane_state { LANE_JOINING, LANE_OPEN, LANE_BROKEN };

enum lane_share {
    LANE_LIGHT, /* inspect, logs, statistics */
    LANE_HEAVY, /* create, start, stop, remove; waits until the host was compared */
    LANE_BULK,  /* images; waits, too */
    LANE_FREE,  /* not limited: looks at the host, its events, questions to containers */
    LANE_SHARE_COUNT,
};

enum {
    LANE_FAILURES_MAX = 3, /* faults in a row that blame the host: broken */
    LANE_PROBE_MIN_MS = 1000,
    LANE_PROBE_MAX_MS = 30000,
    LANE_STEADY_MS = 60000, /* from one break to the next: pauses begin anew */
    LANE_LIGHT_MAX = 64,
    LANE_BULK_MAX = 6,
    LANE_WAITING_MAX = 10000, /* of each share; what comes on top fails */
};

struct join;
struct hints;
struct keep;
struct pulse;
struct trust;

/* One call.  Embed it. */
struct lane_op {
    struct docker_call call; /* in: verb, name, in.*, callbacks but done */
    enum lane_share share;
    /* Exactly once, never from inside lane_submit(); last touch. */
    void (*done)(struct lane_op *op, const struct fault *fault);
    struct keep *keep; /* on whose behalf, for keep.c */
    bool new_work;     /* fails with FAULT_NO_CAPACITY when the host is to take none */
    /* The lane's. */
    struct list_node node;
    struct lane *lane;
    bool running;
    bool broken; /* cancelled because the host was found broken */
    int64_t submitted_mono_ms;
    int64_t began_mono_ms;
};

struct lane_queue {
    struct list waiting; /* struct lane_op */
    uint32_t running;
};

/* The calls of those shares that are limited. */
struct lane_work {
    struct lane_queue queues[LANE_FREE];
    uint32_t count; /* that wait or run */
};

/* There is one for each host, and most have nothing to do: mind the size. */
struct lane {
    struct engine *engine;
    struct host *host;
    struct lane_work *work; /* owned; NULL: no limited call waits or runs */
    struct list running;    /* all that docker has */
    /* Times that something may have been left behind there, and how many of these the last
     * comparison that found nothing to remove knew of. */
    uint32_t leftovers;
    uint32_t leftovers_seen;
    uint32_t probe_delay_ms;
    int64_t broken_mono_ms;     /* when it was found broken last */
    uint8_t state;              /* enum lane_state */
    uint8_t failures;           /* in a row, up to LANE_FAILURES_MAX */
    bool wanted : 1;            /* compare again as soon as possible */
    bool round_due : 1;         /* a housekeeping round waits for its next look */
    bool counted : 1;           /* in engine->joins_pending */
    bool unset : 1;             /* docker could not be told how to reach the host: broken */
    struct clock_timer timer;   /* next probe, pulse or compare */
    struct join *join;          /* the probe or compare under way; NULL: none */
    struct list_node join_node; /* in engine->joins_waiting */
    struct trust *trust;        /* of a host that has failed; NULL: it has not */
    struct pulse *pulse;        /* whether it lives while calls are under way; NULL: not asked */
    struct hints *hints;        /* the engine's event stream; NULL: not open */
};

/** lane_new() - for @host, which it is hung on; joins at once. */
void lane_new(struct engine *engine, struct host *host);
/** lane_free() - no call may be under way. */
void lane_free(struct lane *lane);

/** lane_is_leaving() - its host is empty and about to be removed: nothing is to be asked of it any more. */
bool lane_is_leaving(const struct lane *lane);
/** lane_is_busy() - calls are under way or wait. */
bool lane_is_busy(const struct lane *lane);
/** lane_is_unsure() - it can be asked, and there may be containers that nobody knows of. */
bool lane_is_unsure(const struct lane *lane);

/** lane_submit() - run @op when its turn comes; FAULT_NO_CAPACITY at the end of the turn when too many
 * of its share wait. */
void lane_submit(struct lane *lane, struct lane_op *op);
/** lane_cancel() - done still comes, with FAULT_CANCELLED unless it had ended. */
void lane_cancel(struct lane_op *op);
/** lane_cancel_all() - all of its calls. */
void lane_cancel_all(struct lane *lane);

/** lane_settle() - at the end of a turn: what waits on a broken host, or is too much, or is new work for
 * a host that fails too often, fails. */
void lane_settle(struct lane *lane);

/** lane_opened() - its host was compared: heavy calls may run. */
void lane_opened(struct lane *lane);
/** lane_probe_later() - the next pause is twice as long. */
void lane_probe_later(struct lane *lane);
/** lane_break() - its host does not answer: fail what waits, cancel what runs, probe. */
void lane_break(struct lane *lane, const struct fault *fault);
