/* Rows look as promised: goldens, and each against its shape. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "berth/wire/row.h"
#include "berth/wire/shape.h"

#include "shape_check.h"

static struct pool *
make_pool(void)
{
    struct pool *pool = pool_new("default", PROVIDER_STATIC);

    schema_defaults(&pool_policy_schema, &pool->policy);
    pool->policy.error_threshold_milli = 5000;
    pool->id = 1;
    pool->rev = 4;
    pool->created_at_ms = 1767323045678;
    return pool;
}

static struct blueprint *
make_blueprint(void)
{
    struct blueprint_spec spec;
    struct blueprint *blueprint;

    schema_defaults(&blueprint_schema, &spec);
    spec.name = mem_strdup("web");
    spec.image = mem_strdup("busybox");
    spec.memory_bytes = 64 << 20;
    blueprint = blueprint_new(&spec);
    blueprint->id = 77;
    blueprint->version = 3;
    blueprint->created_at_ms = 1767323045678;
    return blueprint;
}

static struct host *
make_host(struct pool *pool)
{
    struct host *host = host_new(pool, "h1");

    host->id = 32;
    host->address = mem_strdup("10.0.0.5");
    host->endpoint.engine = mem_strdup("tcp://10.0.0.5:2376");
    host->state = HOST_ACTIVE;
    host->created_at_ms = 1767323045678;
    host->capacity = (struct host_amount){ 1 << 30, 1500, 10 };
    host->reserved = (struct host_amount){ 64 << 20, 0, 1 };
    host->instance_count = 1;
    return host;
}

/* Of a machine that is ours to launch, all that its provider told. */
static void
row_rented(struct host *host)
{
    struct buf buf = { 0 };
    struct json_out out;
    uint64_t stamp = wire_row_host_stamp(host, 0);

    host->machine = machine_new("m5.large");
    host->machine->id = mem_strdup("i-0abc");
    host->machine->zone = mem_strdup("north-1a");
    host->machine->price_micro = 96000;
    host->machine->spot = true;
    host->cause = CAUSE_AGE;
    host->uses = 7;
    host->first_used_at_ms = 1767323045678;
    json_out_init(&out, &buf);
    wire_row_host(&out, host, 0);
    shape_check("Host", &buf);
    assert_non_null(strstr(
        buf_text(&buf), "\"cause\":\"age\",\"machine_id\":\"i-0abc\",\"machine_type\":\"m5.large\","
                        "\"zone\":\"north-1a\",\"spot\":true,\"price_per_hour\":0.096"));
    assert_non_null(strstr(buf_text(&buf), "\"uses\":7"));
    assert_non_null(strstr(buf_text(&buf), "\"first_used_at\":\"2026-01-02T03:04:05.678Z\""));
    assert_true(wire_row_host_stamp(host, 0) != stamp);
    assert_non_null(strstr(buf_text(&buf), "\"ssh\":null"));
    buf_fini(&buf);
}

/* Proves: how a machine is logged in to, whatever its address is. */
static void
row_ssh(void **state)
{
    static const char *const rows[][2] = {
        { "root@10.0.0.6", "\"ssh\":{\"user\":\"root\",\"port\":22,\"host_key\":" },
        { "a@10.0.0.6:2222", "\"ssh\":{\"user\":\"a\",\"port\":2222,\"host_key\":" },
        { "a@fd00::5", "\"ssh\":{\"user\":\"a\",\"port\":22,\"host_key\":" },
        { NULL, "\"ssh\":{\"user\":\"admin\",\"port\":22,\"host_key\":" },
        { "a@[fd00::5]:2200", "\"ssh\":{\"user\":\"a\",\"port\":2200,\"host_key\":" },
    };
    struct pool *pool = make_pool();
    struct host *host = make_host(pool);

    (void)state;
    host->machine = machine_new("t");
    host->machine->host_key = mem_strdup("ssh-ed25519 AAAA");
    host->machine->user = mem_strdup("admin");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf buf = { 0 };
        struct json_out out;

        mem_free(host->machine->ssh);
        host->machine->ssh = mem_strdup(rows[i][0]);
        json_out_init(&out, &buf);
        wire_row_host(&out, host, 0);
        shape_check("Host", &buf);
        assert_non_null(strstr(buf_text(&buf), rows[i][1]));
        assert_non_null(strstr(buf_text(&buf), "\"host_key\":\"ssh-ed25519 AAAA\"}"));
        buf_fini(&buf);
    }
    host_free(host);
    pool_free(pool);
}

