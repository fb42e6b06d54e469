#pragma once

/*
 * Whether a host is trusted with work: its error score, and the trial of a host whose score passed
 * its pool's threshold (domain/trial).
 */

#include "lane.h"

enum { TRUST_REMOVED_MAX = 8 };

struct canary;

/* What is kept of a host that failed once or is on trial.  Owned by its lane. */
struct trust {
    struct lane *lane;
    struct clock_timer timer; /* until the next canary */
    struct canary *canary;    /* under way; NULL: none */
    int64_t told_mono_ms;     /* of the last event about a fault */
    int64_t vanished_mono_ms; /* a container was gone that nobody had ended; 0: never */
    uint32_t untold;          /* faults since that event */
    uint32_t canaries;        /* begun, for their names */
    uint32_t lists;           /* asked for, while removals are remembered */
    struct {
        uint64_t id;   /* a hash of a container's id */
        uint32_t list; /* the last list that was asked for before it was removed */
    } removed[TRUST_REMOVED_MAX];
    uint8_t removed_next;
    bool due; /* a canary is due, as soon as the host can be asked */
};

/** trust_free() - with its lane; no canary may be with the engine. */
void trust_free(struct lane *lane);
/** trust_cancel() - the lane's calls are all being cancelled: so is its canary. */
void trust_cancel(struct lane *lane);

/** trust_fault() - @fault, which blames the host, ended @what there: its score rises, and beyond the
 * threshold it is suspended at once. */
void trust_fault(struct lane *lane, const char *what, const struct fault *fault);
/** trust_blamed() - its score has risen otherwise: the same. */
void trust_blamed(struct lane *lane);
/** trust_acquitted() - its score was lowered, because another was to blame: within the threshold its
 * trial ends, for @why. */
void trust_acquitted(struct lane *lane, const char *why);
/** trust_look() - its containers were compared just now. */
void trust_look(struct lane *lane);
/** trust_vouch() - somebody vouches for it: its score is cleared, its trial ends. */
void trust_vouch(struct engine *engine, struct host *host, const char *why);

/** trust_work_changed() - a launch was placed there or has ended: on probation there is one at a time. */
void trust_work_changed(struct engine *engine, struct host *host);
/** trust_placed_well() - a launch that was placed there went well. */
void trust_placed_well(struct engine *engine, struct host *host);

/** trust_canary_ended() - @fault NULL: it ran. */
void trust_canary_ended(struct lane *lane, const struct fault *fault);

/** trust_list_asked() - for all containers, just now. */
void trust_list_asked(struct lane *lane);
/** trust_removed() - the host says that it removed the container @id. */
void trust_removed(struct lane *lane, const char *id);
/** trust_was_removed() - ... and lists it all the same, though it was asked later. */
bool trust_was_removed(const struct lane *lane, const char *id);
/** trust_vanished() - a container is gone that nobody ended, soon after its start. Once, somebody may
 * have removed it by hand; again, the host lies. */
void trust_vanished(struct lane *lane, const char *name);
