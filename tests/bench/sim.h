#pragma once

/*
 * Docker hosts that are none: a docker port that answers from memory, each call
 * at the end of the turn in which it was made, or of the next.  Its hosts and the containers that are there
 * from the start follow from their numbers alone, so that it needs next to no
 * memory of its own: what is measured is the daemon.
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/domain/instance.h"
#include "berth/loop/loop.h"
#include "berth/port/docker.h"

enum {
    SIM_PORT = 8080,
    SIM_HOST_PORT = 32768,
    SIM_CPUS_MILLI = 8000,
};

#define SIM_MEMORY_BYTES (INT64_C(16) << 30)

struct sim;

/** sim_new() - @host_count hosts, over which @instance_count containers are spread by turns. */
struct sim *sim_new(size_t host_count, struct loop *loop, size_t instance_count);
/** sim_free() - no call may be under way. */
void sim_free(struct sim *sim);
const struct docker_port *sim_port(struct sim *sim);

/* The numbers of hosts and instances that are there from the start; @at counts from 0. */
int64_t sim_host_id(size_t at);
int64_t sim_instance_id(size_t at);
/** sim_container_id() - of an instance's container. */
void sim_container_id(int64_t instance_id, uint32_t generation,
                      uint8_t ret_id[INSTANCE_CONTAINER_ID_SIZE]);
