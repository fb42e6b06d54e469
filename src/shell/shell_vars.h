#pragma once

#include "berth/base/json.h"
#include "berth/shell/key.h"

#include "shell_job.h"

/* What one run of a playbook is given. */
struct shell_vars {
    json_t *json; /* owned; an object */
    struct pki_pair server;
    int64_t certificate_ends_at_ms;
    struct secret *host_key; /* owned; NULL: the machine keeps the one it has */
    const char *secrets[2];  /* what no output may show; borrowed from the above */
    size_t secret_count;
};

/* Those that are made anew for each run. */
enum { SHELL_VARS_FRESH = 2 };
extern const char *const shell_vars_fresh[SHELL_VARS_FRESH];

/* For which machine. */
struct shell_vars_for {
    const struct shell_pool *pool;
    const struct host *host;
    const char *address;   /* where it is reached */
    const char *seen_from; /* where it sees us come from */
    const struct key *key; /* its SSH host key from now on; NULL: the one it has */
};

/** shell_vars_make() - a certificate for the engine, and all variables.
 * Return: 0, or -1 with FAULT_INVALID or FAULT_BUG.  @ret_vars is to be freed in any case. */
int shell_vars_make(const struct shell *shell, const struct shell_vars_for *machine,
                    struct shell_vars *ret_vars, struct fault *fault);
void shell_vars_fini(struct shell_vars *vars);
