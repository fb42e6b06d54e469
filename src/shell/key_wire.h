#pragma once

/*
 * SSH's way to write things down (RFC 4251, 5): each text with its length in front, most significant
 * byte first.  And what the two files of keys share.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/buf.h"
#include "berth/shell/key.h"

#define KEY_TYPE "ssh-ed25519"

/* What is still to be read.  Reading beyond the end sets bad and gives nothing. */
struct key_wire {
    const uint8_t *at;
    size_t left;
    bool bad;
};

uint32_t key_wire_number(struct key_wire *wire);
/** key_wire_get() - the next text; borrowed from what @wire reads. */
struct key_wire key_wire_get(struct key_wire *wire);
/** key_wire_is() - @wire's rest is @text. */
bool key_wire_is(const struct key_wire *wire, const char *text);

void key_wire_put_number(struct buf *buf, uint32_t value);
void key_wire_put(struct buf *buf, const void *data, size_t len);

/** key_seed() - the private half, for key_private.c; the caller wipes it. */
void key_seed(const struct key *key, uint8_t ret_seed[KEY_SIZE]);
