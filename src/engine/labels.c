#include "labels.h"

#include <string.h>

static bool
labels_pair_is(const struct schema_pair *a, const struct schema_pair *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->value, b->value) == 0;
}

static bool
labels_has(const struct schema_map *labels, const struct schema_pair *pair)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (labels_pair_is(&labels->at[i], pair))
            return true;
    }
    return false;
}

struct schema_map
labels_merge(const struct schema_map *own, const struct schema_map *pool)
{
    struct schema_map labels = { 0 };
    size_t most = own->count + pool->count;
    size_t i = 0;
    size_t j = 0;

    if (most == 0)
        return labels;
    labels.at = mem_new0(most * sizeof(struct schema_pair));
    while (i < own->count || j < pool->count) {
        int order = i == own->count    ? 1
                    : j == pool->count ? -1
                                       : strcmp(own->at[i].key, pool->at[j].key);
        const struct schema_pair *pair = order <= 0 ? &own->at[i] : &pool->at[j];

        labels.at[labels.count].key = mem_strdup(pair->key);
        labels.at[labels.count++].value = mem_strdup(pair->value);
        i += order <= 0;
        j += order >= 0;
    }
    return labels;
}

static void
labels_free(struct schema_map *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        free(labels->at[i].key);
        free(labels->at[i].value);
    }
    free(labels->at);
}

static bool
labels_differ(const struct schema_map *a, const struct schema_map *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (!labels_pair_is(&a->at[i], &b->at[i]))
            return true;
    }
    return a->count != b->count;
}

void
labels_set(struct engine *engine, struct host *host, const struct schema_map *own)
{
    struct schema_map labels = labels_merge(own, &host->pool->policy.labels);

    if (!labels_differ(&labels, &host->labels)) {
        labels_free(&labels);
        return;
    }
    labels_free(&host->labels);
    host->labels = labels;
    model_host_touch(engine->model, host, state_now_ms(engine));
    state_event(engine, "host.labels", host, NULL, "its labels have changed");
    state_sweep(engine);
}

void
labels_pool_changed(struct engine *engine, struct host *host, const struct schema_map *before)
{
    struct schema_map own = { 0 };

    if (host->labels.count > 0)
        own.at = mem_resize(NULL, host->labels.count, sizeof(*own.at));
    for (size_t i = 0; i < host->labels.count; i++) {
        if (!labels_has(before, &host->labels.at[i]))
            own.at[own.count++] = host->labels.at[i];
    }
    labels_set(engine, host, &own);
    free(own.at); /* the texts are not its own */
}
