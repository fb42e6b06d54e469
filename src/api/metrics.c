#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include "connection.h"
#include "handlers.h"
#include "request.h"
#include "routes.h"

enum { METRICS_HOSTS_MAX = 1000, METRICS_US = 1000000 };

/* What a pool's hosts come to. */
struct metrics_pool {
    uint64_t hosts[HOST_STATE_COUNT];
    struct host_amount capacity; /* of active hosts */
    struct host_amount reserved;
};

static void
metrics_family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP berth_%s %s\n# TYPE berth_%s %s\n", name, help, name, type);
}

static void
metrics_single(struct buf *out, const char *name, const char *help, uint64_t value)
{
    metrics_family(out, name, strstr(name, "_total") ? "counter" : "gauge", help);
    buf_printf(out, "berth_%s %" PRIu64 "\n", name, value);
}

static void
metrics_seconds(struct buf *out, uint64_t us)
{
    buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / METRICS_US, us % METRICS_US);
}

/* @labels: `step="pull"`, or "" */
static void
metrics_histogram(struct buf *out, const char *name, const char *labels,
                  const struct meter_histogram *histogram)
{
    const char *comma = labels[0] ? "," : "";
    uint64_t sum = 0;

    for (size_t i = 0; i < METER_BUCKETS; i++) {
        sum += histogram->counts[i];
        buf_printf(out, "berth_%s_bucket{%s%sle=\"", name, labels, comma);
        if (i < METER_BUCKETS - 1) {
            metrics_seconds(out, (uint64_t)meter_bounds_us[i]);
        } else {
            buf_append_string(out, "+Inf");
        }
        buf_printf(out, "\"} %" PRIu64 "\n", sum);
    }
    buf_printf(out, "berth_%s_sum{%s} ", name, labels);
    metrics_seconds(out, histogram->sum_us);
    buf_printf(out, "\nberth_%s_count{%s} %" PRIu64 "\n", name, labels, histogram->count);
}

static void
metrics_label(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, (char)(*text == '\n' ? ' ' : *text));
    }
}

static struct metrics_pool
metrics_pool_sum(const struct model *model, const struct pool *pool)
{
    struct metrics_pool sum = { 0 };

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        if (host->pool != pool)
            continue;
        sum.hosts[host->state]++;
        sum.reserved.memory_bytes += host->reserved.memory_bytes;
        sum.reserved.cpus_milli += host->reserved.cpus_milli;
        if (host->state != HOST_ACTIVE)
            continue;
        sum.capacity.memory_bytes += host->capacity.memory_bytes;
        sum.capacity.cpus_milli += host->capacity.cpus_milli;
    }
    return sum;
}

static void
metrics_pool_hosts(struct buf *out, const struct model *model)
{
    metrics_family(out, "hosts", "gauge", "Hosts by pool and state.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        struct metrics_pool sum = metrics_pool_sum(model, pool);

        for (int state = 0; state < HOST_STATE_COUNT; state++) {
            buf_printf(out, "berth_hosts{pool=\"%s\",state=\"%s\"} %" PRIu64 "\n", pool->name,
                       host_state_name((enum host_state)state), sum.hosts[state]);
        }
    }
}

