#include "berth/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/secret.h"

enum { BUF_FIRST_SIZE = 64 };

void
buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){ .limit = limit };
}

void
buf_init_secret(struct buf *buf, size_t limit)
{
    *buf = (struct buf){ .limit = limit, .wipes = true };
}

static void
buf_reset(struct buf *buf)
{
    *buf = (struct buf){ .limit = buf->limit, .wipes = buf->wipes };
}

void
buf_fini(struct buf *buf)
{
    if (buf->wipes)
        secret_wipe(buf->data, buf->cap);
    mem_free(buf->data);
    buf_reset(buf);
}

void
buf_clear(struct buf *buf)
{
    if (buf->wipes)
        secret_wipe(buf->data, buf->len);
    buf->len = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

/* How many bytes @buf may still take. */
static size_t
buf_left(const struct buf *buf)
{
    assert(buf->limit == 0 || buf->len <= buf->limit);
    return (buf->limit ? buf->limit : SIZE_MAX / 2) - buf->len;
}

/* What realloc() does, but for the copy that it may leave behind. */
static void
buf_move(struct buf *buf, size_t cap)
{
    char *data = mem_resize(NULL, cap, 1);

    memcpy(data, buf->data, buf->len);
    secret_wipe(buf->data, buf->cap);
    mem_free(buf->data);
    buf->data = data;
}

/* Grow to @cap bytes or more, doubling; never beyond the limit and its NUL. */
static void
buf_grow(struct buf *buf, size_t cap)
{
    size_t most = buf->len + buf_left(buf) + 1;

    assert(cap <= most);
    if (cap < 2 * buf->cap)
        cap = 2 * buf->cap;
    if (cap < BUF_FIRST_SIZE)
        cap = BUF_FIRST_SIZE;
    if (cap > most)
        cap = most;
    if (buf->wipes && buf->data) {
        buf_move(buf, cap);
    } else {
        buf->data = mem_resize(buf->data, cap, 1);
    }
    buf->cap = cap;
}

char *
buf_reserve(struct buf *buf, size_t more)
{
    if (more > buf_left(buf)) {
        buf->overflow = true;
        return NULL;
    }
    if (buf->len + more >= buf->cap)
        buf_grow(buf, buf->len + more + 1);
    return buf->data + buf->len;
}

void
buf_append(struct buf *buf, const void *data, size_t len)
{
    size_t left = buf_left(buf);
    char *at;

    if (len > left) {
        buf->overflow = true;
        len = left;
    }
    at = buf_reserve(buf, len);
    assert(at);
    if (len > 0)
        memcpy(at, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void
buf_append_string(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void
buf_append_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
    char small[256];
    char *text = NULL;
    va_list args;
    va_list again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(small, sizeof(small), format, args);
    assert(len >= 0);
    if ((size_t)len < sizeof(small)) {
        buf_append(buf, small, (size_t)len);
    } else {
        text = mem_new0((size_t)len + 1);
        (void)vsnprintf(text, (size_t)len + 1, format, again);
        buf_append(buf, text, (size_t)len);
        if (buf->wipes)
            secret_wipe(text, (size_t)len);
        mem_free(text);
    }
    if (buf->wipes)
        secret_wipe(small, sizeof(small));
    va_end(again);
    va_end(args);
}

void
buf_consume(struct buf *buf, size_t len)
{
    assert(len <= buf->len);
    if (len == 0)
        return;
    buf->len -= len;
    memmove(buf->data, buf->data + len, buf->len);
    if (buf->wipes)
        secret_wipe(buf->data + buf->len, len);
    buf->data[buf->len] = '\0';
}

const char *
buf_text(const struct buf *buf)
{
    if (buf->len == 0)
        return "";
    /* A caller of buf_reserve() may have left the NUL to us; its place is kept free. */
    buf->data[buf->len] = '\0';
    return buf->data;
}

char *
buf_take(struct buf *buf)
{
    char *text;

    if (buf->data)
        buf->data[buf->len] = '\0';
    text = STEAL(buf->data);
    buf_reset(buf);
    return text ? text : mem_strdup("");
}
