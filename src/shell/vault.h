#pragma once

/*
 * The keys directory, <data_dir>/keys: whoever has it owns every host, and without it no host can be
 * reached.  It belongs to the backup.
 *
 *   secret                  32 random bytes in hex: all SSH keys are derived from it
 *   since                   where keys were lost and made anew: the last host from before
 *   pools/<pool>/ca.pem     the pool's authority: what its hosts and berthd trust
 *   pools/<pool>/ca.key     the authority's key
 *   pools/<pool>/client.pem berthd's certificate and its key, in one file: a renewal is one rename
 *
 * Directories are 0700, files 0600 and in place at once or not at all; anything else is refused, with
 * the command that mends it.  All calls block on the disk: for starts, reloads and renewals.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/secret.h"
#include "berth/port/random.h"

#include "pki.h"

struct vault;

enum { VAULT_SECRET_SIZE = 32 };

/* A pool's part. */
struct vault_pool {
    char *name;                /* owned */
    char *ca_path;             /* owned */
    char *client_path;         /* owned; certificate and key */
    struct pki_pair authority; /* owned */
    int64_t client_ends_at_ms;
};

/** vault_open() - read it; the first time, make it.
 * Return: 0, or -1 with FAULT_STORAGE that names the file and what to do. */
int vault_open(const char *data_dir, const struct random_port *random, struct vault **ret_vault,
               struct fault *fault);
/** vault_close() - NULL is fine. */
void vault_close(struct vault *vault);
MEM_DEFINE_FREEP(struct vault, vault_close);

/** vault_forgive() - hosts up to @last_host_id may have been made with other keys, which are lost. */
int vault_forgive(struct vault *vault, int64_t last_host_id, struct fault *fault);
/** vault_since() - the last host's id of vault_forgive(), also of an earlier run; 0: none. */
int64_t vault_since(const struct vault *vault);

/** vault_secret() - what key_derive() takes; borrowed. */
const struct secret *vault_secret(const struct vault *vault);

/** vault_keep() - write @secret as @name (no slash) beside the others, unless it is there and the same. */
int vault_keep(const struct vault *vault, const char *name, const struct secret *secret,
               struct fault *fault);

/** vault_pool() - @name's authority and client certificate; the first time, they are made.  A client
 * certificate that ends within 30 days is replaced.
 * @name: text_is_name()
 * @ret_pool: borrowed from @vault, at this address until it is closed
 * Return: 0, or -1 with FAULT_STORAGE. */
int vault_pool(struct vault *vault, const char *name, int64_t now_ms,
               const struct vault_pool **ret_pool, struct fault *fault);

/** vault_missing() - the path of the secret, or of the authority of @pool (NULL: the secret), if it is not
 * there; owned.
 * Return: NULL: it is there, or cannot be looked for, which vault_open() will say. */
char *vault_missing(const char *data_dir, const char *pool) MUST_USE;
/** vault_check() - whether @folder, a copy of a keys directory, is whole; changes nothing.
 * Return: 0, or -1 with FAULT_STORAGE that names the file. */
int vault_check(const char *folder, struct fault *fault);
