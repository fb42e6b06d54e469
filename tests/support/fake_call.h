#pragma once

/* One call on its way through fake_docker.c. */

#include "berth/base/list.h"
#include "berth/port/clock.h"

#include "support/fake_fate.h"
#include "support/fake_machine.h"

struct fake_docker;

struct fake_call {
    struct fake_docker *fake;
    const struct clock_port *clock; /* NULL: answered by hand */
    struct docker_call *call;
    struct fake_machine *machine;
    char cluster[64];
    struct fake_fate fate;
    bool cancelled;
    int64_t deadline_mono_ms;
    struct clock_timer timer;
    struct list *in; /* where it is: pending, streams, or on its way out */
    struct list_node node;
};

/** fake_call_move() - to the end of @to, or to its front. */
void fake_call_move(struct fake_call *fc, struct list *to, bool front);
/** fake_call_arm() - @fire comes when it is to be answered, if there is a clock. */
void fake_call_arm(struct fake_call *fc, void (*fire)(struct clock_timer *timer));
/** fake_call_verdict() - its fate, after what the machine's state and a cancel have to say. */
struct fake_fate fake_call_verdict(const struct fake_call *fc);
/** fake_call_goes_on() - it is a stream that was answered and stays open. */
bool fake_call_goes_on(const struct fake_call *fc);
/** fake_call_end() - out of its list, free, done; frees what call->out holds afterwards. */
void fake_call_end(struct fake_call *fc, const struct fault *fault);
/** fake_call_find() - the first with @verb (-1: any); NULL when there is none. */
struct fake_call *fake_call_find(const struct list *calls, int verb);
/** fake_call_drop() - forget all, without done. */
void fake_call_drop(struct list *calls);
