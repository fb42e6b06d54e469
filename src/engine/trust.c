#include "trust.h"

#include <string.h>

#include "berth/base/hash.h"

#include "canary.h"
#include "housekeeping.h"
#include "judge.h"

enum {
    TRUST_TELL_MS = 10000,      /* one event about faults of a host in so long */
    TRUST_VANISHED_MS = 600000, /* two in so long are no accident */
    TRUST_MILLI = 1000,
};

/* In order of time. */
static void trust_weigh(struct lane *lane, const char *what, const struct fault *fault);
static void trust_suspend(struct lane *lane, const char *what, const struct fault *fault);
static void trust_relapse(struct lane *lane, const char *what, const struct fault *fault);
static void trust_arm(struct lane *lane, int64_t in_ms);
static void trust_on_due(struct clock_timer *timer);
static void trust_end(struct engine *engine, struct host *host, const char *why);

static struct trust *
trust_get(struct lane *lane)
{
    if (!lane->trust) {
        lane->trust = mem_new0(sizeof(*lane->trust));
        lane->trust->lane = lane;
    }
    return lane->trust;
}

void
trust_free(struct lane *lane)
{
    if (!lane->trust)
        return;
    state_timer_clear(lane->engine, &lane->trust->timer);
    canary_free(lane->trust->canary);
    free(STEAL(lane->trust));
}

void
trust_cancel(struct lane *lane)
{
    if (lane->trust && lane->trust->canary)
        canary_cancel(lane->trust->canary);
}

static int64_t
trust_score(const struct lane *lane)
{
    return score_at(&lane->host->score, state_now_ms(lane->engine));
}

static bool
trust_is_beyond(const struct lane *lane)
{
    return trust_score(lane) > lane->host->pool->policy.error_threshold_milli;
}

static void
trust_touch(struct lane *lane)
{
    model_host_touch(lane->engine->model, lane->host, state_now_ms(lane->engine));
}

/* --- Faults ---------------------------------------------------------------------------------- */

/* A host that fails a thousand times a minute is told of six times. */
static void
trust_tell(struct lane *lane, const char *what, const struct fault *fault)
{
    struct trust *trust = trust_get(lane);
    int64_t mono_ms = state_mono_ms(lane->engine);
    int64_t score = trust_score(lane);
    int64_t threshold = lane->host->pool->policy.error_threshold_milli;
    char more[48] = "";
    struct buf text = { .data = more, .cap = sizeof(more), .limit = sizeof(more) - 1 };

    if (trust->told_mono_ms != 0 && mono_ms - trust->told_mono_ms < TRUST_TELL_MS) {
        trust->untold++;
        return;
    }
    if (trust->untold > 0)
        buf_printf(&text, "; %u more before it", trust->untold);
    trust->untold = 0;
    trust->told_mono_ms = mono_ms;
    state_event(lane->engine, "host.fault", lane->host, NULL,
                "%s: %s (score %lld.%03d of %lld.%03d%s)", what, fault->text,
                (long long)(score / TRUST_MILLI), (int)(score % TRUST_MILLI),
                (long long)(threshold / TRUST_MILLI), (int)(threshold % TRUST_MILLI), more);
}

/* The last ones of a series, when no other has followed. */
static void
trust_tell_rest(struct lane *lane)
{
    struct trust *trust = lane->trust;
    int64_t score = trust_score(lane);

    if (!trust || trust->untold == 0 ||
        state_mono_ms(lane->engine) - trust->told_mono_ms < TRUST_TELL_MS)
        return;
    state_event(lane->engine, "host.fault", lane->host, NULL,
                "%u more faults, the last one %s (score %lld.%03d)", trust->untold,
                fault_rule((enum fault_kind)lane->host->score.last_kind)->code,
                (long long)(score / TRUST_MILLI), (int)(score % TRUST_MILLI));
    trust->untold = 0;
    trust->told_mono_ms = state_mono_ms(lane->engine);
}

void
trust_fault(struct lane *lane, const char *what, const struct fault *fault)
{
    score_add(&lane->host->score, fault->kind, state_now_ms(lane->engine));
    trust_tell(lane, what, fault);
    trust_weigh(lane, what, fault);
}

/* Its score has risen. */
static void
trust_weigh(struct lane *lane, const char *what, const struct fault *fault)
{
    struct host *host = lane->host;

    if (host->trial && host->trial->state == TRIAL_PROBATION) {
        trust_relapse(lane, what, fault);
    } else if (!host->trial && host->state == HOST_ACTIVE && trust_is_beyond(lane)) {
        trust_suspend(lane, what, fault);
    } else {
        trust_touch(lane);
    }
}

void
trust_blamed(struct lane *lane)
{
    struct host *host = lane->host;
    enum fault_kind kind = (enum fault_kind)host->score.last_kind;
    struct fault fault;

    fault_set(&fault, kind, "trust", "%s", fault_rule(kind)->title);
    trust_weigh(lane, "last fault", &fault);
}

void
trust_acquitted(struct lane *lane, const char *why)
{
    if (lane->host->trial && !trust_is_beyond(lane)) {
        trust_end(lane->engine, lane->host, why);
    } else {
        trust_touch(lane);
    }
}

