#include "refusal.h"

#include "inventory.h"
#include "rental.h"

/* Longer than any pause between two calls: what is as old and nobody waits for is not asked any more. */
enum { REFUSAL_KEPT_MS = 900000 };

struct refusal_verb {
    enum machine_stage stage; /* of machines that wait for it; MACHINE_STAGE_COUNT: none does */
    bool queue;               /* what waits for room waits for it, too */
};

static const struct refusal_verb refusal_verbs[CLOUD_VERB_COUNT] = {
    [CLOUD_LAUNCH] = { MACHINE_INTENT, true },          [CLOUD_LIST] = { MACHINE_BOOTING, true },
    [CLOUD_TERMINATE] = { MACHINE_STAGE_COUNT, false }, /* see refusal_concerns() */
    [CLOUD_CONSOLE] = { MACHINE_STAGE_COUNT, false },   [CLOUD_STOP] = { MACHINE_PARKING, false },
    [CLOUD_START] = { MACHINE_WAKING, true },
};

/* Who waits for a call, and when the next one is. */
struct refusal_wait {
    uint32_t hosts;
    int64_t next_mono_ms; /* 0: none is planned */
};

uint32_t
refusal_note(struct mind *mind, enum cloud_verb verb, const struct fault *fault)
{
    struct refusal *refusal = &mind->refusals[verb];
    bool silent = fault->kind == FAULT_CANCELLED;

    if (!silent && (fault->kind < FAULT_CLOUD_CAPACITY || fault->kind > FAULT_CLOUD_UNSURE))
        return refusal->times;
    refusal->last_mono_ms = state_mono_ms(mind->engine);
    if (refusal->times++ == 0)
        refusal->since_mono_ms = refusal->last_mono_ms;
    refusal->last = *fault;
    if (silent) {
        fault_set(&refusal->last, FAULT_CLOUD_UNSURE, "refusal",
                  "the provider did not answer in time");
    }
    return refusal->times;
}

int64_t
refusal_end(struct mind *mind, enum cloud_verb verb)
{
    struct refusal *refusal = &mind->refusals[verb];
    int64_t lasted_ms =
        refusal->times > 0 ? state_mono_ms(mind->engine) - refusal->since_mono_ms : 0;

    *refusal = (struct refusal){ 0 };
    return lasted_ms;
}

/* --- Who waits ------------------------------------------------------------------------------------ */

/* A termination that was accepted is asked for again without need; whether there is a machine to be given back,
 * a listing tells. */
static bool
refusal_concerns(const struct rental *rental, const struct mind *mind, enum cloud_verb verb)
{
    const struct machine *machine = rental->host->machine;

    if (rental->mind != mind)
        return false;
    if (machine->stage == MACHINE_RETURNING)
        return verb == (machine->id ? CLOUD_TERMINATE : CLOUD_LIST) && !rental->asked;
    return machine->stage == (int32_t)refusal_verbs[verb].stage;
}

static void
refusal_sooner(struct refusal_wait *wait, int64_t at_mono_ms)
{
    if (at_mono_ms > 0 && (wait->next_mono_ms == 0 || at_mono_ms < wait->next_mono_ms))
        wait->next_mono_ms = at_mono_ms;
}

static struct refusal_wait
refusal_wait(const struct mind *mind, enum cloud_verb verb)
{
    int64_t now_mono_ms = state_mono_ms(mind->engine);
    struct refusal_wait wait = { 0 };
    const struct rental *rental;
    int64_t id = 0;

    while ((rental = idmap_after(&mind->engine->rentals, id, &id))) {
        if (!refusal_concerns(rental, mind, verb))
            continue;
        wait.hosts++;
        if (verb != CLOUD_LIST)
            refusal_sooner(&wait, rental->calling ? now_mono_ms : rental->timer.at_mono_ms);
    }
    if (verb == CLOUD_LIST) {
        refusal_sooner(&wait, inventory_next_mono_ms(mind));
    } else if (verb == CLOUD_LAUNCH && wait.hosts == 0 && mind_held_ms(mind) > 0) {
        wait.next_mono_ms = mind->held_until_mono_ms;
    }
    return wait;
}

/* While it refuses one thing, the others are not forgotten: growth may wait for that. */
static bool
refusal_lasts(const struct mind *mind, enum cloud_verb verb, struct refusal_wait *ret_wait)
{
    int64_t last_mono_ms = mind->refusals[verb].last_mono_ms;

    if (mind->refusals[verb].times == 0)
        return false;
    for (int other = 0; other < CLOUD_VERB_COUNT; other++) {
        if (mind->refusals[other].last_mono_ms > last_mono_ms)
            last_mono_ms = mind->refusals[other].last_mono_ms;
    }
    *ret_wait = refusal_wait(mind, verb);
    return ret_wait->hosts > 0 || state_mono_ms(mind->engine) - last_mono_ms < REFUSAL_KEPT_MS;
}

/* --- For people ----------------------------------------------------------------------------------- */

int64_t
refusal_kind_ms(const struct mind *mind, enum fault_kind kind)
{
    int64_t now_mono_ms = state_mono_ms(mind->engine);
    int64_t longest_ms = 0;
    struct refusal_wait wait;

    for (int verb = 0; verb < CLOUD_VERB_COUNT; verb++) {
        const struct refusal *refusal = &mind->refusals[verb];
        int64_t since_ms = now_mono_ms - refusal->since_mono_ms + 1;

        if (refusal->last.kind == kind && since_ms > longest_ms &&
            refusal_lasts(mind, (enum cloud_verb)verb, &wait))
            longest_ms = since_ms;
    }
    return longest_ms;
}

static void
refusal_tell_one(const struct mind *mind, enum cloud_verb verb, const struct refusal_wait *wait,
                 struct json_out *out)
{
    const struct refusal *refusal = &mind->refusals[verb];
    const struct fault_rule *rule = fault_rule(refusal->last.kind);
    int64_t wall_ms = state_now_ms(mind->engine) - state_mono_ms(mind->engine);

    json_out_object(out);
    json_out_kv_string(out, "call", cloud_verb_name(verb));
    json_out_kv_string(out, "kind", rule->code);
    json_out_kv_string(out, "title", rule->title);
    json_out_kv_string(out, "text", refusal->last.text);
    json_out_kv_time(out, "since", wall_ms + refusal->since_mono_ms);
    json_out_kv_time(out, "last_at", wall_ms + refusal->last_mono_ms);
    json_out_kv_time(out, "next_at", wait->next_mono_ms > 0 ? wall_ms + wait->next_mono_ms : 0);
    json_out_kv_uint(out, "times", refusal->times);
    json_out_kv_uint(out, "hosts", wait->hosts);
    json_out_kv_uint(
        out, "waiting",
        refusal_verbs[verb].queue ? queue_length(mind->engine->model->queue, mind->pool) : 0);
    json_out_object_end(out);
}

void
refusal_tell(const struct mind *mind, struct json_out *out)
{
    struct refusal_wait wait;

    json_out_key(out, "refused");
    json_out_array(out);
    for (int verb = 0; verb < CLOUD_VERB_COUNT; verb++) {
        if (refusal_lasts(mind, (enum cloud_verb)verb, &wait))
            refusal_tell_one(mind, (enum cloud_verb)verb, &wait, out);
    }
    json_out_array_end(out);
}
