#pragma once

/*
 * A scripted run of the simulation: pools with the parameters of the reference (a host lives 900 s and
 * is low below 300 s, 4 slots stay free, one action a round, a round each 60 s), what happens to them,
 * and what must have become of their hosts.  The invariants of sim_check.c hold after each turn, and at
 * the end all comes to rest.
 *
 * The seed draws how long boots, preparations, calls and commits take, and what shares a turn.  So
 * what is compared is the order of the hosts' steps, and times only where a round decides them:
 *
 *   - the reference acts once a minute and has done it at once.  Here a machine takes its time to boot
 *     and to be prepared (less than a minute together), and the end of each is a reason for a round: a
 *     step that follows from another one comes no later than the reference's, and mostly sooner;
 *   - the reference removes a machine at once.  Here its end takes a time of its own, in which other
 *     rounds go on: the step that counts is the decision, `leaves`; that it was removed is seen later;
 *   - what time alone decides (a host is low, a life has ended) is done in the round of the same
 *     minute, which begins with a listing of machines: up to SCENARIO_ROUND_S later.
 */

#include "sim.h"

enum {
    SCENARIO_LIFETIME_S = 900,
    SCENARIO_SMALL = 4, /* slots */
    SCENARIO_LARGE = 16,
    SCENARIO_MAX_HOSTS = 4,
    SCENARIO_SECOND_SLOTS = 210, /* of the second pool's machines, small or large */
    SCENARIO_SECOND_MAX_HOSTS = 2,
    SCENARIO_MINUTE_S = 60,
    SCENARIO_ROUND_S = 4,
    SCENARIO_STEPS_MAX = 256,
    SCENARIO_HOSTS_MAX = 64,
    SCENARIO_TEXT_SIZE = 64,
};

/* A host got into a state, or it was decided to give its machine back. */
struct scenario_step {
    char text[SCENARIO_TEXT_SIZE]; /* "cpu-1 spawned small" */
    int64_t at_s;                  /* since the begin */
};

/* A host, at the end of the last turn. */
struct scenario_seen {
    int64_t id;
    int32_t state;
    bool leaves;
};

struct scenario {
    struct sim sim;
    int64_t begin_ms; /* monotonic: the first round */
    struct scenario_step steps[SCENARIO_STEPS_MAX];
    size_t step_count;
    struct scenario_seen hosts[SCENARIO_HOSTS_MAX];
    size_t host_count;
};

/* What must have happened next. */
struct scenario_expected {
    const char *text;
    int64_t least_s;
    int64_t most_s;
};

/* In the round of that minute; no later than the reference. */
#define SCENARIO_AT(at_s, text_)                                                                   \
    {                                                                                              \
        text_, at_s, (at_s) + SCENARIO_ROUND_S                                                     \
    }
#define SCENARIO_BY(at_s, text_)                                                                   \
    {                                                                                              \
        text_, 0, at_s                                                                             \
    }

/** scenario_begin() - the pool `cpu`, and its first round; @seed draws how long things take. */
struct scenario *scenario_begin(uint64_t seed);
/** scenario_end() - all comes to rest, and no machine is leaked. */
void scenario_end(struct scenario *s);
/** scenario_drop() - without a look: the test has failed, or ended at rest. */
void scenario_drop(struct scenario *s);

/** scenario_second() - the second pool, `gpu`. */
void scenario_second(struct scenario *s);
/** scenario_shutdown() - the pool's mode from now on. */
void scenario_shutdown(struct scenario *s, const char *pool);

/** scenario_until() - so long after the begin. */
void scenario_until(struct scenario *s, int64_t at_s);
/** scenario_pass() - so much later. */
void scenario_pass(struct scenario *s, int64_t s_more);
/** scenario_after_round() - until the next round of the clock is over. */
void scenario_after_round(struct scenario *s);
/** scenario_down_until() - the daemon is killed, and started again so long after the begin. */
void scenario_down_until(struct scenario *s, int64_t at_s);
int64_t scenario_now_s(const struct scenario *s);

/** scenario_launch() - an instance of one slot in @pool. Return: its id. */
int64_t scenario_launch(struct scenario *s, const char *pool);
/** scenario_stop() - asked for; must be accepted. */
void scenario_stop(struct scenario *s, int64_t id);
/** scenario_stop_all() - of all pools. */
void scenario_stop_all(struct scenario *s);
/** scenario_instance() - there must be one. */
const struct instance *scenario_instance(struct scenario *s, int64_t id);
/** scenario_run_one() - launched, and running a few seconds later. Return: its id. */
int64_t scenario_run_one(struct scenario *s, const char *pool);

/** scenario_host() - the newest of that name; NULL: there never was one. */
struct host *scenario_host(struct scenario *s, const char *name);
/** scenario_engine() - behind the host of that name. */
struct fake_machine *scenario_engine(struct scenario *s, const char *name);
/** scenario_states() - "active spawned": of the pool's hosts that are not removed, in order of id;
 * valid until the next call. */
const char *scenario_states(struct scenario *s, const char *pool);
/* Some of the steps. */
struct scenario_span {
    size_t from;    /* all since this one */
    int64_t base_s; /* times count from here */
};

/** scenario_expect() - the steps of @span are these. */
void scenario_expect(const struct scenario *s, struct scenario_span span,
                     const struct scenario_expected *expected, size_t count);
/** scenario_is_full() - whether the pool's plan says that max_hosts holds back growth. */
bool scenario_is_full(struct scenario *s, const char *pool);
/** scenario_is_explained() - whether @why is in the explanation of what waits. */
bool scenario_is_explained(struct scenario *s, int64_t id, const char *why);
/** scenario_events() - durable events of @kind. */
size_t scenario_events(struct scenario *s, const char *kind);