/* --- Suspension ------------------------------------------------------------------------------ */

/* What waits there for its turn goes elsewhere. */
static void
trust_shed(struct lane *lane)
{
    lane->engine->breaks_pending = true;
    housekeeping_poke(lane->engine);
    lane->engine->ports.clock->turn_ask(lane->engine->ports.clock->self);
}

static void
trust_suspend(struct lane *lane, const char *what, const struct fault *fault)
{
    struct host *host = lane->host;
    int64_t score = trust_score(lane);
    int64_t threshold = host->pool->policy.error_threshold_milli;
    char pause[32];

    host->trial = trial_new(state_now_ms(lane->engine));
    trust_touch(lane);
    state_event(lane->engine, "host.suspended", host, NULL,
                "takes no new work: its error score of %lld.%03d is above the threshold of "
                "%lld.%03d; %s: %s; a canary container is tried in %s",
                (long long)(score / TRUST_MILLI), (int)(score % TRUST_MILLI),
                (long long)(threshold / TRUST_MILLI), (int)(threshold % TRUST_MILLI), what,
                fault->text, text_duration(trial_pause_ms(host->trial), pause));
    log_warn("host", "%s is suspended: %s: %s", host->name, what, fault->text);
    trust_arm(lane, trial_pause_ms(host->trial));
    trust_shed(lane);
}

static void
trust_relapse(struct lane *lane, const char *what, const struct fault *fault)
{
    struct host *host = lane->host;
    char pause[32];

    trial_relapsed(host->trial, state_now_ms(lane->engine));
    trust_touch(lane);
    state_event(lane->engine, "host.suspended", host, NULL,
                "failed on probation: %s: %s; the next canary container is tried in %s", what,
                fault->text, text_duration(trial_pause_ms(host->trial), pause));
    trust_arm(lane, trial_pause_ms(host->trial));
    trust_shed(lane);
}

static void
trust_arm(struct lane *lane, int64_t in_ms)
{
    struct trust *trust = trust_get(lane);

    trust->timer.fire = trust_on_due;
    state_timer_set(lane->engine, &trust->timer, in_ms);
}

static bool
trust_is_waiting(const struct lane *lane)
{
    const struct host *host = lane->host;

    return host->trial && host->trial->state == TRIAL_SUSPENDED && host->state == HOST_ACTIVE &&
           !lane->engine->reloading && lane->engine->health != ENGINE_STOPPING;
}

static void
trust_give_up(struct lane *lane)
{
    const struct host *host = lane->host;
    char since[32];

    (void)text_duration(host->trial->waited_ms, since);
    if (pool_provider_rents(host->pool->provider)) {
        state_event(lane->engine, "host.untrusted", host, NULL,
                    "has not recovered in %s: it is to be replaced", since);
    } else {
        state_event(lane->engine, "host.untrusted", host, NULL,
                    "has not recovered in %s: mend it, canary containers go on; or vouch for it "
                    "with 'berth host activate %s'",
                    since, host->name);
    }
}

/* A pause has passed: @move the trial on, and say so when that was one too many. */
static void
trust_step(struct lane *lane, void (*move)(struct trial *trial, int64_t now_ms))
{
    struct trial *trial = lane->host->trial;
    int64_t most_ms = lane->host->pool->policy.suspended_max_ms;
    bool before = trial_is_untrusted(trial, most_ms);

    move(trial, state_now_ms(lane->engine));
    trust_touch(lane);
    trust_arm(lane, trial_pause_ms(trial));
    if (!before && trial_is_untrusted(trial, most_ms))
        trust_give_up(lane);
}

static void
trust_canary_start(struct lane *lane)
{
    struct trust *trust = trust_get(lane);

    trust->due = false;
    state_timer_clear(lane->engine, &trust->timer);
    trust->canary = canary_new(lane, ++trust->canaries);
}

static void
trust_on_due(struct clock_timer *timer)
{
    struct lane *lane = CONTAINER_OF(timer, struct trust, timer)->lane;

    if (!trust_is_waiting(lane) || lane->trust->canary)
        return;
    if (lane->state == LANE_OPEN) {
        trust_canary_start(lane);
        return;
    }
    lane->trust->due = true;
    trust_step(lane, trial_canary_missed);
}

void
trust_canary_ended(struct lane *lane, const struct fault *fault)
{
    struct engine *engine = lane->engine;
    struct host *host = lane->host;
    char pause[32];

    lane->trust->canary = NULL;
    if (!trust_is_waiting(lane) || (fault && fault->kind == FAULT_CANCELLED))
        return;
    if (fault) {
        engine->meter.canaries_failed++;
        trust_step(lane, trial_canary_failed);
        state_event(engine, "host.canary", host, NULL,
                    "the canary container failed: %s; the next one is tried in %s", fault->text,
                    text_duration(trial_pause_ms(host->trial), pause));
        return;
    }
    engine->meter.canaries_ran++;
    trial_canary_ran(host->trial, host->pool->policy.probation);
    trust_touch(lane);
    state_event(engine, "host.probation", host, NULL,
                "a canary container ran well; on probation: %lld placements must go well, one at a "
                "time",
                (long long)host->trial->placements_left);
    trust_work_changed(engine, host);
    judge_canary_ran(engine, host);
    state_sweep(engine);
}

