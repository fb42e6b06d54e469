/* Promises, guilt, and what the durable events told. */

#include "sim_book.h"

#include <string.h>

void
sim_check_init(struct sim *sim)
{
    sim->book = mem_new0(sizeof(*sim->book));
    list_init(&sim->book->promises);
    list_init(&sim->book->guilty);
}

static void
sim_book_free(struct idmap *map)
{
    IDMAP_EACH(map, void, row)
    {
        mem_free(row);
    }
    idmap_fini(map);
}

void
sim_check_fini(struct sim *sim)
{
    struct sim_book *book = STEAL(sim->book);
    struct list_node *node;

    while ((node = list_pop(&book->promises)))
        mem_free(CONTAINER_OF(node, struct sim_promise, node));
    while ((node = list_pop(&book->guilty)))
        mem_free(CONTAINER_OF(node, struct sim_guilty, node));
    sim_book_free(&book->rows);
    sim_book_free(&book->hosts);
    sim_book_free(&book->pools);
    idmap_fini(&book->proofs);
    mem_free(book);
}

struct sim_row *
sim_book_row(const struct sim_book *book, int64_t id)
{
    return idmap_find(&book->rows, id);
}

struct sim_host *
sim_book_host(struct sim_book *book, int64_t id)
{
    struct sim_host *host = idmap_find(&book->hosts, id);

    if (!host) {
        host = mem_new0(sizeof(*host));
        idmap_insert(&book->hosts, id, host);
    }
    return host;
}

struct sim_pool *
sim_book_pool(struct sim_book *book, int64_t id)
{
    struct sim_pool *pool = idmap_find(&book->pools, id);

    if (!pool) {
        pool = mem_new0(sizeof(*pool));
        idmap_insert(&book->pools, id, pool);
    }
    return pool;
}

void
sim_book_pause(struct sim_book *book, int64_t ms)
{
    IDMAP_EACH(&book->rows, struct sim_row, row)
    {
        row->since_ms += ms;
    }
    IDMAP_EACH(&book->hosts, struct sim_host, host)
    {
        host->stage_ms += ms;
        host->trouble_ms += ms;
    }
}

/* --- Guilt ---------------------------------------------------------------------------------- */

bool
sim_book_guilty(const struct sim_book *book, const struct fake_machine *machine)
{
    for (struct list_node *node = list_first(&book->guilty); node;
         node = list_next(&book->guilty, node)) {
        if (CONTAINER_OF(node, struct sim_guilty, node)->machine == machine)
            return true;
    }
    return false;
}

void
sim_blame(struct sim *sim, const struct fake_machine *machine)
{
    struct sim_guilty *guilty;

    if (sim_book_guilty(sim->book, machine))
        return;
    guilty = mem_new0(sizeof(*guilty));
    guilty->machine = machine;
    list_push(&sim->book->guilty, &guilty->node);
}

/* --- Promises ------------------------------------------------------------------------------- */

static void
sim_promise_done(struct engine_wait *wait, const struct fault *fault)
{
    struct sim_promise *promise = CONTAINER_OF(wait, struct sim_promise, wait);

    if (promise->kept || promise->failed) {
        sim_fail(promise->sim, "14 each request gets one answer", "%llx was answered twice",
                 (unsigned long long)promise->id);
    }
    promise->kept = fault == NULL;
    promise->failed = fault != NULL;
}

void
sim_promise(struct sim *sim, enum sim_promise_kind kind, int64_t id)
{
    struct sim_promise *promise = mem_new0(sizeof(*promise));

    promise->sim = sim;
    promise->engine = sim->engine;
    promise->id = id;
    promise->kind = kind;
    promise->wait.done = sim_promise_done;
    list_push(&sim->book->promises, &promise->node);
    engine_wait_durable(sim->engine, &promise->wait);
}

/* What has ended may be forgotten in time: nothing is promised any more. */
static bool
sim_promise_is_over(const struct sim_book *book, const struct sim_promise *promise)
{
    const struct sim_row *row = sim_book_row(book, promise->id);

    return promise->failed ||
           (promise->kept && row && instance_state_is_final((enum instance_state)row->state));
}

