#pragma once

/*
 * What goes wrong, and when: rules for the n-th call of a kind, and a hook for
 * all others.
 */

#include "berth/port/docker.h"

enum { FAKE_RULES_MAX = 32 };

enum fake_effect {
    FAKE_NOTHING, /* the fault is all: nothing happened */
    FAKE_DONE,    /* it happened, only the answer was lost */
    FAKE_LATE,    /* it will happen, after the fault was told: fake_docker_late() */
};

/* What becomes of a call. */
struct fake_fate {
    int64_t latency_ms;   /* until the answer; a FAULT_TIMEOUT comes at the deadline instead */
    enum fault_kind kind; /* FAULT_NONE: whatever the machine does */
    enum fake_effect effect;
    int64_t late_ms; /* FAKE_LATE with a clock: how long after the fault; 0: when told to */
};

struct fake_rule {
    int verb;           /* enum docker_verb; -1: any */
    const char *engine; /* the endpoint; NULL: any; borrowed */
    int nth;            /* from now on: 1 = the next such call only, ...; 0: every one */
    struct fake_fate fate;
};

struct fake_fates {
    struct fake_rule rules[FAKE_RULES_MAX];
    int left[FAKE_RULES_MAX]; /* such calls until the rule is for one; negative: it was */
    size_t count;
    struct fake_fate (*hook)(void *cookie, const struct docker_call *call);
    void *cookie;
};

void fake_fate_rule_add(struct fake_fates *fates, const struct fake_rule *rule);
/** fake_fate_decide() - what becomes of @call to @engine: the first rule that is for it, else the
 * hook, else an answer after 1 ms. */
struct fake_fate fake_fate_decide(struct fake_fates *fates, const char *engine,
                                  const struct docker_call *call);
