/* The table of routes: lookups, and that the document made of it holds together. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/json.h"

#include "../../../src/api/openapi.h"
#include "../../../src/api/routes.h"

static const char *
find(enum route_method method, const char *const *segments, size_t count, unsigned *allow)
{
    const struct route *route = routes_find(method, segments, count, allow);

    return route ? route->name : NULL;
}

static void
routes_are_found(void **state)
{
    static const char *const list[] = { "v1", "instances" };
    static const char *const one[] = { "v1", "instances", "i-1" };
    static const char *const logs[] = { "v1", "instances", "i-1", "logs" };
    static const char *const pull[] = { "v1", "images", "pull" };
    static const char *const other[] = { "v1", "images", "pulled" };
    static const char *const deep[] = { "v1", "a", "b", "c", "d" };
    unsigned allow;

    (void)state;
    routes_prepare();
    assert_string_equal(find(ROUTE_POST, list, 2, &allow), "createInstances");
    assert_int_equal(allow, 1U << ROUTE_GET | 1U << ROUTE_POST);
    assert_string_equal(find(ROUTE_GET, one, 3, &allow), "getInstance");
    assert_string_equal(find(ROUTE_GET, logs, 4, &allow), "getInstanceLogs");
    assert_null(find(ROUTE_PUT, one, 3, &allow));
    assert_int_equal(allow, 1U << ROUTE_GET | 1U << ROUTE_DELETE);
    assert_string_equal(find(ROUTE_POST, pull, 3, &allow), "pullImage");
    assert_null(find(ROUTE_POST, other, 3, &allow));
    assert_int_equal(allow, 0);
    assert_null(find(ROUTE_GET, deep, 5, &allow));
    assert_null(find(ROUTE_GET, deep, 6, &allow));
}

static void
routes_are_consistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *route = &routes[i];

        assert_non_null(route->handler);
        assert_true(route->summary && route->name && route->path[0] == '/');
        assert_in_range(route->status, 200, 299);
        if (route->body)
            assert_true(route->method == ROUTE_POST || route->method == ROUTE_PUT);
        if (route->role == ROUTE_PUBLIC)
            assert_int_equal(route->method, ROUTE_GET);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(route->name, routes[j].name);
            if (strcmp(route->path, routes[j].path) == 0)
                assert_int_not_equal(route->method, routes[j].method);
        }
    }
}

/* Each $ref in @json leads somewhere in @document. */
static void
/* NOLINTNEXTLINE(misc-no-recursion,bugprone-easily-swappable-parameters): as deep as the document */
check_references(const json_t *document, const json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(json)) {
        json_array_foreach(json, i, value) check_references(document, value);
        return;
    }
    json_object_foreach(mem_unconst(json), key, value)
    {
        const json_t *at = document;
        char path[128];

        if (strcmp(key, "$ref") != 0) {
            check_references(document, value);
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s", json_string_value(value) + 2);
        for (char *save, *word = strtok_r(path, "/", &save); word;
             word = strtok_r(NULL, "/", &save))
            at = json_object_get(at, word);
        assert_non_null(at);
    }
}

static void
document_holds_together(void **state)
{
    struct buf buf = { 0 };
    struct json_out out;
    json_t *document;
    json_t *paths;
    size_t operations = 0;
    const char *key;
    json_t *item;

    (void)state;
    json_out_init(&out, &buf);
    openapi_render(&out, "1.2.3");
    assert_int_equal(json_in_parse(buf.data, buf.len, &document, NULL), 0);
    check_references(document, document);
    paths = json_object_get(document, "paths");
    json_object_foreach(paths, key, item) operations += json_object_size(item);
    assert_int_equal(operations, routes_count);
    json_decref(document);
    buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(routes_are_consistent),
        cmocka_unit_test(document_holds_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