static void
metrics_pool_amounts(struct buf *out, const struct model *model)
{
    metrics_family(out, "pool_capacity_memory_bytes", "gauge",
                   "Memory that active hosts give to containers, with overcommit.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    buf_printf(out, "berth_pool_capacity_memory_bytes{pool=\"%s\"} %" PRId64 "\n", pool->name,
               metrics_pool_sum(model, pool).capacity.memory_bytes);
    metrics_family(out, "pool_reserved_memory_bytes", "gauge",
                   "Memory that is reserved for instances.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    buf_printf(out, "berth_pool_reserved_memory_bytes{pool=\"%s\"} %" PRId64 "\n", pool->name,
               metrics_pool_sum(model, pool).reserved.memory_bytes);
    metrics_family(out, "queue_length", "gauge", "Instances that wait for room.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    buf_printf(out, "berth_queue_length{pool=\"%s\"} %" PRIu32 "\n", pool->name,
               queue_length(model->queue, pool));
}

/* Hosts without errors are not told: a pool may have ten thousand. */
static void
metrics_host_scores(struct buf *out, const struct model *model, int64_t now_ms)
{
    int told = 0;

    metrics_family(out, "host_error_score", "gauge",
                   "Error score of each host that has one; beyond the pool's threshold it takes no "
                   "new work.");
    IDMAP_EACH(&model->hosts, struct host, host)
    {
        int64_t milli = score_at(&host->score, now_ms);

        if (milli <= 0 || host->state == HOST_REMOVED || told++ >= METRICS_HOSTS_MAX)
            continue;
        buf_printf(out, "berth_host_error_score{pool=\"%s\",host=\"%s\"} %" PRId64 ".%03d\n",
                   host->pool->name, host->name, milli / 1000, (int)(milli % 1000));
    }
}

static void
metrics_instances(struct buf *out, const struct model *model)
{
    metrics_family(out, "instances", "gauge", "Instances by state.");
    for (int state = 0; state < INSTANCE_STATE_COUNT; state++) {
        buf_printf(out, "berth_instances{state=\"%s\"} %" PRIu32 "\n",
                   instance_state_name((enum instance_state)state), model->instance_counts[state]);
    }
}

static void
metrics_engine(struct buf *out, struct engine *engine)
{
    const struct meter *meter = engine_meter(engine);
    char label[64];
    struct buf text = { .data = label, .cap = sizeof(label), .limit = sizeof(label) - 1 };

    metrics_family(out, "launch_step_duration_seconds", "histogram",
                   "How long each step of a launch took.");
    for (int step = 0; step < METER_STEP_COUNT; step++) {
        buf_clear(&text);
        buf_printf(&text, "step=\"%s\"", meter_step_name((enum meter_step)step));
        metrics_histogram(out, "launch_step_duration_seconds", label, &meter->steps[step]);
    }
    metrics_family(out, "commit_duration_seconds", "histogram",
                   "How long the store's transactions took.");
    metrics_histogram(out, "commit_duration_seconds", "", &meter->commit);
    metrics_single(out, "commit_rows_total", "Rows written.", meter->commit_rows);
    metrics_single(out, "commit_failures_total", "Transactions that failed.",
                   meter->commit_failures);
    metrics_single(out, "placements_total", "Instances that got a host.", meter->placements);
    metrics_single(out, "launches_total", "Launches that began.", meter->launches);
    metrics_single(out, "launch_failures_total", "Launches that failed.", meter->launch_failures);
    metrics_single(out, "oom_kills_total", "Containers killed for want of memory.",
                   meter->oom_kills);
    metrics_single(out, "orphans_removed_total", "Containers of ours that no row knew.",
                   meter->orphans_removed);
    metrics_family(out, "canaries_total", "counter",
                   "Canary containers on suspended hosts, by how they ended.");
    buf_printf(out, "berth_canaries_total{result=\"ran\"} %" PRIu64 "\n", meter->canaries_ran);
    buf_printf(out, "berth_canaries_total{result=\"failed\"} %" PRIu64 "\n",
               meter->canaries_failed);
    metrics_family(out, "faults_total", "counter", "Calls to hosts that ended with a fault.");
    for (int kind = FAULT_NONE + 1; kind < FAULT_KIND_COUNT; kind++) {
        if (meter->faults[kind] > 0) {
            buf_printf(out, "berth_faults_total{kind=\"%s\"} %" PRIu64 "\n",
                       fault_rule((enum fault_kind)kind)->code, meter->faults[kind]);
        }
    }
}

static const char *
metrics_route_name(size_t route)
{
    return route < routes_count ? routes[route].name : "none";
}

static bool
metrics_is_used(const struct measure_route *route)
{
    return route->took.count > 0;
}

static void
metrics_api_requests(struct buf *out, const struct measure *measure)
{
    metrics_family(out, "api_requests_total", "counter", "Requests answered.");
    for (size_t i = 0; i < MEASURE_ROUTES_MAX; i++) {
        for (size_t status = 0; status < MEASURE_STATUSES_MAX; status++) {
            if (measure->routes[i].statuses[status] == 0)
                continue;
            buf_printf(out,
                       "berth_api_requests_total{operation=\"%s\",status=\"%d\"} %" PRIu64 "\n",
                       metrics_route_name(i), measure_status_code(status),
                       measure->routes[i].statuses[status]);
        }
    }
}

static void
metrics_api_durations(struct buf *out, const struct measure *measure)
{
    char label[64];
    struct buf text = { .data = label, .cap = sizeof(label), .limit = sizeof(label) - 1 };

    metrics_family(out, "api_request_duration_seconds", "histogram",
                   "From a request's head to the start of its answer.");
    for (size_t i = 0; i < MEASURE_ROUTES_MAX; i++) {
        if (!metrics_is_used(&measure->routes[i]))
            continue;
        buf_clear(&text);
        buf_printf(&text, "operation=\"%s\"", metrics_route_name(i));
        metrics_histogram(out, "api_request_duration_seconds", label, &measure->routes[i].took);
    }
}

static void
metrics_api(struct buf *out, const struct api_server *server)
{
    const struct measure *measure = &server->measure;

    metrics_family(out, "api_connections", "gauge", "Open connections by address.");
    for (size_t i = 0; i < server->listener_count; i++) {
        buf_append_string(out, "berth_api_connections{address=\"");
        metrics_label(out, server->listeners[i].address);
        buf_printf(out, "\"} %zu\n", server->listeners[i].connections.count);
    }
    metrics_single(out, "api_streams", "Open event, log and stats streams.", server->streams.count);
    metrics_single(out, "api_connections_total", "Connections accepted.", measure->connections);
    metrics_single(out, "api_denied_total", "Requests without a valid token.", measure->denied);
    metrics_single(out, "api_connections_evicted_total",
                   "Idle connections cut because others wanted in.", measure->evicted);
    metrics_single(out, "api_connections_timed_out_total",
                   "Connections cut because they were too slow.", measure->timed_out);
    metrics_api_requests(out, measure);
    metrics_api_durations(out, measure);
}

void
metrics_render(struct api_server *server, struct buf *out)
{
    struct engine *engine = server->engine;
    const struct model *model = engine_model(engine);

    metrics_family(out, "build_info", "gauge", "What runs here; always 1.");
    buf_append_string(out, "berth_build_info{version=\"");
    metrics_label(out, server->version ? server->version : "");
    buf_append_string(out, "\"} 1\n");
    metrics_single(out, "ready", "1 when every host was compared or found unreachable.",
                   engine_ready(engine));
    metrics_single(out, "serving", "1 when changes are accepted.",
                   engine_health(engine, NULL) == ENGINE_SERVING);
    if (server->loop_lag_us) {
        metrics_family(out, "loop_lag_seconds", "gauge",
                       "Longest time one turn kept the others waiting, since the last look.");
        buf_append_string(out, "berth_loop_lag_seconds ");
        metrics_seconds(out, (uint64_t)server->loop_lag_us(server->cookie));
        buf_append_char(out, '\n');
    }
    metrics_pool_hosts(out, model);
    metrics_pool_amounts(out, model);
    metrics_host_scores(out, model, engine_now_ms(engine));
    metrics_instances(out, model);
    metrics_engine(out, engine);
    metrics_api(out, server);
}

void
metrics_get(struct request *request)
{
    struct json_out out;

    reply_json(request, MHD_HTTP_OK, &out);
    request->reply.type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_render(request->server, &request->reply.body);
}
