#pragma once

/*
 * Who may do what.  A token is a random secret, shown once; the row keeps its
 * SHA-256 only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/schema.h"
#include "berth/base/text.h"

enum token_role { ROLE_USER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_COUNT };

/** token_role_name() - "user", "operator", "admin". */
const char *token_role_name(int32_t role);

struct token {
    int64_t id;
    uint8_t digest[TEXT_SHA256_SIZE];
    int32_t role;
    char *name;  /* for people; NULL: none */
    char *owner; /* whose instances a user sees and makes; also the creator's name of others */
    struct schema_strings pools; /* only these; empty: all */
    int64_t created_at_ms;
    int64_t expires_at_ms; /* 0: never */
    bool dirty;
};

struct token *token_new(void);
void token_free(struct token *token);

/** token_sees_pool() - in its scope. */
bool token_sees_pool(const struct token *token, const char *pool_name);
