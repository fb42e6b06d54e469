#pragma once

/*
 * What the engine needs from a Docker host.  One call is one struct with a
 * verb; implemented by src/docker/ and, for tests, by
 * tests/support/fake_docker.c.  Source: Docker Engine API 1.41 to 1.5x.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/secret.h"
#include "berth/domain/blueprint.h"
#include "berth/domain/host.h"

enum {
    DOCKER_ID_SIZE = 65, /* 64 hex digits and NUL */
    DOCKER_NAME_SIZE = 64,
    DOCKER_LABEL_SIZE = 256,
    DOCKER_LIST_MAX = 20000,
    DOCKER_PORTS_MAX = 64,
};

#define DOCKER_LABEL_CLUSTER           "berth.cluster"
#define DOCKER_LABEL_INSTANCE          "berth.instance"
#define DOCKER_LABEL_GENERATION        "berth.generation"
#define DOCKER_LABEL_BLUEPRINT         "berth.blueprint"
#define DOCKER_LABEL_BLUEPRINT_VERSION "berth.blueprint_version"
#define DOCKER_LABEL_OWNER             "berth.owner"
#define DOCKER_LABEL_CANARY            "berth.canary" /* instead of all but the cluster's */

enum docker_verb {
    DOCKER_INFO,          /* negotiates the version as well; out: info */
    DOCKER_PING,          /* on a connection of its own */
    DOCKER_LIST,          /* all containers of our cluster, running or not; out: list */
    DOCKER_CREATE,        /* in: create; out: container_id */
    DOCKER_START,         /* a started container is a success (304) */
    DOCKER_STOP,          /* SIGTERM, then SIGKILL after grace_ms; a stopped one is a success */
    DOCKER_REMOVE,        /* forced, with its volumes; one that is not there is a success */
    DOCKER_INSPECT,       /* out: container; FAULT_ENGINE_MISSING when there is none */
    DOCKER_IMAGE_INSPECT, /* out: container_id = the image's id; FAULT_ENGINE_MISSING */
    DOCKER_IMAGE_LIST,    /* out: images */
    DOCKER_PULL,          /* in: name, registry_auth; progress through on_progress */
    DOCKER_LOAD,          /* in: load; progress through on_progress; out: text = tags */
    DOCKER_LOGS,          /* in: logs; a stream of on_data; ends with done */
    DOCKER_STATS,         /* one sample; out: stats */
    DOCKER_EXEC,          /* in: exec; on_data; out: exit_code */
    DOCKER_EVENTS,        /* hints about containers of our cluster; on_hint; ends when it breaks */
    DOCKER_READY,         /* in: ready: is it listening / does it answer at the host's port?
                             FAULT_NOT_READY when not (yet) */
    DOCKER_VERB_COUNT,
};

const char *docker_verb_name(enum docker_verb verb);

struct docker_info {
    char engine_version[32];
    char engine_api[16];
    char engine_id[96];
    int64_t memory_bytes;
    int64_t cpus_milli;
    bool memory_limit; /* the engine can limit memory */
    bool swap_limit;
    char storage_driver[32];
    char os[96];
    char architecture[16]; /* "x86_64", "aarch64", ... */
};

enum docker_container_state {
    DOCKER_CREATED,
    DOCKER_RUNNING,
    DOCKER_PAUSED,
    DOCKER_RESTARTING,
    DOCKER_REMOVING,
    DOCKER_EXITED,
    DOCKER_DEAD,
};

/* One container, from a list (no exit code, OOM flag, times) or an inspect. */
struct docker_container {
    char id[DOCKER_ID_SIZE];
    char name[DOCKER_NAME_SIZE]; /* without the slash */
    int32_t state;               /* enum docker_container_state */
    int32_t exit_code;           /* inspect only */
    bool oom_killed;             /* inspect only */
    int64_t started_at_ms;       /* inspect only */
    int64_t finished_at_ms;      /* inspect only */
    char error[160];             /* inspect only: why it could not be started */
    int64_t memory_bytes;        /* inspect only: its limit */
    char image[DOCKER_LABEL_SIZE];
    bool canary;             /* it has DOCKER_LABEL_CANARY */
    char label_instance[32]; /* "" when it has none */
    char label_blueprint[64];
    char label_owner[DOCKER_LABEL_SIZE];
    int64_t label_generation;
    int64_t label_blueprint_version;
    struct instance_port_binding {
        uint16_t container;
        uint16_t host;
        uint8_t protocol;
    } ports[DOCKER_PORTS_MAX]; /* each once, though the engine lists IPv4 and IPv6 */
    size_t port_count;
};

