/* A create is made at once and hidden until its time; the others are done again by name. */

#include "support/fake_late.h"

#include <stdio.h>

struct fake_late {
    struct fake_lates *lates;
    struct fake_machine *machine;
    enum docker_verb verb;
    char name[FAKE_NAME_SIZE];
    struct fake_container *container; /* of a create; owned */
    struct clock_timer timer;
    struct list_node node;
};

static void fake_late_on_timer(struct clock_timer *timer);

void
fake_late_init(struct fake_lates *lates, const struct clock_port *clock)
{
    list_init(&lates->list);
    lates->clock = clock;
}

static void
fake_late_free(struct fake_late *late)
{
    const struct clock_port *clock = late->lates->clock;

    list_remove(&late->lates->list, &late->node);
    if (clock)
        clock->timer_clear(clock->self, &late->timer);
    mem_free(late->container);
    mem_free(late);
}

void
fake_late_fini(struct fake_lates *lates)
{
    struct list_node *node;

    while ((node = list_first(&lates->list)))
        fake_late_free(CONTAINER_OF(node, struct fake_late, node));
}

void
fake_late_hold(struct fake_lates *lates, struct fake_machine *machine, const char *cluster,
               struct docker_call *call, int64_t late_ms)
{
    const struct clock_port *clock = lates->clock;
    struct fake_late *late = mem_new0(sizeof(*late));
    struct fault ignored;

    late->lates = lates;
    late->machine = machine;
    late->verb = call->verb;
    (void)snprintf(late->name, sizeof(late->name), "%s", call->name ? call->name : "");
    if (late->verb == DOCKER_CREATE && fake_machine_do(machine, cluster, call, &ignored) == 0) {
        late->container = fake_machine_find(machine, late->name);
        list_remove(&machine->containers, &late->container->node);
    }
    list_push(&lates->list, &late->node);
    if (!clock || late_ms == 0)
        return;
    late->timer.fire = fake_late_on_timer;
    clock->timer_set(clock->self, &late->timer, clock->mono_ms(clock->self) + late_ms);
}

static void
fake_late_do(struct fake_late *late)
{
    struct docker_call call = { .verb = late->verb, .name = late->name };
    struct fault ignored;

    if (late->container && !fake_machine_find(late->machine, late->name))
        list_push(&late->machine->containers, &STEAL(late->container)->node);
    if (late->verb == DOCKER_START || late->verb == DOCKER_STOP || late->verb == DOCKER_REMOVE ||
        late->verb == DOCKER_PULL)
        (void)fake_machine_do(late->machine, "", &call, &ignored);
    fake_late_free(late);
}

static void
fake_late_on_timer(struct clock_timer *timer)
{
    fake_late_do(CONTAINER_OF(timer, struct fake_late, timer));
}

size_t
fake_late_run(struct fake_lates *lates)
{
    size_t count = lates->list.count;

    while (lates->list.count > 0)
        fake_late_do(CONTAINER_OF(list_first(&lates->list), struct fake_late, node));
    return count;
}
