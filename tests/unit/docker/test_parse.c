/* Answers of engines, good and bad, as structs; and the body of a create. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/json.h"

#include "../../../src/docker/docker_json.h"
#include "../../../src/docker/docker_layers.h"
#include "../../../src/docker/docker_lines.h"
#include "../../../src/docker/docker_parse.h"
#include "../../../src/docker/docker_spec.h"
#include "../../../src/docker/docker_stats.h"
#include "../../../src/docker/docker_url.h"

static json_t *
parse(const char *text)
{
    struct fault fault = { 0 };
    json_t *json = NULL;

    if (docker_json_parse(text, strlen(text), &json, &fault) < 0)
        fail_msg("%s", fault.text);
    return json;
}

static void
test_a_list_of_many(void **state)
{
    struct docker_container *list = NULL;
    struct fault fault;
    struct buf text;
    size_t count = 0;
    json_t *json;

    (void)state;
    buf_init(&text, 0);
    buf_append_char(&text, '[');
    for (int i = 0; i < 250; i++) {
        buf_printf(&text,
                   "%s{\"Id\":\"id%d\",\"Names\":[\"/berth-%d\"],\"State\":\"running\","
                   "\"Image\":\"busybox\",\"Labels\":{\"berth.cluster\":\"c1\",\"berth.instance\":"
                   "\"i-%d\","
                   "\"berth.generation\":\"%d\",\"berth.blueprint_version\":\"2\"},"
                   "\"Ports\":[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":%d,"
                   "\"Type\":\"tcp\"},{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":%d,"
                   "\"Type\":\"tcp\"},{\"PrivatePort\":81,\"Type\":\"tcp\"},"
                   "{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":9,\"Type\":\"udp\"}]}",
                   i ? "," : "", i, i, i, i, 30000 + i, 30000 + i);
    }
    buf_append_char(&text, ']');
    json = parse(buf_text(&text));
    assert_int_equal(docker_parse_list(json, "c1", &list, &count, &fault), 0);
    assert_int_equal(count, 250);
    assert_string_equal(list[249].name, "berth-249");
    assert_string_equal(list[249].label_instance, "i-249");
    assert_int_equal(list[249].label_generation, 249);
    assert_int_equal(list[249].label_blueprint_version, 2);
    assert_int_equal(list[249].state, DOCKER_RUNNING);
    /* IPv4 and IPv6 are one; what is not published is none. */
    assert_int_equal(list[249].port_count, 2);
    assert_int_equal(list[249].ports[0].host, 30249);
    assert_int_equal(list[249].ports[1].protocol, PROTOCOL_UDP);
    json_decref(json);
    mem_free(list);
    buf_fini(&text);
}

static void
test_lists_that_are_none(void **state)
{
    static const char *const bad[] = { "{}", "[{}]", "[1]", "[{\"Id\":7}]", "[{\"Id\":\"\"}]" };
    struct docker_container *list = NULL;
    size_t count = 0;
    json_t *json;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fault fault = { 0 };

        json = parse(bad[i]);
        assert_int_equal(docker_parse_list(json, "c1", &list, &count, &fault), -1);
        assert_int_equal(fault.kind, FAULT_GARBLED);
        json_decref(json);
    }
    json = parse("[]");
    assert_int_equal(docker_parse_list(json, "c1", &list, &count, NULL), 0);
    assert_null(list);
    assert_int_equal(count, 0);
    json_decref(json);
}

/* One label with a NUL, that an image's author chose, must not hide a host's containers. */
static void
test_a_nul_in_a_label_hides_nothing(void **state)
{
    struct docker_container *list = NULL;
    size_t count = 0;
    json_t *json = parse(
        "[{\"Id\":\"a\",\"Labels\":{\"berth.cluster\":\"c1\",\"evil\":\"x\\u0000\",\"berth.owner\":"
        "\"\\\\u0000\"}}]");

    (void)state;
    assert_int_equal(docker_parse_list(json, "c1", &list, &count, NULL), 0);
    assert_string_equal(list[0].label_owner, "\\u0000");
    mem_free(list);
    json_decref(json);
}

