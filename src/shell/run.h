#pragma once

/*
 * One run of a playbook on one machine: step by step, over struct remote.
 *
 * Nothing is kept between runs.  A run that begins at a later step first repeats the steps before it
 * that registered or set what later ones use, and those that use what is fresh (half of them done with
 * an old certificate and half with a new key would be worse than none); what they register counts as
 * changed then, and every
 * handler that a step before may have notified counts as notified: something is done twice rather than
 * never.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/json.h"
#include "berth/port/clock.h"
#include "berth/port/shell.h"

#include "playbook.h"
#include "remote.h"

enum { RUN_STEP_TIMEOUT_MS = 600 * 1000 }; /* of a task without timeout */

struct run_state;

/* Embed it; it must outlive done.  All that it points to is borrowed until then. */
struct run {
    /* In. */
    const struct playbook *playbook;
    const struct remote *remote;
    const struct clock_port *clock;
    const char *host; /* inventory_hostname */
    /* An object; may be NULL.  They win over the playbook's own, as those of ansible-playbook
     * --extra-vars do; {{ }} in them stays as it is. */
    const json_t *vars;
    /* Names of those of vars that are another value in each run. */
    const char *const *fresh;
    size_t fresh_count;
    /* Texts, and the lines of those that have several, that no output and no fault may show: "***"
     * stands there.  Those of less than 4 bytes are ignored. */
    const char *const *secrets;
    size_t secret_count;
    /* Only tasks with this tag, or with "always"; NULL: all but those with "never". */
    const char *tag;
    uint32_t from_step; /* 0: from the first */
    int64_t timeout_ms; /* in all; 0: no limit but each step's */
    /* Out. */
    uint32_t step;         /* that runs, or that failed; below from_step while one is repeated */
    uint32_t step_count;   /* from run_start() on */
    const char *step_name; /* valid until done returns; never NULL from the first on_step on */
    bool ignored;          /* in on_step_end: it failed, and that is ignored */
    /* From the loop: a step has begun; it wrote something (not NUL terminated, any bytes; never of one
     * with no_log); it ended.  Each may be NULL.  Steps without one of the tags asked for, and handlers
     * that nobody notified, are passed over without a word. */
    void (*on_step)(struct run *run);
    void (*on_output)(struct run *run, const char *data, size_t len);
    void (*on_step_end)(struct run *run, enum shell_end end);
    /* Exactly once, from the loop, never from inside run_start(); last touch.  FAULT_PREPARE: a step
     * failed or had no end in time; FAULT_TIMEOUT: the whole took too long; FAULT_CANCELLED; and what
     * struct remote tells when the machine does not answer. */
    void (*done)(struct run *run, const struct fault *fault);
    struct run_state *state; /* the implementation's own */
};

/** run_start() - @run's in and callbacks are filled, the rest is zero. */
void run_start(struct run *run);

/** run_cancel() - done still comes, with FAULT_CANCELLED unless it had ended. */
void run_cancel(struct run *run);
