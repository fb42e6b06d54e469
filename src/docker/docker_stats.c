/* The control groups' own figures, of version 1 or 2, as engines pass them on. */

#include "docker_stats.h"

#include <strings.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

/* What the container holds for itself: the page cache that can go at any time is not counted, as
 * `docker stats` does. */
static int64_t
docker_stats_memory(const json_t *memory)
{
    const json_t *stats = json_object_get(memory, "stats");
    int64_t usage = json_in_int(memory, "usage", 0);
    int64_t cache = json_in_int(stats, "total_inactive_file", -1); /* version 1 */

    if (cache < 0)
        cache = json_in_int(stats, "inactive_file", 0); /* version 2 */
    return cache < usage ? usage - cache : usage;
}

static void
docker_stats_network(const json_t *networks, struct docker_stats *ret)
{
    const char *name;
    json_t *network;

    json_object_foreach(mem_unconst(networks), name, network)
    {
        ret->network_in_bytes += json_in_int(network, "rx_bytes", 0);
        ret->network_out_bytes += json_in_int(network, "tx_bytes", 0);
    }
}

static void
docker_stats_block(const json_t *entries, struct docker_stats *ret)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        const char *op = json_in_string(entry, "op", "");

        if (strcasecmp(op, "read") == 0) {
            ret->block_in_bytes += json_in_int(entry, "value", 0);
        } else if (strcasecmp(op, "write") == 0) {
            ret->block_out_bytes += json_in_int(entry, "value", 0);
        }
    }
}

void
docker_stats_parse(const json_t *json, struct docker_stats *ret_stats)
{
    const json_t *cpu = json_object_get(json, "cpu_stats");
    const json_t *memory = json_object_get(json, "memory_stats");
    struct docker_stats stats = { 0 };

    /* "0001-01-01T00:00:00Z": it does not run. */
    if (!text_time_parse(json_in_string(json, "read", ""), &stats.at_ms) || stats.at_ms < 0)
        stats.at_ms = 0;
    stats.memory_bytes = docker_stats_memory(memory);
    stats.memory_limit_bytes = json_in_int(memory, "limit", 0);
    stats.cpu_ns = json_in_int(json_object_get(cpu, "cpu_usage"), "total_usage", 0);
    stats.system_cpu_ns = json_in_int(cpu, "system_cpu_usage", 0);
    stats.cpus = json_in_int(cpu, "online_cpus", 0);
    stats.pids = json_in_int(json_object_get(json, "pids_stats"), "current", 0);
    docker_stats_network(json_object_get(json, "networks"), &stats);
    docker_stats_block(
        json_object_get(json_object_get(json, "blkio_stats"), "io_service_bytes_recursive"),
        &stats);
    *ret_stats = stats;
}
