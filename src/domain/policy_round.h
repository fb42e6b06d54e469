#pragma once

/*
 * One round of the policy on its way: what the files of policy_* share.
 *
 * In order: targets (what is wanted) and supply (what there is) are summed up; policy_grow adds
 * what is lacking; policy_retire takes away what is old, bad or too much.
 */

#include "berth/domain/policy.h"

/* More than anything needs; sums of two do not overflow. */

/* What the policy and its schedules ask for. */
struct policy_targets {
    int64_t min_hosts;
    int64_t free_memory_bytes; /* fixed, or the share of what is in use */
    int64_t free_slots;
    bool scheduled;     /* some of it is for a schedule */
    int64_t next_at_ms; /* a schedule begins or ends; 0: never */
};

/** policy_targets_at() - at @at_ms, which is not before the view's now; @in_use is what is reserved
 * on all hosts. */
struct policy_targets policy_targets_at(const struct policy_view *view,
                                        const struct host_amount *in_use, int64_t at_ms);

/* Room: of some hosts together. */
struct policy_supply {
    struct host_amount free;
    uint64_t fits;     /* requests of the demand's average size */
    bool largest_fits; /* one that is as large as the largest in each dimension */
    bool barred_fits;  /* one as large as the largest of those that are barred */
    int64_t hosts;
};

enum policy_short {
    SHORT_NONE,
    SHORT_QUEUE,
    SHORT_BARRED,
    SHORT_SLOTS,
    SHORT_MEMORY,
    SHORT_CPUS,
    SHORT_HOSTS,
};

struct policy_lack {
    enum policy_short what; /* to be said */
    struct host_amount amount;
};

struct policy_round {
    const struct policy_view *view;
    const struct pool_policy *policy;
    const struct pool_machine *machines; /* [machine_count] */
    size_t machine_count;
    struct policy_plan *plan;
    bool rents;

    /* Of each machine type what its hosts were found to have, or else what its row promises. */
    struct host_amount capacity[POOL_MACHINES_MAX];
    bool largest_possible; /* some machine type holds what is largest in each dimension */
    bool average_possible;
    bool barred_possible;

    struct host_amount in_use;
    struct policy_targets targets;
    struct host_amount needed;  /* free room: targets, what waits, and what is to move */
    struct host_amount average; /* of what waits, rounded up */

    struct policy_supply active; /* hosts that count */
    struct policy_supply all;    /* and those that come */
    struct policy_supply fresh;  /* those that come alone */
    int64_t hosts;               /* in any state */
    int64_t coming;
    int64_t warm;     /* spawned, for the reserve */
    int64_t failing;  /* spawned, and their preparation has failed before */
    int64_t emptying; /* inactive, by consolidation, and not empty yet */
    int64_t leaving;  /* inactive and empty: soon removed */
    int64_t retired;  /* inactive, by age, uses or errors */
    int64_t lost;     /* inactive, by errors or a preparation that failed */

    int64_t launch_micro; /* what the launches of this round may cost this month */
    uint32_t taken[POLICY_KIND_COUNT];
    uint32_t held; /* bits of enum policy_hold */
};

/* --- policy_supply.c ----------------------------------------------------------------------------- */

/** policy_counts() - an active host whose free room is headroom. */
bool policy_counts(const struct policy_view *view, const struct policy_host *host);
/** policy_is_worn() - at the end of its life, or used often enough. */
bool policy_is_worn(const struct policy_view *view, const struct policy_host *host);
/** policy_supply_sum() - the fields of @round from `in_use` to `lost`. */
void policy_supply_sum(struct policy_round *round);
/** policy_supply_add() - one more host with @room free. */
void policy_supply_add(const struct policy_round *round, struct policy_supply *supply,
                       const struct host_amount *room);
