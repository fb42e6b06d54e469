/*
 * Says whose keys are found in this environment: "keys ID", or "none: WHY".  tests/cloud/test_chain.py
 * compares that with what botocore finds.  Without BERTH_TEST_KEYS there is nothing to try.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "berth/cloud/credentials.h"

enum { PATIENCE_MS = 30000 };

struct finder {
    struct credentials_wait wait;
    struct fault fault;
    bool done;
};

static const char *
environment_get(const char *name)
{
    return secure_getenv(name);
}

static void
finder_on_done(struct credentials_wait *wait, const struct fault *fault)
{
    struct finder *finder = CONTAINER_OF(wait, struct finder, wait);

    finder->done = true;
    if (fault)
        finder->fault = *fault;
}

static bool
finder_is_done(void *cookie)
{
    return ((const struct finder *)cookie)->done;
}

static void
keys_are_found(void **state)
{
    struct loop *loop = loop_new();
    struct http *http = http_new(loop);
    struct credentials *credentials = credentials_from_env(http, loop, environment_get);
    struct finder finder = { .wait.done = finder_on_done };
    const struct credentials_keys *keys;

    (void)state;
    credentials_wait(credentials, &finder.wait);
    assert_true(loop_run_until(loop, finder_is_done, &finder, PATIENCE_MS));
    keys = credentials_now(credentials);
    assert_int_equal(keys == NULL, finder.fault.kind != FAULT_NONE);
    (void)printf("%s: %s\n", keys ? "keys" : "none", keys ? keys->id : finder.fault.text);
    credentials_free(credentials);
    http_free(http);
    loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(keys_are_found) };

    if (!secure_getenv("BERTH_TEST_KEYS")) {
        (void)puts("nothing to try: BERTH_TEST_KEYS is not set");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