/* An engine that does not filter must not make us take, and remove, what is somebody else's. */
static void
test_containers_of_others_are_left_out(void **state)
{
    struct docker_container *list = NULL;
    size_t count = 0;
    json_t *json = parse("[{\"Id\":\"a\"},{\"Id\":\"b\",\"Labels\":null},"
                         "{\"Id\":\"c\",\"Labels\":{\"berth.cluster\":\"c2\"}},"
                         "{\"Id\":\"d\",\"Labels\":{\"berth.cluster\":\"c1\"}},"
                         "{\"Id\":\"e\",\"Labels\":{\"berth.instance\":\"i-1\"}}]");

    (void)state;
    assert_int_equal(docker_parse_list(json, "c1", &list, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].id, "d");
    mem_free(list);
    json_decref(json);
}

/* Sizes that no machine has are cut, so that nobody's sums overflow. */
static void
test_sizes_beyond_reason(void **state)
{
    struct docker_info info;
    json_t *json = parse("{\"MemTotal\":9223372036854775807,\"NCPU\":9223372036854775807}");

    (void)state;
    docker_parse_info(json, &info);
    assert_int_equal(info.memory_bytes, INT64_C(1) << 50);
    assert_int_equal(info.cpus_milli, (INT64_C(1) << 50) * 1000);
    json_decref(json);
    json = parse("{\"MemTotal\":-9223372036854775808,\"NCPU\":-9223372036854775808}");
    docker_parse_info(json, &info);
    assert_int_equal(info.memory_bytes, 0);
    assert_int_equal(info.cpus_milli, 0);
    json_decref(json);
}

static void
test_an_inspect(void **state)
{
    struct docker_container c;
    struct fault fault;
    json_t *json =
        parse("{\"Id\":\"abc\",\"Name\":\"/n\",\"State\":{\"Status\":\"exited\",\"ExitCode\":137,"
              "\"OOMKilled\":true,\"Error\":\"no\\nway\",\"StartedAt\":"
              "\"2026-11-22T00:07:30.934817788Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"},"
              "\"HostConfig\":{\"Memory\":1048576},\"Config\":{\"Image\":\"i\",\"Labels\":"
              "{\"berth.owner\":\"ann\"}},\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":"
              "\"0.0.0.0\",\"HostPort\":\"32768\"},{\"HostIp\":\"::\",\"HostPort\":\"32768\"}],"
              "\"53/udp\":null}}}");

    (void)state;
    assert_int_equal(docker_parse_inspect(json, &c, &fault), 0);
    assert_string_equal(c.name, "n");
    assert_int_equal(c.state, DOCKER_EXITED);
    assert_int_equal(c.exit_code, 137);
    assert_true(c.oom_killed);
    assert_string_equal(c.error, "no way");
    assert_int_equal(c.started_at_ms, 1795306050934);
    assert_int_equal(c.finished_at_ms, 0);
    assert_int_equal(c.memory_bytes, 1048576);
    assert_int_equal(c.port_count, 1);
    assert_int_equal(c.ports[0].host, 32768);
    json_decref(json);
    json = parse("{\"Id\":\"abc\"}");
    assert_int_equal(docker_parse_inspect(json, &c, &fault), -1);
    assert_int_equal(fault.kind, FAULT_GARBLED);
    json_decref(json);
}

