#pragma once

/*
 * An engine's event stream: it tells at once that a container died.  Hints,
 * never the truth: the look that follows decides.
 */

#include "lane.h"

/** hints_open() - unless it is open, or there are too many hosts for a stream each. */
void hints_open(struct lane *lane);
