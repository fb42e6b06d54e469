#include "lost_keys.h"

#include <inttypes.h>
#include <stdio.h>

#include "berth/base/buf.h"
#include "berth/base/log.h"
#include "berth/loop/loop.h"
#include "berth/shell/shell.h"
#include "berth/store/store.h"

/* The first file that hosts rest on and that is not there; owned; NULL: all are. */
static char *
lost_keys_first(const char *data_dir, const struct store_machines *machines, int64_t *ret_hosts)
{
    char *path = machines->hosts > 0 ? shell_keys_missing(data_dir, NULL) : NULL;

    *ret_hosts = machines->hosts;
    for (size_t i = 0; i < machines->count && !path; i++) {
        *ret_hosts = machines->pools[i].certified;
        if (*ret_hosts > 0)
            path = shell_keys_missing(data_dir, machines->pools[i].name);
    }
    return path;
}

int
lost_keys_tell(const char *data_dir)
{
    log_error(
        "keys",
        "nothing was changed: put the keys back, by berthd --restore BACKUP or as %s/keys with "
        "owner and modes (0700, files 0600), and start again",
        data_dir);
    log_error("keys", "if they are lost for good: berthd --new-keys gives those hosts up, with all "
                      "that runs there (docs/OPERATIONS.md)");
    return -1;
}

int
lost_keys_check(const char *data_dir, struct fault *fault)
{
    CLEANUP(store_machines_fini) struct store_machines machines = { 0 };
    CLEANUP(mem_freep) char *path = NULL;
    int64_t hosts;

    if (store_machines_read(data_dir, &machines, fault) < 0)
        return -1;
    path = lost_keys_first(data_dir, &machines, &hosts);
    if (!path)
        return 0;
    fault_set(fault, FAULT_STORAGE, "keys",
              "%s is missing, and %" PRId64 " hosts cannot be reached without it", path, hosts);
    return lost_keys_tell(data_dir);
}

bool
lost_keys_are_needed(const char *data_dir)
{
    CLEANUP(store_machines_fini) struct store_machines machines = { 0 };
    CLEANUP(mem_freep) char *path = NULL;
    int64_t hosts;

    if (store_machines_read(data_dir, &machines, NULL) < 0)
        return false;
    path = lost_keys_first(data_dir, &machines, &hosts);
    return path != NULL;
}

/* --- By a person's word ------------------------------------------------------------------------- */

static void
lost_keys_say(const char *data_dir, bool renewed, const struct store_machines *machines)
{
    if (renewed) {
        (void)printf("made what was missing of %s/keys anew\n", data_dir);
    } else {
        (void)printf("%s/keys is there and stays as it is: it is taken for right from now on\n",
                     data_dir);
    }
    for (size_t i = 0; i < machines->count; i++) {
        (void)printf("pool %s: %" PRId64 " hosts that were made with other keys will be given up\n",
                     machines->pools[i].name, machines->pools[i].hosts);
    }
}

static int
lost_keys_renew_store(const char *data_dir, struct loop *loop, struct fault *fault)
{
    CLEANUP(store_machines_fini) struct store_machines machines = { 0 };
    CLEANUP(mem_freep) char *missing = NULL;
    CLEANUP(mem_freep) const char **pools = NULL;
    struct shell_renewal renewal = { .data_dir = data_dir };
    const struct clock_port *clock = loop_clock(loop);
    int64_t hosts;

    if (store_machines_read(data_dir, &machines, fault) < 0)
        return -1;
    missing = lost_keys_first(data_dir, &machines, &hosts);
    pools = mem_new0((machines.count + 1) * sizeof(*pools));
    for (size_t i = 0; i < machines.count; i++)
        pools[i] = machines.pools[i].name;
    renewal.random = loop_random(loop);
    renewal.now_ms = clock->now_ms(clock->self);
    renewal.pools = pools;
    renewal.count = machines.count;
    renewal.last_host_id = machines.last_host_id;
    if (shell_keys_renew(&renewal, fault) < 0)
        return -1;
    lost_keys_say(data_dir, missing != NULL, &machines);
    return 0;
}

int
lost_keys_renew(const struct config *config, struct fault *fault)
{
    const struct store_options options = { .data_dir = config->data_dir, .ballast_bytes = -1 };
    struct loop *loop = loop_new();
    struct store *store = NULL;
    int result = store_new(loop, &options, &store, fault);

    if (result == 0)
        result = lost_keys_renew_store(config->data_dir, loop, fault);
    store_free(store);
    loop_free(loop);
    return result;
}
