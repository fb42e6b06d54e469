#pragma once

/*
 * Faults that an image or a command is to blame for, counted for the blueprint.
 */

#include "state.h"

void blame_blueprint(struct engine *engine, struct blueprint *blueprint, const struct fault *fault);
