#pragma once

/* Who asks, and whether they may. */

#include "request.h"

/** auth_check() - find the token and compare its role with the route's. Sets request->token.
 * Return: 0, or -1 when the request was refused. */
int auth_check(struct request *request);

/** auth_sees_all() - instances, events and operations of others, too. */
bool auth_sees_all(const struct request *request);
/** auth_sees_instance() / _operation() / _pool(): in the token's scope. */
bool auth_sees_instance(const struct request *request, const struct instance *instance);
bool auth_sees_operation(const struct request *request, const struct operation *operation);
bool auth_sees_pool(const struct request *request, const char *name);
/** auth_pool() - the pool @name when it is there and seen; else the request is refused as if there
 * was none. */
struct pool *auth_pool(struct request *request, const char *name);
/** auth_name() - who that is, for rows that remember it. Never NULL. */
const char *auth_name(const struct request *request);

/** auth_forget() - what a connection remembers of its last token. */
void auth_forget(struct connection *connection);
