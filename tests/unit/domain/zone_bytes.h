#pragma once

/* TZif files made in the test: transitions, types and a footer. */

#include <stdint.h>
#include <string.h>

#include "berth/base/buf.h"
#include "berth/domain/zone.h"

struct zone_change {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};

static inline void
zone_bytes_number(struct buf *buf, uint64_t number, int len)
{
    for (int i = len - 1; i >= 0; i--)
        buf_append_char(buf, (char)(number >> (8 * i) & 0xff));
}

static inline void
zone_bytes_header(struct buf *buf, uint64_t times, uint64_t types)
{
    const uint64_t counts[] = { 0, 0, 0, times, types, 4 };

    buf_append(buf, "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        zone_bytes_number(buf, counts[i], 4);
}

/* @before_s: the offset before the first of @changes [count]; each change has a type of its own. */
static inline void
zone_bytes(struct buf *buf, int32_t before_s, const struct zone_change *changes, size_t count,
           const char *footer)
{
    buf_init(buf, 0);
    zone_bytes_header(buf, 0, 1);
    buf_append(buf, "\0\0\0\0\0\0UTC\0", 10);
    zone_bytes_header(buf, count, count + 1);
    for (size_t i = 0; i < count; i++)
        zone_bytes_number(buf, (uint64_t)changes[i].at_s, 8);
    for (size_t i = 0; i < count; i++)
        buf_append_char(buf, (char)(i + 1));
    for (size_t i = 0; i <= count; i++) {
        zone_bytes_number(buf, (uint32_t)(i == 0 ? before_s : changes[i - 1].offset_s), 4);
        buf_append(buf, "\0\0", 2);
    }
    buf_append(buf, "ZZZ\0", 4);
    buf_append_char(buf, '\n');
    buf_append_string(buf, footer);
    buf_append_char(buf, '\n');
}

/* A zone with no table, only the rule of @footer. */
static inline struct zone *
zone_of_rule(const char *footer)
{
    struct zone *zone = NULL;
    struct fault fault;
    struct buf buf;

    zone_bytes(&buf, 0, NULL, 0, footer);
    if (zone_parse((const uint8_t *)buf.data, buf.len, &zone, &fault) < 0)
        fail_msg("%s: %s", footer, fault.text);
    buf_fini(&buf);
    return zone;
}
