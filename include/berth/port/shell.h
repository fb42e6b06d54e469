#pragma once

/*
 * What the engine needs to make a machine a host: the pool's playbook, run on it over SSH.
 * Implemented by src/shell/ and, for tests, by tests/support/fake_shell.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/domain/host.h"

enum { SHELL_STEP_SIZE = 96 };

/* One run of the playbook.  Embed it; it must outlive done. */
struct shell_prepare {
    const struct host *host; /* in: its address and machine; borrowed until done */
    const char *address;     /* in: borrowed until done */
    uint32_t from_step;      /* in: resume here; 0: the first */
    /* Out. */
    uint32_t step; /* that runs, or that failed */
    uint32_t step_count;
    char step_name[SHELL_STEP_SIZE];
    struct host_endpoint endpoint; /* on success: how its engine is reached; owned by the call */
    /* From the loop: a step has begun. */
    void (*on_step)(struct shell_prepare *prepare);
    /* Exactly once, from the loop, never from inside start(); last touch.  FAULT_PREPARE: a step
     * failed; FAULT_UNREACHABLE, FAULT_TIMEOUT: the machine does not answer. */
    void (*done)(struct shell_prepare *prepare, const struct fault *fault);
    void *adapter; /* the implementation's own */
};

struct shell_port {
    void *self;
    void (*prepare_start)(void *self, struct shell_prepare *prepare);
    /* done still comes, with FAULT_CANCELLED unless it had ended. */
    void (*prepare_cancel)(void *self, struct shell_prepare *prepare);
};
