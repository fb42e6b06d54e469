#include "judge.h"

#include "lane.h"
#include "trust.h"

/* In order of time. */
static bool judge_is_tried(const struct instance *instance);
static void judge_learn(struct engine *engine, struct instance *instance,
                        const struct fault *fault);
static void judge_blame_blueprint(struct engine *engine, int64_t id, const char *why);
static void judge_blame_host(struct engine *engine, struct host *host);
static void judge_hold(struct engine *engine, struct blueprint *blueprint, const char *why);
static void judge_release(struct engine *engine, struct blueprint *blueprint);

static struct breaker *
judge_breaker(struct blueprint *blueprint)
{
    if (!blueprint->breaker)
        blueprint->breaker = mem_new0(sizeof(*blueprint->breaker));
    return blueprint->breaker;
}

static void
judge_event(struct engine *engine, const char *kind, const struct blueprint *blueprint,
            const char *text)
{
    CLEANUP(mem_freep) char *told = mem_printf("blueprint %s: %s", blueprint->spec.name, text);
    const struct event event = { .kind = kind, .text = told };

    model_event_add(engine->model, &event, state_now_ms(engine));
}

/* --- A launch has ended ---------------------------------------------------------------------- */

void
judge_launch_failed(struct engine *engine, struct instance *instance, const struct fault *fault)
{
    struct blueprint *blueprint = instance->blueprint;
    bool blamed = fault_rule(fault->kind)->blame == BLAME_BLUEPRINT;

    if (blamed) {
        score_add(&judge_breaker(blueprint)->score, fault->kind, state_now_ms(engine));
        judge_event(engine, "blueprint.fault", blueprint, fault->text);
    }
    if ((blamed || blame_kind_is_ambiguous(fault->kind)) && judge_is_tried(instance)) {
        judge_hold(engine, blueprint, fault->text);
    }
    if (instance->host && blame_kind_is_ambiguous(fault->kind))
        judge_learn(engine, instance, fault);
}

void
judge_launch_went_well(struct engine *engine, struct instance *instance)
{
    struct blueprint *blueprint = instance->blueprint;
    struct host *host = instance->host;
    int64_t mono_ms = state_mono_ms(engine) + 1; /* 0 stands for never */

    blame_wins_add(&host->wins, blueprint->image_key, mono_ms);
    blame_wins_add(&blueprint->wins, (uint64_t)host->id, mono_ms);
    blame_went_well(&engine->blame, &(struct blame_pair){ .host_id = host->id,
                                                          .blueprint_id = blueprint->id,
                                                          .image = blueprint->image_key });
    if (!judge_is_tried(instance))
        return;
    breaker_close(blueprint->breaker);
    judge_event(engine, "blueprint.released", blueprint,
                "a launch went well: all others may follow");
    judge_release(engine, blueprint);
}

/* Whether it was the one launch that a half open breaker lets through. */
static bool
judge_is_tried(const struct instance *instance)
{
    const struct breaker *breaker = instance->blueprint->breaker;

    return breaker && breaker->state == BREAKER_HALF_OPEN && breaker->tried_id == instance->id;
}

static void
judge_take_back(struct engine *engine, struct error_score *score,
                const struct blame_failure *failure)
{
    const struct error_score part = { .milli = failure->milli, .at_ms = failure->at_ms };

    score_take_back(score, &part, state_now_ms(engine));
}

/* What the table of faults has counted against the host is not the host's fault. */
static void
judge_acquit(struct engine *engine, const struct blame_failure *failure, const char *why)
{
    struct host *host = idmap_find(&engine->model->hosts, failure->host_id);

    if (!failure->on_host || !host || host->state == HOST_REMOVED || !host->lane)
        return;
    judge_take_back(engine, &host->score, failure);
    trust_acquitted(host->lane, why);
}

static void
judge_learn(struct engine *engine, struct instance *instance, const struct fault *fault)
{
    struct blueprint *blueprint = instance->blueprint;
    struct host *host = instance->host;
    int64_t mono_ms = state_mono_ms(engine) + 1;
    const struct blame_failure failure = {
        .host_id = host->id,
        .blueprint_id = blueprint->id,
        .image = blueprint->image_key,
        .at_mono_ms = mono_ms,
        .at_ms = state_now_ms(engine),
        .milli = fault_rule(fault->kind)->weight,
        .kind = (int32_t)fault->kind,
        .on_host = fault_rule(fault->kind)->blame == BLAME_HOST,
        .host_well = blame_wins_beside(&host->wins, blueprint->image_key, mono_ms),
        .runs_elsewhere = blame_wins_beside(&blueprint->wins, (uint64_t)host->id, mono_ms),
    };

    if (blueprint->breaker && blueprint->breaker->state != BREAKER_CLOSED) {
        judge_acquit(engine, &failure, "its failures are those of a blueprint that is held back");
        return;
    }
    blame_add(&engine->blame, &failure);
    switch (blame_judge(&engine->blame, &failure)) {
    case BLAME_THE_BLUEPRINT:
        judge_blame_blueprint(engine, blueprint->id, fault->text);
        break;
    case BLAME_THE_HOST:
        judge_blame_host(engine, host);
        break;
    default:
        break;
    }
}

