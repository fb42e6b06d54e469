#pragma once

/*
 * What the files of the engine share: the state itself and the objects that
 * hang on it.  Not seen outside src/engine.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/id.h"
#include "berth/base/log.h"
#include "berth/base/text.h"
#include "berth/engine/engine.h"
#include "berth/engine/flow.h"

enum {
    LAUNCH_ATTEMPTS_MAX = 5,
    COMMITS_IN_FLIGHT_MAX = 2,
    SWEEP_TURN_MAX = 1000, /* placements from the queue in one turn */
};

struct turn_decision {
    struct store_decision row;
    char *json; /* owned */
};

struct turn_log {
    struct store_log row;
    char *data; /* owned */
};

/* What a turn writes beside the model's rows. */
struct turn_extra {
    struct turn_decision *decisions;
    size_t decision_count;
    size_t decision_cap;
    struct turn_log *logs;
    size_t log_count;
    size_t log_cap;
    struct store_batch *early; /* answers and retention go straight into the batch to come */
    bool compared;
};

struct turn_commit {
    struct store_commit commit;
    struct engine *engine;
    struct list waits; /* struct engine_wait */
    int64_t last_seq;  /* of the events in it */
    bool in_use;
};

/* housekeeping.c */
struct housekeeping {
    struct clock_timer timer; /* until the next plan */
    int64_t planned_mono_ms;  /* the last one */
    int64_t began_mono_ms;    /* the round that is read for */
    uint32_t listings;        /* that a round waits for */
    bool reading;             /* a round waits for answers */
};

/* jumps.c: how far the wall clock is ahead of the monotonic one. */
struct jumps {
    struct engine_wait wait; /* for the rows that were moved last */
    int64_t ahead_ms;        /* that the rows in memory follow */
    int64_t waited_ms;       /* ... and those that wait is for */
    int64_t durable_ms;      /* ... and those on the disk */
    bool known;              /* they are set */
    bool waiting;
};

struct answer_flight; /* an idempotency key in flight */
struct registry;      /* credentials of one */
struct image_spread;  /* an archive on its way to hosts */

struct engine {
    struct engine_ports ports;
    struct engine_config config;
    struct model *model;
    struct store_info info;
    struct meter meter;

    /* turn.c */
    struct turn_commit commits[COMMITS_IN_FLIGHT_MAX];
    uint32_t commit_next; /* index of the commit to be started next */
    uint32_t commits_in_flight;
    struct list waits; /* for what is not yet in a commit */
    struct turn_extra extra;
    int64_t told_seq; /* events up to here were announced */

    /* recover.c */
    struct fault why;
    enum engine_health health;
    bool reloading;
    struct clock_timer recover_timer;
    int64_t recover_delay_ms;

    struct list spare_launches; /* struct launch, to be used again */

    /* Objects under way: nothing may be freed before all have ended. */
    uint32_t works;    /* struct work */
    uint32_t lane_ops; /* struct lane_op that docker has */
    struct list calls; /* struct engine_call */

    struct clock_timer tick_timer; /* lifetimes, each second at the most */
    struct clock_timer housekeeping_timer;
    int64_t next_end_ms; /* no instance ends before this; 0: unknown */
    bool sweep_needed;   /* room or demand has changed */
    bool breaks_pending; /* something waits on a broken host, or too much on one */
    bool hosts_lost;     /* some host is to be removed at once */
    bool started;
    uint32_t breakers_open;    /* blueprints that are held back */
    struct blame blame;        /* failed launches, lately */
    uint32_t joins_running;    /* looks at hosts */
    uint32_t joins_pending;    /* hosts not yet compared or found unreachable since the start */
    struct list joins_waiting; /* struct lane: to be looked at when one of those ends */

    struct intern *flights;     /* idempotency keys whose answer is not durable yet */
    struct list registries;     /* struct registry: a few */
    struct list registries_old; /* replaced, but perhaps still borrowed */
    struct list spreads;        /* struct image_spread */
    struct list image_retries;  /* struct image_retry */
    struct idmap idles;         /* struct idle_watch by instance */
    int64_t idle_after;         /* the instance that was looked at last for being idle */
    struct list rounds;         /* operations that wait for a housekeeping round */
    uint32_t rounds_due;        /* lanes whose next look a housekeeping round waits for */
    uint32_t shutdowns;         /* operations that empty a pool */
    uint32_t cloud_calls;       /* with a provider or a shell, or waiting for a commit to begin */
    struct list consoles;       /* struct console_look */
    struct idmap minds;         /* struct mind, by pool */
    struct idmap rentals;       /* struct rental, by host */
    struct housekeeping housekeeping;
    struct jumps jumps;

    bool steps_news; /* for steps_notify, at the end of the turn */
    void (*steps_notify)(void *cookie);
    void *steps_cookie;
    void (*notify)(void *cookie);
    void *notify_cookie;
    void (*stopped)(void *cookie);
    void *stopped_cookie;
};

static inline int64_t
state_now_ms(const struct engine *engine)
{
    return engine->ports.clock->now_ms(engine->ports.clock->self);
}

static inline int64_t
state_mono_ms(const struct engine *engine)
{
    return engine->ports.clock->mono_ms(engine->ports.clock->self);
}

static inline int64_t
state_id_next(struct engine *engine)
{
    return model_id_next(engine->model, state_now_ms(engine), random_u32(engine->ports.random));
}

static inline void
state_timer_set(struct engine *engine, struct clock_timer *timer, int64_t in_ms)
{
    const struct clock_port *clock = engine->ports.clock;

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + in_ms);
}

static inline void
state_timer_clear(struct engine *engine, struct clock_timer *timer)
{
    engine->ports.clock->timer_clear(engine->ports.clock->self, timer);
}

static inline void
state_sweep(struct engine *engine)
{
    engine->sweep_needed = true;
    engine->ports.clock->turn_ask(engine->ports.clock->self);
}

/** state_pool_event() - one event about @pool. */
void state_pool_event(struct engine *engine, const char *kind, const struct pool *pool,
                      const char *format, ...) PRINTF_LIKE(4, 5);
/** state_event() - one event about @host or @instance, either may be NULL. */
void state_event(struct engine *engine, const char *kind, const struct host *host,
                 const struct instance *instance, const char *format, ...) PRINTF_LIKE(5, 6);