/* --- Probation ------------------------------------------------------------------------------- */

/* What starts again belongs to the host already. */
static bool
trust_is_proving(const struct host *host)
{
    for (struct list_node *node = list_first(&host->instances); node;
         node = list_next(&host->instances, node)) {
        const struct instance *instance = CONTAINER_OF(node, struct instance, node);

        if (instance->state == INSTANCE_STARTING && instance->restarts == 0)
            return true;
    }
    return false;
}

void
trust_work_changed(struct engine *engine, struct host *host)
{
    bool proving;

    if (!host->trial || host->trial->state != TRIAL_PROBATION)
        return;
    proving = trust_is_proving(host);
    if (proving == host->proving)
        return;
    host->proving = proving;
    model_host_seen(engine->model, host, state_now_ms(engine));
    if (!proving)
        state_sweep(engine);
}

void
trust_placed_well(struct engine *engine, struct host *host)
{
    if (!host->trial || host->trial->state != TRIAL_PROBATION)
        return;
    if (trial_placed(host->trial) == TRIAL_TRUSTED) {
        score_clear(&host->score, state_now_ms(engine));
        trust_end(engine, host, "each placement on probation went well: it takes work again");
        return;
    }
    model_host_touch(engine->model, host, state_now_ms(engine));
    state_event(engine, "host.probation", host, NULL, "a placement went well; %lld more must",
                (long long)host->trial->placements_left);
}

/* --- The end of a trial ---------------------------------------------------------------------- */

static void
trust_end(struct engine *engine, struct host *host, const char *why)
{
    struct lane *lane = host->lane;

    if (lane && lane->trust) {
        state_timer_clear(engine, &lane->trust->timer);
        lane->trust->due = false;
    }
    if (lane)
        trust_cancel(lane);
    mem_free(STEAL(host->trial));
    host->proving = false;
    model_host_touch(engine->model, host, state_now_ms(engine));
    state_event(engine, "host.trusted", host, NULL, "%s", why);
    state_sweep(engine);
}

void
trust_vouch(struct engine *engine, struct host *host, const char *why)
{
    score_clear(&host->score, state_now_ms(engine));
    if (host->trial)
        trust_end(engine, host, why);
}

void
trust_look(struct lane *lane)
{
    struct engine *engine = lane->engine;
    struct host *host = lane->host;

    trust_tell_rest(lane);
    if (host->score.at_ms > state_now_ms(engine)) {
        /* The clock was put back: the score would not fall for as long. */
        host->score.at_ms = state_now_ms(engine);
        trust_touch(lane);
    }
    if (!host->trial && host->score.milli > host->pool->policy.error_threshold_milli)
        trust_blamed(lane); /* the threshold may have been lowered */
    trust_work_changed(engine, host);
    if (!trust_is_waiting(lane) || (lane->trust && lane->trust->canary))
        return;
    if (lane->trust && lane->trust->due) {
        trust_canary_start(lane);
    } else if (!lane->trust || lane->trust->timer.at_mono_ms == 0) {
        trust_arm(lane, trial_wait_ms(host->trial, state_now_ms(engine)));
    }
}

/* --- Lies ------------------------------------------------------------------------------------ */

static uint64_t
trust_hash(const char *id)
{
    return hash_text(HASH_TEXT_START, id, strlen(id));
}

void
trust_list_asked(struct lane *lane)
{
    if (lane->trust)
        lane->trust->lists++;
}

void
trust_removed(struct lane *lane, const char *id)
{
    struct trust *trust = trust_get(lane);

    trust->removed[trust->removed_next].id = trust_hash(id);
    trust->removed[trust->removed_next].list = trust->lists;
    trust->removed_next = (uint8_t)((trust->removed_next + 1) % TRUST_REMOVED_MAX);
}

bool
trust_was_removed(const struct lane *lane, const char *id)
{
    const struct trust *trust = lane->trust;
    uint64_t hash = trust_hash(id);

    for (int i = 0; trust && i < TRUST_REMOVED_MAX; i++) {
        if (trust->removed[i].id == hash && trust->removed[i].list < trust->lists)
            return true;
    }
    return false;
}

void
trust_vanished(struct lane *lane, const char *name)
{
    struct trust *trust = trust_get(lane);
    int64_t mono_ms = state_mono_ms(lane->engine);
    bool again =
        trust->vanished_mono_ms != 0 && mono_ms - trust->vanished_mono_ms < TRUST_VANISHED_MS;
    struct fault fault;

    trust->vanished_mono_ms = mono_ms;
    if (!again)
        return;
    fault_set(&fault, FAULT_INCONSISTENT, "trust",
              "%s ran and is gone, and so was another one before: nobody ended them", name);
    lane->engine->meter.faults[fault.kind]++;
    trust_fault(lane, "compare", &fault);
}
