#pragma once

/*
 * A machine that Berth prepares and the host on it: what is under way for it.  The
 * row says how far it is (struct machine); this is what a crash may lose.  One that
 * was given to us begins as `up`, and is never returned.
 *
 *   spawn.c:  intent -> booting -> up -> preparing -> ready
 *   retire.c: returning -> the host is removed
 *
 * What happens is written into the row first; then rental_poke() does what the
 * row's stage asks for, once that is durable.
 */

#include "berth/port/cloud.h"
#include "berth/port/shell.h"

#include "mind.h"
#include "steps.h"

struct rental {
    struct engine *engine;
    struct host *host;
    struct mind *mind; /* of its pool */
    struct engine_wait wait;
    struct clock_timer stage_timer; /* the deadline of its stage, if that has one */
    struct clock_timer timer;       /* of the call under way, or until the next one */
    struct clock_timer step_timer;  /* of the playbook's step under way */
    struct cloud_call call;
    struct shell_prepare prepare;
    struct steps *steps;      /* owned: the log of prepare; NULL: it does not run */
    char *failed;             /* owned: where and why its last preparation failed; NULL: none did */
    struct secret *user_data; /* of the launch under way; NULL: none */
    char token[CLOUD_TOKEN_SIZE];
    bool waiting;                 /* for the commit */
    bool calling;                 /* call is with the provider */
    bool preparing;               /* prepare is with the shell */
    bool rested;                  /* what it does next rests on rows that are durable */
    bool late;                    /* prepare was cancelled: a step took too long */
    bool stale;                   /* ... no more, when the commit that is waited for is done */
    bool unsure;                  /* a launch with this token may have been done all the same */
    bool listed;                  /* the last listing showed it */
    bool shown;                   /* a listing has shown it: it is not too young to be found */
    bool asked;                   /* RETURNING: the provider accepted the termination */
    bool gone;                    /* RETURNING: there is no machine any more */
    bool upkeep;                  /* prepare is a run of upkeep.c's, on a host that serves */
    uint32_t upkeep_failures;     /* of those, in a row */
    int64_t upkeep_after_mono_ms; /* none begins before */
    uint32_t tried;               /* machine types that the provider had no room for, in a row */
    int64_t delay_ms;             /* until the next call, when that failed */
    int64_t quiet_mono_ms;        /* the last call that could bring the machine about ended */
};

/** rental_new() - for @host, which has a machine; does nothing before rental_poke(). */
struct rental *rental_new(struct engine *engine, struct host *host);
/** rental_find() - of @host; NULL: none (its machine is gone, or not ours). */
struct rental *rental_find(const struct engine *engine, const struct host *host);
/** rental_free() - nothing may be under way. */
void rental_free(struct rental *rental);
/** rental_is_busy() - a call, a preparation or a commit is under way. */
bool rental_is_busy(const struct rental *rental);

/** rental_stage_set() - the mover of machine stages; @waiting_for: what the host waits for now, NULL:
 * nothing. */
void rental_stage_set(struct rental *rental, enum machine_stage stage, const char *waiting_for);
/** rental_price_set() - its machine costs what the provider says of it, if it says so. */
void rental_price_set(struct rental *rental, const struct cloud_machine *seen);
/** rental_changed() - what is done next rests on rows that were just changed. */
void rental_changed(struct rental *rental);
/** rental_poke() - begin what its stage asks for, unless something is under way. */
void rental_poke(struct rental *rental);
/** rental_poke_in() - the same in @in_ms. */
void rental_poke_in(struct rental *rental, int64_t in_ms);
/** rental_delay_next() - the pause after one more failure: doubles, with jitter. */
int64_t rental_delay_next(struct rental *rental);

/** rental_call() - start rental->call, whose verb and in are set; @done first calls rental_called(). */
void rental_call(struct rental *rental,
                 void (*done)(struct cloud_call *call, const struct fault *fault));
/** rental_called() - the rental of @call; NULL: its rows are not to be touched, return. */
struct rental *rental_called(struct cloud_call *call);
/** rental_settle() - after any end of something under way: what is to come next. */
void rental_settle(struct rental *rental);

/** rental_is_on_hold() - the engine is stopping, or its rows are loaded again. */
bool rental_is_on_hold(const struct engine *engine);

/** rental_resume_all() - the rows were just loaded. */
void rental_resume_all(struct engine *engine);
/** rental_cancel_all() - end all that is under way; rental_is_quiet() tells when. */
void rental_cancel_all(struct engine *engine);
/** rental_fini() - forget all; nothing may be under way. */
void rental_fini(struct engine *engine);
