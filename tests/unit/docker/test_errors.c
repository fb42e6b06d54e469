/* What engines 20.10 to 28 say when they refuse, and what it means here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../../src/docker/docker_error.h"
#include "../../../src/docker/docker_version.h"

#define OCI                                                                                        \
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "  \
    "container process: exec: "

/* clang-format off */
static const struct {
    enum docker_verb verb;
    int status;
    const char *message;
    enum fault_kind kind;
} cases[] = {
    { DOCKER_CREATE, 409, "Conflict. The container name \"/a\" is already in use by container \"01\".", FAULT_ENGINE_CONFLICT },
    { DOCKER_CREATE, 404, "No such image: nosuch:1", FAULT_ENGINE_MISSING },
    { DOCKER_CREATE, 400, "Minimum memory limit allowed is 6MB", FAULT_ENGINE_REFUSED },
    { DOCKER_CREATE, 400, "No command specified", FAULT_COMMAND },
    { DOCKER_CREATE, 400, "no command specified", FAULT_COMMAND },
    { DOCKER_CREATE, 500, "open /var/lib/docker/x: input/output error", FAULT_ENGINE },
    { DOCKER_CREATE, 500, "write /var/lib/docker/x: no space left on device", FAULT_ENGINE },
    { DOCKER_START, 500, "driver failed programming external connectivity on endpoint a (0d): Bind for 127.0.0.1:80 failed: port is already allocated", FAULT_PORT_TAKEN },
    { DOCKER_START, 500, "driver failed programming external connectivity on endpoint a: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use", FAULT_PORT_TAKEN },
    { DOCKER_START, 400, OCI "\"/nope\": stat /nope: no such file or directory: unknown", FAULT_COMMAND },
    { DOCKER_START, 400, OCI "\"nope\": executable file not found in $PATH: unknown", FAULT_COMMAND },
    { DOCKER_START, 400, OCI "\"/www\": permission denied: unknown", FAULT_COMMAND },
    { DOCKER_START, 400, "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/x/log.json: no such file or directory): /bin/false did not terminate successfully: exit status 1: unknown", FAULT_ENGINE },
    { DOCKER_START, 400, "OCI runtime create failed: unable to retrieve OCI runtime error (open /run/x/log.json: no such file or directory): exec: \"runc\": executable file not found in $PATH: unknown", FAULT_ENGINE },
    { DOCKER_START, 400, "failed to start shim: start failed: exec: \"containerd-shim-runc-v2\": executable file not found in $PATH: unknown", FAULT_ENGINE },
    { DOCKER_START, 400, "OCI runtime create failed: runc create failed: unable to start container process: fork/exec /proc/self/exe: resource temporarily unavailable", FAULT_ENGINE },
    { DOCKER_START, 500, "exec /app: exec format error", FAULT_IMAGE },
    { DOCKER_START, 500, "error while mounting /var/lib/docker/a: no such file or directory", FAULT_ENGINE },
    { DOCKER_START, 404, "No such container: a", FAULT_ENGINE_MISSING },
    { DOCKER_EXEC, 409, "Container 01 is not running", FAULT_ENGINE_CONFLICT },
    { DOCKER_EXEC, 400, "OCI runtime exec failed: exec failed: unable to start container process: exec: \"x\": executable file not found in $PATH: unknown", FAULT_COMMAND },
    { DOCKER_PULL, 404, "manifest for busybox:nope not found: manifest unknown: manifest unknown", FAULT_IMAGE },
    { DOCKER_PULL, 404, "pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", FAULT_IMAGE },
    { DOCKER_PULL, 200, "no matching manifest for linux/arm64/v8 in the manifest list entries", FAULT_IMAGE },
    { DOCKER_PULL, 400, "invalid reference format: repository name must be lowercase", FAULT_IMAGE },
    { DOCKER_PULL, 500, "Get \"https://registry.example/v2/\": dial tcp: lookup registry.example on 10.0.0.2:53: no such host", FAULT_REGISTRY },
    { DOCKER_PULL, 500, "Get \"http://127.0.0.1:5/v2/\": dial tcp 127.0.0.1:5: connect: connection refused", FAULT_REGISTRY },
    { DOCKER_PULL, 500, "unauthorized: authentication required", FAULT_IMAGE },
    { DOCKER_PULL, 500, "Head \"https://10.0.0.2:5000/v2/app/manifests/1\": no basic auth credentials", FAULT_IMAGE },
    { DOCKER_PULL, 200, "toomanyrequests: You have reached your pull rate limit.", FAULT_REGISTRY },
    { DOCKER_PULL, 200, "net/http: TLS handshake timeout", FAULT_REGISTRY },
    { DOCKER_PULL, 200, "failed to register layer: write /x: no space left on device", FAULT_ENGINE },
    { DOCKER_LOAD, 200, "Error processing tar file(exit status 1): unexpected EOF", FAULT_IMAGE },
    { DOCKER_LOAD, 200, "write /x: no space left on device", FAULT_ENGINE },
    { DOCKER_INSPECT, 404, "No such container: a", FAULT_ENGINE_MISSING },
    { DOCKER_LIST, 503, "", FAULT_ENGINE },
    { DOCKER_LIST, 403, "authorization denied by plugin", FAULT_ENGINE_REFUSED },
    { DOCKER_LIST, 302, "", FAULT_GARBLED },
    { DOCKER_REMOVE, 409, "You cannot remove a running container", FAULT_ENGINE_CONFLICT },
};

