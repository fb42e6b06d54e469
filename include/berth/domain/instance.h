#pragma once

/*
 * An instance: one running copy of a blueprint.
 *
 *   queued --placed--> starting --ready--> running --stop--> stopping --ended--> stopped
 *     ^ \--stop--> stopped \--stop--> stopping   \--crashed--> starting   \--failed--> failed
 *     \-----lost/retry-------/
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/list.h"
#include "berth/domain/blueprint.h"
#include "berth/domain/host.h"

enum instance_state {
    INSTANCE_QUEUED,
    INSTANCE_STARTING,
    INSTANCE_RUNNING,
    INSTANCE_STOPPING,
    INSTANCE_STOPPED,
    INSTANCE_FAILED,
    INSTANCE_STATE_COUNT,
};

enum instance_event {
    INSTANCE_EV_PLACED,  /* a host was reserved */
    INSTANCE_EV_READY,   /* its container answers */
    INSTANCE_EV_RETRY,   /* this attempt failed or its host is lost; back to the queue */
    INSTANCE_EV_CRASHED, /* the container ended and its policy starts it again */
    INSTANCE_EV_STOP,    /* somebody or its end asks it to stop */
    INSTANCE_EV_ENDED,   /* the container is gone, as wanted or with exit code 0 */
    INSTANCE_EV_FAILED,  /* it cannot be started, or ended with an error */
    INSTANCE_EVENT_COUNT,
};

struct instance_edge {
    enum instance_state from;
    enum instance_event on;
    enum instance_state to;
};

extern const struct instance_edge instance_edges[];
extern const size_t instance_edge_count;

enum instance_outcome { INSTANCE_OK, INSTANCE_NO_SUCH_EDGE };

int instance_next(enum instance_state from, enum instance_event event,
                  enum instance_state *ret_state);
const char *instance_state_name(enum instance_state state);
const char *instance_event_name(enum instance_event event);
int instance_state_from_name(const char *name);

/** instance_state_is_final() - stopped or failed: no host, no container. */
bool instance_state_is_final(enum instance_state state);

enum { INSTANCE_CONTAINER_ID_SIZE = 32, INSTANCE_NO_EXIT_CODE = -1 };

struct instance_port {
    uint16_t container;
    uint16_t host;
    uint8_t protocol; /* enum protocol */
};

/* A hundred thousand of these are kept in memory: mind the size. */
struct instance {
    int64_t id;
    struct blueprint *blueprint; /* the version it was started from; counted */
    struct pool *pool;
    struct host *host;           /* NULL when queued, or final */
    int64_t last_host_id;        /* the last host, kept when host is NULL; 0: none yet */
    const char *owner;           /* interned by the model */
    const char *reason;          /* interned by the model; NULL: none */
    char *name;                  /* owned; NULL: none */
    struct instance_port *ports; /* [port_count], see instance_ports_new() */
    int64_t created_at_ms;
    int64_t moved_at_ms;   /* when it entered its state */
    int64_t started_at_ms; /* first time running; 0: not yet */
    int64_t ended_at_ms;   /* 0: not yet */
    int64_t ends_at_ms;    /* 0: no end, or not started yet */
    int64_t lifetime_ms;   /* from its first start; 0: no end */
    int64_t retry_at_ms;   /* not started again before this; 0: at once */
    int32_t exit_code;     /* INSTANCE_NO_EXIT_CODE: none yet */
    uint32_t generation;   /* of the container: 1, 2, ...; 0: never placed */
    uint32_t restarts;     /* in a row */
    uint32_t oom_kills;
    uint32_t rev;
    uint8_t container_id[INSTANCE_CONTAINER_ID_SIZE]; /* zeros: none known */
    uint8_t port_count;
    uint8_t state;                 /* enum instance_state; instance_move() only */
    uint8_t desired;               /* INSTANCE_RUNNING or INSTANCE_STOPPED */
    uint8_t attempts;              /* launches that failed in a row */
    struct instance_port own_port; /* where ports points to when there is one */
    bool dirty;
    bool oom_told : 1;      /* an out-of-memory kill of this generation was counted */
    bool end_announced : 1; /* its end was told; the grace period runs */
    /* Not stored. */
    struct list_node node; /* in host->instances, or while it is queued in its owner's line */
    void *work;            /* the engine's flow on it; NULL: none */
};

struct instance *instance_new(int64_t id);
void instance_free(struct instance *instance);

/** instance_ports_new() - room for @count zeroed ports in place of those that it had; most have one,
 * which needs no block of its own.  Return: instance->ports, NULL when @count is 0. */
struct instance_port *instance_ports_new(struct instance *instance, uint8_t count);

enum { INSTANCE_CONTAINER_NAME_SIZE = 48 };

/** instance_container_name() - "berth-<id>-<generation>". Return: @ret_name. */
const char *instance_container_name(const struct instance *instance,
                                    char ret_name[INSTANCE_CONTAINER_NAME_SIZE]);

/** instance_container_name_parse() - its opposite; false for any other name. A leading '/' is
 * accepted, as the engine writes it. */
bool instance_container_name_parse(const char *name, int64_t *ret_id, uint32_t *ret_generation);

/* What a running container costs its host beside its own memory: the engine's shim and port proxy. */
enum { INSTANCE_OVERHEAD_BYTES = 3584 * 1024 };

/** instance_amount_of() - what an instance of @spec reserves on its host, the overhead included. */
struct host_amount instance_amount_of(const struct blueprint_spec *spec);
/** instance_amount() - what it reserves on its host. */
struct host_amount instance_amount(const struct instance *instance);
