/* Blueprints in the model: versions come, and go when nothing runs from them. */

#include <assert.h>
#include <string.h>

#include "model_names.h"

void
model_blueprint_release(struct model *model, struct blueprint *blueprint)
{
    bool wanted = blueprint->latest && !blueprint->deleted;

    if (!wanted && blueprint->instances == 0)
        model_blueprint_drop(model, blueprint);
}

void
model_blueprint_add(struct model *model, struct blueprint *blueprint, bool loaded)
{
    struct blueprint *before =
        blueprint->latest ? model_names_latest_find(model, blueprint->spec.name) : NULL;

    model_row_added(model, blueprint->id);
    if (before) {
        model_names_latest_drop(model, before);
        before->latest = false;
        if (!loaded)
            model_blueprint_touch(model, before);
    }
    idmap_insert(&model->blueprints, blueprint->id, blueprint);
    model_names_blueprint_add(model, blueprint);
    if (loaded)
        return;
    model_blueprint_touch(model, blueprint);
    if (before)
        model_blueprint_release(model, before);
}

void
model_blueprint_drop(struct model *model, struct blueprint *blueprint)
{
    assert(blueprint->instances == 0);
    idmap_remove(&model->blueprints, blueprint->id);
    model_names_blueprint_drop(model, blueprint);
    model_dirty_drop(model, ROW_BLUEPRINT, blueprint->id, blueprint->dirty);
    blueprint_free(blueprint);
}

void
model_blueprint_touch(struct model *model, struct blueprint *blueprint)
{
    model_dirty_put(model, ROW_BLUEPRINT, blueprint->id, blueprint, &blueprint->dirty);
}

int64_t
model_blueprint_version_next(const struct model *model, const char *name)
{
    int64_t highest = 0;

    IDMAP_EACH(&model->blueprints, struct blueprint, blueprint)
    {
        if (blueprint->version > highest && strcmp(blueprint->spec.name, name) == 0)
            highest = blueprint->version;
    }
    return highest + 1;
}