void
judge_canary_ran(struct engine *engine, struct host *host)
{
    int64_t id = blame_judge_canary(&engine->blame, host->id);

    if (id != 0) {
        judge_blame_blueprint(engine, id,
                              "nothing but this fails on a host where a canary container ran well");
    }
}

/* --- Verdicts -------------------------------------------------------------------------------- */

static void
judge_blame_blueprint(struct engine *engine, int64_t id, const char *why)
{
    struct blueprint *blueprint = idmap_find(&engine->model->blueprints, id);
    CLEANUP(mem_freep) char *acquitted = NULL;
    struct blame_failure failure;

    if (!blueprint)
        return;
    acquitted = mem_printf("its failures are blamed on blueprint %s: it takes work again",
                           blueprint->spec.name);
    while (blame_move_next(&engine->blame, BLAME_THE_BLUEPRINT, id, &failure)) {
        judge_acquit(engine, &failure, acquitted);
        if (failure.on_host) {
            score_add(&judge_breaker(blueprint)->score, (enum fault_kind)failure.kind,
                      state_now_ms(engine));
        }
    }
    judge_hold(engine, blueprint, why);
}

static void
judge_blame_host(struct engine *engine, struct host *host)
{
    struct blame_failure failure;

    state_event(engine, "host.blamed", host, NULL,
                "%d images fail here that run on other hosts: their failures count against it",
                BLAME_SEVERAL);
    while (blame_move_next(&engine->blame, BLAME_THE_HOST, host->id, &failure)) {
        struct blueprint *blueprint = idmap_find(&engine->model->blueprints, failure.blueprint_id);

        if (blueprint && blueprint->breaker) {
            judge_take_back(engine, &blueprint->breaker->score, &failure);
        }
        score_add(&host->score, (enum fault_kind)failure.kind, state_now_ms(engine));
    }
    if (host->lane)
        trust_blamed(host->lane);
}

/* --- Holding back ---------------------------------------------------------------------------- */

/* Of those that wait, so many are told why at once; the others when they are asked for. */
enum { JUDGE_TOLD_MAX = 1000 };

static void
judge_tell(struct engine *engine, struct instance *instance)
{
    model_instance_reason_set(engine->model, instance,
                              "held back: its blueprint fails wherever it is tried; one launch is "
                              "tried from time to time");
    model_instance_touch(engine->model, instance);
}

static void
judge_tell_all(struct engine *engine, const struct blueprint *blueprint)
{
    int left = JUDGE_TOLD_MAX;

    IDMAP_EACH(&engine->model->instances, struct instance, instance)
    {
        if (left > 0 && instance->blueprint == blueprint && instance->state == INSTANCE_QUEUED) {
            judge_tell(engine, instance);
            left--;
        }
    }
}

static void
judge_hold(struct engine *engine, struct blueprint *blueprint, const char *why)
{
    struct breaker *breaker = judge_breaker(blueprint);
    CLEANUP(mem_freep) char *text = NULL;
    char pause[32];

    if (breaker->state == BREAKER_OPEN)
        return;
    breaker_open(breaker, state_mono_ms(engine));
    blueprint->held = true;
    engine->breakers_open++;
    text = mem_printf("is held back, it is to blame: %s; one launch is tried in %s", why,
                      text_duration(breaker->pause_ms, pause));
    judge_event(engine, "blueprint.held", blueprint, text);
    log_warn("blueprint", "%s is held back: %s", blueprint->spec.name, why);
    judge_tell_all(engine, blueprint);
}

bool
judge_holds(struct engine *engine, struct instance *instance)
{
    if (instance->blueprint->held)
        judge_tell(engine, instance);
    return instance->blueprint->held;
}

void
judge_placed(const struct instance *instance)
{
    struct breaker *breaker = instance->blueprint->breaker;

    if (!breaker || breaker->state != BREAKER_HALF_OPEN)
        return;
    breaker->tried_id = instance->id;
    instance->blueprint->held = true;
}

/* The one that was let through is no longer starting, and nobody told how it ended: stopped, or its
 * host failed. */
static bool
judge_is_trying(const struct engine *engine, const struct breaker *breaker)
{
    const struct instance *tried = idmap_find(&engine->model->instances, breaker->tried_id);

    return tried && tried->state == INSTANCE_STARTING;
}

static void
judge_release(struct engine *engine, struct blueprint *blueprint)
{
    blueprint->held = false;
    state_sweep(engine);
}

void
judge_tick(struct engine *engine)
{
    if (engine->breakers_open == 0)
        return;
    engine->breakers_open = 0;
    IDMAP_EACH(&engine->model->blueprints, struct blueprint, blueprint)
    {
        struct breaker *breaker = blueprint->breaker;

        if (!breaker || breaker->state == BREAKER_CLOSED)
            continue;
        engine->breakers_open++;
        if (breaker_pass(breaker, state_mono_ms(engine)) ||
            (breaker->state == BREAKER_HALF_OPEN && blueprint->held &&
             !judge_is_trying(engine, breaker)))
            judge_release(engine, blueprint);
    }
}
