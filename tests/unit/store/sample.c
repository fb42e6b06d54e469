#include "sample.h"

#include <assert.h>
#include <string.h>

static const char sample_spec[] =
    "{\"name\":\"notebook\",\"image\":\"registry.example/lab/notebook:3\","
    "\"command\":[\"run\",\"--id={instance_id}\",\"\"],\"entrypoint\":[\"/bin/sh\",\"-c\"],"
    "\"env\":{\"A\":\"1\",\"OWNER\":\"{owner}\",\"QUOTE\":\"\\\"'\\\\ \\u00e9\"},"
    "\"ports\":[{\"container\":8888,\"protocol\":\"tcp\",\"name\":\"web\"},"
    "{\"container\":53,\"protocol\":\"udp\",\"host\":5353}],"
    "\"memory_bytes\":536870912,\"memory_swap_bytes\":0,\"memory_reservation_bytes\":1048576,"
    "\"cpus\":1.5,\"pids\":99,\"slots\":3,\"lifetime_s\":3600,\"max_per_user\":2,"
    "\"read_only\":true,\"pull\":\"never\",\"pool\":\"lab\"}";

static void
map_add(struct schema_map *map, const char *key, const char *value)
{
    map->at = mem_resize(map->at, map->count + 1, sizeof(*map->at));
    map->at[map->count].key = mem_strdup(key);
    map->at[map->count].value = mem_strdup(value);
    map->count++;
}

struct pool *
sample_pool(struct model *model, int64_t id, const char *name)
{
    struct pool *pool = pool_new(name, PROVIDER_LOCAL);

    pool->id = id;
    model_pool_add(model, pool, true);
    return pool;
}

struct blueprint *
sample_blueprint(struct model *model, int64_t id, const char *name)
{
    struct blueprint_spec spec;
    struct blueprint *blueprint;

    schema_defaults(&blueprint_schema, &spec);
    spec.name = mem_strdup(name);
    spec.image = mem_strdup("busybox");
    spec.memory_bytes = 1 << 20;
    blueprint = blueprint_new(&spec);
    blueprint->id = id;
    blueprint->version = 1;
    blueprint->latest = true;
    model_blueprint_add(model, blueprint, true);
    return blueprint;
}

struct host *
sample_host(struct model *model, int64_t id, struct pool *pool)
{
    CLEANUP(mem_freep) char *name = mem_printf("host-%d", (int)id);
    struct host *host = host_new(pool, name);

    host->id = id;
    host->state = HOST_ACTIVE;
    host->address = mem_strdup("10.0.0.9");
    host->endpoint.engine = mem_strdup("tcp://10.0.0.9:2376");
    host->total.memory_bytes = INT64_C(64) << 30;
    host->total.cpus_milli = 64000;
    model_host_add(model, host, true);
    return host;
}

struct instance *
sample_instance(struct model *model, int64_t id, struct host *host, struct blueprint *blueprint)
{
    struct instance *instance = instance_new(id);

    instance->blueprint = blueprint;
    instance->pool = host->pool;
    instance->host = host;
    instance->last_host_id = host->id;
    instance->owner = "alice";
    instance->state = INSTANCE_RUNNING;
    instance->generation = 1;
    instance->created_at_ms = 1700000000000 + id;
    model_instance_add(model, instance, true);
    return instance;
}

static void
full_pool(struct model *model)
{
    struct pool *pool = pool_new("lab", PROVIDER_STATIC);

    pool->id = SAMPLE_POOL;
    pool->rev = 7;
    pool->created_at_ms = 1700000000001;
    pool->policy.overcommit.memory_milli = 1250;
    pool->policy.overcommit.cpus_milli = 4000;
    pool->policy.reserve.memory_bytes = 123456789;
    pool->policy.reserve.cpus_milli = 500;
    map_add(&pool->policy.labels, "zone", "a");
    pool->policy.error_threshold_milli = 2500;
    pool->policy.slots_per_host = 40;
    pool->policy.starts_per_host = 6;
    pool->policy.drain_deadline_ms = 60000;
    pool->policy.anti_affinity = 3;
    model_pool_add(model, pool, true);
}

