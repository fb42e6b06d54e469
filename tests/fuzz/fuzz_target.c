/* What stands in a request's target and conditions: escapes, queries, cursors, ETags, routes. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../src/api/listing.h"
#include "../../src/api/query.h"
#include "../../src/api/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[4096];
    struct problems problems = { 0 };
    struct query query;
    const char *segments[ROUTE_SEGMENTS_MAX] = { "v1", text, text, text, text };
    unsigned allow;
    int64_t id;

    if (size >= sizeof(text))
        return 0;
    routes_prepare();
    for (int round = 0; round < 3; round++) {
        memcpy(text, data, size);
        text[size] = '\0';
        if (round == 0)
            (void)query_decode(text, (UINT32_C(1) << QUERY_COUNT) - 1, 1000000, &query, &problems);
        if (round == 1)
            (void)query_unescape(text, true);
        for (size_t count = 0; round == 2 && count <= ROUTE_SEGMENTS_MAX; count++)
            (void)routes_find(ROUTE_GET, segments, count, &allow);
        if (listing_cursor_decode('i', text, &id)) {
            char again[CURSOR_SIZE];

            listing_cursor_encode('i', id, again);
            if (strcmp(again, text) != 0)
                __builtin_trap();
        }
        (void)reply_etag_matches(text, 7);
    }
    return 0;
}
