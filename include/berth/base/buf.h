#pragma once

/*
 * A byte buffer that grows up to a limit.  Writers do not check each append:
 * what goes beyond the limit is dropped and remembered in @overflow.
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/mem.h"

struct buf {
    char *data; /* owned; always NUL-terminated once something was appended */
    size_t len;
    size_t cap;
    size_t limit;  /* most bytes it may hold; 0: no limit (only for sizes bounded elsewhere) */
    bool overflow; /* something was dropped */
    bool wipes;    /* bytes are overwritten before their memory is let go of, also as it grows */
};

/** buf_init() - an empty buffer of at most @limit bytes; nothing is allocated yet. */
void buf_init(struct buf *buf, size_t limit);
/** buf_init_secret() - the same for what may hold secrets: no copy of them is left behind. */
void buf_init_secret(struct buf *buf, size_t limit);
/** buf_fini() - free the bytes; @buf may be used again as after its init, with the same limit. */
void buf_fini(struct buf *buf);
/** buf_clear() - forget the bytes, keep the memory. */
void buf_clear(struct buf *buf);

/** buf_reserve() - room for @more bytes at data + len, or NULL beyond the limit (overflow is set).
 * The caller writes there and adds to len, which keeps the terminating NUL's place free. */
char *buf_reserve(struct buf *buf, size_t more);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_string(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/** buf_consume() - drop the first @len bytes, @len <= buf->len. */
void buf_consume(struct buf *buf, size_t len);

/** buf_text() - the bytes as a C string, "" when empty; borrowed until the next change. */
const char *buf_text(const struct buf *buf);

/** buf_take() - the bytes as an owned C string (never NULL); @buf is empty afterwards.  Whoever takes
 * secrets wipes them. */
char *buf_take(struct buf *buf) MUST_USE;
