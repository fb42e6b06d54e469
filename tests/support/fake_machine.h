#pragma once

/*
 * A machine with a Docker engine, in memory: what a container engine does to
 * its containers, without time and without a network.  Tests look at and
 * change its fields as they like.
 */

#include "berth/base/list.h"
#include "berth/port/docker.h"

enum { FAKE_NAME_SIZE = 128, FAKE_IMAGES_MAX = 64 };

struct fake_container {
    struct docker_container seen; /* what list and inspect tell */
    char cluster[64];             /* "" when it is not ours */
    bool ready;                   /* answers at its ports once it runs; true by default */
    char logs[512];
    struct instance_port_binding wanted[DOCKER_PORTS_MAX]; /* host 0: the engine chooses */
    size_t wanted_count;
    struct list_node node; /* of fake_machine.containers */
};

struct fake_machine {
    char engine[FAKE_NAME_SIZE]; /* the endpoint, its name */
    struct docker_info info;     /* 8 GiB, 4 cpus by default */
    bool unreachable;            /* nothing is sent: FAULT_UNREACHABLE */
    bool unset;                  /* how to reach it cannot be told: FAULT_INVALID */
    bool hung;                   /* accepts and says nothing: FAULT_TIMEOUT, no effect */
    bool any_image;              /* every image is there already */
    char images[FAKE_IMAGES_MAX][FAKE_NAME_SIZE];
    size_t image_count;
    struct list containers;  /* struct fake_container, oldest first */
    const char *exec_output; /* what an exec says, and how it ends; borrowed */
    int32_t exec_code;
    int32_t canary_code; /* with which a canary ends as soon as it was started, */
    bool canary_stays;   /* unless it runs for ever */
    uint16_t next_port;  /* from 32768 */
    int64_t next_id;
    int64_t now_ms;     /* the fake's, for the containers' times */
    uint32_t in_flight; /* calls */
    uint32_t most_in_flight;
    struct list_node node; /* of the fake's machines */
};

struct fake_machine *fake_machine_new(const char *engine);
void fake_machine_free(struct fake_machine *machine);

/** fake_machine_find() - by name or id; NULL when there is none. */
struct fake_container *fake_machine_find(struct fake_machine *machine, const char *name);
/** fake_machine_add() - a container that was not made through the port; created, not started. */
struct fake_container *fake_machine_add(struct fake_machine *machine, const char *name,
                                        const char *cluster);
/** fake_machine_oldest() - the oldest container; there must be one. */
struct fake_container *fake_machine_oldest(struct fake_machine *machine);
void fake_machine_image_add(struct fake_machine *machine, const char *reference);

/** fake_machine_end() - @container's process ends; 137 and @oom_killed for an OOM kill. */
void fake_machine_end(struct fake_machine *machine, struct fake_container *container,
                      int32_t exit_code, bool oom_killed);
/** fake_machine_reboot() - each running container ends with 137. */
void fake_machine_reboot(struct fake_machine *machine);

/**
 * fake_machine_do() - what the engine does for @call, streams aside; fills call->out
 * @cluster: of the daemon that asks
 *
 * Return: 0, or -1 with the fault that a real engine's answer would be.
 */
int fake_machine_do(struct fake_machine *machine, const char *cluster, struct docker_call *call,
                    struct fault *fault);
/** fake_machine_done() - free what fake_machine_do() put into call->out. */
void fake_machine_done(struct docker_call *call);
