#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include "connection.h"
#include "handlers.h"
#include "metrics_pools.h"
#include "metrics_text.h"
#include "request.h"
#include "routes.h"

enum { METRICS_HOSTS_MAX = 1000 };

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
metrics_blueprints(struct buf *out, const struct model *model)
{
    uint64_t held = 0;

    IDMAP_EACH(&model->blueprints, struct blueprint, blueprint)
    held += blueprint->breaker && blueprint->breaker->state != BREAKER_CLOSED;
    metrics_single(out, "blueprints_held",
                   "Blueprints that fail wherever they are tried: their breaker is open.", held);
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
    metrics_family(out, "housekeeping_round_duration_seconds", "histogram",
                   "Rounds of housekeeping, until their plans were carried out.");
    metrics_histogram(out, "housekeeping_round_duration_seconds", "", &meter->rounds);
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

static void
metrics_cloud(struct buf *out, struct engine *engine)
{
    size_t count;
    const struct cloud_tally *tally = engine_cloud_tally(engine, &count);

    if (count == 0)
        return;
    metrics_family(out, "cloud_calls_total", "counter", "Calls to the provider of machines.");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "berth_cloud_calls_total{action=\"%s\"} %" PRIu64 "\n", tally[i].action,
                   tally[i].calls);
    }
    metrics_family(out, "cloud_call_failures_total", "counter",
                   "Calls to the provider of machines that failed, also those that were repeated.");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "berth_cloud_call_failures_total{action=\"%s\"} %" PRIu64 "\n",
                   tally[i].action, tally[i].failures);
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

static void
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
        metrics_micro(out, server->loop_lag_us(server->cookie));
        buf_append_char(out, '\n');
    }
    metrics_pools(out, engine);
    metrics_host_scores(out, model, engine_now_ms(engine));
    metrics_instances(out, model);
    metrics_blueprints(out, model);
    metrics_engine(out, engine);
    metrics_cloud(out, engine);
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
