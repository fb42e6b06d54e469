#pragma once

/*
 * Inside the model: rows by their names, and what its parts share.
 */

#include "berth/base/rowtable.h"
#include "berth/domain/model.h"

struct model_names {
    struct rowtable pools;    /* struct pool, by name */
    struct rowtable hosts;    /* struct host that are not removed, by pool and name */
    struct rowtable latest;   /* struct blueprint with latest, by name */
    struct rowtable versions; /* struct blueprint, by name and version */
    struct rowtable tokens;   /* struct token, by digest */
    struct rowtable owners;   /* struct model_owner, by owner and blueprint name */
    int64_t now_ms;           /* the last time that a caller told */
};

void model_names_free(struct model_names *names);

void model_names_pool_add(struct model *model, struct pool *pool);
void model_names_pool_drop(struct model *model, const struct pool *pool);
void model_names_host_add(struct model *model, struct host *host);
void model_names_host_drop(struct model *model, const struct host *host);
/** model_names_blueprint_add() - as a version, and as the latest when it is. */
void model_names_blueprint_add(struct model *model, struct blueprint *blueprint);
void model_names_blueprint_drop(struct model *model, const struct blueprint *blueprint);
/** model_names_latest_drop() - it is still a version, but not the latest any more. */
void model_names_latest_drop(struct model *model, const struct blueprint *blueprint);
/** model_names_latest_find() - the latest version, also when it is deleted. */
struct blueprint *model_names_latest_find(const struct model *model, const char *name);
void model_names_token_add(struct model *model, struct token *token);
void model_names_token_drop(struct model *model, const struct token *token);
/** model_names_owner_count() - one live instance more (@delta 1) or less (-1); @owner is interned. */
void model_names_owner_count(struct model *model, const char *owner, const char *blueprint,
                             int delta);

/* --- model_dirty.c --- */

/** model_dirty_put() - @row, whose flag is *@flag, is to be stored. */
void model_dirty_put(struct model *model, enum row_kind kind, int64_t id, void *row, bool *flag);
/** model_dirty_drop() - @row's deletion is to be stored, and nothing else of it. */
void model_dirty_drop(struct model *model, enum row_kind kind, int64_t id, bool was_dirty);

/* --- model.c --- */

/** model_row_added() - ids rise beyond @id. */
void model_row_added(struct model *model, int64_t id);

/* --- model_host.c --- */

/** model_host_used() - something was placed there. */
void model_host_used(struct model *model, struct host *host, int64_t now_ms);
/** model_host_occupy() - @instance joins @host: list, counts, reservation, index. */
void model_host_occupy(struct model *model, struct host *host, struct instance *instance);
/** model_host_vacate() - and leaves it. */
void model_host_vacate(struct model *model, struct host *host, struct instance *instance);

/* --- model_blueprint.c --- */

/** model_blueprint_release() - drop it when it is neither the latest nor used. */
void model_blueprint_release(struct model *model, struct blueprint *blueprint);
