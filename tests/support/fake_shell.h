#pragma once

/*
 * A shell_port without SSH, in virtual time: a playbook of five steps that makes a running machine of
 * the fake_cloud a host: its engine is in the fake_docker from then on.
 */

#include "berth/port/shell.h"

#include "support/fake_cloud.h"

enum { FAKE_SHELL_STEPS = 5, FAKE_SHELL_RULES_MAX = 16 };

/* What becomes of a preparation. */
struct fake_shell_fate {
    int64_t step_ms;      /* of each step */
    uint32_t fails_at;    /* index of the step that fails; used with kind */
    enum fault_kind kind; /* FAULT_NONE: all steps succeed; FAULT_TIMEOUT: that step hangs first;
                             FAULT_LOST: that step is done, but nobody hears of it */
    bool mute;            /* all steps succeed, but the engine does not answer */
};

struct fake_shell_rule {
    const char *host; /* its name; NULL: any; borrowed */
    int nth;          /* from now on: 1 = the next such run only, ...; 0: every one */
    struct fake_shell_fate fate;
};

struct fake_shell;

/** fake_shell_new() - both borrowed. Without rules each step takes 10 s and succeeds. */
struct fake_shell *fake_shell_new(const struct clock_port *clock, struct fake_cloud *cloud);
/** fake_shell_free() - open runs are dropped without done. */
void fake_shell_free(struct fake_shell *fake);
/** fake_shell_port() - borrowed. */
const struct shell_port *fake_shell_port(struct fake_shell *fake);
/** fake_shell_restart() - the daemon is gone: open runs vanish without done. */
void fake_shell_restart(struct fake_shell *fake);

void fake_shell_rule_add(struct fake_shell *fake, const struct fake_shell_rule *rule);
void fake_shell_rules_clear(struct fake_shell *fake);
/** fake_shell_fate() - @fate is asked for each run that no rule is for. */
void fake_shell_fate(struct fake_shell *fake,
                     struct fake_shell_fate (*fate)(void *cookie,
                                                    const struct shell_prepare *prepare),
                     void *cookie);

/** fake_shell_pending() - runs that were started and not done. */
size_t fake_shell_pending(const struct fake_shell *fake);
/** fake_shell_runs() - runs so far. */
uint64_t fake_shell_runs(const struct fake_shell *fake);

/** fake_shell_revision_set() - of the playbook of all pools from now on; at first "0000000000000001".  What
 * machines run at their first boot changes with it. */
void fake_shell_revision_set(struct fake_shell *fake, const char *revision);
/** fake_shell_certificate_ms() - how long engines' certificates live; 0, as at first: they have none. */
void fake_shell_certificate_ms(struct fake_shell *fake, int64_t lifetime_ms);
/** fake_shell_lines() - each step from now on writes first so many, of 16 bytes each. */
void fake_shell_lines(struct fake_shell *fake, uint32_t lines);
