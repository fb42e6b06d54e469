#pragma once

/*
 * The mind of a pool: which hosts to add, to put into service, to retire.  Pure: what is known of the
 * pool at one moment goes in, an ordered list of actions with reasons comes out.  Housekeeping carries
 * it out, `berth pool plan` prints it, the simulation replays it.
 *
 * Sources: the rules of docs/ARCHITECTURE.md; the reference behaviour in tests/unit/domain/.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/domain/host.h"
#include "berth/domain/pool.h"
#include "berth/domain/zone.h"

/* So much that it has no bound, in any unit. */
#define POLICY_AMPLE (INT64_C(1) << 60)

enum {
    POLICY_ACTIONS_MAX = 64,
    POLICY_REASON_SIZE = 160,
    POLICY_HOLDS_MAX = 8,
    POLICY_HELD_SIZE = 400,
};

/* In the order in which one round takes them. */
enum policy_kind {
    POLICY_PREPARE,    /* a spawned host whose machine answers: make it a host */
    POLICY_ACTIVATE,   /* an inactive host that the policy itself set aside is wanted again */
    POLICY_WAKE,       /* a warm host, prepared and stopped: start its machine */
    POLICY_REMOVE,     /* an inactive host without instances: give its machine back */
    POLICY_SPAWN,      /* one more host */
    POLICY_DRAIN,      /* no new work; its instances go on, end, or move */
    POLICY_INACTIVATE, /* the same for a host without instances, or one that is bad */
    POLICY_KIND_COUNT,
};

const char *policy_kind_name(enum policy_kind kind);

/* What held back growth. */
enum policy_hold {
    HOLD_MAX_HOSTS,
    HOLD_LAUNCHES, /* per hour */
    HOLD_BUDGET,   /* per month */
    HOLD_NO_TYPE,  /* no machine type is large enough for what waits */
    HOLD_BY_HAND,  /* hosts of this provider are added by people */
    HOLD_SHUTDOWN,
    HOLD_CLOUD,   /* the provider refused lately: backing off */
    HOLD_FAILING, /* machines never became hosts, one after the other: backing off */
    HOLD_WARM,    /* the provider does not stop machines of this pool: none can be kept warm */
    HOLD_COUNT,
};

const char *policy_hold_name(enum policy_hold hold);

/* A host, as far as the policy looks at it.  Rows that are removed are left out. */
struct policy_host {
    int64_t id;
    const char *name;            /* borrowed */
    int32_t state;               /* enum host_state */
    int32_t stage;               /* enum machine_stage; READY when its machine is not rented */
    int32_t cause;               /* enum host_cause, of its inactivity */
    struct host_amount capacity; /* of a spawned one: what its machine type promises */
    struct host_amount reserved;
    uint32_t instances;
    uint32_t movable; /* instances that may start elsewhere */
    uint32_t uses;    /* placements so far */
    uint32_t prepare_failures;
    int32_t machine; /* index into the pool's machine types; -1: none of them */
    int64_t created_at_ms;
    int64_t active_at_ms;
    int64_t first_used_at_ms; /* 0: never */
    int64_t price_micro;      /* an hour */
    int64_t launched_at_ms;   /* its machine costs since; 0: nothing */
    int64_t ends_at_ms;       /* deadline of its drain; 0: none */
    bool takes_work;          /* reachable, within its threshold, not on trial */
    bool untrusted; /* on trial for longer than the pool waits, or its score is beyond repair */
    bool busy;      /* a flow is on it: nothing new may be begun */
    bool outdated;  /* another playbook than today's prepared it: to be replaced */
    bool warm;      /* spawned, and kept prepared and stopped until it is wanted */
};

/* Those that no host which is there takes, though it may have room: its labels, a fixed port or too many
 * of the same owner bar them.  A new host would take them. */
struct policy_barred {
    uint32_t count;
    struct host_amount sum;
    struct host_amount largest; /* of each dimension */
    int64_t hosts;              /* so many new ones at least take them all */
};

/* What waits for room. */
struct policy_demand {
    uint32_t count; /* of those that some host may hold */
    struct host_amount sum;
    struct host_amount largest;  /* of each dimension */
    int64_t oldest_ms;           /* how long the oldest has waited */
    uint32_t misfits;            /* those that no machine type of the pool holds; not in count */
    struct host_amount misfit;   /* the largest of them, of each dimension */
    struct policy_barred barred; /* they are in count, too */
    uint32_t strangers;          /* a new host would not have their labels; not in count */
};

