#pragma once

/*
 * A cloud_port without a provider, in virtual time: launches are idempotent by token, what is very
 * young is not found (so its end does nothing, and says yes), types run out, calls are throttled, answers get lost.  A machine that a
 * playbook made a host has its engine in the fake_docker that goes with it (fake_shell.h).
 *
 * What goes wrong is said by rules (the n-th launch of a type), by the fate hook, by room and limit,
 * or by touching a struct fake_vm.  "Lost reply" is FAULT_CLOUD_UNSURE with FAKE_DONE or FAKE_LATE.
 */

#include "support/fake_quota.h"
#include "support/fake_vm.h"

enum {
    FAKE_CLOUD_RULES_MAX = 16,
    FAKE_CLOUD_BOOT_MS = 30000,
    FAKE_CLOUD_HIDDEN_MS = 5000,
    FAKE_CLOUD_STOP_MS = 20000,
    FAKE_CLOUD_TOKEN_MS = 86400000, /* a token is remembered for so long */
};

/* What becomes of a call. */
struct fake_cloud_fate {
    struct fake_fate how;     /* kind FAULT_NONE: whatever the provider does */
    bool first;               /* it is done, or looked up, at once, and the answer comes late */
    bool incomplete;          /* CLOUD_LIST: every other machine is missing, and it says so */
    uint32_t misses;          /* CLOUD_LIST: so manieth machine is missing, unsaid; 0: none */
    bool forget;              /* CLOUD_TERMINATE: it says yes and does nothing */
    struct fake_vm_life life; /* CLOUD_LAUNCH */
};

struct fake_cloud_rule {
    int verb;         /* enum cloud_verb; -1: any */
    const char *type; /* of a launch; NULL: any; borrowed */
    int nth;          /* from now on: 1 = the next such call only, ...; 0: every one */
    struct fake_cloud_fate fate;
};

struct fake_cloud;

/** fake_cloud_new() - both borrowed. Without rules a call takes 100 ms, and a machine boots in 30 s. */
struct fake_cloud *fake_cloud_new(const struct clock_port *clock, struct fake_docker *docker);
/** fake_cloud_free() - open calls are dropped without done. */
void fake_cloud_free(struct fake_cloud *fake);
/** fake_cloud_port() - borrowed. */
const struct cloud_port *fake_cloud_port(struct fake_cloud *fake);
/** fake_cloud_restart() - the daemon is gone: open calls end without done, but what they ask for was
 * sent and happens. */
void fake_cloud_restart(struct fake_cloud *fake);
/** fake_cloud_pending() - calls that were started and not done. */
size_t fake_cloud_pending(const struct fake_cloud *fake);

/* Saying what goes wrong. */
/** fake_cloud_fate_usual() - all goes well: for rules to start from. */
struct fake_cloud_fate fake_cloud_fate_usual(void);
void fake_cloud_rule_add(struct fake_cloud *fake, const struct fake_cloud_rule *rule);
void fake_cloud_rules_clear(struct fake_cloud *fake);
/** fake_cloud_fate() - @fate is asked for each call that no rule is for. */
void fake_cloud_fate(struct fake_cloud *fake,
                     struct fake_cloud_fate (*fate)(void *cookie, const struct cloud_call *call),
                     void *cookie);
/** fake_cloud_quota() - rooms, limit and throttling; none at first. */
struct fake_quota *fake_cloud_quota(struct fake_cloud *fake);

/* Looking. */
/** fake_cloud_vms() - all machines there ever were. */
const struct fake_vms *fake_cloud_vms(const struct fake_cloud *fake);
/** fake_cloud_alien_add() - a machine that is not ours; a termination of it is counted. */
struct fake_vm *fake_cloud_alien_add(struct fake_cloud *fake);
/** fake_cloud_aliens_touched() - terminations that named a machine that is not ours. */
uint64_t fake_cloud_aliens_touched(const struct fake_cloud *fake);
/** fake_cloud_calls() - calls of @verb so far. */
uint64_t fake_cloud_calls(const struct fake_cloud *fake, enum cloud_verb verb);
/** fake_cloud_has_group() - what the first launch of @pool made for it is there. */
bool fake_cloud_has_group(const struct fake_cloud *fake, const struct pool *pool);
/** fake_cloud_alive() - machines of ours that cost now. */
size_t fake_cloud_alive(const struct fake_cloud *fake);
/** fake_cloud_cost_micro() - of all machines of ours up to now. */
int64_t fake_cloud_cost_micro(const struct fake_cloud *fake);
