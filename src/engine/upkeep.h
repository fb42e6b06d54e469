#pragma once

/*
 * What is done to prepared hosts while they serve: certificates are renewed before
 * they end, and where the pool wants it, a playbook that has changed is run again.
 * The engine lives through both, and so does what runs there.
 */

#include "rental.h"

enum {
    UPKEEP_RUNS_MAX = 3, /* at once, of all pools; of one pool one with a changed playbook */
    UPKEEP_LIFE_PART = 3 /* with less than this part of its life left, a certificate is renewed */
};

enum upkeep_drift {
    DRIFT_NONE,
    DRIFT_DIFFERS, /* another playbook than today's prepared it */
    DRIFT_UNKNOWN, /* nobody knows which playbook did */
};

/** upkeep_drift() - of @host, whose machine is prepared, against its pool's playbook. */
enum upkeep_drift upkeep_drift(const struct engine *engine, const struct host *host);
/** upkeep_certificate_is_late() - the certificate of @host should have been renewed for a while, or has
 * ended: people are told. */
bool upkeep_certificate_is_late(const struct host *host, int64_t now_ms);
/** upkeep_round() - with each round of housekeeping: begin what is due. */
void upkeep_round(struct engine *engine);
/** upkeep_ended() - the run on @rental that was begun here has ended. */
void upkeep_ended(struct rental *rental, const struct fault *fault);
