#pragma once

/*
 * What the engine remembers of a pool beside its rows: when its provider
 * refused, what holds back its growth, when it launched.
 */

#include "berth/engine/status.h"

#include "refusal.h"
#include "state.h"

enum { MIND_HOUR_MS = 3600000 };

struct forget;
struct inventory;

/* When a machine was launched, by the monotonic clock: a wall clock that is set changes nothing. */
struct mind_launch {
    struct list_node node; /* the oldest first */
    int64_t mono_ms;
};

/* That the provider has no machine of a pool that is shut down. */
struct mind_proof {
    int64_t gone_mono_ms; /* the last host went; 0: some are there */
    int64_t first_at_ms;  /* of the listings that show it */
    int64_t last_at_ms;
    uint32_t listings; /* complete ones, in a row, that began after that */
};

struct mind {
    struct engine *engine;
    struct pool *pool;
    struct list launches;       /* struct mind_launch of the last hour */
    int64_t held_until_mono_ms; /* no launch before; 0: none failed lately */
    int64_t held_delay_ms;
    int32_t held_kind; /* enum fault_kind that was told last; FAULT_NONE: none */
    bool warm_refused; /* the provider does not stop machines of the pool */
    struct refusal refusals[CLOUD_VERB_COUNT];
    uint32_t holds_told;         /* a bit for each enum policy_hold that is told as an event */
    struct mind_proof proof;     /* shutdown.c's */
    struct inventory *inventory; /* inventory.c's; NULL: never listed */
    struct forget *forget;       /* forget.c's; NULL: never begun */
    struct status_pool status;   /* engine_status.c's */
};

/** mind_of() - made when there is none yet. */
struct mind *mind_of(struct engine *engine, struct pool *pool);

/** mind_refused() - the provider did not launch: nothing is asked for a while, ever longer. */
void mind_refused(struct mind *mind, const struct fault *fault);
/** mind_unanswered() - whether it did is not known: that is told when it lasts. */
void mind_unanswered(struct mind *mind, const struct fault *fault);
/** mind_accepted() - it did. */
void mind_accepted(struct mind *mind);
/** mind_held_ms() - for so long nothing is to be launched; 0: now is fine. */
int64_t mind_held_ms(const struct mind *mind);

/** mind_host_failed() - @host was given up before it was of use: the next launches wait ever longer. */
void mind_host_failed(struct mind *mind, const struct host *host, const char *why);
/** mind_hosts_check() - forget such setbacks when a host that came after them has proven itself. */
void mind_hosts_check(struct mind *mind);

/** mind_launch_add() - a machine was asked for @age_ms ago. */
void mind_launch_add(struct mind *mind, int64_t age_ms);
/** mind_launches() - in the last hour.
 * @ret_free_in_ms: when the oldest of them leaves it; 0: there is none */
uint32_t mind_launches(struct mind *mind, int64_t *ret_free_in_ms);

/** engine_status_planned() - remember @plan, made of @view, for those who ask how things stand. */
void engine_status_planned(struct mind *mind, const struct policy_view *view,
                           const struct policy_plan *plan);

/** mind_fini() - forget all; no listing may be under way. */
void mind_fini(struct engine *engine);
