#include "orphans.h"

#include <assert.h>
#include <string.h>

#include "inventory.h"
#include "rental.h"

enum {
    ORPHANS_CALL_MS = 60000, /* a termination that takes longer is given up */
    ORPHANS_LATE_MS = 600000 /* one that is still there is no accident */
};

struct orphan {
    struct list_node node;
    struct cloud_machine seen; /* as the last listing told */
    int64_t since_ms;
    int64_t since_mono_ms; /* the first listing that showed it began */
    char *condemned_by;    /* a person who wants it ended; NULL: nobody */
    uint32_t listings;     /* that showed it */
    bool listed;           /* by the last one */
};

/* One termination.  Freed when it ends. */
struct orphan_removal {
    struct orphans *orphans;
    struct cloud_call call;
    struct engine_wait wait;
    struct list_node node;
    char id[CLOUD_ID_SIZE];
    int64_t began_mono_ms; /* the call */
    bool calling;
};

struct orphans {
    struct mind *mind;
    struct list list; /* struct orphan */
    struct list removals;
    size_t stopped; /* too many to be given back; 0: they are not */
    size_t most;    /* that may be given back by themselves; 0: no complete listing yet */
    int64_t listing_began_mono_ms;
};

/* In order of time. */
static void orphans_remove(struct orphans *orphans, const struct orphan *orphan);
static void orphans_on_durable(struct engine_wait *wait, const struct fault *fault);
static void orphans_on_removed(struct cloud_call *call, const struct fault *fault);

struct orphans *
orphans_new(struct mind *mind)
{
    struct orphans *orphans = mem_new0(sizeof(*orphans));

    orphans->mind = mind;
    list_init(&orphans->list);
    list_init(&orphans->removals);
    return orphans;
}

static void
orphans_forget(struct orphans *orphans, struct orphan *orphan)
{
    list_remove(&orphans->list, &orphan->node);
    mem_free(orphan->condemned_by);
    mem_free(orphan);
}

void
orphans_free(struct orphans *orphans)
{
    struct list_node *node;

    assert(orphans->removals.count == 0);
    while ((node = list_first(&orphans->list)))
        orphans_forget(orphans, CONTAINER_OF(node, struct orphan, node));
    mem_free(orphans);
}

static struct orphan *
orphans_find(const struct orphans *orphans, const char *id)
{
    for (struct list_node *node = list_first(&orphans->list); node;
         node = list_next(&orphans->list, node)) {
        struct orphan *orphan = CONTAINER_OF(node, struct orphan, node);

        if (strcmp(orphan->seen.id, id) == 0)
            return orphan;
    }
    return NULL;
}

void
orphans_seen(struct orphans *orphans, const struct cloud_machine *seen,
             int64_t listing_began_mono_ms)
{
    struct orphan *orphan = orphans_find(orphans, seen->id);

    if (!orphan && orphans->list.count == ORPHANS_MAX)
        return;
    if (!orphan) {
        orphan = mem_new0(sizeof(*orphan));
        orphan->since_ms = state_now_ms(orphans->mind->engine);
        orphan->since_mono_ms = listing_began_mono_ms;
        list_push(&orphans->list, &orphan->node);
    }
    orphan->seen = *seen;
    orphan->listed = true;
    orphan->listings++;
}

/* --- The sweep ------------------------------------------------------------------------------------ */

static bool
orphans_is_due(const struct orphans *orphans, const struct orphan *orphan)
{
    return orphan->listings >= ORPHANS_STRIKES &&
           orphans->listing_began_mono_ms - orphan->since_mono_ms >= ORPHANS_YOUNG_MS;
}

/* Those that are gone, or got a row, are forgotten. Return: how many are to go by themselves. */
static size_t
orphans_look(struct orphans *orphans)
{
    struct list_node *next;
    size_t due = 0;

    for (struct list_node *node = list_first(&orphans->list); node; node = next) {
        struct orphan *orphan = CONTAINER_OF(node, struct orphan, node);

        next = list_next(&orphans->list, node);
        if (orphan->listed) {
            orphan->listed = false;
            due += !orphan->condemned_by && orphans_is_due(orphans, orphan);
        } else {
            orphans_forget(orphans, orphan);
        }
    }
    return due;
}

/* Return: whether what is due may go by itself. */
static bool
orphans_may_go(struct orphans *orphans, size_t due, size_t listed)
{
    struct mind *mind = orphans->mind;

    if (due > orphans->most) {
        if (orphans->stopped == 0) {
            state_pool_event(mind->engine, "pool.sweep_stopped", mind->pool,
                             "%zu of %zu machines with our tag have no row, too many to be given "
                             "back; is this the right database? If so, end all but %zu of them "
                             "(berth pool orphans)",
                             due, listed, orphans->most);
        }
        orphans->stopped = due;
        return false;
    }
    if (orphans->stopped > 0) {
        state_pool_event(mind->engine, "pool.sweep_resumed", mind->pool,
                         "what has no row is given back again: %zu of %zu machines", due, listed);
    }
    orphans->stopped = 0;
    return true;
}

