/*
 * Fills a new data directory: a static pool `default` with hosts, a blueprint
 * `bench`, and running instances of 5,000 owners over all hosts.
 *
 *   bench_fill DATA-DIRECTORY HOSTS INSTANCES
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "berth/store/store.h"

#include "sim.h"

enum { OWNERS = 5000, WAIT_MS = 120000 };

#define FILL_AT_MS INT64_C(1700000000000)

struct fill {
    struct loop *loop;
    const struct store_port *port;
    struct model *model;
    struct pool *pool;
    struct blueprint *blueprint;
    struct host **hosts;
    size_t host_count;
    struct store_commit commit;
    bool done;
};

static void
fill_on_commit(struct store_commit *commit, const struct fault *fault)
{
    struct fill *fill = CONTAINER_OF(commit, struct fill, commit);

    if (fault) {
        (void)fprintf(stderr, "bench_fill: %s\n", fault->text);
        abort();
    }
    fill->done = true;
}

static bool
fill_is_done(void *cookie)
{
    return ((struct fill *)cookie)->done;
}

static void
fill_catalog(struct fill *fill, struct store_batch *batch)
{
    struct blueprint_spec spec;
    struct blueprint_port *port = mem_new0(sizeof(*port));

    fill->pool = pool_new("default", PROVIDER_STATIC);
    fill->pool->id = 1;
    fill->pool->created_at_ms = FILL_AT_MS;
    model_pool_add(fill->model, fill->pool, true);
    schema_defaults(&blueprint_schema, &spec);
    spec.name = mem_strdup("bench");
    spec.image = mem_strdup("berth-sample:1");
    spec.memory_bytes = INT64_C(256) << 20;
    port->container = SIM_PORT;
    spec.ports.at = port;
    spec.ports.count = 1;
    fill->blueprint = blueprint_new(&spec);
    fill->blueprint->id = 2;
    fill->blueprint->version = 1;
    fill->blueprint->created_at_ms = FILL_AT_MS;
    fill->blueprint->latest = true;
    model_blueprint_add(fill->model, fill->blueprint, true);
    fill->port->put(batch, ROW_POOL, fill->pool);
    fill->port->put(batch, ROW_BLUEPRINT, fill->blueprint);
}

static void
fill_host(struct fill *fill, size_t at, struct store_batch *batch)
{
    CLEANUP(mem_freep) char *name = mem_printf("host-%05zu", at);
    struct host *host = host_new(fill->pool, name);

    host->id = sim_host_id(at);
    host->state = HOST_ACTIVE;
    host->address = mem_printf("10.%zu.%zu.%zu", at >> 16, (at >> 8) & 255, at & 255);
    host->engine_id = mem_printf("ENGINE-%lld", (long long)host->id);
    host->engine_version = "24.0.7";
    host->engine_api = "1.43";
    host->endpoint.engine = mem_printf("tcp://%s:2376", host->address);
    host->endpoint.ca = "/etc/berth/pool/ca.pem";
    host->endpoint.cert = "/etc/berth/pool/cert.pem";
    host->endpoint.key = "/etc/berth/pool/key.pem";
    host->total = (struct host_amount){ SIM_MEMORY_BYTES, SIM_CPUS_MILLI, 0 };
    host->created_at_ms = host->active_at_ms = FILL_AT_MS;
    fill->hosts[at] = host;
    model_host_add(fill->model, host, true);
    fill->port->put(batch, ROW_HOST, host);
}

static void
fill_instance(struct fill *fill, size_t at, struct store_batch *batch)
{
    struct instance *instance = instance_new(sim_instance_id(at));
    CLEANUP(mem_freep) char *owner = mem_printf("owner-%zu", at % OWNERS);

    assert(fill->host_count > 0);
    instance->blueprint = fill->blueprint;
    instance->pool = fill->pool;
    instance->host = fill->hosts[at % fill->host_count];
    instance->last_host_id = instance->host->id;
    instance->owner = owner;
    instance->reason = "ready";
    *instance_ports_new(instance, 1) =
        (struct instance_port){ SIM_PORT, SIM_HOST_PORT, PROTOCOL_TCP };
    instance->created_at_ms = instance->moved_at_ms = FILL_AT_MS;
    instance->started_at_ms = FILL_AT_MS;
    instance->exit_code = INSTANCE_NO_EXIT_CODE;
    instance->generation = 1;
    instance->state = INSTANCE_RUNNING;
    instance->desired = INSTANCE_RUNNING;
    sim_container_id(instance->id, 1, instance->container_id);
    model_instance_add(fill->model, instance, true);
    fill->port->put(batch, ROW_INSTANCE, instance);
}

static void
fill_all(struct fill *fill, size_t instance_count)
{
    struct store_batch *batch = fill->port->batch_new(fill->port->self);

    fill->hosts = mem_new0((fill->host_count + 1) * sizeof(struct host *));
    fill_catalog(fill, batch);
    for (size_t i = 0; i < fill->host_count; i++)
        fill_host(fill, i, batch);
    for (size_t i = 0; i < instance_count; i++)
        fill_instance(fill, i, batch);
    fill->commit = (struct store_commit){ .batch = batch, .done = fill_on_commit };
    fill->port->commit_start(fill->port->self, &fill->commit);
    (void)loop_run_until(fill->loop, fill_is_done, fill, WAIT_MS);
    mem_free(fill->hosts);
}

int
main(int argc, char **argv)
{
    struct fill fill = { 0 };
    struct store_options options = { 0 };
    struct store *store;
    struct fault fault;
    size_t instance_count;

    if (argc != 4) {
        (void)fputs("usage: bench_fill DATA-DIRECTORY HOSTS INSTANCES\n", stderr);
        return 2;
    }
    options.data_dir = argv[1];
    fill.host_count = strtoul(argv[2], NULL, 10);
    instance_count = strtoul(argv[3], NULL, 10);
    if (fill.host_count == 0 && instance_count > 0) {
        (void)fputs("bench_fill: instances need hosts\n", stderr);
        return 2;
    }
    fill.loop = loop_new();
    if (store_new(fill.loop, &options, &store, &fault) < 0) {
        (void)fprintf(stderr, "bench_fill: %s\n", fault.text);
        return 1;
    }
    fill.port = store_port(store);
    fill.model = model_new();
    fill_all(&fill, instance_count);
    model_free(fill.model);
    store_free(store);
    loop_free(fill.loop);
    return fill.done ? 0 : 1;
}
