#include "key_wire.h"

#include <assert.h>
#include <string.h>

enum { WIRE_NUMBER_SIZE = 4 };

uint32_t
key_wire_number(struct key_wire *wire)
{
    uint32_t value = 0;

    if (wire->bad || wire->left < WIRE_NUMBER_SIZE) {
        wire->bad = true;
        return 0;
    }
    for (size_t i = 0; i < WIRE_NUMBER_SIZE; i++)
        value = value << 8 | wire->at[i];
    wire->at += WIRE_NUMBER_SIZE;
    wire->left -= WIRE_NUMBER_SIZE;
    return value;
}

struct key_wire
key_wire_get(struct key_wire *wire)
{
    size_t len = key_wire_number(wire);
    struct key_wire text = { .at = wire->at, .left = len };

    if (wire->bad || len > wire->left) {
        wire->bad = true;
        return (struct key_wire){ .bad = true };
    }
    wire->at += len;
    wire->left -= len;
    return text;
}

bool
key_wire_is(const struct key_wire *wire, const char *text)
{
    size_t len = strlen(text);

    return !wire->bad && wire->left == len && memcmp(wire->at, text, len) == 0;
}

void
key_wire_put_number(struct buf *buf, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_append_char(buf, (char)(value >> shift & 0xff));
}

void
key_wire_put(struct buf *buf, const void *data, size_t len)
{
    assert(len <= UINT32_MAX);
    key_wire_put_number(buf, (uint32_t)len);
    buf_append(buf, data, len);
}
