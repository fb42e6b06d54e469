#pragma once

/*
 * A host: one machine with a Docker engine, and the states it may be in.
 *
 *   spawned --prepared--> active --drained/expired/gave_up--> inactive --empty--> removed
 *      \----gave_up----------------------------------------------^ \--activated--> active
 *   any --gone--> removed
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/list.h"
#include "berth/base/schema.h"
#include "berth/domain/blame.h"
#include "berth/domain/machine.h"
#include "berth/domain/pool.h"
#include "berth/domain/score.h"
#include "berth/domain/trial.h"

enum host_state { HOST_SPAWNED, HOST_ACTIVE, HOST_INACTIVE, HOST_REMOVED, HOST_STATE_COUNT };

enum host_event {
    HOST_EV_PREPARED,  /* the engine answered and was found good */
    HOST_EV_GAVE_UP,   /* preparation or error score */
    HOST_EV_DRAIN,     /* an operator, age, replacement */
    HOST_EV_ACTIVATED, /* an operator, or a passed probation */
    HOST_EV_EMPTY,     /* nothing runs here any more and it is not wanted */
    HOST_EV_GONE,      /* the machine is gone */
    HOST_EVENT_COUNT,
};

struct host_edge {
    enum host_state from;
    enum host_event on;
    enum host_state to;
};

/* The life cycle: drawing, SQL CHECK and tests come from these rows. */
extern const struct host_edge host_edges[];
extern const size_t host_edge_count;

enum host_outcome { HOST_OK, HOST_NO_SUCH_EDGE };

/** host_next() - the state after @event. Return: HOST_OK, or HOST_NO_SUCH_EDGE (@ret untouched). */
int host_next(enum host_state from, enum host_event event, enum host_state *ret_state);
const char *host_state_name(enum host_state state);
const char *host_event_name(enum host_event event);
/** host_state_from_name() - -1 when there is none. */
int host_state_from_name(const char *name);

/* How to reach an engine. */
struct host_endpoint {
    char *engine;   /* "unix:///run/docker.sock", "tcp://10.0.0.5:2376" */
    const char *ca; /* paths of PEM files; all NULL: no TLS */
    const char *cert;
    const char *key;
    bool plain; /* tcp without TLS was asked for by name */
};

struct host_amount {
    int64_t memory_bytes;
    int64_t cpus_milli;
    int64_t slots;
};

/* Why a host was taken out of service. */
enum host_cause {
    CAUSE_NONE,
    CAUSE_OPERATOR,
    CAUSE_AGE,
    CAUSE_USES,         /* so many placements are enough */
    CAUSE_ERRORS,       /* it failed too often and did not recover */
    CAUSE_GAVE_UP,      /* it could not be prepared */
    CAUSE_CONSOLIDATED, /* the others hold its load */
    CAUSE_SHUTDOWN,     /* the pool is to be empty */
    CAUSE_NOTICE,       /* the provider takes the machine back */
    CAUSE_COUNT,
};

/** host_cause_name() - "none", "operator", "age", ... */
const char *host_cause_name(int32_t cause);

struct placement_host;
struct lane;

/* Ten thousand of these are kept in memory: what many of them repeat, host_shared_texts(), is interned
 * by the model. */
struct host {
    int64_t id;
    struct pool *pool;
    char *name;                 /* unique among hosts of the pool that are not removed */
    char *address;              /* where published ports are reached: "10.0.0.5", "127.0.0.1" */
    char *waiting_for;          /* NULL, or what its state waits for: "engine", "draining" */
    char *reason;               /* of the last move */
    const char *engine_version; /* interned, as the endpoint's files */
    const char *engine_api;     /* interned */
    char *engine_id; /* the engine's own id: another one means another machine; NULL: any */
    struct host_endpoint endpoint;
    struct schema_map labels; /* its own and the pool's */
    struct host_amount total; /* what the engine told */
    struct error_score score;
    struct machine *machine; /* owned; NULL: the machine is not ours to launch or end */
    struct trial *trial;     /* owned; NULL: it is trusted */
    int64_t created_at_ms;
    int64_t active_at_ms;
    int64_t first_used_at_ms; /* first placement; 0: none yet */
    uint32_t uses;            /* placements so far */
    int64_t ends_at_ms;       /* drain deadline; 0: none */
    int64_t removed_at_ms;
    int64_t rev;
    int32_t state; /* host_move() only */
    int8_t cause;  /* enum host_cause: why it is inactive */
    bool remove_when_empty;
    bool lost;       /* to be removed at once: its instances are given up */
    bool configured; /* the configuration names it; else it was added by the API */
    /* Not stored. */
    bool reachable;    /* its last call or probe was answered */
    bool breaker_open; /* no new work until a probe is answered */
    bool other_engine; /* one with another id answers at its address: to be accepted or put right */
    bool late;         /* it was silent when restored rows were compared with the hosts */
    bool seen;         /* its containers were compared since start or since it was unreachable */
    bool dirty;
    bool proving; /* on probation, and a placement is under way */
    bool low;     /* near its end: new work only when no other host can take it */
    uint32_t instance_count;
    struct host_amount capacity; /* (total - reserve) × overcommit, see host_capacity_update() */
    struct host_amount reserved; /* sum over its instances */
    struct blame_wins wins;      /* images that started well here lately */
    struct list instances;       /* struct instance, node */
    struct placement_host *placement; /* owned by the placement index */
    struct lane *lane;                /* owned by the engine */
};

struct host *host_new(struct pool *pool, const char *name);
/** host_is_rented() - its machine is ours to launch and to end.  host->machine alone says that there is one
 * to be prepared: it may have been given to us (machine->ssh). */
static inline bool
host_is_rented(const struct host *host)
{
    return host->machine && !host->machine->ssh;
}

/** host_free() - without its shared texts, which are the model's. */
void host_free(struct host *host);

enum { HOST_SHARED_TEXTS = 5 };

/** host_shared_texts() - where @host keeps the texts that many hosts repeat. */
void host_shared_texts(struct host *host, const char **ret_slots[HOST_SHARED_TEXTS]);

/** host_capacity_of() - what a host with @total has for containers under @policy. */
struct host_amount host_capacity_of(const struct pool_policy *policy,
                                    const struct host_amount *total);

/** host_capacity_update() - recompute capacity from total and the pool's policy. */
void host_capacity_update(struct host *host);

/** host_slots() - how many it has by its machine type, else by its pool's policy; 0: not counted. */
int64_t host_slots(const struct host *host);

/** host_takes_work() - active, reachable, not draining, and trusted: no trial and its score within the
 * threshold; or on probation, and no placement is under way. */
bool host_takes_work(const struct host *host, int64_t now_ms);
/** host_is_trusted() - the same without those on probation: it counts as capacity. */
bool host_is_trusted(const struct host *host, int64_t now_ms);