static void
full_blueprint(struct model *model)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct problems problems = { 0 };
    struct blueprint_spec spec;
    struct blueprint *blueprint;
    int rc = json_in_parse(sample_spec, strlen(sample_spec), &json, NULL);

    assert(rc == 0);
    schema_defaults(&blueprint_schema, &spec);
    rc = schema_decode(&blueprint_schema, json, &spec, "", &problems);
    assert(rc == 0);
    (void)rc;
    blueprint = blueprint_new(&spec);
    blueprint->id = SAMPLE_BLUEPRINT;
    blueprint->version = 4;
    blueprint->created_at_ms = 1700000000002;
    blueprint->latest = true;
    model_blueprint_add(model, blueprint, true);
}

static void
full_host_texts(struct host *host)
{
    host->address = mem_strdup("10.1.2.3");
    host->waiting_for = mem_strdup("draining");
    host->reason = mem_strdup("an operator's, with 'quotes' and \xc3\xa9");
    host->engine_version = "20.10.24";
    host->engine_api = "1.41";
    host->engine_id = mem_strdup("ABCD:EFGH");
    host->endpoint.engine = mem_strdup("tcp://10.1.2.3:2376");
    host->endpoint.ca = "/etc/berth/ca.pem";
    host->endpoint.cert = "/etc/berth/cert.pem";
    host->endpoint.key = "/etc/berth/key.pem";
    host->endpoint.plain = true;
    map_add(&host->labels, "disk", "ssd");
    map_add(&host->labels, "zone", "a \"quoted\" one");
}

static struct host *
full_host(struct model *model)
{
    struct host *host = host_new(idmap_find(&model->pools, SAMPLE_POOL), "full");

    host->id = SAMPLE_HOST;
    full_host_texts(host);
    host->total = (struct host_amount){ INT64_C(64) << 30, 16000, 40 };
    host->score = (struct error_score){ 1750, 1700000000003, 1700000000004, FAULT_TIMEOUT };
    host->created_at_ms = 1700000000005;
    host->active_at_ms = 1700000000006;
    host->ends_at_ms = 1700000000007;
    host->removed_at_ms = 1700000000008;
    host->rev = 9;
    host->state = HOST_INACTIVE;
    host->remove_when_empty = true;
    host->lost = true;
    host->configured = true;
    model_host_add(model, host, true);
    return host;
}

static void
full_instance(struct model *model, struct host *host)
{
    static const struct instance_port ports[] = {
        { 8888, 49153, PROTOCOL_TCP },
        { 65535, 65534, PROTOCOL_UDP },
    };
    struct instance *instance = instance_new(SAMPLE_INSTANCE);

    instance->blueprint = idmap_find(&model->blueprints, SAMPLE_BLUEPRINT);
    instance->pool = host->pool;
    instance->host = host;
    instance->last_host_id = host->id;
    instance->owner = "bob";
    instance->reason = "its host is drained";
    instance->name = mem_strdup("my notebook");
    memcpy(instance_ports_new(instance, ARRAY_LEN(ports)), ports, sizeof(ports));
    instance->created_at_ms = 1700000000010;
    instance->moved_at_ms = 1700000000011;
    instance->started_at_ms = 1700000000012;
    instance->ended_at_ms = 1700000000013;
    instance->ends_at_ms = 1700000000014;
    instance->lifetime_ms = 3600000;
    instance->retry_at_ms = 1700000000015;
    instance->exit_code = 137;
    instance->generation = UINT32_MAX;
    instance->restarts = 2;
    instance->oom_kills = 3;
    instance->rev = 4;
    memset(instance->container_id, 0xab, sizeof(instance->container_id));
    instance->container_id[31] = 0;
    instance->state = INSTANCE_STOPPING;
    instance->desired = INSTANCE_STOPPED;
    instance->attempts = 5;
    instance->oom_told = true;
    instance->end_announced = true;
    model_instance_add(model, instance, true);
}

static void
queued_instance(struct model *model)
{
    struct instance *instance = instance_new(SAMPLE_QUEUED);

    instance->blueprint = idmap_find(&model->blueprints, SAMPLE_BLUEPRINT);
    instance->pool = idmap_find(&model->pools, SAMPLE_POOL);
    instance->owner = "carol";
    instance->created_at_ms = 1700000000020;
    model_instance_add(model, instance, true);
}

