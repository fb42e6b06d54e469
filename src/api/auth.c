#include "auth.h"

#include <string.h>
#include <strings.h>

#include "berth/base/secret.h"

enum { AUTH_MILLI = 1000 };

/* A bucket of failures for each listener: guessing and broken clients get slow answers' cost only. */
static bool
auth_may_fail(struct listener *listener)
{
    const struct api_limits *limits = &listener->server->limits;
    int64_t now_ms = api_mono_ms(listener->server);
    int64_t full = (int64_t)limits->denied_burst * AUTH_MILLI;
    int64_t gone_ms = now_ms - listener->denied_at_mono_ms;

    if (listener->denied_at_mono_ms == 0 || gone_ms > full) {
        listener->denied_milli = full;
    } else {
        listener->denied_milli += gone_ms * limits->denied_per_s;
    }
    if (listener->denied_milli > full)
        listener->denied_milli = full;
    listener->denied_at_mono_ms = now_ms;
    if (listener->denied_milli < AUTH_MILLI)
        return false;
    listener->denied_milli -= AUTH_MILLI;
    return true;
}

static int
auth_deny(struct request *request, const char *why)
{
    request->server->measure.denied++;
    if (!auth_may_fail(request->connection->listener)) {
        request_refuse(request, FAULT_RATE_LIMITED, "too many requests without a valid token");
        return -1;
    }
    request_refuse(request, FAULT_UNAUTHORIZED, "%s", why);
    request->reply.challenge = true;
    return -1;
}

void
auth_forget(struct connection *connection)
{
    if (connection->auth)
        secret_wipe(connection->auth, strlen(connection->auth));
    mem_free(connection->auth);
    connection->auth = NULL;
}

/* Clients send the same header again and again on a connection: its digest is kept. */
static const uint8_t *
auth_digest(struct connection *connection, const char *header)
{
    const char *secret = header + strlen("Bearer ");

    if (connection->auth && strcmp(connection->auth, header) == 0)
        return connection->auth_digest;
    auth_forget(connection);
    secret += strspn(secret, " ");
    text_sha256(secret, strlen(secret), connection->auth_digest);
    connection->auth = mem_strdup(header);
    return connection->auth_digest;
}

int
auth_check(struct request *request)
{
    const char *header = request->headers.authorization;
    struct engine *engine = request->server->engine;
    const struct token *token;

    if (request->route->role == ROUTE_PUBLIC)
        return 0;
    if (!header)
        return auth_deny(request, "the header Authorization: Bearer is missing");
    if (strncasecmp(header, "Bearer ", 7) != 0 || strlen(header) > API_AUTH_MAX)
        return auth_deny(request, "the header Authorization is not Bearer with a token");
    token = model_token_find(engine_model(engine), auth_digest(request->connection, header));
    if (!token)
        return auth_deny(request, "this token is unknown or was revoked");
    if (token->expires_at_ms > 0 && token->expires_at_ms <= engine_now_ms(engine))
        return auth_deny(request, "this token has expired");
    if (token->role < request->route->role) {
        request_refuse(request, FAULT_FORBIDDEN, "this takes a token of role %s",
                       token_role_name(request->route->role));
        return -1;
    }
    request->token = token;
    return 0;
}

bool
auth_sees_all(const struct request *request)
{
    return request->token->role >= ROLE_OPERATOR;
}

bool
auth_sees_pool(const struct request *request, const char *name)
{
    return token_sees_pool(request->token, name);
}

static bool
auth_is_own(const struct request *request, const char *owner)
{
    return owner && request->token->owner && strcmp(owner, request->token->owner) == 0;
}

bool
auth_sees_instance(const struct request *request, const struct instance *instance)
{
    return auth_sees_pool(request, instance->pool->name) &&
           (auth_sees_all(request) || auth_is_own(request, instance->owner));
}

bool
auth_sees_operation(const struct request *request, const struct operation *operation)
{
    return (!operation->pool || auth_sees_pool(request, operation->pool)) &&
           (auth_sees_all(request) || auth_is_own(request, operation->owner));
}

struct pool *
auth_pool(struct request *request, const char *name)
{
    struct pool *pool = model_pool_find(api_model(request->server), name);

    if (pool && auth_sees_pool(request, name))
        return pool;
    request_refuse(request, FAULT_NOT_FOUND, "there is no pool %s", name);
    return NULL;
}

const char *
auth_name(const struct request *request)
{
    if (request->token->owner)
        return request->token->owner;
    return request->token->name ? request->token->name : token_role_name(request->token->role);
}
