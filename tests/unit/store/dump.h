#pragma once

/*
 * Every stored field of a model's rows as text, so that two models can be
 * compared and a difference read.
 */

#include "berth/domain/model.h"

/** dump_model() - one line for each row, in the order of kinds and ids; owned. */
char *dump_model(const struct model *model);
