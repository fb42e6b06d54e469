#include "listing.h"

#include <assert.h>
#include <string.h>

static bool listing_slice(struct listing *listing);
static void listing_wait(struct listing *listing);
static void listing_answer(struct listing *listing);
static void listing_on_gone(struct request *request);

/* --- Cursors: 9 bytes in base64url -------------------------------------------------------------- */

enum { CURSOR_BYTES = 9 };

static const char listing_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
listing_cursor_encode(char letter, int64_t id, char ret_text[CURSOR_SIZE])
{
    uint8_t bytes[CURSOR_BYTES];

    bytes[0] = (uint8_t)letter;
    for (int i = 0; i < 8; i++)
        bytes[1 + i] = (uint8_t)((uint64_t)id >> (8 * (7 - i)));
    text_base64url(bytes, sizeof(bytes), ret_text);
}

bool
listing_cursor_decode(char letter, const char *text, int64_t *ret_id)
{
    uint64_t id = 0;
    uint32_t head = 0;

    if (strnlen(text, CURSOR_SIZE) != CURSOR_SIZE - 1)
        return false;
    for (int i = 0; i < CURSOR_SIZE - 1; i++) {
        const char *digit = strchr(listing_alphabet, text[i]);

        if (!digit)
            return false;
        head = head << 6 | (uint32_t)(id >> 58);
        id = id << 6 | (uint64_t)(digit - listing_alphabet);
    }
    if (head != (uint8_t)letter || id > INT64_MAX)
        return false;
    *ret_id = (int64_t)id;
    return true;
}

/* --- Building ----------------------------------------------------------------------------------- */

static void
listing_free(struct listing *listing)
{
    listing->request->server->listing_bytes -= listing->bytes;
    for (unsigned i = 0; i < listing->block_count; i++)
        listing_block_release(listing->held[i]);
    buf_fini(&listing->block);
    mem_free(listing);
}

/* Who sees all rows sees the same list; rows that were loaded again may repeat a revision. */
static void
listing_cache_begin(struct listing *listing)
{
    const struct request *request = listing->request;
    struct api_server *server = request->server;
    CLEANUP(mem_freep) char *key = NULL;

    if (!listing->kind->stamp || !listing->scope.all || listing->scope.pool_count > 0)
        return;
    key = mem_printf("%llu %s", (unsigned long long)engine_meter(server->engine)->commit_failures,
                     request->target.data);
    listing->cache_turn = listing_cache_open(&server->listing_cache, key, api_mono_ms(server));
}

void
listing_start(struct request *request, const struct listing_kind *kind,
              const struct listing_filter *filter, enum query_name limit)
{
    struct listing *listing;
    int64_t after = 0;

    if (query_has(&request->query, QUERY_CURSOR) &&
        !listing_cursor_decode(kind->letter, request->query.text[QUERY_CURSOR], &after)) {
        request_refuse_field(request, "?cursor", "format", "is not a cursor of this list");
        return;
    }
    if (request->server->listing_bytes > LISTING_BYTES_MAX) {
        request_refuse(request, FAULT_RATE_LIMITED, "too many long lists are being sent");
        return;
    }
    listing = mem_new0(sizeof(*listing));
    listing->request = request;
    listing->kind = kind;
    listing->after = listing->block_after = after;
    listing->limit = request->query.number[limit];
    listing->filter = *filter;
    scope_of(request, &listing->scope);
    listing_cache_begin(listing);
    json_out_init(&listing->out, &listing->block);
    json_out_object(&listing->out);
    json_out_key(&listing->out, "items");
    json_out_array(&listing->out);
    if (listing_slice(listing)) {
        listing_answer(listing);
    } else {
        listing_wait(listing);
    }
}

static void
listing_finish(struct listing *listing, bool more)
{
    char cursor[CURSOR_SIZE];

    json_out_array_end(&listing->out);
    listing_cursor_encode(listing->kind->letter, listing->after, cursor);
    json_out_kv_string(&listing->out, "next", more ? cursor : NULL);
    json_out_object_end(&listing->out);
}

static const struct idmap *
listing_map(const struct listing *listing)
{
    return (const struct idmap *)(const void *)((const char *)listing->model + listing->kind->map);
}

