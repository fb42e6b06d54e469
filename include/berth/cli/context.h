#pragma once

/*
 * Which daemon, and with which token.  Contexts are kept in
 * $XDG_CONFIG_HOME/berth/contexts.yaml (default ~/.config), mode 0600.
 *
 * The address: --url, BERTH_URL, the context, the socket of a data directory of
 * this machine (/var/lib/berth, $XDG_DATA_HOME/berth), http://127.0.0.1:7070.
 * The token: --token, BERTH_TOKEN, BERTH_TOKEN_FILE, the context, admin.token of
 * those data directories.  A context that is asked for by name comes before the
 * environment.  A context's token goes to the context's address only,
 * and an admin.token of this machine to addresses of this machine only.
 */

#include "berth/base/json.h"
#include "berth/base/secret.h"

struct cli_target {
    char *url;            /* owned: "http://...", "https://...", "unix:PATH" */
    struct secret *token; /* owned; NULL: none was found */
    const char *source;   /* where the address came from, for people; static */
};

/* What the command line says; NULL where it says nothing. */
struct cli_wish {
    const char *url;
    const char *token;
    const char *context;
};

/**
 * cli_context_resolve() - find address and token
 * @ret_target: cli_context_target_fini() frees it
 *
 * Return: 0, or -1: FAULT_INVALID (an address or a file that can't be understood), FAULT_NOT_FOUND
 * (no such context or token file), FAULT_FORBIDDEN (a file that others may read).
 */
int cli_context_resolve(const struct cli_wish *wish, struct cli_target *ret_target,
                        struct fault *fault);
void cli_context_target_fini(struct cli_target *target);

/** cli_context_load() - {"current": name or null, "contexts": [{"name","url","token","token_file"}]};
 * an empty one when there is no file. @ret_contexts: owned. */
int cli_context_load(json_t **ret_contexts, struct fault *fault);
/** cli_context_save() - replaces the file as a whole, mode 0600. */
int cli_context_save(const json_t *contexts, struct fault *fault);
/** cli_context_find() - of cli_context_load()'s; borrowed, NULL when there is none. */
json_t *cli_context_find(const json_t *contexts, const char *name);