static void
test_images_have_an_entry_for_each_tag(void **state)
{
    struct docker_image *images = NULL;
    size_t count = 0;
    json_t *json = parse("[{\"Id\":\"sha256:1\",\"RepoTags\":[\"a:1\",\"a:2\"],\"Size\":5,"
                         "\"Created\":7},{\"Id\":\"sha256:2\",\"RepoTags\":null}]");

    (void)state;
    assert_int_equal(docker_parse_images(json, &images, &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_string_equal(images[1].reference, "a:2");
    assert_int_equal(images[1].size_bytes, 5);
    assert_int_equal(images[1].created_at_ms, 7000);
    assert_string_equal(images[2].id, "sha256:2");
    assert_string_equal(images[2].reference, "");
    mem_free(images);
    json_decref(json);
}

static void
test_stats_of_both_control_groups(void **state)
{
    struct docker_stats stats;
    json_t *json = parse(
        "{\"read\":\"2026-11-22T00:07:31.910021605Z\",\"pids_stats\":{\"current\":3},"
        "\"blkio_stats\":{\"io_service_bytes_recursive\":[{\"op\":\"Read\",\"value\":1},{\"op\":"
        "\"write\",\"value\":2},{\"op\":\"Sync\",\"value\":9}]},\"cpu_stats\":{\"cpu_usage\":"
        "{\"total_usage\":10},\"system_cpu_usage\":20,\"online_cpus\":2},\"memory_stats\":"
        "{\"usage\":100,\"limit\":200,\"stats\":{\"inactive_file\":1,\"total_inactive_file\":30}},"
        "\"networks\":{\"eth0\":{\"rx_bytes\":4,\"tx_bytes\":5},\"eth1\":{\"rx_bytes\":6}}}");

    (void)state;
    docker_stats_parse(json, &stats);
    assert_int_equal(stats.memory_bytes, 70);
    assert_int_equal(stats.memory_limit_bytes, 200);
    assert_int_equal(stats.cpu_ns, 10);
    assert_int_equal(stats.system_cpu_ns, 20);
    assert_int_equal(stats.cpus, 2);
    assert_int_equal(stats.pids, 3);
    assert_int_equal(stats.block_in_bytes, 1);
    assert_int_equal(stats.block_out_bytes, 2);
    assert_int_equal(stats.network_in_bytes, 10);
    assert_int_equal(stats.network_out_bytes, 5);
    json_decref(json);
    json = parse("{\"read\":\"0001-01-01T00:00:00Z\",\"memory_stats\":{\"usage\":5,\"stats\":"
                 "{\"inactive_file\":2}}}");
    docker_stats_parse(json, &stats);
    assert_int_equal(stats.at_ms, 0);
    assert_int_equal(stats.memory_bytes, 3);
    json_decref(json);
}

static void
test_events_about_lives_only(void **state)
{
    struct docker_container c;
    json_t *json = parse("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"abc\","
                         "\"Attributes\":{\"name\":\"berth-1\",\"exitCode\":\"137\","
                         "\"berth.instance\":\"i-1\",\"berth.generation\":\"4\"}}}");

    (void)state;
    assert_string_equal(docker_parse_event(json, &c), "die");
    assert_string_equal(c.name, "berth-1");
    assert_int_equal(c.exit_code, 137);
    assert_int_equal(c.label_generation, 4);
    assert_int_equal(c.state, DOCKER_EXITED);
    json_decref(json);
    json = parse("{\"Action\":\"exec_start: sh\",\"Actor\":{\"ID\":\"abc\"}}");
    assert_null(docker_parse_event(json, &c));
    json_decref(json);
    json = parse("[]");
    assert_null(docker_parse_event(json, &c));
    json_decref(json);
}

static void
test_progress_is_the_sum_of_layers(void **state)
{
    /* clang-format off */
    static const char *const lines[] = {
        "{\"status\":\"Pulling from library/busybox\",\"id\":\"latest\"}",
        "{\"id\":\"a\",\"status\":\"Downloading\",\"progressDetail\":{\"current\":10,\"total\":100}}",
        "{\"id\":\"b\",\"status\":\"Downloading\",\"progressDetail\":{\"current\":1,\"total\":50}}",
        "{\"id\":\"a\",\"status\":\"Download complete\",\"progressDetail\":{}}",
        "{\"id\":\"a\",\"status\":\"Extracting\",\"progressDetail\":{\"current\":3,\"total\":9}}",
    };
    /* clang-format on */
    static const int64_t done[] = { 0, 10, 11, 101, 101 };
    static const int64_t total[] = { 0, 100, 150, 150, 150 };
    struct docker_layers layers = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        json_t *json = parse(lines[i]);
        int64_t got_done;
        int64_t got_total;

        docker_layers_update(&layers, json, &got_done, &got_total);
        assert_int_equal(got_done, done[i]);
        assert_int_equal(got_total, total[i]);
        json_decref(json);
    }
    docker_layers_fini(&layers);
}

static char *
url_of(void (*append)(struct buf *url, const char *text), const char *text)
{
    struct buf url;

    buf_init(&url, 1000);
    append(&url, text);
    return buf_take(&url);
}

static void
test_urls_are_encoded(void **state)
{
    static const char *const rows[][2] = {
        { "busybox", "fromImage=busybox&tag=latest" },
        { "busybox:1", "fromImage=busybox%3A1" },
        { "host:5000/a/b", "fromImage=host%3A5000%2Fa%2Fb&tag=latest" },
        { "a@sha256:00", "fromImage=a%40sha256%3A00" },
    };
    char *url;

    (void)state;
    url = url_of(docker_url_encode, "../a b?c&d=\xc3\xa9~");
    assert_string_equal(url, "..%2Fa%20b%3Fc%26d%3D%C3%A9~");
    mem_free(url);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        url = url_of(docker_url_image, rows[i][0]);
        assert_string_equal(url, rows[i][1]);
        mem_free(url);
    }
}

