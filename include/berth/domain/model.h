#pragma once

/*
 * All rows in memory: the loop thread's one truth, which answers every read.
 * Changes go through the movers here or are followed by model_touch_*(); they
 * collect in `dirty` until the turn's commit takes them (engine/turn).
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/arena.h"
#include "berth/base/idmap.h"
#include "berth/base/intern.h"
#include "berth/domain/blueprint.h"
#include "berth/domain/event.h"
#include "berth/domain/host.h"
#include "berth/domain/image.h"
#include "berth/domain/instance.h"
#include "berth/domain/operation.h"
#include "berth/domain/placement.h"
#include "berth/domain/pool.h"
#include "berth/domain/queue.h"
#include "berth/domain/token.h"

/* Kinds of rows, as the store knows them. */
enum row_kind {
    ROW_POOL,
    ROW_BLUEPRINT,
    ROW_HOST,
    ROW_INSTANCE,
    ROW_TOKEN,
    ROW_OPERATION,
    ROW_IMAGE,
    ROW_KIND_COUNT,
};

struct model_dirty {
    enum row_kind kind;
    int64_t id;
    void *row; /* NULL: the row with this id is to be deleted */
};

struct model {
    struct idmap pools;      /* struct pool */
    struct idmap blueprints; /* struct blueprint, all versions that are in use or latest */
    struct idmap hosts;
    struct idmap instances;
    struct idmap tokens;
    struct idmap operations;
    struct idmap images;
    struct intern *strings;
    struct placement *placement;
    struct queue *queue;
    int64_t last_id;  /* highest id given to any row */
    int64_t last_seq; /* of events */
    uint32_t instance_counts[INSTANCE_STATE_COUNT];
    uint32_t host_counts[HOST_STATE_COUNT];

    /* [dirty_count], each row at most once, in the order in which they changed first: a row may stand
     * before the new row that it points to. */
    struct model_dirty *dirty;
    size_t dirty_count;
    size_t dirty_cap;
    struct event *events; /* [event_count], in order; their strings are in event_texts */
    size_t event_count;
    size_t event_cap;
    struct arena event_texts;

    struct model_names *names; /* model.c's own: pools, blueprints, tokens, quotas by key */
};

struct model *model_new(void);
void model_free(struct model *model);

/* --- Finding -------------------------------------------------------------------------------- */

struct pool *model_pool_find(const struct model *model, const char *name);
/** model_blueprint_find() - the latest version with this name that is not deleted; NULL: none. */
struct blueprint *model_blueprint_find(const struct model *model, const char *name);
struct blueprint *model_blueprint_version_find(const struct model *model, const char *name,
                                               int64_t version);
/** model_blueprint_version_next() - the version that the next one with this name gets, >= 1; higher
 * than all that are kept, deleted ones as well. */
int64_t model_blueprint_version_next(const struct model *model, const char *name);
/** model_host_find() - by name among the pool's hosts that are not removed. */
struct host *model_host_find(const struct model *model, const struct pool *pool, const char *name);
struct token *model_token_find(const struct model *model, const uint8_t digest[TEXT_SHA256_SIZE]);
/** model_owner_count() - live (not final) instances that @owner has of the blueprint @name. */
uint32_t model_owner_count(const struct model *model, const char *owner, const char *name);

/* --- Adding and dropping; all take the row ---------------------------------------------------
 * `loaded`: it comes from the store, so it is not dirty.  Adding indexes the row in all places:
 * an instance that is placed is counted on its host, a queued one is in the queue.  The strings of an
 * instance's owner and reason, and those of host_shared_texts(), may be anybody's: the row gets
 * interned ones. */

void model_pool_add(struct model *model, struct pool *pool, bool loaded);
/** model_blueprint_add() - if latest, the version that was is so no more (and goes when unused). */
void model_blueprint_add(struct model *model, struct blueprint *blueprint, bool loaded);
void model_host_add(struct model *model, struct host *host, bool loaded);
void model_instance_add(struct model *model, struct instance *instance, bool loaded);
void model_token_add(struct model *model, struct token *token, bool loaded);
void model_operation_add(struct model *model, struct operation *operation, bool loaded);
void model_image_add(struct model *model, struct image *image, bool loaded);

/* Dropping frees the row and leaves its deletion in `dirty`.  An instance must be final, a host
 * removed and without instances. */
void model_blueprint_drop(struct model *model, struct blueprint *blueprint);
void model_host_drop(struct model *model, struct host *host);
void model_instance_drop(struct model *model, struct instance *instance);
void model_token_drop(struct model *model, struct token *token);
void model_operation_drop(struct model *model, struct operation *operation);
void model_image_drop(struct model *model, struct image *image);
void model_pool_drop(struct model *model, struct pool *pool);

/* --- Changing --------------------------------------------------------------------------------- */

/**
 * model_instance_move() - the one mover of instances
 * @reason: in plain words, or NULL to keep the old one
 *
 * Adjusts host, queue, counts, times and the dirty list, and adds the event "instance.<state>".
 * From a state that holds a host to one that does not, the reservation is released.  Each way into
 * starting makes a new generation; it, and the way back to the queue, forget container and ports.
 * Retries, restarts, exit code and times to come are the caller's to set.
 * The edge must exist (assert) and not be that of placing.
 */
void model_instance_move(struct model *model, struct instance *instance, enum instance_event event,
                         const char *reason, int64_t now_ms);

/** model_instance_place() - queued → starting on @host: reserves there, generation + 1. */
void model_instance_place(struct model *model, struct instance *instance, struct host *host,
                          const char *reason, int64_t now_ms);

/** model_host_move() - the one mover of hosts; adds "host.<state>". The edge must exist, and nothing may
 * be on a host that is removed: its instances have moved on before. */
void model_host_move(struct model *model, struct host *host, enum host_event event,
                     const char *reason, int64_t now_ms);

/* After a change of other fields: dirty, rev + 1; a host's place in the index is renewed. */
void model_pool_touch(struct model *model, struct pool *pool);
/** model_pool_save() - the same after a change of what the pool did, not of its rules: rev stays. */
void model_pool_save(struct model *model, struct pool *pool);
void model_blueprint_touch(struct model *model, struct blueprint *blueprint);
void model_host_touch(struct model *model, struct host *host, int64_t now_ms);
/** model_host_seen() - the same after a change of what is not stored: there is nothing to write. */
void model_host_seen(struct model *model, struct host *host, int64_t now_ms);
/** model_host_text_set() - one of host_shared_texts() is @text now; NULL is fine. The caller touches
 * the host.  Return: whether that is a change. */
bool model_host_text_set(struct model *model, const char **slot, const char *text);
void model_instance_touch(struct model *model, struct instance *instance);
void model_operation_touch(struct model *model, struct operation *operation);
void model_image_touch(struct model *model, struct image *image);

/** model_instance_reason_set() - interned. */
void model_instance_reason_set(struct model *model, struct instance *instance, const char *reason);

/** model_event_add() - @event's strings are copied; seq and at_ms are set here. */
void model_event_add(struct model *model, const struct event *event, int64_t now_ms);

/** model_id_next() - an id later than all before. */
int64_t model_id_next(struct model *model, int64_t now_ms, uint32_t random);

/** model_dirty_clear() - the turn's commit has taken all; frees the events. */
void model_dirty_clear(struct model *model);