static uint64_t
listing_stamp_add(const struct listing *listing, uint64_t stamp, const void *row)
{
    return (stamp ^ listing->kind->stamp(listing, row)) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Of the rows after @after, up to @last. */
static uint64_t
listing_stamp(const struct listing *listing, int64_t after, int64_t last)
{
    const struct idmap *map = listing_map(listing);
    uint64_t stamp = 0;
    const void *row;

    for (size_t at = idmap_place(map, after); (row = idmap_step(map, &at));) {
        if (map->at[at - 1].id > last)
            break;
        if (listing->kind->wanted(listing, row))
            stamp = listing_stamp_add(listing, stamp, row);
    }
    return stamp;
}

static void
listing_block_add(struct listing *listing, struct listing_block *block)
{
    struct MHD_IoVec *vec = &listing->blocks[listing->block_count];

    assert(listing->block_count < LISTING_BLOCKS_MAX);
    listing->held[listing->block_count++] = block;
    listing->bytes += block->len;
    listing->request->server->listing_bytes += block->len;
    vec->iov_base = block->data;
    vec->iov_len = block->len;
}

/* The next block as it was sent before, if none of its rows has changed.
 * @ret_until: where it ends, so that what is rendered instead leaves those behind it in place. */
static bool
listing_block_again(struct listing *listing, int64_t *ret_until)
{
    struct listing_cache *cache = &listing->request->server->listing_cache;
    struct listing_block *block =
        listing_cache_find(cache, listing->cache_turn, listing->block_count, listing->after);

    *ret_until = block ? block->last : INT64_MAX;
    if (!block || listing->count + block->rows >= listing->limit ||
        listing_stamp(listing, block->after, block->last) != block->stamp)
        return false;
    buf_clear(&listing->block); /* the list's beginning, if this is the first */
    listing_block_add(listing, listing_block_hold(block));
    listing->out.comma = true;
    listing->after = listing->block_after = block->last;
    listing->count += block->rows;
    return true;
}

/* Rows up to @until, as many as one turn allows. Return: whether the list is complete. */
static bool
listing_render(struct listing *listing, int64_t until)
{
    const struct idmap *map = listing_map(listing);
    size_t at = idmap_place(map, listing->after);
    int rows = 0;

    if (listing->block_count > 0) /* it is a long one */
        (void)buf_reserve(&listing->block, LISTING_BLOCK + LISTING_ROW);
    while (rows++ < LISTING_ROWS && listing->block.len < LISTING_BLOCK && listing->after < until) {
        const void *row = idmap_step(map, &at);

        if (!row) {
            listing_finish(listing, false);
            return true;
        }
        listing->after = map->at[at - 1].id;
        if (!listing->kind->wanted(listing, row))
            continue;
        listing->kind->render(listing, row);
        if (listing->cache_turn != 0)
            listing->block_stamp = listing_stamp_add(listing, listing->block_stamp, row);
        listing->block_rows++;
        if (++listing->count == listing->limit) {
            int64_t next;

            listing_finish(listing, idmap_after(map, listing->after, &next) != NULL);
            return true;
        }
    }
    return false;
}

/* Very long rows: the rest is another page. */
static bool
listing_is_full(const struct listing *listing)
{
    return listing->block_count + 1 >= LISTING_BLOCKS_MAX;
}

/* One turn's part. Return: whether the list is complete. */
static bool
listing_slice(struct listing *listing)
{
    struct api_server *server = listing->request->server;
    int64_t most = listing->count + LISTING_ROWS;
    int64_t until = INT64_MAX;

    listing->model = api_model(server);
    listing->now_ms = engine_now_ms(server->engine);
    while (listing->cache_turn != 0 && listing->count < most && !listing_is_full(listing)) {
        if (!listing_block_again(listing, &until))
            break;
    }
    if (listing->count < most && listing_render(listing, until))
        return true;
    if (!listing_is_full(listing))
        return false;
    listing_finish(listing, true);
    return true;
}

static void
listing_block_end(struct listing *listing, bool last)
{
    struct listing_cache *cache = &listing->request->server->listing_cache;
    struct listing_block *block;
    size_t len = listing->block.len;

    if (len == 0)
        return;
    block = listing_block_new(buf_take(&listing->block), len);
    block->after = listing->block_after;
    block->last = listing->after;
    block->rows = listing->block_rows;
    if (listing->cache_turn != 0 && !last) {
        block->stamp = listing->block_stamp;
        listing_cache_put(cache, listing->cache_turn, listing->block_count, block);
    }
    listing_block_add(listing, block);
    listing->block_after = listing->after;
    listing->block_rows = 0;
    listing->block_stamp = 0;
}

static void
listing_wait(struct listing *listing)
{
    struct api_server *server = listing->request->server;

    listing_block_end(listing, false);
    listing->request->work = listing;
    listing->request->gone = listing_on_gone;
    if (!listing->request->suspended)
        request_suspend(listing->request);
    list_push(&server->builders, &listing->node);
    server->clock->timer_set(server->clock->self, &server->builder_timer, api_mono_ms(server));
}

static void
listing_on_sent(void *cookie)
{
    struct listing *listing = cookie;

    listing_free(listing);
}

static void
listing_answer(struct listing *listing)
{
    struct request *request = listing->request;

    if (listing->block_count == 0) {
        buf_fini(&request->reply.body);
        request->reply.status = MHD_HTTP_OK;
        request->reply.body = listing->block;
        listing->block = (struct buf){ 0 };
        listing_free(listing);
        return;
    }
    listing_block_end(listing, true);
    request->reply.response = MHD_create_response_from_iovec(listing->blocks, listing->block_count,
                                                             listing_on_sent, listing);
    if (request->reply.response) {
        request->reply.status = MHD_HTTP_OK;
        return;
    }
    listing_free(listing);
    request_refuse(request, FAULT_BUG, "cannot send this list");
}

void
listing_on_timer(struct clock_timer *timer)
{
    struct api_server *server = CONTAINER_OF(timer, struct api_server, builder_timer);
    struct list_node *node = list_first(&server->builders);
    struct listing *listing;

    if (!node)
        return;
    listing = CONTAINER_OF(node, struct listing, node);
    if (listing_slice(listing)) {
        struct request *request = listing->request;

        list_remove(&server->builders, node);
        listing_answer(listing);
        request_finish(request);
    } else {
        listing_block_end(listing, false);
    }
    if (list_first(&server->builders))
        server->clock->timer_set(server->clock->self, &server->builder_timer, api_mono_ms(server));
}

/* Nobody waits for it any more. */
static void
listing_on_gone(struct request *request)
{
    struct listing *listing = request->work;

    list_remove(&request->server->builders, &listing->node);
    listing_free(listing);
    request_refuse(request, FAULT_CANCELLED, "the client has gone");
    request_finish(request);
}
