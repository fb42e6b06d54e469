#include "find.h"

#include <string.h>

#include "berth/base/id.h"

#include "auth.h"

static void *
find_none(struct request *request, const char *what)
{
    request_refuse(request, FAULT_NOT_FOUND, "there is no %s %.80s", what, request_param(request));
    return NULL;
}

struct instance *
find_instance(struct request *request)
{
    struct instance *instance = NULL;
    int64_t id;

    if (id_decode(ID_INSTANCE, request_param(request), &id))
        instance = idmap_find(&api_model(request->server)->instances, id);
    if (instance && auth_sees_instance(request, instance))
        return instance;
    return find_none(request, "instance");
}

int64_t
find_host_id(const struct request *request, const char *text)
{
    const struct model *model = api_model(request->server);
    const struct host *found = NULL;
    int64_t id;

    if (id_decode(ID_HOST, text, &id)) {
        const struct host *host = idmap_find(&model->hosts, id);

        return host && auth_sees_pool(request, host->pool->name) ? id : 0;
    }
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        const struct host *host =
            auth_sees_pool(request, pool->name) ? model_host_find(model, pool, text) : NULL;

        if (host && found)
            return 0; /* two pools have one of this name */
        found = host ? host : found;
    }
    return found ? found->id : 0;
}

static bool
find_host_is_ambiguous(const struct request *request, const char *name)
{
    const struct model *model = api_model(request->server);
    size_t count = 0;

    IDMAP_EACH(&model->pools, struct pool, pool)
    count += auth_sees_pool(request, pool->name) && model_host_find(model, pool, name);
    return count > 1;
}

struct host *
find_host(struct request *request)
{
    const char *text = request_param(request);
    int64_t id = find_host_id(request, text);

    if (id)
        return idmap_find(&api_model(request->server)->hosts, id);
    if (!find_host_is_ambiguous(request, text))
        return find_none(request, "host");
    request_refuse(request, FAULT_NOT_FOUND, "several pools have a host %.80s: its id says which",
                   text);
    return NULL;
}

const char *
find_blueprint_pool(const struct blueprint *blueprint)
{
    return blueprint->spec.pool ? blueprint->spec.pool : "default";
}

struct blueprint *
find_blueprint(struct request *request)
{
    struct blueprint *blueprint =
        model_blueprint_find(api_model(request->server), request_param(request));

    if (blueprint && auth_sees_pool(request, find_blueprint_pool(blueprint)))
        return blueprint;
    return find_none(request, "blueprint");
}

struct pool *
find_pool(struct request *request)
{
    return auth_pool(request, request_param(request));
}

struct token *
find_token(struct request *request)
{
    int64_t id;
    struct token *token = NULL;

    if (id_decode(ID_TOKEN, request_param(request), &id))
        token = idmap_find(&api_model(request->server)->tokens, id);
    return token ? token : find_none(request, "token");
}

struct operation *
find_operation(struct request *request)
{
    int64_t id;
    struct operation *operation = NULL;

    if (id_decode(ID_OPERATION, request_param(request), &id))
        operation = idmap_find(&api_model(request->server)->operations, id);
    if (operation && auth_sees_operation(request, operation))
        return operation;
    return find_none(request, "operation");
}

bool
find_is_current(struct request *request, int64_t rev)
{
    const char *asked = request->headers.if_match;

    if (!asked || reply_etag_matches(asked, rev))
        return true;
    request_refuse(request, FAULT_PRECONDITION, "its revision is \"%lld\" now", (long long)rev);
    return false;
}