static void
full_rest(struct model *model)
{
    struct token *token = token_new();
    struct operation *operation = operation_new(SAMPLE_OPERATION, OPERATION_HOST_DRAIN);
    struct image *image = image_new(SAMPLE_IMAGE);

    token->id = SAMPLE_TOKEN;
    memset(token->digest, 0x5c, sizeof(token->digest));
    token->role = ROLE_OPERATOR;
    token->name = mem_strdup("ci");
    token->owner = mem_strdup("dave");
    token->pools.at = mem_new0(2 * sizeof(*token->pools.at));
    token->pools.at[0] = mem_strdup("lab");
    token->pools.at[1] = mem_strdup("other");
    token->pools.count = 2;
    token->created_at_ms = 1700000000030;
    token->expires_at_ms = 1700000000031;
    model_token_add(model, token, true);

    operation->state = OPERATION_FAILED;
    operation->owner = mem_strdup("erin");
    operation->pool = mem_strdup("lab");
    operation->host_id = SAMPLE_HOST;
    operation->subject = mem_strdup("busybox:1");
    operation->text = mem_strdup("it went wrong");
    operation->progress = 17;
    operation->total = 23;
    operation->created_at_ms = 1700000000040;
    operation->ended_at_ms = 1700000000041;
    model_operation_add(model, operation, true);

    image->pool_id = SAMPLE_POOL;
    image->digest = mem_strdup("0123456789abcdef");
    image->references = mem_strdup("busybox:1 busybox:latest");
    image->size_bytes = 4242;
    image->created_at_ms = 1700000000050;
    model_image_add(model, image, true);
}

struct model *
sample_first_model(void)
{
    struct model *model = model_new();

    full_pool(model);
    (void)sample_pool(model, SAMPLE_OTHER_POOL, "other");
    full_blueprint(model);
    full_instance(model, full_host(model));
    (void)sample_host(model, SAMPLE_PLAIN_HOST, idmap_find(&model->pools, SAMPLE_OTHER_POOL));
    queued_instance(model);
    full_rest(model);
    return model;
}

static void
full_machine(struct host *host)
{
    host->machine = machine_new("t3.large");
    host->machine->id = mem_strdup("i-0123456789abcdef0");
    host->machine->zone = mem_strdup("eu-north-1b");
    host->machine->price_micro = 83200;
    host->machine->launched_at_ms = 1700000000060;
    host->machine->stage_at_ms = 1700000000061;
    host->machine->attempt = 2;
    host->machine->prepare_failures = 3;
    host->machine->runs = 4;
    host->machine->step = 11;
    host->machine->user = mem_strdup("admin");
    host->machine->step_revision = mem_strdup("0123456789abcdef");
    host->machine->stage = MACHINE_PREPARING;
    host->machine->spot = true;
}

struct model *
sample_model(void)
{
    struct model *model = sample_first_model();
    struct pool *pool = idmap_find(&model->pools, SAMPLE_POOL);
    struct host *host = idmap_find(&model->hosts, SAMPLE_HOST);
    struct operation *operation = idmap_find(&model->operations, SAMPLE_OPERATION);
    struct pool_machine *type = mem_new0(sizeof(*type));

    operation->ends_at_ms = 1700000000042;
    *type = (struct pool_machine){ mem_strdup("t3.large"), 83200, INT64_C(8) << 30, 2000, 24 };
    pool->machines = (struct schema_array){ type, 1 };
    pool->grown_at_ms = 1700000000062;
    pool->spent_micro = 123456;
    pool->spent_month = 202311;
    pool->setback = (struct setback){ 3, 2, 1700000000066, mem_strdup("no way in \"") };
    pool->shut_down = true;
    pool->place = (struct pool_place){ mem_strdup("eu-north-1"), mem_strdup("http://cloud:4000/"),
                                       mem_strdup("123456789012") };
    full_machine(host);
    host->trial = mem_new0(sizeof(*host->trial));
    *host->trial = (struct trial){ 1700000000063, 1700000000064, 4, 5, 6, 7, TRIAL_PROBATION };
    host->cause = CAUSE_ERRORS;
    host->first_used_at_ms = 1700000000065;
    host->uses = 17;
    return model;
}

void
sample_put(const struct store_port *port, struct store_batch *batch, const struct model *model)
{
    const struct idmap *const rows[ROW_KIND_COUNT] = {
        [ROW_POOL] = &model->pools,   [ROW_BLUEPRINT] = &model->blueprints,
        [ROW_HOST] = &model->hosts,   [ROW_INSTANCE] = &model->instances,
        [ROW_TOKEN] = &model->tokens, [ROW_OPERATION] = &model->operations,
        [ROW_IMAGE] = &model->images,
    };

    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        IDMAP_EACH(rows[kind], void, row)
        port->put(batch, (enum row_kind)kind, row);
    }
}
