#include "berth/domain/token.h"

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

static const char *const token_role_names[ROLE_COUNT] = {
    [ROLE_USER] = "user",
    [ROLE_OPERATOR] = "operator",
    [ROLE_ADMIN] = "admin",
};

const char *
token_role_name(int32_t role)
{
    assert(role >= 0 && role < ROLE_COUNT);
    return token_role_names[role];
}

struct token *
token_new(void)
{
    return mem_new0(sizeof(struct token));
}

void
token_free(struct token *token)
{
    if (!token)
        return;
    mem_free(token->name);
    mem_free(token->owner);
    for (size_t i = 0; i < token->pools.count; i++)
        mem_free(token->pools.at[i]);
    mem_free(token->pools.at);
    mem_free(token);
}

bool
token_sees_pool(const struct token *token, const char *pool_name)
{
    for (size_t i = 0; i < token->pools.count; i++) {
        if (strcmp(token->pools.at[i], pool_name) == 0)
            return true;
    }
    return token->pools.count == 0;
}
