#pragma once

/*
 * The machine of a host that Berth prepares.  A provider rents it out: the row is the intent, durable
 * before the provider is asked, and its token makes asking again harmless.  Or somebody gave it to us
 * (ssh): then it begins as `up`, fails and is tried again as long as it takes, and is never ended.
 *
 *   intent -> booting -> up -> preparing -> ready
 *   ready -> parking -> warm -> waking -> ready
 *   any -> returning -> (the host is removed)
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/schema.h"

/* Each but READY and WARM has a deadline. */
enum machine_stage {
    MACHINE_INTENT,    /* the row is there; the provider may have been asked */
    MACHINE_BOOTING,   /* it has an id; not reachable yet */
    MACHINE_UP,        /* it can be prepared */
    MACHINE_PREPARING, /* a playbook runs */
    MACHINE_READY,     /* prepared: the engine is to answer, or does */
    MACHINE_PARKING,   /* it was asked to be stopped, to be kept warm */
    MACHINE_WARM,      /* stopped: its disk stays, and all that a playbook did */
    MACHINE_WAKING,    /* it was asked to be started again */
    MACHINE_RETURNING, /* it was asked to be terminated */
    MACHINE_STAGE_COUNT,
};

/** machine_stage_name() - "intent", "booting", ... */
const char *machine_stage_name(int32_t stage);

struct machine {
    char *id; /* the provider's; NULL: none known yet */
    char *type;
    char *zone;             /* NULL: not known */
    int64_t price_micro;    /* millionths of the currency an hour */
    int64_t launched_at_ms; /* asked for; it costs since; 0: not yet */
    int64_t stage_at_ms;    /* in its stage since */
    int64_t attempt;        /* of the launch: part of the token */
    int64_t prepare_failures;
    int64_t runs; /* of playbooks on it so far */
    int64_t step; /* where the next one begins: under way or failed in the last one; from 0 */
    char *step_revision;            /* of the playbook that step belongs to; NULL: not known */
    char *playbook_revision;        /* that prepared it; NULL: none yet */
    int64_t certificate_at_ms;      /* its engine's was issued; 0: not known */
    int64_t certificate_ends_at_ms; /* 0: it has none, or not Berth's */
    char *ssh;      /* "user@address" or "user@address:port" of a machine that is not ours to launch
                       or end; NULL: it is rented */
    char *host_key; /* "ssh-ed25519 AAAA...", what it shows; NULL: not known */
    char *user;     /* as whom Berth logs in, without ssh; NULL: not known */
    int32_t stage;  /* enum machine_stage */
    bool spot;
    bool warm;   /* it is to be stopped when it is prepared, and kept */
    bool sealed; /* the planted host key was replaced: it is not accepted any more */
    /* Not stored. */
    uint32_t strikes; /* complete listings in a row that lacked it */
};

extern const struct schema machine_schema;

struct machine *machine_new(const char *type);
void machine_free(struct machine *machine);
