#pragma once

/*
 * What a launch tells the engine to create: templates are filled in here.
 */

#include "launch.h"

/** launch_words_fill() - @ret_spec borrows from the launch and its blueprint. */
void launch_words_fill(struct launch *launch, struct docker_spec *ret_spec);
void launch_words_free(struct launch *launch);
