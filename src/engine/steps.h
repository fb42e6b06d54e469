#pragma once

/*
 * The log of one run of a playbook: each step's end goes to the store with the turn's commit, the step
 * under way is kept here and can be looked at.
 */

#include "berth/port/shell.h"

#include "state.h"

enum {
    STEPS_OUTPUT_MAX = 65536, /* bytes kept of a step's output: the last ones */
    STEPS_TAIL_MAX = 131072,  /* bytes before it is cut down to these */
};

struct steps {
    struct engine *engine;
    const struct host *host;
    char name[SHELL_STEP_SIZE];
    uint32_t step; /* from 1; 0: the connection */
    uint32_t count;
    int64_t started_at_ms;
    int64_t started_mono_ms;
    int64_t cut_bytes; /* of output, before what is in tail */
    struct buf tail;
    bool open;   /* a step has begun, and its row was not written */
    bool failed; /* ... it has failed, and the run's end will say why */
};

/** steps_begin() - a run on @host, whose machine counts it. */
struct steps *steps_begin(struct engine *engine, struct host *host);
/** steps_free() - without a trace of what is open. */
void steps_free(struct steps *steps);

/* What the shell tells of the run. */
void steps_step(struct steps *steps, const struct shell_prepare *prepare);
void steps_output(struct steps *steps, const char *data, size_t len);
void steps_step_end(struct steps *steps, enum shell_end end);
/** steps_where() - "step 3 of 24 (packages)", "the connection"; owned. */
char *steps_where(const struct steps *steps) MUST_USE;
/** steps_end() - the run is over; @fault: why it failed; NULL: it succeeded. */
void steps_end(struct steps *steps, const struct fault *fault);

/** steps_tell() - tell the listener what is new since the last turn. */
void steps_tell(struct engine *engine);
