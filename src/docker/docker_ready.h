#pragma once

/*
 * Does something answer at a published port?
 *
 * A connection alone proves nothing: where the engine publishes a port through
 * docker-proxy (loopback addresses, engines without iptables) the proxy accepts
 * first and dials the container afterwards.  When nobody listens in there it
 * hangs up at once; when somebody does, the connection stays open, whether or
 * not that server speaks first.  So the connection must stay open for a settling
 * time, or bring a byte, to count.
 *
 * How fast "at once" is depends on the host, so that it is learnt there: each
 * hang-up of the proxy is timed, and the settling time is several times the
 * slowest of late, within bounds.  Fresh containers are asked a little too
 * early as a rule, which teaches it.
 */

#include "docker_job.h"

/** docker_ready_request() - as struct docker_verb_rule's request(), for a call with a path. */
int docker_ready_request(struct docker_job *job, struct fault *fault);
/** docker_ready_connect() - for a call without: job->state is DOCKER_JOB_READY until it ends. */
void docker_ready_connect(struct docker_job *job);
/** docker_ready_resolved() - the host's name was looked up. */
void docker_ready_resolved(struct docker_job *job);
/** docker_ready_close() - give the socket back; the job ends or has ended. */
void docker_ready_close(struct docker_job *job);
/** docker_ready_judge() - what an HTTP exchange with these ends tells: @status 0 when there was no
 * answer. Return: 0, or -1 with FAULT_NOT_READY. */
int docker_ready_judge(int status, struct fault *fault);
