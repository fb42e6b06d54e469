#include "routes.h"

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

enum { ROUTES_MAX = 64, ROUTE_SEGMENT_SIZE = 16 };

/* A route's path, taken apart. */
struct route_path {
    uint8_t count;
    uint8_t parameters; /* bit i: segment i is a {parameter} */
    uint8_t len[ROUTE_SEGMENTS_MAX];
    char text[ROUTE_SEGMENTS_MAX][ROUTE_SEGMENT_SIZE];
};

static const char *const route_method_names[] = {
    [ROUTE_GET] = "GET",       [ROUTE_POST] = "POST",       [ROUTE_PUT] = "PUT",
    [ROUTE_DELETE] = "DELETE", [ROUTE_OPTIONS] = "OPTIONS", [ROUTE_HEAD] = "HEAD",
};

static struct route_path route_paths[ROUTES_MAX];

static void
routes_take_apart(const char *path, struct route_path *ret_path)
{
    struct route_path taken = { 0 };

    while (*path) {
        size_t len;

        assert(*path == '/' && taken.count < ROUTE_SEGMENTS_MAX);
        path++;
        len = strcspn(path, "/");
        assert(len > 0 && len < ROUTE_SEGMENT_SIZE);
        if (*path == '{')
            taken.parameters |= (uint8_t)(1U << taken.count);
        memcpy(taken.text[taken.count], path, len);
        taken.len[taken.count++] = (uint8_t)len;
        path += len;
    }
    *ret_path = taken;
}

void
routes_prepare(void)
{
    assert(routes_count <= ROUTES_MAX);
    for (size_t i = 0; i < routes_count; i++)
        routes_take_apart(routes[i].path, &route_paths[i]);
}

int
routes_index(const struct route *route)
{
    return route ? (int)(route - routes) : -1;
}

static bool
routes_match(const struct route_path *path, const char *const *segments, const size_t *lens)
{
    for (size_t i = 0; i < path->count; i++) {
        if (path->parameters & (1U << i))
            continue;
        if (path->len[i] != lens[i] || memcmp(path->text[i], segments[i], lens[i]) != 0)
            return false;
    }
    return true;
}

const struct route *
routes_find(enum route_method method, const char *const *segments, size_t count,
            unsigned *ret_allow)
{
    const struct route *found = NULL;
    unsigned allow = 0;
    unsigned parameters = UINT8_MAX + 1;
    size_t lens[ROUTE_SEGMENTS_MAX];

    *ret_allow = 0;
    if (count > ROUTE_SEGMENTS_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++)
        lens[i] = strlen(segments[i]);
    for (size_t i = 0; i < routes_count; i++) {
        const struct route_path *path = &route_paths[i];

        if (path->count != count || path->parameters > parameters ||
            !routes_match(path, segments, lens))
            continue;
        if (path->parameters < parameters) { /* a word goes before a parameter */
            parameters = path->parameters;
            allow = 0;
            found = NULL;
        }
        allow |= 1U << routes[i].method;
        if (routes[i].method == method)
            found = &routes[i];
    }
    *ret_allow = allow;
    return found;
}

enum route_method
routes_method(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(route_method_names); i++) {
        if (strcmp(route_method_names[i], name) == 0)
            return (enum route_method)i;
    }
    return ROUTE_OTHER;
}

const char *
routes_method_name(enum route_method method)
{
    return route_method_names[method];
}
