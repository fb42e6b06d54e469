#include "berth/domain/setback.h"

#include <stddef.h>

#include "berth/base/mem.h"

enum { SETBACK_FREE = 1 /* one may fail by chance: its replacement waits for nothing */ };

/* clang-format off */
static const struct schema_field setback_fields[] = {
    { .name = "hosts", .type = SCHEMA_INT, .offset = offsetof(struct setback, hosts),
      .doc = "Hosts that were given up since one succeeded." },
    { .name = "steps", .type = SCHEMA_INT, .offset = offsetof(struct setback, steps),
      .doc = "How often the wait before the next launch was prolonged." },
    { .name = "last_at_ms", .type = SCHEMA_INT, .offset = offsetof(struct setback, last_at_ms),
      .doc = "When the last of them was given up, Unix milliseconds." },
    { .name = "why", .type = SCHEMA_STRING, .offset = offsetof(struct setback, why), .max = 4096,
      .doc = "Why the last of them was given up." },
};
/* clang-format on */

const struct schema setback_schema = {
    .name = "Setback",
    .doc = "Machines that never became hosts.",
    .size = sizeof(struct setback),
    .fields = setback_fields,
    .field_count = ARRAY_LEN(setback_fields),
};

void
setback_add(struct setback *setback, int64_t wanted_at_ms, const char *why, int64_t now_ms)
{
    char *copy = mem_strdup(why);

    if (setback->steps <= SETBACK_FREE || wanted_at_ms >= setback->last_at_ms)
        setback->steps++;
    setback->hosts++;
    setback->last_at_ms = now_ms;
    mem_free(setback->why);
    setback->why = copy;
}

void
setback_clear(struct setback *setback)
{
    mem_free(setback->why);
    *setback = (struct setback){ 0 };
}

int64_t
setback_wait_ms(const struct setback *setback)
{
    int64_t wait_ms = SETBACK_WAIT_MIN_MS;

    if (setback->steps <= SETBACK_FREE)
        return 0;
    for (int64_t i = SETBACK_FREE + 1; i < setback->steps && wait_ms < SETBACK_WAIT_MAX_MS; i++)
        wait_ms *= 2;
    return wait_ms < SETBACK_WAIT_MAX_MS ? wait_ms : SETBACK_WAIT_MAX_MS;
}

int64_t
setback_until_ms(const struct setback *setback, int64_t now_ms)
{
    int64_t wait_ms = setback_wait_ms(setback);
    int64_t from_ms = setback->last_at_ms < now_ms ? setback->last_at_ms : now_ms;

    return wait_ms > 0 && now_ms - from_ms < wait_ms ? from_ms + wait_ms : 0;
}
