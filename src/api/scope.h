#pragma once

/*
 * What a token may see, copied: answers that take more than one turn outlive
 * the token's row.
 */

#include <stdbool.h>

#include "request.h"

enum { SCOPE_POOLS_MAX = 16, SCOPE_NAME_SIZE = 64, SCOPE_OWNER_SIZE = 129 };

struct scope {
    bool all; /* not only its own */
    char owner[SCOPE_OWNER_SIZE];
    char pools[SCOPE_POOLS_MAX][SCOPE_NAME_SIZE]; /* [pool_count]; none: all */
    size_t pool_count;
};

/** scope_of() - of the token of @request. */
void scope_of(const struct request *request, struct scope *ret_scope);
bool scope_sees_pool(const struct scope *scope, const char *name);
/* What a row belongs to; either may be NULL. */
struct scope_row {
    const char *pool;
    const char *owner;
};

bool scope_sees(const struct scope *scope, const struct scope_row *row);
/** scope_filter() - narrow @filter to it. @owner_of: borrowed from @scope. */
void scope_filter(const struct scope *scope, const struct model *model,
                  struct store_filter *filter);
