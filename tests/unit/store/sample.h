#pragma once

/*
 * Rows with a value of its own in each stored field.
 */

#include "berth/domain/model.h"
#include "berth/port/store.h"

enum {
    SAMPLE_POOL = 11,
    SAMPLE_OTHER_POOL = 12,
    SAMPLE_BLUEPRINT = 21,
    SAMPLE_HOST = 31,
    SAMPLE_PLAIN_HOST = 32,
    SAMPLE_INSTANCE = 41,
    SAMPLE_QUEUED = 42,
    SAMPLE_TOKEN = 51,
    SAMPLE_OPERATION = 61,
    SAMPLE_IMAGE = 71,
};

/** sample_model() - a model with rows of each kind: one with every field set, one with few. */
struct model *sample_model(void);
/** sample_first_model() - the same without what came after the first schema. */
struct model *sample_first_model(void);

/** sample_pool() / sample_blueprint() / sample_host() / sample_instance() - plain rows, added as loaded.
 */
struct pool *sample_pool(struct model *model, int64_t id, const char *name);
struct blueprint *sample_blueprint(struct model *model, int64_t id, const char *name);
struct host *sample_host(struct model *model, int64_t id, struct pool *pool);
struct instance *sample_instance(struct model *model, int64_t id, struct host *host,
                                 struct blueprint *blueprint);

/** sample_put() - all rows of @model, in the order of their kinds. */
void sample_put(const struct store_port *port, struct store_batch *batch,
                const struct model *model);
