#pragma once

/*
 * Why a host was chosen and the others were not: what is kept of a decision.
 */

#include "state.h"

/** explain_decision() - the decision that placed @instance as JSON; owned. */
char *explain_decision(const struct engine *engine, const struct instance *instance,
                       const struct placement_ask *ask, const struct placement_why *why);