static const struct docker_error successes[] = {
    { DOCKER_START,  304, "" },
    { DOCKER_STOP,   304, "" },
    { DOCKER_REMOVE, 404, "No such container: a" },
    { DOCKER_REMOVE, 409, "removal of container a is already in progress" },
};
/* clang-format on */

static void
test_each_refusal_has_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct docker_error error = { cases[i].verb, cases[i].status, cases[i].message };
        struct fault fault;

        assert_false(docker_error_is_success(&error));
        assert_int_equal(docker_error_set(&error, "docker.test", &fault), -1);
        if (fault.kind != cases[i].kind)
            fail_msg("%d %s: %s", cases[i].status, cases[i].message, fault_rule(fault.kind)->code);
        assert_int_equal(fault.remote_code, cases[i].status >= 400 ? cases[i].status : 0);
        assert_true(fault.text[0] != '\0');
    }
}

/* People read it: what was wrong comes first, and of a pull that it was one. */
static void
test_words_for_people(void **state)
{
    const struct docker_error port = {
        DOCKER_START, 500,
        "driver failed programming external connectivity on endpoint a (0d): Bind for "
        "127.0.0.1:80 failed: port is already allocated"
    };
    const struct docker_error pull = { DOCKER_PULL, 500, "Get \"http://a\": dial tcp: refused" };
    const struct docker_error locked = { DOCKER_PULL, 500,
                                         "unauthorized: authentication required" };
    struct fault fault;

    (void)state;
    assert_int_equal(docker_error_set(&locked, "docker.test", &fault), -1);
    assert_string_equal(fault.text,
                        "the image cannot be pulled: unauthorized: authentication required; do "
                        "berthd's `registries` have the right username and password for it?");
    assert_int_equal(docker_error_set(&port, "docker.test", &fault), -1);
    assert_string_equal(fault.text, "Bind for 127.0.0.1:80 failed: port is already allocated");
    assert_int_equal(docker_error_set(&pull, "docker.test", &fault), -1);
    assert_string_equal(fault.text,
                        "the image cannot be pulled: Get \"http://a\": dial tcp: refused");
}

static void
test_what_is_so_already_is_a_success(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(successes); i++)
        assert_true(docker_error_is_success(&successes[i]));
}

static void
test_versions_are_agreed_upon(void **state)
{
    /* engine's highest, engine's lowest, ours with it; NULL: refused */
    static const char *const rows[][3] = {
        { "1.41", "1.12", "1.41" }, { "1.47", "1.24", "1.47" }, { "1.52", "1.44", "1.52" },
        { "1.60", "1.44", "1.52" }, { "1.40", "1.12", NULL },   { "1.99", "1.53", NULL },
        { "2.0", "1.44", NULL },    { "1.x", "1.12", NULL },    { "", "", NULL }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct docker_version version = { 0 };
        struct fault fault = { 0 };
        char body[128];
        int len = snprintf(body, sizeof(body),
                           "{\"Version\":\"9.9\",\"ApiVersion\":\"%s\",\"MinAPIVersion\":\"%s\"}",
                           rows[i][0], rows[i][1]);

        if (docker_version_agree(body, (size_t)len, &version, &fault) == 0) {
            assert_string_equal(version.api, rows[i][2]);
        } else if (rows[i][2]) {
            fail_msg("%s: %s", rows[i][0], fault.text);
        } else {
            assert_true(fault.kind == FAULT_ENGINE_REFUSED || fault.kind == FAULT_GARBLED);
        }
    }
    assert_true(docker_version_is_refused(
        400, "client version 1.41 is too old. Minimum supported API version is 1.44"));
    assert_false(docker_version_is_refused(400, "invalid reference format"));
    assert_false(docker_version_is_refused(500, "client version"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_refusal_has_its_meaning),
        cmocka_unit_test(test_words_for_people),
        cmocka_unit_test(test_what_is_so_already_is_a_success),
        cmocka_unit_test(test_versions_are_agreed_upon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
