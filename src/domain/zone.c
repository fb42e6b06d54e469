#include "berth/domain/zone.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "berth/base/text.h"

#include "zone_rule.h"

enum {
    ZONE_HEADER_LEN = 44,
    ZONE_COUNTS_AT = 20,
    ZONE_TYPE_LEN = 6,
    ZONE_TIMES_MAX = 5000,
    ZONE_TYPES_MAX = 256,
    ZONE_COUNT_MAX = 1 << 16,
    ZONE_FOOTER_MAX = 128,
    ZONE_OFFSET_MIN = -89999, /* RFC 9636, 3.2 */
    ZONE_OFFSET_MAX = 93599,
};

struct zone {
    int64_t *times; /* owned, [count], ascending: from then on ... */
    uint8_t *types; /* owned, [count]: ... this type holds */
    size_t count;
    int32_t offsets[ZONE_TYPES_MAX];
    bool ruled; /* after the last of times @rule holds */
    struct zone_rule rule;
};

/* The counts of a header, in the file's order. */
struct zone_counts {
    size_t isut;
    size_t isstd;
    size_t leap;
    size_t time;
    size_t type;
    size_t chars;
};

/* What is left of the file. */
struct zone_bytes {
    const uint8_t *at;
    size_t len;
};

static uint64_t
zone_number(const uint8_t *at, size_t len)
{
    uint64_t number = 0;

    for (size_t i = 0; i < len; i++)
        number = number << 8 | at[i];
    return number;
}

static bool
zone_skip(struct zone_bytes *bytes, size_t len)
{
    if (bytes->len < len)
        return false;
    bytes->at += len;
    bytes->len -= len;
    return true;
}

static bool
zone_read_header(struct zone_bytes *bytes, struct zone_counts *ret_counts)
{
    const uint8_t *at = bytes->at;
    size_t *const counts[] = { &ret_counts->isut, &ret_counts->isstd, &ret_counts->leap,
                               &ret_counts->time, &ret_counts->type,  &ret_counts->chars };

    if (!zone_skip(bytes, ZONE_HEADER_LEN) || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        *counts[i] = zone_number(at + ZONE_COUNTS_AT + i * 4, 4);
        if (*counts[i] > ZONE_COUNT_MAX)
            return false;
    }
    return true;
}

/* Of a block whose times have @width bytes. */
static size_t
zone_block_len(const struct zone_counts *counts, size_t width)
{
    return counts->time * (width + 1) + counts->type * ZONE_TYPE_LEN + counts->chars +
           counts->leap * (width + 4) + counts->isstd + counts->isut;
}

static bool
zone_read_types(struct zone *zone, const uint8_t *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t offset_s = (int32_t)(uint32_t)zone_number(at + i * ZONE_TYPE_LEN, 4);

        if (offset_s < ZONE_OFFSET_MIN || offset_s > ZONE_OFFSET_MAX)
            return false;
        zone->offsets[i] = offset_s;
    }
    return true;
}

static bool
zone_read_times(struct zone *zone, const uint8_t *at, const struct zone_counts *counts)
{
    const uint8_t *types = at + counts->time * 8;

    zone->count = counts->time;
    if (counts->time == 0)
        return true;
    zone->times = mem_new0(counts->time * sizeof(*zone->times));
    zone->types = mem_dup(types, counts->time);
    for (size_t i = 0; i < counts->time; i++) {
        zone->times[i] = (int64_t)zone_number(at + i * 8, 8);
        if (types[i] >= counts->type || (i > 0 && zone->times[i] <= zone->times[i - 1]))
            return false;
    }
    return true;
}

/* "\nEET-2EEST,M3.5.0/3,M10.5.0/4\n"; nothing between: no rule. */
static bool
zone_read_footer(struct zone *zone, const struct zone_bytes *bytes)
{
    char text[ZONE_FOOTER_MAX];
    const uint8_t *end;
    size_t len;

    if (bytes->len < 2 || bytes->at[0] != '\n')
        return false;
    end = memchr(bytes->at + 1, '\n', bytes->len - 1);
    if (!end)
        return false;
    len = (size_t)(end - bytes->at) - 1;
    if (len >= sizeof(text))
        return false;
    memcpy(text, bytes->at + 1, len);
    text[len] = '\0';
    zone->ruled = len > 0;
    return len == 0 || zone_rule_parse(text, &zone->rule);
}

/* The first block is for readers of version 1. */
static bool
zone_read(struct zone *zone, struct zone_bytes bytes)
{
    struct zone_counts counts;
    const uint8_t *block;

    if (!zone_read_header(&bytes, &counts) || !zone_skip(&bytes, zone_block_len(&counts, 4)) ||
        !zone_read_header(&bytes, &counts))
        return false;
    block = bytes.at;
    if (counts.time > ZONE_TIMES_MAX || counts.type == 0 || counts.type > ZONE_TYPES_MAX ||
        counts.leap > 0 || !zone_skip(&bytes, zone_block_len(&counts, 8)))
        return false;
    return zone_read_times(zone, block, &counts) &&
           zone_read_types(zone, block + counts.time * 9, counts.type) &&
           zone_read_footer(zone, &bytes);
}

int
zone_parse(const uint8_t *data, size_t len, struct zone **ret_zone, struct fault *fault)
{
    struct zone *zone = mem_new0(sizeof(*zone));

    if (!zone_read(zone, (struct zone_bytes){ .at = data, .len = len })) {
        zone_free(zone);
        return fault_set(fault, FAULT_INVALID, "zone",
                         "it is not a TZif file of version 2 or newer without leap seconds");
    }
    *ret_zone = zone;
    return 0;
}

void
zone_free(struct zone *zone)
{
    if (!zone)
        return;
    mem_free(zone->times);
    mem_free(zone->types);
    mem_free(zone);
}

/* How many of the times are at or before @at_s. */
static size_t
zone_begun(const struct zone *zone, int64_t at_s)
{
    size_t low = 0;
    size_t high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->times[middle] <= at_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct zone_span
zone_span_at(const struct zone *zone, int64_t at_s)
{
    struct zone_span span = { .from_s = INT64_MIN, .until_s = INT64_MAX };
    size_t begun;

    if (!zone)
        return span;
    begun = zone_begun(zone, at_s);
    if (begun == zone->count && zone->ruled) {
        span = zone_rule_span_at(&zone->rule, at_s);
    } else {
        span.offset_s = zone->offsets[begun > 0 ? zone->types[begun - 1] : 0];
    }
    if (begun > 0 && span.from_s < zone->times[begun - 1])
        span.from_s = zone->times[begun - 1];
    if (begun < zone->count)
        span.until_s = zone->times[begun];
    return span;
}

const char *
zone_name_check(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_+-/.";
    size_t len = strlen(text);

    if (len == 0 || text[strspn(text, letters)] != '\0' || text[0] == '/' || text[len - 1] == '/' ||
        text[0] == '.' || strstr(text, "/.") || strstr(text, "//"))
        return "must be the name of a time zone, as \"Europe/Helsinki\"";
    return NULL;
}
