#include "batch.h"

#include <assert.h>
#include <string.h>

struct store_batch *
batch_new(void *store)
{
    struct store_batch *batch = mem_new0(sizeof(*batch));

    batch->store = store;
    return batch;
}

void
batch_free(void *store, struct store_batch *batch)
{
    (void)store;
    if (!batch)
        return;
    mem_free(batch->ops);
    mem_free(batch->cells);
    mem_free(batch->bytes);
    mem_free(batch);
}

bool
batch_clear(struct store_batch *batch)
{
    size_t bytes = batch->op_cap * sizeof(*batch->ops) + batch->cell_cap * sizeof(*batch->cells) +
                   batch->byte_cap;

    *batch = (struct store_batch){
        .ops = batch->ops,
        .op_cap = batch->op_cap,
        .cells = batch->cells,
        .cell_cap = batch->cell_cap,
        .bytes = batch->bytes,
        .byte_cap = batch->byte_cap,
        .store = batch->store,
    };
    return bytes > 0 && bytes <= BATCH_SPARE_BYTES;
}

void
batch_op(struct store_batch *batch, int statement)
{
    assert(statement >= 0 && statement < BATCH_STATEMENT_COUNT);
    if (batch->op_count == batch->op_cap) {
        batch->op_cap = batch->op_cap ? 2 * batch->op_cap : 8;
        batch->ops = mem_resize(batch->ops, batch->op_cap, sizeof(*batch->ops));
    }
    batch->ops[batch->op_count++] = (struct batch_op){ .statement = (uint16_t)statement };
}

static void
cells_grow(struct store_batch *batch)
{
    batch->cell_cap = batch->cell_cap ? 2 * batch->cell_cap : 64;
    batch->cells = mem_resize(batch->cells, batch->cell_cap, sizeof(*batch->cells));
}

static inline struct batch_cell *
cell_add(struct store_batch *batch, enum batch_cell_type type)
{
    struct batch_cell *cell;

    assert(batch->op_count > 0);
    if (batch->cell_count == batch->cell_cap)
        cells_grow(batch);
    cell = &batch->cells[batch->cell_count++];
    cell->type = (uint8_t)type;
    cell->len = 0;
    batch->ops[batch->op_count - 1].cells++;
    return cell;
}

void
batch_int(struct store_batch *batch, int64_t value)
{
    cell_add(batch, CELL_INT)->as.number = value;
}

void
batch_null(struct store_batch *batch)
{
    cell_add(batch, CELL_NULL)->as.number = 0;
}

void
batch_id(struct store_batch *batch, int64_t id)
{
    if (id) {
        batch_int(batch, id);
    } else {
        batch_null(batch);
    }
}

void
batch_static(struct store_batch *batch, const char *text)
{
    struct batch_cell *cell = cell_add(batch, CELL_STATIC);

    cell->as.text = text;
    cell->len = (uint32_t)strlen(text);
}

static char *
bytes_add(struct store_batch *batch, struct batch_cell *cell, size_t len)
{
    assert(len < UINT32_MAX);
    if (batch->byte_cap - batch->byte_count < len) {
        batch->byte_cap = 2 * batch->byte_cap + len + 256;
        batch->bytes = mem_resize(batch->bytes, batch->byte_cap, 1);
    }
    cell->as.offset = batch->byte_count;
    cell->len = (uint32_t)len;
    batch->byte_count += len;
    return batch->bytes + cell->as.offset;
}

void
batch_text(struct store_batch *batch, const char *text)
{
    size_t len;

    if (!text) {
        batch_null(batch);
        return;
    }
    len = strlen(text);
    memcpy(bytes_add(batch, cell_add(batch, CELL_TEXT), len + 1), text, len + 1);
    batch->cells[batch->cell_count - 1].len = (uint32_t)len;
}

void *
batch_blob(struct store_batch *batch, size_t len)
{
    /* One byte more, so that an empty one has an address too: SQLite takes NULL for NULL. */
    void *room = bytes_add(batch, cell_add(batch, CELL_BLOB), len + 1);

    batch->cells[batch->cell_count - 1].len = (uint32_t)len;
    return room;
}
