/* What is old, bad, or more than is needed. */

#include <inttypes.h>

#include "policy_round.h"

enum {
    POLICY_REMOVE_GRACE_MS = 120000, /* after its deadline: stopping takes its time */
    POLICY_BAD_SHARE = 3,            /* at most one in so many is taken out for its errors */
};

/* What is to be done with a host that leaves. */
struct policy_leave {
    enum policy_kind kind;
    enum host_cause cause;
    int64_t ends_at_ms;
};

/* --- Machines that are given back ---------------------------------------------------------------- */

/* Its instances could not be stopped for so long that only the machine's end ends them. */
static bool
policy_is_stuck(const struct policy_view *view, const struct policy_host *host)
{
    return host->ends_at_ms > 0 && view->now_ms - host->ends_at_ms >= POLICY_REMOVE_GRACE_MS;
}

/* Whether its machine can be given back now. */
static bool
policy_is_over(struct policy_round *round, const struct policy_host *host)
{
    if (host->state != HOST_INACTIVE || host->stage == MACHINE_RETURNING)
        return false;
    /* A person who has drained it may want to look at it. */
    if (host->cause == CAUSE_OPERATOR && !round->policy->shutdown)
        return false;
    if (host->instances == 0 || policy_is_stuck(round->view, host))
        return true;
    if (host->ends_at_ms > 0)
        policy_round_wake(round, host->ends_at_ms + POLICY_REMOVE_GRACE_MS);
    return false;
}

void
policy_remove(struct policy_round *round)
{
    const struct policy_view *view = round->view;

    for (size_t i = 0; i < view->host_count && round->rents; i++) {
        const struct policy_host *host = &view->hosts[i];
        struct policy_action *action;

        if (!policy_is_over(round, host))
            continue;
        action = policy_round_add(round, POLICY_REMOVE, host);
        if (action && host->instances > 0) {
            policy_say(action->reason,
                       "%" PRIu32 " instances could not be stopped by %s: they end with it",
                       host->instances, policy_words_time(host->ends_at_ms).text);
        } else if (action) {
            policy_say(action->reason, "nothing runs there; out of service: %s",
                       host_cause_name(host->cause));
        }
    }
}

/* --- Hosts that are taken out of service --------------------------------------------------------- */

static int64_t
policy_deadline(const struct policy_round *round)
{
    int64_t deadline_ms = round->policy->retire_deadline_ms;

    return deadline_ms > 0 ? round->view->now_ms + deadline_ms : 0;
}

/* What runs on a bad host is not known to run: without a deadline it might stay for ever. */
static int64_t
policy_bad_deadline(const struct policy_round *round)
{
    int64_t deadline_ms = policy_deadline(round);

    if (deadline_ms > 0 || round->policy->drain_deadline_ms == 0)
        return deadline_ms;
    return round->view->now_ms + round->policy->drain_deadline_ms;
}

/* For how long @host has served beyond its life; below 0: it is not at its end. */
static int64_t
policy_overdue_ms(const struct policy_round *round, const struct policy_host *host)
{
    const struct pool_policy *policy = round->policy;
    int64_t from_ms =
        policy->life_from == LIFE_FROM_FIRST_USE ? host->first_used_at_ms : host->active_at_ms;

    if (policy->host_lifetime_ms == 0 || from_ms == 0)
        return -1;
    return round->view->now_ms - from_ms - policy->host_lifetime_ms;
}

/* Whether a worn host goes on to serve what runs there. */
static bool
policy_serves_on(struct policy_round *round, const struct policy_host *host)
{
    const struct pool_policy *policy = round->policy;
    int64_t overdue_ms = policy_overdue_ms(round, host);

    if (policy->retire == RETIRE_DRAIN || host->instances == 0)
        return false;
    if (policy->retire_deadline_ms == 0)
        return true;
    if (policy->shutdown || overdue_ms >= policy->retire_deadline_ms)
        return false;
    if (overdue_ms >= 0)
        policy_round_wake(round, round->view->now_ms + policy->retire_deadline_ms - overdue_ms);
    return true;
}

static enum host_cause
policy_worn_cause(const struct policy_round *round, const struct policy_host *host)
{
    if (round->policy->shutdown)
        return CAUSE_SHUTDOWN;
    return host->outdated || policy_life_left_ms(round->view, host) <= 0 ? CAUSE_AGE : CAUSE_USES;
}

static bool
policy_leaves_spawned(const struct policy_round *round, const struct policy_host *host,
                      struct policy_leave *ret_leave)
{
    const struct pool_policy *policy = round->policy;