void
sim_book_promises(struct sim *sim, const char *name)
{
    const struct model *model = engine_model(sim->engine);
    struct list_node *next;

    for (struct list_node *node = list_first(&sim->book->promises); node; node = next) {
        struct sim_promise *promise = CONTAINER_OF(node, struct sim_promise, node);
        const struct instance *instance;

        next = list_next(&sim->book->promises, node);
        if (sim_promise_is_over(sim->book, promise)) {
            list_remove(&sim->book->promises, node);
            mem_free(promise);
            continue;
        }
        if (!promise->kept)
            continue;
        instance = idmap_find(&model->instances, promise->id);
        if (!instance) {
            sim_fail(sim, name, "%llx was promised and is forgotten",
                     (unsigned long long)promise->id);
        } else if (promise->kind == PROMISE_STOP && instance->desired != INSTANCE_STOPPED) {
            sim_fail(sim, name, "%llx was to stop and is wanted", (unsigned long long)promise->id);
        }
    }
}

void
sim_book_answered(struct sim *sim, const char *name)
{
    for (struct list_node *node = list_first(&sim->book->promises); node;
         node = list_next(&sim->book->promises, node)) {
        const struct sim_promise *promise = CONTAINER_OF(node, struct sim_promise, node);

        if (promise->engine == sim->engine && !promise->kept && !promise->failed)
            sim_fail(sim, name, "nobody answered about %llx", (unsigned long long)promise->id);
    }
}

/* --- Events --------------------------------------------------------------------------------- */

#define EDGES "8 states move along the edges"

static bool
sim_edge_is(bool host, int from, int to)
{
    for (size_t i = 0; host && i < host_edge_count; i++) {
        if ((int)host_edges[i].from == from && (int)host_edges[i].to == to)
            return true;
    }
    for (size_t i = 0; !host && i < instance_edge_count; i++) {
        if ((int)instance_edges[i].from == from && (int)instance_edges[i].to == to)
            return true;
    }
    return false;
}

static void
sim_book_move(struct sim *sim, int64_t id, bool host, int state)
{
    struct sim_row *row = sim_book_row(sim->book, id);

    if (!row) {
        row = mem_new0(sizeof(*row));
        row->state = state;
        row->since_ms = sim_mono(sim);
        idmap_insert(&sim->book->rows, id, row);
        return;
    }
    if (!sim_edge_is(host, row->state, state)) {
        sim_fail(sim, EDGES, "%llx: %s to %s", (unsigned long long)id,
                 host ? host_state_name((enum host_state)row->state)
                      : instance_state_name((enum instance_state)row->state),
                 host ? host_state_name((enum host_state)state)
                      : instance_state_name((enum instance_state)state));
    }
    if (!host && state == INSTANCE_STARTING)
        sim->stats.placements++;
    row->state = state;
    row->since_ms = sim_mono(sim);
}

static void
sim_book_event(struct sim *sim, const struct event *event)
{
    const char *dot = strchr(event->kind, '.');
    bool host = strncmp(event->kind, "host.", 5) == 0;
    int64_t id = event->instance_id ? event->instance_id : event->host_id;
    int state = -1;

    if (host) {
        state = host_state_from_name(dot + 1);
    } else if (strncmp(event->kind, "instance.", 9) == 0) {
        state = instance_state_from_name(dot + 1);
    }
    sim_trace(sim, "%s %llx %s", event->kind, (unsigned long long)id,
              event->text ? event->text : "");
    /* Its row was dropped long ago: it begins anew. */
    if (strcmp(event->kind, "instance.adopted") == 0)
        mem_free(idmap_remove(&sim->book->rows, id));
    if (strcmp(event->kind, "pool.spawn") == 0)
        sim_limits_spawn(sim, event->pool_id);
    if (state >= 0)
        sim_book_move(sim, id, host, state);
}

void
sim_book_read(struct sim *sim)
{
    size_t count;
    const struct event *events = fake_store_events(sim->store, &count);
    size_t first = count;

    while (first > 0 && events[first - 1].seq > sim->book->last_seq)
        first--;
    for (size_t i = first; i < count && !sim->failed; i++) {
        sim_book_event(sim, &events[i]);
        sim->book->last_seq = events[i].seq;
    }
}
