#pragma once

/*
 * Progress of a pull: engines tell it layer by layer, in any order; people want
 * one number.
 */

#include <stdint.h>

#include "berth/base/json.h"

enum { DOCKER_LAYERS_MAX = 128, DOCKER_LAYER_ID_SIZE = 24 };

struct docker_layer {
    char id[DOCKER_LAYER_ID_SIZE];
    int64_t done;
    int64_t total;
};

struct docker_layers {
    struct docker_layer *at; /* owned: [count]; of layers beyond the maximum nothing is told */
    size_t count;
};

void docker_layers_fini(struct docker_layers *layers);
/** docker_layers_update() - one line of the pull's stream; sums over all layers known so far. */
void docker_layers_update(struct docker_layers *layers, const json_t *line, int64_t *ret_done,
                          int64_t *ret_total);
