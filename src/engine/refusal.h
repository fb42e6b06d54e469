#pragma once

/*
 * That the provider refuses what a pool asks of it, for people: what, since when, why, and when it is asked
 * again.  The first call of the same kind that goes well ends it.  Nothing is decided by it: what is
 * refused is held back by mind.h, rental.h and inventory.h.  A restart forgets it; it is learnt again.
 */

#include "berth/base/json.h"
#include "berth/port/cloud.h"

struct mind;

/* Calls of one verb that failed in a row. */
struct refusal {
    int64_t since_mono_ms; /* the first of them */
    int64_t last_mono_ms;
    uint32_t times;    /* 0: the last one went well, or there was none */
    struct fault last; /* its kind: FAULT_CLOUD_* */
};

/** refusal_note() - a call of @verb ended with @fault.  One that the provider did not answer counts, one that tells
 * of the machine alone does not.  Return: how many have failed in a row. */
uint32_t refusal_note(struct mind *mind, enum cloud_verb verb, const struct fault *fault);
/** refusal_end() - one went well.  Return: for how long they had failed; 0: they had not. */
int64_t refusal_end(struct mind *mind, enum cloud_verb verb);

/** refusal_kind_ms() - for how long the provider has refused the pool anything, last for a reason of @kind; 0: it does
 * not. */
int64_t refusal_kind_ms(const struct mind *mind, enum fault_kind kind);
/** refusal_tell() - "refused":[PoolRefusal]. */
void refusal_tell(const struct mind *mind, struct json_out *out);