/* The member at a path of names separated by dots, as compact JSON. */
static void
assert_member(const json_t *json, const char *path, const char *expected)
{
    char name[64];
    char *text;

    while (*path) {
        size_t len = strcspn(path, ">");

        assert_true(len < sizeof(name));
        memcpy(name, path, len);
        name[len] = '\0';
        json = json_object_get(json, name);
        path += len + (path[len] != '\0');
    }
    text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
    if (expected ? !text || strcmp(text, expected) != 0 : text != NULL)
        fail_msg("%s: %s", name, text ? text : "missing");
    free(text);
}

static const char *const members[][2] = {
    { "Image", "\"busybox\"" },
    { "Hostname", "\"i-1\"" },
    { "Cmd", "[\"sh\",\"-c\"]" },
    { "Entrypoint", NULL },
    { "Env", NULL },
    { "StopTimeout", "2" },
    { "Labels>berth.cluster", "\"c1\"" },
    { "Labels>berth.generation", "\"2\"" },
    { "Labels>berth.blueprint_version", "\"3\"" },
    { "Labels>color", "\"b\\\"lue\"" },
    { "ExposedPorts", "{\"53/udp\":{},\"80/tcp\":{}}" },
    { "HostConfig>PortBindings", "{\"53/udp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"0\"}],"
                                 "\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}]}" },
    { "HostConfig>Memory", "100" },
    { "HostConfig>MemorySwap", "300" },
    { "HostConfig>MemoryReservation", "50" },
    { "HostConfig>NanoCpus", "1500000000" },
    { "HostConfig>PidsLimit", "256" },
    { "HostConfig>Ulimits", "[{\"Hard\":2,\"Name\":\"nofile\",\"Soft\":1}]" },
    { "HostConfig>LogConfig",
      "{\"Config\":{\"max-file\":\"2\",\"max-size\":\"524288\"},\"Type\":\"json-file\"}" },
    { "HostConfig>CapDrop", "[\"ALL\"]" },
    { "HostConfig>CapAdd", "[\"NET_RAW\"]" },
    { "HostConfig>SecurityOpt", "[\"no-new-privileges\"]" },
    { "HostConfig>Privileged", "false" },
    { "HostConfig>IpcMode", "\"private\"" },
    { "HostConfig>ReadonlyRootfs", "true" },
    { "HostConfig>Tmpfs", "{\"/tmp\":\"size=1m\"}" },
    { "HostConfig>RestartPolicy", "{\"Name\":\"no\"}" },
    { "HostConfig>Init", "true" },
    { "HostConfig>AutoRemove", "false" },
};

