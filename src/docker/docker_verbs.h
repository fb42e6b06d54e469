#pragma once

/* What each verb asks an engine, and what becomes of the answer: one table. */

#include "docker_job.h"

struct docker_verb_rule {
    const char *where;   /* of its faults */
    int64_t deadline_ms; /* in all, when the call does not say; 0: none */
    int64_t head_ms;     /* 0: http's default; the answer's head may take this long */
    int64_t progress_ms; /* between pieces of a body; 0: http's default, -1: no matter */
    size_t answer_limit;
    bool unversioned; /* no version needs to be agreed upon */
    /* Fill the exchange for job->step; url and method are set up to the version.
     * Return: 0, or -1 with @fault. */
    int (*request)(struct docker_job *job, struct fault *fault);
    /* The answer, 2xx, is there as a whole. Return: enum docker_job_outcome, or -1 with @fault.
     * NULL: nothing to read. */
    int (*answer)(struct docker_job *job, struct fault *fault);
    /* A piece of a streaming answer, 2xx. Return: 0, or -1 with @fault. */
    int (*data)(struct docker_job *job, const char *data, size_t len, struct fault *fault);
};

/** docker_verbs_rule() - borrowed, static. */
const struct docker_verb_rule *docker_verbs_rule(enum docker_verb verb);
/** docker_verbs_deadline_ms() - the call's own, or its verb's default, for a call without. */
int64_t docker_verbs_deadline_ms(const struct docker_call *call);
