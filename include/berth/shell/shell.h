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
#include "berth/base/mem.h"
#include "berth/base/schema.h"
#include "berth/loop/loop.h"
#include "berth/port/random.h"
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

/** shell_pool_set() - machines of the pool called @name are prepared as @config (copied) says, from
 * their next preparation on.  Reads the playbook; makes the pool's certificates the first time; blocks.
 * Return: 0, or -1 with FAULT_INVALID or FAULT_STORAGE. */
int shell_pool_set(struct shell *shell, const char *name, const struct shell_config *config,
                   struct fault *fault);
/** shell_pools_keep() - no other pools than @names [count], borrowed, are set any more. */
void shell_pools_keep(struct shell *shell, const char *const *names, size_t count);

/* Whether a host's SSH key, which is of our making, was made with the keys of now. */
enum shell_kin {
    SHELL_KIN_UNKNOWN, /* a given machine, one that has no key of ours yet, or one that was given up */
    SHELL_KIN_OURS,
    SHELL_KIN_STRANGER, /* with others: it cannot be reached */
};

enum shell_kin shell_kin(const struct shell *shell, const struct host *host);

/* --- The keys directory while no daemon runs -------------------------------------------------------- */

/** shell_keys_missing() - the path of the cluster's secret (@pool: NULL), or of @pool's authority, when it
 * is not there; owned. Return: NULL: it is. */
char *shell_keys_missing(const char *data_dir, const char *pool) MUST_USE;

/** shell_keys_check() - whether @folder, a copy of a keys directory, is whole: the secret is there, and
 * each authority that is there has its key.
 * Return: 0, or -1 with FAULT_STORAGE that names the file. */
int shell_keys_check(const char *folder, struct fault *fault);

struct shell_renewal {
    const char *data_dir;
    const struct random_port *random;
    int64_t now_ms;
    const char *const *pools; /* [count]: get an authority where they have none */
    size_t count;
    int64_t last_host_id; /* hosts up to this one may have been made with other keys */
};

/** shell_keys_renew() - make what is missing anew; what is there stays.
 * Return: 0, or -1 with FAULT_STORAGE. */
int shell_keys_renew(const struct shell_renewal *renewal, struct fault *fault);
