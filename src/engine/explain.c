#include "explain.h"

#include "sweep.h"

enum {
    EXPLAIN_KEPT_MAX = 16 * 1024,
    EXPLAIN_MOSTLY = 400,        /* bytes of a decision in a large pool */
    EXPLAIN_HOSTS_KEPT_MAX = 16, /* in larger pools only the counts are kept with a decision */
};

static void
explain_counts(const struct placement_why *why, struct json_out *out)
{
    json_out_key(out, "counts");
    json_out_object(out);
    for (int i = 0; i < PLACEMENT_FILTER_COUNT; i++) {
        if (why->counts[i] > 0)
            json_out_kv_uint(out, placement_filter_name((enum placement_filter)i), why->counts[i]);
    }
    json_out_object_end(out);
}

static void
explain_host(const struct engine *engine, const struct placement_ask *ask, const struct host *host,
             struct json_out *out)
{
    char id[ID_TEXT_SIZE];
    enum placement_filter filter =
        placement_verdict(engine->model->placement, ask, host, state_now_ms(engine));

    json_out_object(out);
    json_out_kv_string(out, "host", id_encode(ID_HOST, host->id, id));
    json_out_kv_string(out, "name", host->name);
    json_out_kv_string(out, "verdict", placement_filter_name(filter));
    json_out_kv_string(out, "detail",
                       filter == PLACEMENT_FITS && host->low
                           ? "it has room, but is near its end: it is taken when no other fits"
                           : placement_filter_text(filter));
    json_out_kv_int(out, "free_memory_bytes",
                    host->capacity.memory_bytes - host->reserved.memory_bytes);
    json_out_object_end(out);
}

static void
explain_hosts(const struct engine *engine, const struct placement_ask *ask,
              const struct host *winner, struct json_out *out)
{
    json_out_key(out, "others");
    json_out_array(out);
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool == ask->pool && host != winner && host->state != HOST_REMOVED)
            explain_host(engine, ask, host, out);
    }
    json_out_array_end(out);
}

char *
explain_decision(const struct engine *engine, const struct instance *instance,
                 const struct placement_ask *ask, const struct placement_why *why)
{
    const struct host *host = instance->host;
    struct json_out out;
    struct buf buf;
    char id[ID_TEXT_SIZE];

    buf_init(&buf, EXPLAIN_KEPT_MAX);
    (void)buf_reserve(&buf, EXPLAIN_MOSTLY);
    json_out_init(&out, &buf);
    json_out_object(&out);
    json_out_kv_time(&out, "at", state_now_ms(engine));
    json_out_kv_string(&out, "host", id_encode(ID_HOST, host->id, id));
    json_out_kv_string(&out, "name", host->name);
    json_out_kv_uint(&out, "generation", instance->generation);
    json_out_kv_int(&out, "asked_memory_bytes", instance->blueprint->spec.memory_bytes);
    json_out_kv_int(&out, "free_after_bytes", why->terms.free_after_bytes);
    json_out_kv_bool(&out, "has_image", why->terms.has_image);
    json_out_kv_uint(&out, "replicas_there", why->terms.replicas);
    explain_counts(why, &out);
    if (ask->pool->hosts > 1 && ask->pool->hosts <= EXPLAIN_HOSTS_KEPT_MAX &&
        engine->model->hosts.live <= EXPLAIN_HOSTS_KEPT_MAX)
        explain_hosts(engine, ask, host, &out);
    json_out_object_end(&out);
    return buf_take(&buf);
}

/* Nothing of its blueprint is placed: why, and when one is tried. */
static void
explain_held_back(const struct engine *engine, const struct blueprint *blueprint,
                  struct json_out *out)
{
    const struct breaker *breaker = blueprint->breaker;
    int64_t left_ms;

    json_out_key(out, "held_back");
    if (!breaker || breaker->state == BREAKER_CLOSED) {
        json_out_null(out);
        return;
    }
    left_ms = breaker->retry_mono_ms - state_mono_ms(engine);
    json_out_object(out);
    json_out_kv_string(out, "why", fault_rule((enum fault_kind)breaker->score.last_kind)->title);
    json_out_kv_time(out, "since", state_now_ms(engine) + left_ms - breaker->pause_ms);
    json_out_kv_time(out, "next_trial_at",
                     breaker->state == BREAKER_OPEN ? state_now_ms(engine) + left_ms : 0);
    json_out_kv_uint(out, "times", breaker->opened);
    json_out_object_end(out);
}

void
engine_explain(const struct engine *engine, const struct instance *instance, struct json_out *out)
{
    struct placement_ask ask;
    struct placement_why why = { 0 };
    struct host *host = NULL;
    char id[ID_TEXT_SIZE];

    sweep_ask(engine, instance, &ask);
    (void)placement_pick(engine->model->placement, &ask, &host, &why);
    json_out_object(out);
    json_out_kv_int(out, "asked_memory_bytes", instance->blueprint->spec.memory_bytes);
    json_out_kv_int(out, "asked_cpus_milli", ask.amount.cpus_milli);
    json_out_kv_int(out, "asked_slots", ask.amount.slots);
    json_out_kv_string(out, "would_go_to", host ? id_encode(ID_HOST, host->id, id) : NULL);
    explain_held_back(engine, instance->blueprint, out);
    explain_counts(&why, out);
    json_out_key(out, "nearest_miss");
    if (!host && why.nearest) {
        json_out_object(out);
        json_out_kv_string(out, "host", id_encode(ID_HOST, why.nearest->id, id));
        json_out_kv_string(out, "name", why.nearest->name);
        json_out_kv_string(out, "verdict", placement_filter_name(why.nearest_filter));
        json_out_kv_string(out, "detail", placement_filter_text(why.nearest_filter));
        json_out_kv_int(out, "lacks_memory_bytes", why.nearest_lacks.memory_bytes);
        json_out_kv_int(out, "lacks_cpus_milli", why.nearest_lacks.cpus_milli);
        json_out_kv_int(out, "lacks_slots", why.nearest_lacks.slots);
        json_out_object_end(out);
    } else {
        json_out_null(out);
    }
    explain_hosts(engine, &ask, NULL, out);
    json_out_object_end(out);
}
