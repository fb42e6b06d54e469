#pragma once

/*
 * The shell port: machines become hosts by their pool's playbook, over SSH, with keys and certificates of
 * the keys directory (<data_dir>/keys, docs/SECURITY.md).
 *
 *   the port ▶ connect, replace the planted host key, connect again ▶ playbook ▶ the engine's endpoint
 *
 * A run's steps are those of the playbook, after one that stands for the way to the machine.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/schema.h"
#include "berth/loop/loop.h"
#include "berth/port/shell.h"

struct shell;

/* A pool's own part of the configuration. */
struct shell_config {
    char *ssh_user;                  /* of the machine's image; root or by sudo; NULL: "admin" */
    char *playbook;                  /* path, or the name of one that comes with Berth; NULL:
                                           "docker-host.yml" */
    struct schema_map playbook_vars; /* given to it, beside Berth's own */
    struct schema_strings
        orchestrator;                /* addresses and networks that may reach the hosts; none: the
                                           address that a machine sees us come from */
    int64_t certificate_lifetime_ms; /* of the engines' certificates */
};

extern const struct schema shell_config_schema;

/** shell_config_check() - what the table of fields cannot say; reads the playbook.
 * @pointer: JSON pointer of @config in its document
 * Return: 0, or -1 with an entry in @problems for each. */
int shell_config_check(const struct shell_config *config, const char *pointer,
                       struct problems *problems);

struct shell_options {
    const char *data_dir; /* borrowed for the call */
    /* Keys are derived for this cluster; asked for with the first key. */
    const char *(*cluster_id)(void *cookie);
    void *cookie;
};

/** shell_new() - opens the keys directory, and makes it the first time; blocks on the disk.
 * Return: 0, or -1 with FAULT_STORAGE that names the file and what to do. */
int shell_new(struct loop *loop, const struct shell_options *options, struct shell **ret_shell,
              struct fault *fault);
/** shell_free() - no preparation may be under way; NULL is fine. */
void shell_free(struct shell *shell);
/** shell_port() - borrowed. */
const struct shell_port *shell_port(struct shell *shell);

/** shell_is_fresh() - the keys were made by shell_new(): no host that was there before can be reached
 * with them. */
bool shell_is_fresh(const struct shell *shell);

/** shell_pool_set() - machines of the pool called @name are prepared as @config (copied) says, from
 * their next preparation on.  Reads the playbook; makes the pool's certificates the first time; blocks.
 * Return: 0, or -1 with FAULT_INVALID or FAULT_STORAGE. */
int shell_pool_set(struct shell *shell, const char *name, const struct shell_config *config,
                   struct fault *fault);
/** shell_pools_keep() - no other pools than @names [count], borrowed, are set any more. */
void shell_pools_keep(struct shell *shell, const char *const *names, size_t count);
