#include "pulse.h"

#include <assert.h>

/* Large, and rarely there: ten thousand hosts may be asked something at once. */
struct pulse_ping {
    struct lane_op op;
    struct pulse *pulse;
};

/* While a host is asked something.  Lives on for a while after that. */
struct pulse {
    struct lane *lane;
    struct pulse_ping *ping; /* owned; NULL: none is under way */
    struct clock_timer timer;
    int64_t heard_mono_ms; /* when something came, or when the first answer began to be awaited */
    uint32_t awaited;      /* calls under way that an engine answers */
};

static void pulse_on_timer(struct clock_timer *timer);
static void pulse_on_answer(struct lane_op *op, const struct fault *fault);

/* Streams may be silent for as long as they like; a container's port is not its engine. */
static bool
pulse_is_awaited(const struct docker_call *call)
{
    return call->verb != DOCKER_PING && call->verb != DOCKER_EVENTS && call->verb != DOCKER_READY &&
           !(call->verb == DOCKER_LOGS && call->in.logs.follow);
}

static struct pulse *
pulse_get(struct lane *lane)
{
    if (!lane->pulse) {
        lane->pulse = mem_new0(sizeof(*lane->pulse));
        lane->pulse->lane = lane;
        lane->pulse->timer.fire = pulse_on_timer;
        state_timer_set(lane->engine, &lane->pulse->timer, PULSE_SILENCE_MS);
    }
    return lane->pulse;
}

void
pulse_begin(struct lane_op *op)
{
    struct pulse *pulse;

    if (!pulse_is_awaited(&op->call))
        return;
    pulse = pulse_get(op->lane);
    if (pulse->awaited++ == 0)
        pulse_heard(op->lane);
}

/* Whether the engine has said something, good or bad. */
static bool
pulse_is_answer(const struct fault *fault)
{
    if (!fault)
        return true;
    return fault->kind != FAULT_UNREACHABLE && fault->kind != FAULT_TLS &&
           fault->kind != FAULT_TIMEOUT && fault->kind != FAULT_LOST &&
           fault->kind != FAULT_CANCELLED;
}

void
pulse_end(const struct lane_op *op, const struct fault *fault)
{
    if (!pulse_is_awaited(&op->call))
        return;
    assert(op->lane->pulse->awaited > 0);
    op->lane->pulse->awaited--;
    if (pulse_is_answer(fault))
        pulse_heard(op->lane);
    /* One look at a host is seldom followed by more, other than the calls of a launch. */
    if (op->share == LANE_FREE && op->lane->pulse->awaited == 0 && !op->lane->pulse->ping)
        pulse_free(op->lane);
}

void
pulse_heard(struct lane *lane)
{
    if (lane->pulse)
        lane->pulse->heard_mono_ms = state_mono_ms(lane->engine);
}

static void
pulse_ask(struct pulse *pulse)
{
    pulse->ping = mem_new0(sizeof(*pulse->ping));
    pulse->ping->pulse = pulse;
    pulse->ping->op = (struct lane_op){
        .call = { .verb = DOCKER_PING, .deadline_ms = PULSE_DEADLINE_MS },
        .share = LANE_FREE,
        .done = pulse_on_answer,
    };
    lane_submit(pulse->lane, &pulse->ping->op);
}

static void
pulse_on_timer(struct clock_timer *timer)
{
    struct pulse *pulse = CONTAINER_OF(timer, struct pulse, timer);
    struct lane *lane = pulse->lane;
    int64_t silent_ms = state_mono_ms(lane->engine) - pulse->heard_mono_ms;

    assert(!pulse->ping);
    if (pulse->awaited == 0) {
        pulse_free(lane);
    } else if (silent_ms < PULSE_SILENCE_MS) {
        state_timer_set(lane->engine, timer, PULSE_SILENCE_MS - silent_ms);
    } else if (lane->state == LANE_BROKEN) {
        state_timer_set(lane->engine, timer, PULSE_SILENCE_MS); /* it is being asked already */
    } else {
        pulse_ask(pulse);
    }
}

/* That it did not come breaks the lane: lane.c judges all faults. */
static void
pulse_on_answer(struct lane_op *op, const struct fault *fault)
{
    struct pulse *pulse = CONTAINER_OF(op, struct pulse_ping, op)->pulse;

    free(STEAL(pulse->ping));
    if (pulse_is_answer(fault))
        pulse_heard(pulse->lane);
    state_timer_set(pulse->lane->engine, &pulse->timer, PULSE_SILENCE_MS);
}

void
pulse_free(struct lane *lane)
{
    struct pulse *pulse = STEAL(lane->pulse);

    if (!pulse)
        return;
    assert(!pulse->ping && pulse->awaited == 0);
    state_timer_clear(lane->engine, &pulse->timer);
    free(pulse);
}
