/* Defects of the reference that end in this layer; the others: tests/unit/engine/test_reference_defects.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/json.h"

#include "../../../src/docker/docker_endpoint.h"
#include "../../../src/docker/docker_parse.h"

/* The engine lists a published port for IPv4 and for IPv6: it is one. */
static void
test_10_a_port_that_is_mapped_twice_is_one(void **state)
{
    static const char *const bindings[] = {
        "{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"32768\"}",
        "{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"32768\"},{\"HostIp\":\"::\",\"HostPort\":"
        "\"32768\"}",
        "{\"HostIp\":\"::\",\"HostPort\":\"32768\"},{\"HostIp\":\"0.0.0.0\",\"HostPort\":"
        "\"32768\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
        CLEANUP(mem_freep)
        char *text =
            mem_printf("{\"Id\":\"abc\",\"Name\":\"/n\",\"State\":{\"Status\":\"running\"},"
                       "\"Config\":{\"Image\":\"i\",\"Labels\":{}},\"NetworkSettings\":"
                       "{\"Ports\":{\"80/tcp\":[%s]}}}",
                       bindings[i]);
        CLEANUP(json_freep) json_t *json = NULL;
        struct docker_container container;
        struct fault fault;

        assert_int_equal(json_in_parse(text, strlen(text), &json, &fault), 0);
        assert_int_equal(docker_parse_inspect(json, &container, &fault), 0);
        assert_int_equal(container.port_count, 1);
        assert_int_equal(container.ports[0].host, 32768);
    }
}

/* An engine is spoken to only if the authority that signed its certificate, and a certificate of ours,
 * are known for this very host; without, it must be asked for by name. */
static void
test_11_each_host_is_verified(void **state)
{
    struct host_endpoint bare = { .engine = (char[]){ "tcp://10.0.0.1:2376" } };
    struct host_endpoint one = { (char[]){ "tcp://10.0.0.1:2376" }, "ca1", "cert1", "key1", false };
    struct host_endpoint two = { (char[]){ "tcp://10.0.0.2:2376" }, "ca2", "cert2", "key2", false };
    CLEANUP(docker_endpoint_unrefp) struct docker_endpoint *a = NULL;
    CLEANUP(docker_endpoint_unrefp) struct docker_endpoint *b = NULL;
    struct fault fault;

    (void)state;
    assert_int_equal(docker_endpoint_new(&bare, "c1", &a, &fault), -1);
    assert_int_equal(fault.kind, FAULT_INVALID);
    assert_int_equal(docker_endpoint_new(&one, "c1", &a, &fault), 0);
    assert_int_equal(docker_endpoint_new(&two, "c1", &b, &fault), 0);
    assert_string_equal(a->ca, "ca1");
    assert_string_equal(b->ca, "ca2");
    assert_string_equal(b->key, "key2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_10_a_port_that_is_mapped_twice_is_one),
        cmocka_unit_test(test_11_each_host_is_verified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