static void
test_the_body_of_a_create(void **state)
{
    struct blueprint_port ports[] = { { .container = 80, .host = 8080 },
                                      { .container = 53, .protocol = PROTOCOL_UDP } };
    struct blueprint_ulimit ulimit = { (char[]){ "nofile" }, 1, 2 };
    struct schema_pair labels[] = { { (char[]){ "berth.cluster" }, (char[]){ "forged" } },
                                    { (char[]){ "color" }, (char[]){ "b\"lue" } } };
    struct schema_pair tmpfs = { (char[]){ "/tmp" }, (char[]){ "size=1m" } };
    char *caps[] = { (char[]){ "NET_RAW" } };
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" } };
    struct blueprint_spec blueprint = { .name = (char[]){ "web" },
                                        .image = (char[]){ "busybox" },
                                        .ports = { ports, 2 },
                                        .memory_bytes = 100,
                                        .memory_swap_bytes = -1,
                                        .memory_reservation_bytes = 50,
                                        .cpus_milli = 1500,
                                        .pids = 256,
                                        .log_bytes = 1 << 20,
                                        .stop_grace_ms = 1500,
                                        .labels = { labels, 2 },
                                        .tmpfs = { &tmpfs, 1 },
                                        .cap_add = { caps, 1 },
                                        .ulimits = { &ulimit, 1 },
                                        .read_only = true };
    struct docker_spec spec = { .blueprint = &blueprint,
                                .cluster_id = "c1",
                                .instance_id = "i-1",
                                .generation = 2,
                                .blueprint_version = 3,
                                .owner = "ann",
                                .command = command,
                                .command_count = 2,
                                .publish_address = "127.0.0.1" };
    struct buf body;
    json_t *json;

    (void)state;
    buf_init(&body, 0);
    docker_spec_encode(&spec, &body);
    json = parse(buf_text(&body));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        assert_member(json, members[i][0], members[i][1]);
    json_decref(json);
    buf_clear(&body);
    blueprint.memory_swap_bytes = 30;
    docker_spec_encode(&spec, &body);
    json = parse(buf_text(&body));
    assert_member(json, "HostConfig>MemorySwap", "130");
    json_decref(json);
    buf_clear(&body);
    /* A canary belongs to no instance, so that no comparison takes it for one. */
    spec.canary = true;
    docker_spec_encode(&spec, &body);
    json = parse(buf_text(&body));
    assert_member(json, "Labels>berth.canary", "\"true\"");
    assert_member(json, "Labels>berth.cluster", "\"c1\"");
    assert_null(json_object_get(json_object_get(json, "Labels"), DOCKER_LABEL_INSTANCE));
    json_decref(json);
    buf_fini(&body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_of_many),
        cmocka_unit_test(test_lists_that_are_none),
        cmocka_unit_test(test_a_nul_in_a_label_hides_nothing),
        cmocka_unit_test(test_containers_of_others_are_left_out),
        cmocka_unit_test(test_sizes_beyond_reason),
        cmocka_unit_test(test_an_inspect),
        cmocka_unit_test(test_images_have_an_entry_for_each_tag),
        cmocka_unit_test(test_stats_of_both_control_groups),
        cmocka_unit_test(test_events_about_lives_only),
        cmocka_unit_test(test_progress_is_the_sum_of_layers),
        cmocka_unit_test(test_urls_are_encoded),
        cmocka_unit_test(test_the_body_of_a_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