void
orphans_sweep(struct orphans *orphans, size_t listed, int64_t listing_began_mono_ms)
{
    size_t share = listed * ORPHANS_BLAST_PERCENT / 100;
    size_t due;
    bool may_go;

    orphans->listing_began_mono_ms = listing_began_mono_ms;
    orphans->most = share > ORPHANS_BLAST_MIN ? share : ORPHANS_BLAST_MIN;
    due = orphans_look(orphans);
    if (orphans->mind->engine->info.restored)
        return;
    may_go = orphans_may_go(orphans, due, listed);
    for (struct list_node *node = list_first(&orphans->list); node;
         node = list_next(&orphans->list, node)) {
        struct orphan *orphan = CONTAINER_OF(node, struct orphan, node);

        if (orphan->condemned_by || (may_go && orphans_is_due(orphans, orphan)))
            orphans_remove(orphans, orphan);
    }
}

/* --- Terminations --------------------------------------------------------------------------------- */

static struct orphan_removal *
orphans_removal_find(const struct orphans *orphans, const char *id)
{
    for (struct list_node *node = list_first(&orphans->removals); node;
         node = list_next(&orphans->removals, node)) {
        struct orphan_removal *removal = CONTAINER_OF(node, struct orphan_removal, node);

        if (strcmp(removal->id, id) == 0)
            return removal;
    }
    return NULL;
}

static void
orphans_removal_end(struct orphan_removal *removal)
{
    list_remove(&removal->orphans->removals, &removal->node);
    removal->orphans->mind->engine->cloud_calls--;
    mem_free(removal);
}

/* What is on its way is not asked for again; what has no answer for too long is given up. */
static void
orphans_remove(struct orphans *orphans, const struct orphan *orphan)
{
    struct engine *engine = orphans->mind->engine;
    struct orphan_removal *removal = orphans_removal_find(orphans, orphan->seen.id);

    if (removal) {
        if (removal->calling && state_mono_ms(engine) - removal->began_mono_ms >= ORPHANS_CALL_MS)
            engine->ports.cloud->cancel(engine->ports.cloud->self, &removal->call);
        return;
    }
    removal = mem_new0(sizeof(*removal));
    removal->orphans = orphans;
    memcpy(removal->id, orphan->seen.id, sizeof(removal->id));
    removal->call = (struct cloud_call){
        .verb = CLOUD_TERMINATE,
        .pool = orphans->mind->pool,
        .cluster_id = engine->info.cluster_id,
        .in.id = removal->id,
        .done = orphans_on_removed,
    };
    removal->wait.done = orphans_on_durable;
    list_push(&orphans->removals, &removal->node);
    engine->cloud_calls++;
    state_pool_event(engine, "pool.orphan", orphans->mind->pool,
                     "machine %s belongs to no host here and is given back%s%s", removal->id,
                     orphan->condemned_by ? ", as asked by " : "",
                     orphan->condemned_by ? orphan->condemned_by : "");
    engine_wait_durable(engine, &removal->wait);
}

static void
orphans_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct orphan_removal *removal = CONTAINER_OF(wait, struct orphan_removal, wait);
    struct engine *engine = removal->orphans->mind->engine;

    if (fault || rental_is_on_hold(engine)) {
        orphans_removal_end(removal);
        return;
    }
    removal->calling = true;
    removal->began_mono_ms = state_mono_ms(engine);
    engine->ports.cloud->start(engine->ports.cloud->self, &removal->call);
}

/* Done or not: the next listings tell. */
static void
orphans_on_removed(struct cloud_call *call, const struct fault *fault)
{
    (void)fault;
    orphans_removal_end(CONTAINER_OF(call, struct orphan_removal, call));
}

void
orphans_cancel_all(struct orphans *orphans)
{
    const struct cloud_port *cloud = orphans->mind->engine->ports.cloud;

    for (struct list_node *node = list_first(&orphans->removals); node;
         node = list_next(&orphans->removals, node)) {
        struct orphan_removal *removal = CONTAINER_OF(node, struct orphan_removal, node);

        if (removal->calling)
            cloud->cancel(cloud->self, &removal->call);
    }
}

/* --- A person's word ------------------------------------------------------------------------------ */

static int
orphans_check(const struct orphans *orphans, const char *id, struct fault *fault)
{
    const struct orphan *orphan = orphans_find(orphans, id);

    if (!orphan) {
        return fault_set(fault, FAULT_NOT_FOUND, "orphans",
                         "%.60s is no machine of ours without a host in pool %s: "
                         "`berth pool orphans` lists them",
                         id, orphans->mind->pool->name);
    }
    if (!orphans_is_due(orphans, orphan)) {
        return fault_set(fault, FAULT_CONFLICT, "orphans",
                         "machine %.60s was first seen less than %d s ago, or once only: ask again "
                         "when two listings have shown it",
                         id, ORPHANS_YOUNG_MS / 1000);
    }
    return 0;
}

