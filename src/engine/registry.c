#include "registry.h"

#include <string.h>

struct registry {
    struct list_node node; /* of registries or registries_old */
    struct secret *auth;
    char server[];
};

static void
registry_free(struct registry *registry)
{
    secret_free(registry->auth);
    free(registry);
}

static void
registries_drop(struct list *registries)
{
    struct list_node *node;

    while ((node = list_pop(registries)))
        registry_free(CONTAINER_OF(node, struct registry, node));
}

void
registry_tidy(struct engine *engine)
{
    if (engine->works == 0 && engine->spreads.count == 0)
        registries_drop(&engine->registries_old);
}

/* @server need not end after its @len bytes. */
static struct registry *
registry_find(const struct engine *engine, const char *server, size_t len)
{
    for (struct list_node *node = list_first(&engine->registries); node;
         node = list_next(&engine->registries, node)) {
        struct registry *registry = CONTAINER_OF(node, struct registry, node);

        if (strncmp(registry->server, server, len) == 0 && registry->server[len] == '\0')
            return registry;
    }
    return NULL;
}

void
engine_registry_set(struct engine *engine, const char *server, struct secret *auth)
{
    struct registry *registry = registry_find(engine, server, strlen(server));

    if (registry && auth && secret_len(registry->auth) == secret_len(auth) &&
        memcmp(secret_bytes(registry->auth), secret_bytes(auth), secret_len(auth)) == 0) {
        secret_free(auth);
        return;
    }
    if (registry) {
        /* A pull that waits or is under way may have borrowed it. */
        list_remove(&engine->registries, &registry->node);
        list_push(&engine->registries_old, &registry->node);
        registry_tidy(engine);
    }
    if (!auth)
        return;
    registry = mem_new0(sizeof(*registry) + strlen(server) + 1);
    memcpy(registry->server, server, strlen(server) + 1);
    registry->auth = auth;
    list_push(&engine->registries, &registry->node);
}

void
engine_registry_keep(struct engine *engine, const char *const *servers, size_t count)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&engine->registries); node; node = next) {
        const struct registry *registry = CONTAINER_OF(node, struct registry, node);
        bool keep = false;

        next = list_next(&engine->registries, node);
        for (size_t i = 0; i < count && !keep; i++)
            keep = strcmp(servers[i], registry->server) == 0;
        if (!keep)
            engine_registry_set(engine, registry->server, NULL);
    }
}

void
registry_fini(struct engine *engine)
{
    registries_drop(&engine->registries);
    registry_tidy(engine);
}

/* The part before the first slash names a registry if it looks like a host. */
const struct secret *
registry_auth(const struct engine *engine, const char *image)
{
    static const char hub[] = "docker.io";
    size_t len = strcspn(image, "/");
    bool named = image[len] == '/' && (memchr(image, '.', len) || memchr(image, ':', len) ||
                                       strncmp(image, "localhost/", 10) == 0);
    const struct registry *registry =
        named ? registry_find(engine, image, len) : registry_find(engine, hub, sizeof(hub) - 1);

    return registry ? registry->auth : NULL;
}