struct docker_pair {
    const char *key;
    const char *value;
};

/* What to create. All borrowed until done. */
struct docker_spec {
    const struct blueprint_spec *blueprint; /* limits, ports, capabilities, ... */
    const char *cluster_id;
    bool canary;             /* it belongs to no instance: labels of the cluster and a canary */
    const char *instance_id; /* its host name as well */
    uint32_t generation;
    int64_t blueprint_version;
    const char *owner;
    char *const *command; /* [command_count], templates expanded */
    size_t command_count;
    char *const *entrypoint;
    size_t entrypoint_count;
    char *const *env; /* [env_count] "KEY=value", templates expanded */
    size_t env_count;
    const char *publish_address; /* of the host, where ports are published: "127.0.0.1",
                                    "0.0.0.0" */
};

struct docker_stats {
    int64_t at_ms; /* 0 when the container does not run */
    int64_t memory_bytes;
    int64_t memory_limit_bytes;
    int64_t cpu_ns;        /* total used */
    int64_t system_cpu_ns; /* of the host, in the same interval base */
    int64_t cpus;
    int64_t network_in_bytes;
    int64_t network_out_bytes;
    int64_t block_in_bytes;
    int64_t block_out_bytes;
    int64_t pids;
};

struct docker_image {
    char id[80];
    char reference[DOCKER_LABEL_SIZE];
    int64_t size_bytes;
    int64_t created_at_ms;
};

struct docker_call {
    /* In: set before call_start(), borrowed until done. */
    enum docker_verb verb;
    int64_t host_id;
    const char *name; /* container (name or id) or image reference */
    union {
        struct docker_spec create;
        int64_t grace_ms;                   /* STOP */
        const struct secret *registry_auth; /* PULL: {"username":...} JSON; NULL: none */
        struct {
            const char *path; /* of a tar; NULL: its bytes are here */
            const void *data; /* [size], at most 1 MiB */
            size_t size;
        } load;
        struct {
            bool follow;
            int64_t tail;     /* lines; -1: all */
            int64_t since_ms; /* 0: all */
            bool timestamps;
        } logs;
        struct {
            char *const *command; /* [count] */
            size_t count;
            const char *user;    /* NULL: the image's */
            const char *workdir; /* NULL: the image's */
        } exec;
        struct {
            uint16_t host_port; /* on the host's address */
            const char *path;   /* NULL: a TCP connection is enough; else HTTP GET */
        } ready;
    } in;
    int64_t deadline_ms; /* most time in all; 0: the verb's default */

    /* Streams: called from the loop between call_start() and done. */
    void (*on_data)(struct docker_call *call, int stream, const char *data, size_t len);
    void (*on_progress)(struct docker_call *call, int64_t done, int64_t total, const char *text);
    void (*on_hint)(struct docker_call *call, const char *action,
                    const struct docker_container *container);

    /* Out: valid inside done when its fault is NULL. */
    union {
        struct docker_info info;
        struct docker_container container;
        char container_id[DOCKER_ID_SIZE + 16];
        int32_t exit_code;
        struct docker_stats stats;
        char text[256];
        struct {
            struct docker_container *at; /* the adapter's until done returns */
            size_t count;
        } list;
        struct {
            struct docker_image *at;
            size_t count;
        } images;
    } out;

    /* Called exactly once, from the loop, never from inside call_start().  Last touch. */
    void (*done)(struct docker_call *call, const struct fault *fault);
    void *adapter; /* the implementation's own */
};

struct docker_port {
    void *self;
    /* Tell how to reach a host, before its first call and when it changes; copied. */
    int (*host_set)(void *self, int64_t host_id, const struct host_endpoint *endpoint,
                    const char *cluster_id, struct fault *fault);
    /* No call may be under way. Connections are closed. */
    void (*host_forget)(void *self, int64_t host_id);

    void (*call_start)(void *self, struct docker_call *call);
    /* done still comes, with FAULT_CANCELLED (unsure) unless it had ended already. */
    void (*call_cancel)(void *self, struct docker_call *call);
    /* A slow reader of a stream: stop / go on reading. */
    void (*call_pause)(void *self, struct docker_call *call, bool paused);
};
