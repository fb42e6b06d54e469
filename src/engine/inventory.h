#pragma once

/*
 * What the provider says there is, against the rows.  Both ways: a machine of
 * ours that no row claims is given back, a row whose machine is gone is lost.
 * Only complete listings say that something is not there, and only two in a row.
 */

#include "mind.h"

enum {
    INVENTORY_YOUNG_MS = 60000, /* a machine may be missing from listings for so long */
    INVENTORY_STRIKES = 2,
};

struct orphans;

/* The last listing that was answered. */
struct inventory_seen {
    int64_t at_ms;
    int64_t began_mono_ms;
    size_t alive;  /* machines of the pool that are not terminated */
    bool complete; /* only then that is all of them */
};

/** inventory_list() - ask the provider, unless that is under way.  Return: whether it is now. */
bool inventory_list(struct mind *mind);
/** inventory_ask() - @ask is done with the next listing, which is asked for at once.  Return: false: there is
 * none to ask for. */
bool inventory_ask(struct mind *mind, struct engine_listing *ask);
/** inventory_hasten() - something waits for a listing: the next one comes soon. */
void inventory_hasten(struct mind *mind);
/** inventory_await_boot() - the same for a machine that was launched: 0.8 s later, then after 1.2, 1.8 ... 5. */
void inventory_await_boot(struct mind *mind);
/** inventory_seen() - borrowed; NULL: there was none yet. */
const struct inventory_seen *inventory_seen(const struct mind *mind);
/** inventory_next_mono_ms() - when the provider is asked again, as far as that is planned; now: it is being asked;
 * 0: with the next round. */
int64_t inventory_next_mono_ms(const struct mind *mind);
/** inventory_orphans() - of the pool; borrowed. */
struct orphans *inventory_orphans(struct mind *mind);
/** inventory_late() - machines of ours that have had no row for long: not given back, or not to be. */
size_t inventory_late(const struct mind *mind);
/** inventory_stopped() - so many machines of ours have no row that none is given back by itself; 0:
 * that is not so. */
size_t inventory_stopped(const struct mind *mind);
/** inventory_cancel_all() - see recover.c. */
void inventory_cancel_all(struct engine *engine);
/** inventory_free() - NULL is fine. */
void inventory_free(struct inventory *inventory);
