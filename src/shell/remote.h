#pragma once

/*
 * A machine on which scripts can be run: over SSH (ssh.h), or in tests as a process of this machine.
 * What the playbook's runner knows of the outside world.
 *
 * A command's end is told by a sentinel that the implementation puts behind the script: an exit status
 * that merely arrived is never trusted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/buf.h"
#include "berth/base/fault.h"

/* One script.  Embed it; it must outlive done; what it points to is borrowed until then. */
struct remote_command {
    /* In. */
    const char *script; /* for /bin/sh */
    const char *user;   /* become this one by sudo; NULL: whom the connection belongs to */
    const char *input;  /* the script's standard input; NULL: empty; may be secret */
    size_t input_len;
    size_t output_limit; /* most bytes of each stream that are kept; the first ones */
    int64_t timeout_ms;
    /* Each piece as it comes, of both streams; may be NULL. */
    void (*on_output)(struct remote_command *command, bool is_stderr, const char *data, size_t len);
    /* Out. */
    int exit_code;  /* 128 + signal for one that was killed */
    struct buf out; /* without the sentinel; valid until done returns */
    struct buf err;
    bool truncated; /* one of the two was longer than output_limit */
    /* Exactly once, from the loop, never from inside run(); last touch.  A fault means that how it
     * ended is not known: FAULT_UNREACHABLE (it never began), FAULT_LOST, FAULT_TIMEOUT,
     * FAULT_CANCELLED.  Another exit code than 0 is no fault here. */
    void (*done)(struct remote_command *command, const struct fault *fault);
    void *adapter; /* the implementation's own */
};

struct remote {
    void *self;
    /* One at a time. */
    void (*run)(void *self, struct remote_command *command);
    /* done still comes, with FAULT_CANCELLED unless it had ended. */
    void (*cancel)(void *self, struct remote_command *command);
};
