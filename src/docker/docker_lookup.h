#pragma once

/*
 * The address behind a host's name, without making the loop wait for DNS: the
 * look-up runs on a thread.
 */

#include "docker_job.h"

struct docker_lookup;

/** docker_lookup_start() - docker_ready_resolved(@job) comes later, from the loop, unless the look-up is
 * dropped; what was found stands in the endpoint's number then. */
struct docker_lookup *docker_lookup_start(struct docker_job *job);
/** docker_lookup_drop() - nobody waits for it any more; it frees itself. NULL is fine. */
void docker_lookup_drop(struct docker_lookup *lookup);
