/* Only downloads count: they are what takes time and what has a size from the start. */

#include "docker_layers.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/json.h"
#include "berth/base/mem.h"

void
docker_layers_fini(struct docker_layers *layers)
{
    mem_free(layers->at);
    *layers = (struct docker_layers){ 0 };
}

static struct docker_layer *
docker_layers_find(struct docker_layers *layers, const char *id)
{
    struct docker_layer *layer;

    for (size_t i = 0; i < layers->count; i++) {
        if (strncmp(layers->at[i].id, id, DOCKER_LAYER_ID_SIZE - 1) == 0)
            return &layers->at[i];
    }
    if (layers->count == DOCKER_LAYERS_MAX)
        return NULL;
    layers->at = mem_resize(layers->at, layers->count + 1, sizeof(*layers->at));
    layer = &layers->at[layers->count++];
    *layer = (struct docker_layer){ 0 };
    (void)snprintf(layer->id, sizeof(layer->id), "%s", id);
    return layer;
}

static void
docker_layers_set(struct docker_layer *layer, const json_t *line)
{
    const char *status = json_in_string(line, "status", "");
    const json_t *detail = json_object_get(line, "progressDetail");

    if (strcmp(status, "Downloading") == 0) {
        layer->done = json_in_int(detail, "current", layer->done);
        layer->total = json_in_int(detail, "total", layer->total);
    } else if (strcmp(status, "Download complete") == 0 || strcmp(status, "Pull complete") == 0) {
        layer->done = layer->total;
    }
}

void
docker_layers_update(struct docker_layers *layers, const json_t *line, int64_t *ret_done,
                     int64_t *ret_total)
{
    const char *id = json_in_string(line, "id", NULL);
    struct docker_layer *layer = NULL;

    /* The first line's id is the tag; it has no detail. */
    if (id && json_object_get(line, "progressDetail"))
        layer = docker_layers_find(layers, id);
    if (layer)
        docker_layers_set(layer, line);
    *ret_done = *ret_total = 0;
    for (size_t i = 0; i < layers->count; i++) {
        *ret_done += layers->at[i].done;
        *ret_total += layers->at[i].total;
    }
}
