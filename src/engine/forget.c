#include "forget.h"

#include <assert.h>
#include <string.h>

#include "rental.h"
#include "shutdown.h"

enum { FORGET_CALL_MS = 60000, FORGET_PAUSE_MS = 2000, FORGET_PAUSE_MAX_MS = 30000 };

struct forget {
    struct mind *mind;
    struct cloud_call call;
    struct clock_timer timer; /* of the call under way, or until the next one */
    int64_t began_mono_ms;    /* the first call; 0: it is not under way */
    int64_t pause_ms;
    char *deleted; /* owned; so far, by all calls; NULL: nothing */
    char *refused; /* owned; by the last call; NULL: nothing was in the way */
    bool calling;
    bool unwanted; /* forget_stop() */
};

/* In order of time. */
static void forget_call(struct forget *forget);
static void forget_on_timer(struct clock_timer *timer);
static void forget_on_done(struct cloud_call *call, const struct fault *fault);
static void forget_end(struct forget *forget, const struct fault *fault);

void
forget_start(struct mind *mind)
{
    struct forget *forget = mind->forget;

    if (forget_is_busy(mind) || rental_is_on_hold(mind->engine))
        return;
    if (!forget) {
        forget = mem_new0(sizeof(*forget));
        forget->mind = mind;
        forget->timer.fire = forget_on_timer;
        mind->forget = forget;
    }
    forget->unwanted = false;
    forget->began_mono_ms = state_mono_ms(mind->engine);
    forget->pause_ms = FORGET_PAUSE_MS;
    if (!forget
             ->calling) /* else the one that was stopped has not ended: its end goes on with this */
        forget_call(forget);
}

bool
forget_is_busy(const struct mind *mind)
{
    return mind->forget && mind->forget->began_mono_ms > 0 && !mind->forget->unwanted;
}

const char *
forget_says(const struct mind *mind)
{
    return forget_is_busy(mind) ? mind->forget->refused : NULL;
}

static void
forget_clear(struct forget *forget)
{
    mem_free(STEAL(forget->deleted));
    mem_free(STEAL(forget->refused));
    forget->began_mono_ms = 0;
}

void
forget_stop(struct mind *mind)
{
    const struct cloud_port *cloud = mind->engine->ports.cloud;
    struct forget *forget = mind->forget;

    if (!forget_is_busy(mind))
        return;
    forget->unwanted = true;
    if (forget->calling) {
        cloud->cancel(cloud->self, &forget->call);
    } else {
        state_timer_clear(mind->engine, &forget->timer);
        forget_clear(forget);
    }
}

void
forget_cancel_all(struct engine *engine)
{
    IDMAP_EACH(&engine->minds, struct mind, mind)
    {
        forget_stop(mind);
    }
}

void
forget_free(struct forget *forget)
{
    if (!forget)
        return;
    assert(!forget->calling);
    state_timer_clear(forget->mind->engine, &forget->timer);
    forget_clear(forget);
    mem_free(forget);
}

static void
forget_call(struct forget *forget)
{
    struct engine *engine = forget->mind->engine;
    const struct cloud_port *cloud = engine->ports.cloud;

    forget->calling = true;
    forget->call = (struct cloud_call){
        .verb = CLOUD_FORGET,
        .pool = forget->mind->pool,
        .cluster_id = engine->info.cluster_id,
        .done = forget_on_done,
    };
    engine->cloud_calls++;
    state_timer_set(engine, &forget->timer, FORGET_CALL_MS);
    cloud->start(cloud->self, &forget->call);
}

static void
forget_on_timer(struct clock_timer *timer)
{
    struct forget *forget = CONTAINER_OF(timer, struct forget, timer);
    const struct cloud_port *cloud = forget->mind->engine->ports.cloud;

    if (forget->calling) {
        cloud->cancel(cloud->self, &forget->call);
    } else {
        forget_call(forget);
    }
}

static void
forget_note(struct forget *forget, const char *deleted, const struct fault *fault)
{
    if (deleted[0]) {
        CLEANUP(mem_freep) char *before = forget->deleted;

        forget->deleted = before ? mem_printf("%s, %s", before, deleted) : mem_strdup(deleted);
    }
    mem_free(forget->refused);
    forget->refused = fault ? mem_strdup(fault->text) : NULL;
}

/* A provider that does not answer in time is asked again, too. */
static bool
forget_may_go_well(const struct forget *forget, const struct fault *fault)
{
    int64_t tried_ms = state_mono_ms(forget->mind->engine) - forget->began_mono_ms;

    return fault->kind != FAULT_CLOUD_DENIED && fault->kind != FAULT_CLOUD_REFUSED &&
           tried_ms + forget->pause_ms < FORGET_PATIENCE_MS;
}

static void
forget_on_done(struct cloud_call *call, const struct fault *fault)
{
    struct forget *forget = CONTAINER_OF(call, struct forget, call);
    struct engine *engine = forget->mind->engine;

    forget->calling = false;
    engine->cloud_calls--;
    state_timer_clear(engine, &forget->timer);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    if (forget->unwanted || rental_is_on_hold(engine)) {
        forget_clear(forget);
        return;
    }
    forget_note(forget, call->out.forgotten, fault);
    if (!fault || !forget_may_go_well(forget, fault)) {
        forget_end(forget, fault);
        return;
    }
    state_timer_set(engine, &forget->timer, forget->pause_ms);
    forget->pause_ms *= 2;
    if (forget->pause_ms > FORGET_PAUSE_MAX_MS)
        forget->pause_ms = FORGET_PAUSE_MAX_MS;
}

static void
forget_end(struct forget *forget, const struct fault *fault)
{
    CLEANUP(mem_freep) char *deleted = STEAL(forget->deleted);

    forget_clear(forget);
    shutdown_forgotten(forget->mind, deleted, fault);
}