int
orphans_condemn(struct orphans *orphans, const struct schema_strings *ids, const char *owner,
                struct fault *fault)
{
    if (orphans->mind->engine->info.restored) {
        return fault_set(fault, FAULT_CONFLICT, "orphans",
                         "the rows are of a backup and are still being compared with the hosts: "
                         "no machine is ended before that");
    }
    for (size_t i = 0; i < ids->count; i++) {
        if (orphans_check(orphans, ids->at[i], fault) < 0)
            return -1;
    }
    for (size_t i = 0; i < ids->count; i++) {
        struct orphan *orphan = orphans_find(orphans, ids->at[i]);

        assert(orphan); /* as checked */
        if (!orphan->condemned_by)
            orphan->condemned_by = mem_strdup(owner);
        orphans_remove(orphans, orphan);
    }
    inventory_hasten(orphans->mind);
    return 0;
}

/* --- Telling -------------------------------------------------------------------------------------- */

size_t
orphans_late(const struct orphans *orphans)
{
    int64_t mono_ms = state_mono_ms(orphans->mind->engine);
    size_t count = 0;

    for (struct list_node *node = list_first(&orphans->list); node;
         node = list_next(&orphans->list, node)) {
        const struct orphan *orphan = CONTAINER_OF(node, struct orphan, node);

        count += orphan->listings >= ORPHANS_STRIKES &&
                 mono_ms - orphan->since_mono_ms >= ORPHANS_LATE_MS;
    }
    return count;
}

size_t
orphans_stopped(const struct orphans *orphans)
{
    return orphans->stopped;
}

struct orphan_verdict {
    const char *word;
    const char *text;
};

/* When it is given back, or why not. */
static struct orphan_verdict
orphans_verdict(const struct orphans *orphans, const struct orphan *orphan)
{
    if (orphan->condemned_by || orphans_removal_find(orphans, orphan->seen.id))
        return (struct orphan_verdict){ "ending", "its end was asked for" };
    if (orphans->mind->engine->info.restored) {
        return (struct orphan_verdict){
            "restored", "the rows are of a backup: nothing is ended before they were compared"
        };
    }
    if (!orphans_is_due(orphans, orphan)) {
        return (struct orphan_verdict){
            "young", "given back when two listings have shown it, a minute apart"
        };
    }
    if (orphans->stopped > 0) {
        return (struct orphan_verdict){ "stopped",
                                        "too many to be given back without a person's word" };
    }
    return (struct orphan_verdict){ "due", "given back with the next listing" };
}

static void
orphans_tell_one(const struct orphans *orphans, const struct orphan *orphan, struct json_out *out)
{
    static const char *const states[] = {
        [CLOUD_PENDING] = "pending",       [CLOUD_RUNNING] = "running",
        [CLOUD_STOPPING] = "stopping",     [CLOUD_STOPPED] = "stopped",
        [CLOUD_TERMINATED] = "terminated",
    };
    const struct cloud_machine *seen = &orphan->seen;
    struct orphan_verdict verdict = orphans_verdict(orphans, orphan);
    char id[ID_TEXT_SIZE];

    json_out_object(out);
    json_out_kv_string(out, "id", seen->id);
    json_out_kv_string(out, "machine_type", seen->type[0] ? seen->type : NULL);
    json_out_kv_string(out, "zone", seen->zone[0] ? seen->zone : NULL);
    json_out_kv_string(out, "address", seen->address[0] ? seen->address : NULL);
    json_out_kv_string(out, "state", states[seen->state]);
    json_out_kv_bool(out, "spot", seen->spot);
    json_out_kv_string(out, "host",
                       seen->host_id > 0 ? id_encode(ID_HOST, seen->host_id, id) : NULL);
    json_out_kv_time(out, "launched_at", seen->launched_at_ms);
    json_out_kv_time(out, "seen_since", orphan->since_ms);
    json_out_kv_string(out, "verdict", verdict.word);
    json_out_kv_string(out, "text", verdict.text);
    json_out_object_end(out);
}

void
orphans_tell(const struct orphans *orphans, struct json_out *out)
{
    json_out_kv_uint(out, "stopped", orphans->stopped);
    json_out_kv_uint(out, "most", orphans->most);
    json_out_key(out, "items");
    json_out_array(out);
    for (struct list_node *node = list_first(&orphans->list); node;
         node = list_next(&orphans->list, node))
        orphans_tell_one(orphans, CONTAINER_OF(node, struct orphan, node), out);
    json_out_array_end(out);
}
