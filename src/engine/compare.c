#include "compare.h"

#include <string.h>

#include "adopt.h"
#include "bury.h"
#include "canary.h"
#include "lane.h"
#include "launch.h"
#include "observe.h"
#include "trust.h"

/* One removal of a container that nobody wants.  Freed when it ends. */
struct compare_removal {
    struct engine *engine;
    struct engine_wait wait;
    struct lane_op op;
    int64_t host_id;
    char name[DOCKER_ID_SIZE];
};

static void
compare_on_removed(struct lane_op *op, const struct fault *fault)
{
    struct compare_removal *removal = CONTAINER_OF(op, struct compare_removal, op);

    if (!fault) {
        removal->engine->meter.orphans_removed++;
        trust_removed(op->lane, removal->name);
    }
    free(removal);
}

/* That nobody wants it is on the disk. */
static void
compare_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct compare_removal *removal = CONTAINER_OF(wait, struct compare_removal, wait);
    struct engine *engine = removal->engine;
    const struct host *host = idmap_find(&engine->model->hosts, removal->host_id);

    if (fault || engine->reloading || engine->health == ENGINE_STOPPING || !host || !host->lane) {
        free(removal);
    } else {
        lane_submit(host->lane, &removal->op);
    }
}

/* It said before the list was asked for that it had removed it. */
static void
compare_lied(struct lane *lane, const struct docker_container *container)
{
    struct fault fault;

    if (container->state == DOCKER_REMOVING || container->state == DOCKER_DEAD)
        return;
    fault_set(&fault, FAULT_INCONSISTENT, "compare", "%s is listed, though it was removed",
              container->name);
    lane->engine->meter.faults[fault.kind]++;
    trust_fault(lane, "list", &fault);
}

static void
compare_remove(struct engine *engine, struct host *host, const struct docker_container *container)
{
    struct compare_removal *removal = mem_new0(sizeof(*removal));

    memcpy(removal->name, container->id, sizeof(removal->name));
    removal->op = (struct lane_op){
        .call = { .verb = DOCKER_REMOVE, .name = removal->name },
        .share = LANE_HEAVY,
        .done = compare_on_removed,
    };
    removal->engine = engine;
    removal->host_id = host->id;
    removal->wait.done = compare_on_durable;
    if (trust_was_removed(host->lane, container->id)) {
        compare_lied(host->lane, container);
    } else if (!container->canary) {
        state_event(engine, "host.orphan", host, NULL,
                    "container %s belongs to no instance here and is removed", container->name);
    }
    engine_wait_durable(engine, &removal->wait);
}

/* The same engine under two names: what runs there is not an orphan of either. */
static bool
compare_is_elsewhere(const struct host *host, const struct instance *instance,
                     const struct docker_container *container)
{
    return instance && instance->host && instance->host != host &&
           (int64_t)instance->generation == container->label_generation && host->engine_id &&
           instance->host->engine_id && strcmp(host->engine_id, instance->host->engine_id) == 0;
}

/* It is where and what its row says. */
static void
compare_known(struct engine *engine, struct instance *instance,
              const struct docker_container *container)
{
    if (instance->work)
        return;
    if (instance->state == INSTANCE_STARTING) {
        launch_start(engine, instance);
    } else if (instance->state == INSTANCE_STOPPING) {
        bury_start(engine, instance);
    } else if (instance->state == INSTANCE_RUNNING && !observe_is_alive(container)) {
        bury_look(engine, instance);
    }
}

/* Return: whether it is one that may be here, and that whoever knows of it will not leave behind. */
static bool
compare_container(struct engine *engine, struct host *host,
                  const struct docker_container *container)
{
    struct instance *instance;
    int64_t id;

    if (host->lane->trust && canary_is(host->lane->trust->canary, container))
        return false;
    if (container->canary || !id_decode(ID_INSTANCE, container->label_instance, &id)) {
        compare_remove(engine, host, container);
        return false;
    }
    instance = idmap_find(&engine->model->instances, id);
    if ((engine->info.restored || host->late) && adopt_container(engine, host, instance, container))
        return true;
    if (instance && instance->host == host &&
        (int64_t)instance->generation == container->label_generation) {
        compare_known(engine, instance, container);
        return instance->state == INSTANCE_RUNNING;
    }
    if (engine->info.restored || compare_is_elsewhere(host, instance, container))
        return true;
    compare_remove(engine, host, container);
    return false;
}

