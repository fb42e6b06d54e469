/* What can be known of keys that are lost, and what is to be done then by a person's word. */

#include <string.h>

#include "berth/domain/host.h"

#include "shell_job.h"

char *
shell_keys_missing(const char *data_dir, const char *pool)
{
    return vault_missing(data_dir, pool);
}

int
shell_keys_check(const char *folder, struct fault *fault)
{
    return vault_check(folder, fault);
}

int
shell_keys_renew(const struct shell_renewal *renewal, struct fault *fault)
{
    CLEANUP(vault_closep) struct vault *vault = NULL;
    const struct vault_pool *pool;

    if (vault_open(renewal->data_dir, renewal->random, &vault, fault) < 0)
        return -1;
    for (size_t i = 0; i < renewal->count; i++) {
        if (vault_pool(vault, renewal->pools[i], renewal->now_ms, &pool, fault) < 0)
            return -1;
    }
    return vault_forgive(vault, renewal->last_host_id, fault);
}

enum shell_kin
shell_kin(const struct shell *shell, const struct host *host)
{
    CLEANUP(key_freep) struct key *key = NULL;
    char line[KEY_LINE_SIZE];

    if (!host_is_rented(host) || !host->machine->sealed || !host->machine->host_key ||
        host->id <= vault_since(shell->vault))
        return SHELL_KIN_UNKNOWN;
    key = shell_key_derive(shell, host, SHELL_KEY_FINAL);
    (void)key_public_line(key_public(key), "", line);
    return strcmp(line, host->machine->host_key) == 0 ? SHELL_KIN_OURS : SHELL_KIN_STRANGER;
}