struct policy_view {
    const struct pool *pool;         /* policy, machine types, money spent */
    const struct policy_host *hosts; /* [host_count], by id */
    size_t host_count;
    const struct zone *const *zones; /* of each schedule; NULL: UTC; @zones NULL: all UTC */
    struct policy_demand demand;
    uint32_t launches;           /* begun in the last hour */
    int64_t launches_free_at_ms; /* when the oldest of them leaves that hour; 0: none */
    int64_t cloud_held_until_ms; /* the provider refused: no launch before; 0: none */
    bool warm_refused;           /* the provider does not stop the pool's machines: none are kept */
    int64_t now_ms;
};

struct policy_action {
    enum policy_kind kind;
    int64_t host_id;    /* 0 for POLICY_SPAWN */
    int32_t machine;    /* POLICY_SPAWN: index of the machine type */
    int64_t ends_at_ms; /* DRAIN and INACTIVATE: what still runs there is stopped then; 0: never */
    enum host_cause cause; /* of DRAIN and INACTIVATE */
    bool warm;             /* SPAWN: for the reserve of warm hosts */
    char reason[POLICY_REASON_SIZE];
};

struct policy_held {
    enum policy_hold hold;
    char text[POLICY_HELD_SIZE]; /* with why the last machine failed, where that is it */
};

struct policy_plan {
    struct policy_action actions[POLICY_ACTIONS_MAX]; /* [count], to be taken in this order */
    size_t count;
    struct policy_held held[POLICY_HOLDS_MAX]; /* [held_count]: growth was wanted and held back */
    size_t held_count;
    struct host_amount headroom; /* free on hosts that count, and on those to come */
    struct host_amount wanted;   /* the target, and what waits */
    int64_t spent_micro;         /* this month up to now */
    int64_t committed_micro;     /* what the hosts that are there may still cost this month */
    int64_t next_at_ms;          /* time alone changes the plan then; 0: it does not */
};

/** policy_demand_add() - one more that waits, for @waited_ms; @demand starts as zeroes.  What no
 * machine type of @pool can hold is counted apart.  Return: whether some type holds it. */
bool policy_demand_add(struct policy_demand *demand, const struct pool *pool,
                       const struct host_amount *request, int64_t waited_ms);

/** policy_could_launch() - @pool rents, and some machine type of it promises room for @request. */
bool policy_could_launch(const struct pool *pool, const struct host_amount *request);

/** policy_demand_bar() - the one that was added last is barred from the hosts that are there; with it,
 * @hosts new ones at least are needed. */
void policy_demand_bar(struct policy_demand *demand, const struct host_amount *request,
                       int64_t hosts);

/** policy_machine_capacity() - what a host of that type will have for containers. A dimension that
 * the configuration does not tell is 0, and taken as enough for anything. */
struct host_amount policy_machine_capacity(const struct pool *pool,
                                           const struct pool_machine *machine);

/** policy_plan_make() - one round. Deterministic: the same view, the same plan.
 *
 * Each host gets one action at the most, a busy one none.  Whoever carries the plan out sets the
 * pool's grown_at_ms with SPAWN and ACTIVATE. */
void policy_plan_make(const struct policy_view *view, struct policy_plan *ret_plan);

/** policy_life_left_ms() - until @host is to be retired by age; INT64_MAX: it does not age now. */
int64_t policy_life_left_ms(const struct policy_view *view, const struct policy_host *host);

/** policy_life_begins() - it was never used, and yet its life is to begin now: it is the pool's only
 * host and not of the first machine type, which the pool goes back to in time (CHOICE_BY_USE).
 * Asked before each round; the answer is kept in first_used_at_ms. */
bool policy_life_begins(const struct policy_view *view, const struct policy_host *host);

/** policy_is_low() - it takes new work only when no other can: near its end. */
bool policy_is_low(const struct policy_view *view, const struct policy_host *host);

/** policy_spent_micro() - money of this calendar month (UTC): of removed hosts (the pool's row) and of
 * those that are there. */
int64_t policy_spent_micro(const struct policy_view *view);
