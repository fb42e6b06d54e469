#pragma once

/*
 * What the files shell*.c share: the pools, and one preparation.
 *
 *   shell.c         the port: pools, user data, revisions
 *   shell_config.c  a pool's part of the configuration
 *   shell_keys.c    the keys that belong to a host, and its user data
 *   shell_job.c     one preparation, from the connection to the endpoint
 *   shell_lost.c    whether its keys are still those that it was made with
 *   shell_vars.c    what its playbook is given
 */

#include "berth/base/json.h"
#include "berth/shell/key.h"
#include "berth/shell/shell.h"

#include "playbook.h"
#include "vault.h"

/* As the configuration says; a preparation under way keeps it beyond a reload. */
struct shell_pool {
    char *name; /* owned */
    struct shell_config config;
    struct playbook *playbook;      /* owned */
    const struct vault_pool *vault; /* borrowed from the shell's vault */
    char revision[SHELL_REVISION_SIZE];
    uint32_t refs;
};

struct shell {
    struct shell_port port;
    struct shell_options options;
    struct loop *loop;
    struct vault *vault;           /* owned */
    struct key *user_key;          /* owned: what machines are told to accept */
    char user_line[KEY_LINE_SIZE]; /* ... as a line of authorized_keys */
    struct shell_pool **pools;     /* owned, [count], a reference each */
    size_t count;
    struct clock_timer renewal; /* of our certificates */
    uint32_t jobs;
};

/* The unit of user data that ends a machine which nobody prepares in time. */
#define SHELL_UNPREPARED "berth-unprepared.service"

/** shell_pool_unref() - NULL is fine. */
void shell_pool_unref(struct shell_pool *pool);

enum shell_key {
    SHELL_KEY_PLANTED, /* in user data, so whoever can read that knows it */
    SHELL_KEY_FINAL,
};

/** shell_key_derive() - the SSH host key of @host's machine. */
struct key *shell_key_derive(const struct shell *shell, const struct host *host,
                             enum shell_key which) MUST_USE;
/** shell_user_data() - see port/shell.h. */
struct secret *shell_user_data(const struct shell *shell, const struct host *host) MUST_USE;

/** shell_job_start() - @prepare as port/shell.h says; @pool: NULL: it is not set. */
void shell_job_start(struct shell *shell, struct shell_pool *pool, struct shell_prepare *prepare);
void shell_job_cancel(struct shell_prepare *prepare);