static void
row_golden(void **state)
{
    struct pool *pool = make_pool();
    struct blueprint *blueprint = make_blueprint();
    struct host *host = make_host(pool);
    struct instance *instance = instance_new(33);
    struct buf buf = { 0 };
    struct json_out out;

    (void)state;
    instance->blueprint = blueprint;
    instance->pool = pool;
    instance->host = host;
    instance->owner = "ada";
    instance->reason = "it \"runs\"";
    instance->state = INSTANCE_RUNNING;
    instance->desired = INSTANCE_RUNNING;
    instance->generation = 2;
    instance->exit_code = INSTANCE_NO_EXIT_CODE;
    instance->created_at_ms = 1767323045678;
    instance->started_at_ms = 1767323046000;
    memset(instance->container_id, 0xab, sizeof(instance->container_id));
    instance->ports = mem_new0(sizeof(*instance->ports));
    instance->ports[0] = (struct instance_port){ 80, 32768, PROTOCOL_TCP };
    instance->port_count = 1;
    json_out_init(&out, &buf);
    wire_row_instance(&out, instance, NULL, 0);
    assert_string_equal(
        buf_text(&buf),
        "{\"id\":\"i-0000000000011\",\"name\":null,\"blueprint\":\"web\",\"blueprint_version\":3,"
        "\"owner\":\"ada\",\"pool\":\"default\",\"state\":\"running\",\"desired\":\"running\","
        "\"reason\":\"it \\\"runs\\\"\",\"host\":\"h-0000000000010\",\"container_id\":\""
        "abababababababababababababababababababababababababababababababab\",\"generation\":2,"
        "\"ports\":[{\"container\":80,\"protocol\":\"tcp\",\"host_address\":\"10.0.0.5\","
        "\"host_port\":32768}],\"url\":null,\"queue\":null,\"memory_bytes\":67108864,"
        "\"restarts\":0,\"oom_kills\":0,\"exit_code\":null,"
        "\"created_at\":\"2026-01-02T03:04:05.678Z\",\"started_at\":\"2026-01-02T03:04:06.000Z\","
        "\"ended_at\":null,\"ends_at\":null}");
    shape_check("Instance", &buf);
    buf_clear(&buf);
    json_out_init(&out, &buf);
    wire_row_host(&out, host, 1767323045678);
    shape_check("Host", &buf);
    assert_non_null(strstr(buf_text(&buf), "\"machine_type\":null"));
    assert_non_null(strstr(buf_text(&buf), "\"cause\":null"));
    row_rented(host);
    buf_fini(&buf);
    instance->host = NULL;
    instance_free(instance);
    host_free(host);
    blueprint_free(blueprint);
    pool_free(pool);
}

static void
row_shapes_of_tokens(void **state)
{
    struct token *token = token_new();
    struct buf buf = { 0 };
    struct json_out out;

    (void)state;
    json_out_init(&out, &buf);
    token->id = 9;
    token->created_at_ms = 5;
    wire_row_token(&out, token, "berth_secret");
    shape_check("NewToken", &buf);
    buf_clear(&buf);
    json_out_init(&out, &buf);
    wire_row_token(&out, token, NULL);
    shape_check("Token", &buf);
    assert_null(strstr(buf_text(&buf), "secret"));
    buf_fini(&buf);
    token_free(token);
}

static void
row_shapes(void **state)
{
    struct pool *pool = make_pool();
    struct blueprint *blueprint = make_blueprint();
    struct operation *operation = operation_new(5, OPERATION_IMAGE_PULL);
    struct event event = { .seq = 1, .at_ms = 5, .kind = "host.active", .host_id = 7 };
    struct buf buf = { 0 };
    struct json_out out;

    (void)state;
    operation->created_at_ms = 5;
    json_out_init(&out, &buf);
    wire_row_pool(&out, pool);
    shape_check("Pool", &buf);
    buf_clear(&buf);
    json_out_init(&out, &buf);
    wire_row_blueprint(&out, blueprint);
    assert_non_null(strstr(buf_text(&buf), "\"version\":3"));
    assert_non_null(strstr(buf_text(&buf), "\"memory_bytes\":67108864"));
    buf_clear(&buf);
    json_out_init(&out, &buf);
    wire_row_operation(&out, operation);
    shape_check("Operation", &buf);
    buf_clear(&buf);
    json_out_init(&out, &buf);
    wire_row_event(&out, &event, NULL);
    shape_check("Event", &buf);
    buf_fini(&buf);
    operation_free(operation);
    blueprint_free(blueprint);
    pool_free(pool);
}

static void
test_a_host_stamp_follows_the_row(void **state)
{
    struct pool *pool = make_pool();
    struct host *host = make_host(pool);
    uint64_t stamp = wire_row_host_stamp(host, 1000);

    (void)state;
    assert_true(wire_row_host_stamp(host, 2000) == stamp);
    host->rev++;
    assert_true(wire_row_host_stamp(host, 1000) != stamp);
    host->rev--;
    host->reserved.memory_bytes++;
    assert_true(wire_row_host_stamp(host, 1000) != stamp);
    host->reserved.memory_bytes--;
    host->instance_count++;
    assert_true(wire_row_host_stamp(host, 1000) != stamp);
    host->instance_count--;
    assert_true(wire_row_host_stamp(host, 1000) == stamp);
    /* A score that decays is another one each moment. */
    host->score.milli = 10;
    assert_true(wire_row_host_stamp(host, 1000) != wire_row_host_stamp(host, 2000));
    host_free(host);
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_golden),
        cmocka_unit_test(row_ssh),
        cmocka_unit_test(row_shapes),
        cmocka_unit_test(row_shapes_of_tokens),
        cmocka_unit_test(test_a_host_stamp_follows_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
