/* When a call is answered, what with, and how it goes. */

#include "support/fake_call.h"

#include <string.h>

void
fake_call_move(struct fake_call *fc, struct list *to, bool front)
{
    if (fc->in)
        list_remove(fc->in, &fc->node);
    fc->in = to;
    if (front) {
        list_push_front(to, &fc->node);
    } else {
        list_push(to, &fc->node);
    }
}

void
fake_call_arm(struct fake_call *fc, void (*fire)(struct clock_timer *timer))
{
    int64_t at;

    if (!fc->clock)
        return;
    at = fc->clock->mono_ms(fc->clock->self);
    if (!fc->cancelled)
        at += fc->fate.latency_ms;
    if (!fc->cancelled && (fc->fate.kind == FAULT_TIMEOUT || fc->machine->hung))
        at = fc->deadline_mono_ms;
    fc->timer.fire = fire;
    fc->clock->timer_set(fc->clock->self, &fc->timer, at);
}

/* The machine's own state goes before its fate, and a cancel before both. */
struct fake_fate
fake_call_verdict(const struct fake_call *fc)
{
    struct fake_fate fate = fc->fate;

    if (fc->machine->unreachable || fc->machine->hung) {
        fate.kind = fc->machine->unreachable ? FAULT_UNREACHABLE : FAULT_TIMEOUT;
        fate.effect = FAKE_NOTHING;
    }
    if (fc->cancelled) {
        fate.kind = FAULT_CANCELLED;
        /* Most requests that are cancelled have been sent, and a stream has no effect. */
        if (fc->fate.kind == FAULT_NONE)
            fate.effect = FAKE_NOTHING;
    }
    return fate;
}

bool
fake_call_goes_on(const struct fake_call *fc)
{
    struct fake_container *c;

    if (fc->call->verb == DOCKER_EVENTS)
        return true;
    if (fc->call->verb != DOCKER_LOGS || !fc->call->in.logs.follow)
        return false;
    c = fake_machine_find(fc->machine, fc->call->name);
    return c && c->seen.state == DOCKER_RUNNING;
}

void
fake_call_end(struct fake_call *fc, const struct fault *fault)
{
    struct docker_call *call = fc->call;
    /* The call may be gone after done. */
    struct docker_call shadow = { .verb = call->verb, .out = call->out };

    if (fc->clock)
        fc->clock->timer_clear(fc->clock->self, &fc->timer);
    fc->machine->in_flight--;
    list_remove(fc->in, &fc->node);
    mem_free(fc);
    call->adapter = NULL;
    call->done(call, fault);
    fake_machine_done(&shadow);
}

struct fake_call *
fake_call_find(const struct list *calls, int verb)
{
    for (struct list_node *n = list_first(calls); n; n = list_next(calls, n)) {
        struct fake_call *fc = CONTAINER_OF(n, struct fake_call, node);

        if (verb < 0 || (int)fc->call->verb == verb)
            return fc;
    }
    return NULL;
}

void
fake_call_drop(struct list *calls)
{
    struct list_node *node;

    while ((node = list_pop(calls))) {
        struct fake_call *fc = CONTAINER_OF(node, struct fake_call, node);

        if (fc->clock)
            fc->clock->timer_clear(fc->clock->self, &fc->timer);
        fc->machine->in_flight--;
        mem_free(fc);
    }
}
