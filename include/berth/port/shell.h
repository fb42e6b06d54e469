#pragma once

/*
 * What the engine needs to make a machine a host: the pool's playbook, run on it over SSH.
 * Implemented by src/shell/ and, for tests, by tests/support/fake_shell.c.
 *
 * A machine is never trusted on first use.  user_data() plants the host key that the first connection
 * must show; the run replaces it at once by one that was never in user data and says so (sealed).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/secret.h"
#include "berth/domain/host.h"

enum { SHELL_USER_SIZE = 33, SHELL_HOST_KEY_SIZE = 128 };
enum { SHELL_STEP_SIZE = 96, SHELL_REVISION_SIZE = 17 /* 16 hex digits and NUL */ };

enum shell_purpose {
    SHELL_PREPARE, /* the whole playbook; on a host too, when its playbook is another one by now */
    SHELL_RENEW,   /* its certificates alone: the tasks tagged "certificates" */
};

enum shell_end { SHELL_OK, SHELL_CHANGED, SHELL_SKIPPED, SHELL_FAILED, SHELL_END_COUNT };

/** shell_end_name() - "ok", "changed", "skipped", "failed". */
const char *shell_end_name(enum shell_end end);

/* One run of the playbook.  Embed it; it must outlive done. */
struct shell_prepare {
    const struct host *host; /* in: its pool and machine; borrowed until done */
    const char *address;     /* in: borrowed until done */
    enum shell_purpose purpose;
    uint32_t from_step; /* in: resume here; 0: the first */
    /* Out. */
    uint32_t step; /* that runs, or that failed */
    uint32_t step_count;
    char step_name[SHELL_STEP_SIZE];
    char revision[SHELL_REVISION_SIZE]; /* of what runs; from the first on_step on */
    bool sealed;                        /* the planted host key is not accepted any more; from an
                                           on_step_end on */
    int64_t certificate_ends_at_ms;     /* on success: the engine's certificate; 0: none */
    char user[SHELL_USER_SIZE];         /* on success: as whom it was logged in to; "": not told */
    char host_key
        [SHELL_HOST_KEY_SIZE]; /* on success: what it shows, "ssh-ed25519 AAAA..."; "": the same */
    struct host_endpoint endpoint; /* on success: how its engine is reached; owned by the call */
    /* From the loop: a step has begun; it wrote something (not NUL terminated, any bytes; secrets are
     * blanked); it ended.  Each but on_step may be NULL. */
    void (*on_step)(struct shell_prepare *prepare);
    void (*on_output)(struct shell_prepare *prepare, const char *data, size_t len);
    void (*on_step_end)(struct shell_prepare *prepare, enum shell_end end);
    /* Exactly once, from the loop, never from inside start(); last touch.  FAULT_PREPARE: a step
     * failed; FAULT_UNREACHABLE, FAULT_TIMEOUT: the machine does not answer; FAULT_TLS: another one
     * answers, with a host key that is not the machine's. */
    void (*done)(struct shell_prepare *prepare, const struct fault *fault);
    void *adapter; /* the implementation's own */
};

struct shell_port {
    void *self;
    void (*prepare_start)(void *self, struct shell_prepare *prepare);
    /* done still comes, with FAULT_CANCELLED unless it had ended. */
    void (*prepare_cancel)(void *self, struct shell_prepare *prepare);
    /* What @host's machine runs at its first boot, so that it can be prepared: the same text for the
     * same host and attempt, also after a restart.  Owned by the caller; NULL: nothing. */
    struct secret *(*user_data)(void *self, const struct host *host);
    /* Which playbook prepares @pool's machines now. Return: false: none. */
    bool (*revision)(void *self, const struct pool *pool, char ret_revision[SHELL_REVISION_SIZE]);
    /* The key with which @self logs in: "ssh-ed25519 AAAA... berth".  The user of a machine that is given
     * (machine->ssh) must have authorised it.  NULL: there is none to tell. */
    const char *(*public_key)(void *self);
};
