#pragma once

/*
 * How things stand with the pools, for people: what `berth status` and /metrics tell.  Hosts are
 * counted when asked; plan, headroom and money are those of the last round.
 */

#include "berth/domain/model.h"
#include "berth/domain/policy.h"

struct engine;

/* What may be wrong with a host; the first that holds. */
enum status_wrong {
    WRONG_OTHER_ENGINE, /* another engine answers at its address */
    WRONG_UNREACHABLE,
    WRONG_MISSING,     /* the provider does not list its machine */
    WRONG_SUSPENDED,   /* it failed too often: no work, canaries */
    WRONG_PROBATION,   /* little work, until it is trusted again */
    WRONG_PREPARATION, /* it could not be prepared, and is tried again */
    WRONG_WAITING,     /* not ready yet, of a pool whose machines are added by people */
    WRONG_OUT,         /* out of service until somebody puts it back or removes it */
    WRONG_CERTIFICATE, /* its engine's certificate ends soon and could not be renewed */
    WRONG_COUNT,
};

/** engine_status_wrong_name() - "host_unreachable", ... */
const char *engine_status_wrong_name(enum status_wrong wrong);

enum { STATUS_NAMES_MAX = 5 };

struct status_hosts {
    uint32_t count;
    const struct host *first[STATUS_NAMES_MAX]; /* [count], borrowed; the oldest */
};

/* What the last round planned and found. */
struct status_plan {
    int64_t at_ms; /* 0: there was none yet */
    struct host_amount headroom;
    struct host_amount wanted;
    int64_t spent_micro;
    int64_t committed_micro;
    int64_t next_at_ms;
    uint32_t launches; /* in the last hour */
    uint32_t planned[POLICY_KIND_COUNT];
    struct policy_held held[POLICY_HOLDS_MAX]; /* [held_count] */
    size_t held_count;
};

struct status_pool {
    uint32_t hosts[HOST_STATE_COUNT];
    uint32_t trials[TRIAL_STATE_COUNT];
    uint32_t instances;
    uint32_t over_threshold;     /* hosts whose score is above it */
    int64_t score_max_milli;     /* the highest */
    struct host_amount capacity; /* of active hosts */
    struct host_amount reserved;
    int64_t largest_free_bytes; /* on a host that takes work */
    struct status_hosts wrong[WRONG_COUNT];
    struct status_plan plan;
    uint64_t begun[POLICY_KIND_COUNT]; /* actions since the start */
};

/** engine_status_count() - look at all hosts: what engine_status_pool() tells is of now.  Costs a walk
 * over all hosts. */
void engine_status_count(struct engine *engine);

/** engine_status_pool() - as it was counted last; borrowed until the loop's turn ends.  Where no round
 * was made yet, the plan is made for this. */
const struct status_pool *engine_status_pool(struct engine *engine, struct pool *pool);

/** engine_status_refused_ms() - for how long the provider has refused @pool anything, last for a reason of @kind
 * (FAULT_CLOUD_*); 0: it does not. */
int64_t engine_status_refused_ms(struct engine *engine, struct pool *pool, enum fault_kind kind);

/** engine_status_tell() - one pool as the API shows it (PoolStatus), after engine_status_count(). */
void engine_status_tell(struct engine *engine, struct pool *pool, struct json_out *out);

/** engine_status_growth() - what comes to @pool for those that wait for room, and what is in the way:
 * {"pool","coming","held","refused"}. */
void engine_status_growth(struct engine *engine, struct pool *pool, struct json_out *out);
/** engine_status_wrongs() - what is wrong with @pool: values of an open array (StatusWrong). */
void engine_status_wrongs(struct engine *engine, struct pool *pool, struct json_out *out);
/** engine_status_blueprints() - the same for blueprints that fail wherever they are tried and that
 * @sees lets through. */
void engine_status_blueprints(const struct engine *engine,
                              bool (*sees)(const void *cookie, const struct blueprint *blueprint),
                              const void *cookie, struct json_out *out);
