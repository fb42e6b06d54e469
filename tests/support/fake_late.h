#pragma once

/* Effects that come after their fault was told; the call and its caller may be gone by then. */

#include "berth/base/list.h"
#include "berth/port/clock.h"

#include "support/fake_machine.h"

struct fake_lates {
    struct list list;
    const struct clock_port *clock; /* NULL: they come by hand */
};

void fake_late_init(struct fake_lates *lates, const struct clock_port *clock);
void fake_late_fini(struct fake_lates *lates);
/** fake_late_hold() - what @call (copied) would do happens @late_ms from now, or, when that is 0 or
 * there is no clock, with fake_late_run().  No hint tells of it. */
void fake_late_hold(struct fake_lates *lates, struct fake_machine *machine, const char *cluster,
                    struct docker_call *call, int64_t late_ms);
/** fake_late_run() - all happen now. Return: how many. */
size_t fake_late_run(struct fake_lates *lates);
