#pragma once

/*
 * Credentials for registries, as the configuration has them.
 */

#include "state.h"

/** registry_auth() - what a pull of @image is to show, borrowed: kept while anything is under way; NULL:
 * nothing. */
const struct secret *registry_auth(const struct engine *engine, const char *image);
/** registry_tidy() - free credentials that were replaced, when no pull can have borrowed them. */
void registry_tidy(struct engine *engine);
/** registry_fini() - forget all. */
void registry_fini(struct engine *engine);
