#pragma once

/*
 * A blueprint: what to run.  Each change makes a new version; an instance keeps
 * the version it was started from.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/schema.h"
#include "berth/domain/blame.h"
#include "berth/domain/breaker.h"

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP };

enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

enum ready_kind { READY_PORT, READY_HTTP, READY_NONE };

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS };

struct pool;

struct blueprint_port {
    int64_t container; /* 1..65535 */
    int64_t host;      /* 1..65535, or 0: the engine chooses */
    int32_t protocol;  /* enum protocol */
    char *name;        /* NULL or a name, for the reader */
};

struct blueprint_ulimit {
    char *name; /* "nofile", "nproc", ...: as setrlimit(2) without RLIMIT_, lower case */
    int64_t soft;
    int64_t hard;
};

struct blueprint_ready {
    int32_t kind;       /* enum ready_kind; READY_PORT without ports means READY_NONE */
    int64_t port;       /* container port to ask; 0: the first TCP port */
    char *path;         /* READY_HTTP: absolute path, answers 200..399 are ready */
    int64_t timeout_ms; /* from the start of the container */
};

struct blueprint_restart {
    int32_t policy;      /* enum restart_policy */
    int64_t max_retries; /* in a row; 0: no end */
};

/* All that a person writes; decoded by blueprint_schema. */
struct blueprint_spec {
    char *name;
    char *image;
    struct schema_strings command;
    struct schema_strings entrypoint;
    struct schema_map env;
    struct schema_array ports; /* struct blueprint_port */
    int64_t memory_bytes;
    int64_t memory_swap_bytes; /* swap beside the memory; -1: twice memory_bytes */
    int64_t memory_reservation_bytes;
    int64_t cpus_milli; /* hard limit; 0: none */
    int64_t pids;
    int64_t slots;
    int64_t lifetime_ms;     /* 0: no end */
    int64_t idle_timeout_ms; /* 0: never idle */
    int64_t end_grace_ms;  /* from the end of the lifetime until the stop, announced in `reason` */
    int64_t max_per_user;  /* live instances of one owner; 0: no limit */
    int64_t log_bytes;     /* most that the engine keeps of stdout and stderr */
    int64_t stop_grace_ms; /* from SIGTERM to SIGKILL */
    struct schema_map labels;      /* put on the container, beside ours */
    struct schema_map host_labels; /* a host must carry all of these */
    struct schema_map tmpfs;       /* path -> mount options */
    struct schema_strings cap_add;
    struct schema_array ulimits; /* struct blueprint_ulimit */
    struct blueprint_ready ready;
    struct blueprint_restart restart;
    bool read_only;
    int32_t pull; /* enum pull_policy */
    char *pool;   /* NULL: "default" */
};

extern const struct schema blueprint_schema;

/**
 * blueprint_check() - what the table of fields cannot say: templates, reservations above the limit,
 * two ports alike, host ports together with count, capabilities that do not exist
 *
 * Return: 0, or -1 when @problems got an entry.
 */
int blueprint_check(const struct blueprint_spec *spec, struct problems *problems);

/* One version, as a live row. */
struct blueprint {
    int64_t id;      /* of this version */
    int64_t version; /* 1, 2, ... for one name */
    int64_t created_at_ms;
    bool latest;  /* the version that new instances get */
    bool deleted; /* kept only for the instances that run from it */
    struct blueprint_spec spec;
    char *spec_json; /* owned: schema_encode() of spec, what is stored */
    /* Not stored. */
    uint32_t instances;        /* live rows that point here */
    bool held;                 /* by its breaker: nothing of it is placed */
    struct breaker *breaker;   /* owned; NULL until a fault blames it */
    struct blame_wins wins;    /* hosts where it started well lately */
    uint64_t image_key;        /* blueprint_image_key() of spec.image */
    uint64_t hosts_key;        /* the same for all that the same hosts can take, empty or not:
                                    a hash of spec.host_labels and of fixed host ports */
    const struct pool *misfit; /* no host of this pool could ever hold it; NULL: none is known */
    int64_t misfit_mono_ms;    /* ... since */
    uint32_t fixed_ports;      /* of spec.ports, those with a host port */
    uint32_t name_key;         /* a hash of spec.name, the same for all versions: counts replicas */
    bool dirty;
};

/** blueprint_image_key() - a hash of an image's full name: "busybox" and
 * "docker.io/library/busybox:latest" have the same. */
uint64_t blueprint_image_key(const char *image);

/** blueprint_new() - takes @spec's contents (which is emptied), and sets spec_json and the keys. */
struct blueprint *blueprint_new(struct blueprint_spec *spec);
void blueprint_free(struct blueprint *blueprint);
