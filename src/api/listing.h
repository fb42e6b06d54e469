#pragma once

/*
 * Lists of rows, in slices: a bounded number of rows is looked at and a bounded
 * number of bytes rendered in one turn of the loop, so that a long list does
 * not hold up anybody.  A short one is answered at once.  The place between two
 * slices, and between two pages, is the last id: rows may come and go.
 */

#include "berth/base/idmap.h"

#include "listing_cache.h"
#include "request.h"
#include "scope.h"

enum {
    LISTING_BLOCK = 65536,        /* bytes rendered in one turn, about */
    LISTING_ROW = 4096,           /* bytes of a row, at the most mostly */
    LISTING_ROWS = 256,           /* rows looked at in one turn */
    LISTING_BYTES_MAX = 96 << 20, /* of all lists that are being made or sent */
    CURSOR_SIZE = 13,
};

struct listing;

struct listing_kind {
    char letter; /* in cursors, so that one list's is refused by another */
    size_t map;  /* offset in struct model of the rows' idmap */
    bool (*wanted)(const struct listing *listing, const void *row);
    void (*render)(struct listing *listing, const void *row);
    /* Another number when the row would be rendered otherwise; NULL: blocks are not kept. */
    uint64_t (*stamp)(const struct listing *listing, const void *row);
};

/* What the rows are compared with; kinds use what applies. */
struct listing_filter {
    int64_t state;     /* -1: any; for other values see the kind */
    const char *owner; /* texts are of the request's query; NULL: any */
    const char *blueprint;
    const char *pool;
    const char *name;
    int64_t host_id; /* 0: any */
};

struct listing {
    struct list_node node; /* in server->builders */
    struct request *request;
    const struct listing_kind *kind;
    const struct model *model; /* renewed in each slice */
    int64_t now_ms;
    struct scope scope;
    struct listing_filter filter;
    uint64_t cache_turn; /* 0: its blocks are not kept */
    int64_t after;       /* the last id that was looked at */
    int64_t limit;
    int64_t count;
    struct buf block; /* what is rendered in this turn */
    int64_t block_after;
    int64_t block_rows;
    uint64_t block_stamp; /* of its rows */
    struct json_out out;
    struct listing_block *held[LISTING_BLOCKS_MAX]; /* [block_count] */
    struct MHD_IoVec blocks[LISTING_BLOCKS_MAX];
    unsigned block_count;
    size_t bytes;
};

/** listing_start() - answer @request with the rows of @kind. @filter is copied. @limit: the query's
 * parameter that says how many. */
void listing_start(struct request *request, const struct listing_kind *kind,
                   const struct listing_filter *filter, enum query_name limit);

/** listing_on_timer() - of server->builder_timer: one slice of the oldest. */
void listing_on_timer(struct clock_timer *timer);

/** listing_cursor_encode() / _decode() - @id as an opaque text; @letter names the list. */
void listing_cursor_encode(char letter, int64_t id, char ret_text[CURSOR_SIZE]);
bool listing_cursor_decode(char letter, const char *text, int64_t *ret_id);