static int
compare_by_instance(const void *lhs, const void *rhs)
{
    const struct docker_container *const *x = lhs;
    const struct docker_container *const *y = rhs;

    return strcmp((*x)->label_instance, (*y)->label_instance);
}

/* The list, sorted by instance: a lookup for each row of the host. */
static const struct docker_container **
compare_sort(const struct docker_container *containers, size_t count)
{
    const struct docker_container **sorted = mem_resize(NULL, count + 1, sizeof(const void *));

    for (size_t i = 0; i < count; i++)
        sorted[i] = &containers[i];
    qsort(sorted, count, sizeof(const void *), compare_by_instance);
    return sorted;
}

static bool
compare_is_listed(const struct docker_container **sorted, size_t count,
                  const struct instance *instance)
{
    struct docker_container key = { 0 };
    const struct docker_container *wanted = &key;

    (void)id_encode(ID_INSTANCE, instance->id, key.label_instance);
    return bsearch(&wanted, sorted, count, sizeof(const void *), compare_by_instance) != NULL;
}

/* Some row of @host that nothing works on has no container in @sorted. */
static bool
compare_misses(const struct host *host, const struct docker_container **sorted, size_t count)
{
    for (struct list_node *node = list_first(&host->instances); node;
         node = list_next(&host->instances, node)) {
        const struct instance *instance = CONTAINER_OF(node, struct instance, node);

        if (!instance->work && !compare_is_listed(sorted, count, instance))
            return true;
    }
    return false;
}

bool
compare_is_surprised(const struct engine *engine, const struct host *host,
                     const struct docker_container *containers, size_t count)
{
    const struct docker_container **sorted;
    bool misses;

    for (size_t i = 0; i < count; i++) {
        const struct instance *instance;
        int64_t id;

        if (!id_decode(ID_INSTANCE, containers[i].label_instance, &id))
            return true;
        instance = idmap_find(&engine->model->instances, id);
        if (!instance || instance->host != host ||
            (int64_t)instance->generation != containers[i].label_generation)
            return true;
    }
    sorted = compare_sort(containers, count);
    misses = compare_misses(host, sorted, count);
    free(sorted);
    return misses;
}

bool
compare_is_proof(const struct engine *engine, const struct host *host,
                 const struct docker_container *containers, size_t count)
{
    bool known = host->instance_count == 0;

    for (size_t i = 0; i < count; i++) {
        const struct instance *instance = NULL;
        int64_t id;

        if (id_decode(ID_INSTANCE, containers[i].label_instance, &id))
            instance = idmap_find(&engine->model->instances, id);
        if (instance && instance->host && instance->host != host)
            return false;
        known |= instance && instance->host &&
                 (int64_t)instance->generation == containers[i].label_generation;
    }
    return known;
}

bool
compare_host(struct engine *engine, struct host *host, const struct docker_container *containers,
             size_t count)
{
    const struct docker_container **sorted;
    struct list_node *next;
    bool clean = true;

    if (engine->reloading || engine->health == ENGINE_STOPPING)
        return false;
    for (size_t i = 0; i < count; i++)
        clean = compare_container(engine, host, &containers[i]) && clean;

    if (engine->info.restored)
        return false; /* what is missing here may be found on another host */
    sorted = compare_sort(containers, count);
    for (struct list_node *node = list_first(&host->instances); node; node = next) {
        struct instance *instance = CONTAINER_OF(node, struct instance, node);

        next = list_next(&host->instances, node);
        if (instance->work || compare_is_listed(sorted, count, instance))
            continue;
        /* The list may be older than the row: a look at this very container decides. */
        if (instance->state == INSTANCE_RUNNING) {
            bury_look(engine, instance);
        } else if (instance->state == INSTANCE_STARTING) {
            launch_start(engine, instance);
        } else {
            bury_start(engine, instance);
        }
    }
    free(sorted);
    return clean;
}