/** policy_moving() - what will have to start elsewhere when @host is retired, or has been. */
struct host_amount policy_moving(const struct policy_round *round, const struct policy_host *host);
/** policy_room() - what is free on @host. */
struct host_amount policy_room(const struct policy_host *host);
/** policy_room_new() - what will be on a host of @capacity where nothing runs yet. */
struct host_amount policy_room_new(const struct host_amount *capacity);
/** policy_holds() - @room holds @request. */
bool policy_holds(const struct host_amount *room, const struct host_amount *request);
/** policy_lack_of() - what @supply lacks. */
struct policy_lack policy_lack_of(const struct policy_round *round,
                                  const struct policy_supply *supply);

/* --- policy_money.c ------------------------------------------------------------------------------ */

/** policy_committed_micro() - what the hosts that are there may still cost this month. */
int64_t policy_committed_micro(const struct policy_view *view);
/** policy_launch_micro() - the same of a host launched now. */
int64_t policy_launch_micro(const struct policy_view *view, int64_t price_micro);

/* --- policy_round.c ------------------------------------------------------------------------------ */

/** policy_round_add() - one more action; @host NULL: a host to come. Return: NULL when the round has
 * its fill, or the host got an action already. */
struct policy_action *policy_round_add(struct policy_round *round, enum policy_kind kind,
                                       const struct policy_host *host);
/** policy_round_hold() - growth is held back; said once for each @hold. */
void policy_round_hold(struct policy_round *round, enum policy_hold hold, const char *format, ...)
    PRINTF_LIKE(3, 4);
/** policy_round_wake() - time alone changes the plan at @at_ms. */
void policy_round_wake(struct policy_round *round, int64_t at_ms);

/* --- policy_grow.c ------------------------------------------------------------------------------- */

void policy_prepare(struct policy_round *round);
/** policy_take_back() - hosts that consolidation has set aside, before new ones are launched. */
void policy_take_back(struct policy_round *round);
void policy_launch(struct policy_round *round);
/** policy_helps() - whether @room makes @lack smaller. */
bool policy_helps(const struct policy_round *round, const struct policy_lack *lack,
                  const struct host_amount *room);
/** policy_may_spend() - whether the month's money allows @what at @price_micro an hour; else it is said. */
bool policy_may_spend(struct policy_round *round, int64_t price_micro, const char *what,
                      const char *why);
/** policy_launched() - one with @room is on its way. */
void policy_launched(struct policy_round *round, int64_t price_micro,
                     const struct host_amount *room);
/** policy_launch_warm() - one more for the reserve. Return: false when it is held back or the round has
 * its fill. */
bool policy_launch_warm(struct policy_round *round, const struct policy_lack *lack,
                        const char *why);

/* --- policy_warm.c ------------------------------------------------------------------------------- */

/** policy_wake() - warm hosts are started, before new ones are launched. */
void policy_wake(struct policy_round *round);
/** policy_warm_fill() - when all that is wanted is there. */
void policy_warm_fill(struct policy_round *round);

/* --- policy_retire.c ----------------------------------------------------------------------------- */

void policy_remove(struct policy_round *round);
void policy_retire(struct policy_round *round);

/* --- policy_consolidate.c ------------------------------------------------------------------------ */

/** policy_consolidate() - when nothing else is to be done: one host less, if that is no loss. */
void policy_consolidate(struct policy_round *round);

/* --- policy_machine.c ---------------------------------------------------------------------------- */

/** policy_machine_learn() - the fields `capacity`, `largest_possible` and `average_possible`. */
void policy_machine_learn(struct policy_round *round);
/** policy_machine_pick() - the index of the type to launch for @lack; -1: there is none. */
int32_t policy_machine_pick(const struct policy_round *round, const struct policy_lack *lack);

/* --- policy_words.c ------------------------------------------------------------------------------ */

struct policy_words {
    char text[48];
};

/** policy_say() - one line for people, cut to fit. */
void policy_say(char ret_text[POLICY_REASON_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
struct policy_words policy_words_time(int64_t at_ms);
struct policy_words policy_words_money(int64_t micro);
struct policy_words policy_words_size(int64_t bytes);
struct policy_words policy_words_span(int64_t ms);
/** policy_words_lack() - "2 slots free, 4 wanted". */
void policy_words_lack(const struct policy_round *round, const struct policy_lack *lack,
                       char ret_text[POLICY_REASON_SIZE]);
