#include "scope.h"

#include <string.h>

#include "auth.h"

static void
scope_copy(char *to, size_t size, const char *text)
{
    size_t len = text ? strnlen(text, size - 1) : 0;

    if (len > 0)
        memcpy(to, text, len);
    to[len] = '\0';
}

void
scope_of(const struct request *request, struct scope *ret_scope)
{
    const struct token *token = request->token;

    ret_scope->all = auth_sees_all(request);
    scope_copy(ret_scope->owner, sizeof(ret_scope->owner), token->owner);
    ret_scope->pool_count =
        token->pools.count < SCOPE_POOLS_MAX ? token->pools.count : SCOPE_POOLS_MAX;
    for (size_t i = 0; i < ret_scope->pool_count; i++)
        scope_copy(ret_scope->pools[i], SCOPE_NAME_SIZE, token->pools.at[i]);
}

bool
scope_sees_pool(const struct scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->pool_count; i++) {
        if (strcmp(scope->pools[i], name) == 0)
            return true;
    }
    return scope->pool_count == 0;
}

bool
scope_sees(const struct scope *scope, const struct scope_row *row)
{
    if (row->pool && !scope_sees_pool(scope, row->pool))
        return false;
    return scope->all || (row->owner && strcmp(row->owner, scope->owner) == 0);
}

void
scope_filter(const struct scope *scope, const struct model *model, struct store_filter *filter)
{
    if (!scope->all)
        filter->owner = scope->owner;
    for (size_t i = 0; i < scope->pool_count; i++) {
        const struct pool *pool = model_pool_find(model, scope->pools[i]);

        filter->pools[filter->pool_count++] = pool ? pool->id : -1;
    }
}
