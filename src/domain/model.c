#include "berth/domain/model.h"

#include <assert.h>

#include "berth/base/id.h"
#include "berth/base/mem.h"

#include "model_names.h"

struct model *
model_new(void)
{
    struct model *model = mem_new0(sizeof(*model));

    model->strings = intern_new();
    model->placement = placement_new();
    model->queue = queue_new();
    model->names = mem_new0(sizeof(*model->names));
    return model;
}

/* Rows point at each other, but freeing one does not touch another. */
static void
model_fleet_free(struct model *model)
{
    IDMAP_EACH(&model->instances, struct instance, instance)
    instance_free(instance);
    IDMAP_EACH(&model->hosts, struct host, host)
    host_free(host);
    IDMAP_EACH(&model->pools, struct pool, pool)
    pool_free(pool);
    idmap_fini(&model->instances);
    idmap_fini(&model->hosts);
    idmap_fini(&model->pools);
}

static void
model_catalog_free(struct model *model)
{
    IDMAP_EACH(&model->blueprints, struct blueprint, blueprint)
    blueprint_free(blueprint);
    IDMAP_EACH(&model->images, struct image, image)
    image_free(image);
    IDMAP_EACH(&model->tokens, struct token, token)
    token_free(token);
    IDMAP_EACH(&model->operations, struct operation, operation)
    operation_free(operation);
    idmap_fini(&model->blueprints);
    idmap_fini(&model->images);
    idmap_fini(&model->tokens);
    idmap_fini(&model->operations);
}

void
model_free(struct model *model)
{
    if (!model)
        return;
    model_dirty_clear(model);
    mem_free(model->dirty);
    mem_free(model->events);
    arena_fini(&model->event_texts);
    queue_free(model->queue);
    placement_free(model->placement);
    model_fleet_free(model);
    model_catalog_free(model);
    model_names_free(model->names);
    intern_free(model->strings);
    mem_free(model);
}

void
model_row_added(struct model *model, int64_t id)
{
    assert(id > 0);
    if (id > model->last_id)
        model->last_id = id;
}

int64_t
model_id_next(struct model *model, int64_t now_ms, uint32_t random)
{
    model->last_id = id_make(model->last_id, now_ms, random);
    return model->last_id;
}

/* --- Pools ------------------------------------------------------------------------------------ */

void
model_pool_add(struct model *model, struct pool *pool, bool loaded)
{
    model_row_added(model, pool->id);
    idmap_insert(&model->pools, pool->id, pool);
    model_names_pool_add(model, pool);
    if (!loaded)
        model_dirty_put(model, ROW_POOL, pool->id, pool, &pool->dirty);
}

void
model_pool_drop(struct model *model, struct pool *pool)
{
    assert(pool->hosts == 0 && queue_length(model->queue, pool) == 0);
    idmap_remove(&model->pools, pool->id);
    model_names_pool_drop(model, pool);
    placement_pool_forget(model->placement, pool);
    model_dirty_drop(model, ROW_POOL, pool->id, pool->dirty);
    pool_free(pool);
}

void
model_pool_save(struct model *model, struct pool *pool)
{
    model_dirty_put(model, ROW_POOL, pool->id, pool, &pool->dirty);
}

void
model_pool_touch(struct model *model, struct pool *pool)
{
    pool->rev++;
    model_dirty_put(model, ROW_POOL, pool->id, pool, &pool->dirty);
    IDMAP_EACH(&model->hosts, struct host, host)
    {
        if (host->pool != pool || host->state == HOST_REMOVED)
            continue;
        host_capacity_update(host);
        placement_host_update(model->placement, host, model->names->now_ms);
    }
}

/* --- Rows that stand alone -------------------------------------------------------------------- */

void
model_token_add(struct model *model, struct token *token, bool loaded)
{
    model_row_added(model, token->id);
    idmap_insert(&model->tokens, token->id, token);
    model_names_token_add(model, token);
    if (!loaded)
        model_dirty_put(model, ROW_TOKEN, token->id, token, &token->dirty);
}

void
model_token_drop(struct model *model, struct token *token)
{
    idmap_remove(&model->tokens, token->id);
    model_names_token_drop(model, token);
    model_dirty_drop(model, ROW_TOKEN, token->id, token->dirty);
    token_free(token);
}

void
model_operation_add(struct model *model, struct operation *operation, bool loaded)
{
    model_row_added(model, operation->id);
    idmap_insert(&model->operations, operation->id, operation);
    if (!loaded)
        model_operation_touch(model, operation);
}

void
model_operation_drop(struct model *model, struct operation *operation)
{
    idmap_remove(&model->operations, operation->id);
    model_dirty_drop(model, ROW_OPERATION, operation->id, operation->dirty);
    operation_free(operation);
}

void
model_image_touch(struct model *model, struct image *image)
{
    model_dirty_put(model, ROW_IMAGE, image->id, image, &image->dirty);
}

void
model_operation_touch(struct model *model, struct operation *operation)
{
    model_dirty_put(model, ROW_OPERATION, operation->id, operation, &operation->dirty);
}

void
model_image_add(struct model *model, struct image *image, bool loaded)
{
    model_row_added(model, image->id);
    idmap_insert(&model->images, image->id, image);
    if (!loaded)
        model_dirty_put(model, ROW_IMAGE, image->id, image, &image->dirty);
}

void
model_image_drop(struct model *model, struct image *image)
{
    idmap_remove(&model->images, image->id);
    model_dirty_drop(model, ROW_IMAGE, image->id, image->dirty);
    image_free(image);
}