    ret_leave->cause = policy->shutdown ? CAUSE_SHUTDOWN : CAUSE_GAVE_UP;
    return round->rents && (policy->shutdown || host->prepare_failures >= policy->prepare_attempts);
}

/* Whether and how @host should leave, as far as it alone is concerned. */
static bool
policy_leaves(struct policy_round *round, const struct policy_host *host,
              struct policy_leave *ret_leave)
{
    *ret_leave = (struct policy_leave){ .kind = POLICY_INACTIVATE };
    if (host->busy || host->stage == MACHINE_RETURNING)
        return false;
    if (host->state == HOST_SPAWNED)
        return policy_leaves_spawned(round, host, ret_leave);
    if (host->state != HOST_ACTIVE)
        return false;
    if (host->untrusted && round->rents) {
        ret_leave->cause = CAUSE_ERRORS;
        ret_leave->ends_at_ms = host->instances > 0 ? policy_bad_deadline(round) : 0;
        return true;
    }
    if (!policy_is_worn(round->view, host) || policy_serves_on(round, host))
        return false;
    ret_leave->kind = host->instances > 0 ? POLICY_DRAIN : POLICY_INACTIVATE;
    ret_leave->cause = policy_worn_cause(round, host);
    ret_leave->ends_at_ms = host->instances > 0 ? policy_deadline(round) : 0;
    return true;
}

static void
policy_leave_say(const struct policy_round *round, const struct policy_host *host,
                 struct policy_action *action)
{
    const struct pool_policy *policy = round->policy;

    if (action->cause == CAUSE_AGE && host->outdated) {
        policy_say(action->reason, "another playbook than today's prepared it");
        return;
    }
    switch (action->cause) {
    case CAUSE_SHUTDOWN:
        policy_say(action->reason, "the pool is being shut down");
        break;
    case CAUSE_GAVE_UP:
        policy_say(action->reason, "its preparation failed %" PRIu32 " times",
                   host->prepare_failures);
        break;
    case CAUSE_ERRORS:
        policy_say(action->reason, "it failed and did not recover in time");
        break;
    case CAUSE_USES:
        policy_say(action->reason, "%" PRIu32 " instances were placed there, host_uses is %" PRId64,
                   host->uses, policy->host_uses);
        break;
    default:
        policy_say(action->reason, "its life of %s ended %s ago",
                   policy_words_span(policy->host_lifetime_ms).text,
                   policy_words_span(policy_overdue_ms(round, host)).text);
        break;
    }
}

/* How many worn or bad hosts may leave in this round: all when the others do without them; with
 * growth held back one at a time, since none is replaced before it has gone. */
static int64_t
policy_may_leave(const struct policy_round *round)
{
    const uint32_t lasting = 1U << HOLD_MAX_HOSTS | 1U << HOLD_BUDGET;
    bool under_way = round->coming > 0 || round->leaving > 0 ||
                     (round->policy->retire == RETIRE_DRAIN && round->retired > 0);

    if (round->policy->shutdown || policy_lack_of(round, &round->active).what == SHORT_NONE)
        return (int64_t)round->view->host_count;
    return round->held & lasting && !under_way ? 1 : 0;
}

/* A common cause makes all hosts bad at once, and their replacements, too: most are kept. */
static int64_t
policy_may_leave_bad(const struct policy_round *round)
{
    int64_t most = round->hosts / POLICY_BAD_SHARE;

    if (round->failing > 0)
        return 0;
    most = (most > 1 ? most : 1) - round->lost;
    return most > 0 ? most : 0;
}

void
policy_retire(struct policy_round *round)
{
    static const enum policy_kind kinds[] = { POLICY_DRAIN, POLICY_INACTIVATE };
    const struct policy_view *view = round->view;
    int64_t left = policy_may_leave(round);
    int64_t bad_left = policy_may_leave_bad(round);

    for (size_t i = 0; i < ARRAY_LEN(kinds) * view->host_count; i++) {
        const struct policy_host *host = &view->hosts[i % view->host_count];
        struct policy_action *action;
        struct policy_leave leave;
        bool given_up;

        if (!policy_leaves(round, host, &leave) || leave.kind != kinds[i / view->host_count])
            continue;
        given_up = leave.cause == CAUSE_GAVE_UP;
        if (!given_up && (left == 0 || (leave.cause == CAUSE_ERRORS && bad_left == 0)))
            continue;
        action = policy_round_add(round, leave.kind, host);
        if (!action)
            continue;
        left -= !given_up;
        bad_left -= leave.cause == CAUSE_ERRORS;
        action->cause = leave.cause;
        action->ends_at_ms = leave.ends_at_ms;
        policy_leave_say(round, host, action);
    }
}
