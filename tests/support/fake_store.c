#include "support/fake_store.h"

#include <assert.h>
#include <string.h>

#include "support/fake_store_data.h"

/* A commit that waits. */
struct fake_commit {
    struct store_commit *commit;
    struct store_batch *batch; /* owned */
    uint64_t epoch;            /* loads before it was started */
    struct list_node node;
};

/* A history read or a backup that waits. */
struct fake_asked {
    struct store_history *history; /* one of the two */
    struct store_backup *backup;
    char *filter_kind; /* owned: the filter's strings are copied */
    char *filter_owner;
    struct list_node node;
};

struct fake_store {
    struct store_port port;
    struct fake_data data;
    struct list commits; /* struct fake_commit, oldest first */
    struct list asked;   /* struct fake_asked */
    uint64_t epoch;
    uint64_t failed_epoch; /* commits of it and before fail with @failed */
    uint64_t done;
    struct fault failed;
    struct fault broken; /* FAULT_NONE: the disk is good */
    size_t room;         /* rows, when the disk is full */
};

static int fake_load(void *self, struct model *model, struct store_info *ret_info,
                     struct fault *fault);
static void fake_commit_start(void *self, struct store_commit *commit);
static void fake_history_start(void *self, struct store_history *history);
static void fake_backup_start(void *self, struct store_backup *backup);
static bool fake_answer_find(void *self, const char *key, struct store_answer *ret_answer);
static bool fake_probe(void *self, struct fault *fault);

struct fake_store *
fake_store_new(void)
{
    struct fake_store *fake = mem_new0(sizeof(*fake));

    fake->port = (struct store_port){
        .self = fake,
        .load = fake_load,
        .batch_new = fake_store_data_batch_new,
        .batch_free = fake_store_data_batch_free,
        .put = fake_store_data_put,
        .drop = fake_store_data_drop,
        .put_event = fake_store_data_put_event,
        .put_decision = fake_store_data_put_decision,
        .put_log = fake_store_data_put_log,
        .put_step = fake_store_data_put_step,
        .put_answer = fake_store_data_put_answer,
        .put_retention = fake_store_data_put_retention,
        .put_compared = fake_store_data_put_compared,
        .commit_start = fake_commit_start,
        .history_start = fake_history_start,
        .backup_start = fake_backup_start,
        .answer_find = fake_answer_find,
        .probe = fake_probe,
    };
    list_init(&fake->commits);
    list_init(&fake->asked);
    fake->epoch = 1;
    return fake;
}

const struct store_port *
fake_store_port(struct fake_store *fake)
{
    return &fake->port;
}

static struct fake_commit *
commit_pop(struct fake_store *fake)
{
    struct list_node *node = list_pop(&fake->commits);

    return node ? CONTAINER_OF(node, struct fake_commit, node) : NULL;
}

static void
commit_free(struct fake_commit *waiting)
{
    fake_store_data_batch_free(NULL, waiting->batch);
    mem_free(waiting);
}

static struct fake_asked *
asked_pop(struct fake_store *fake)
{
    struct list_node *node = list_pop(&fake->asked);

    return node ? CONTAINER_OF(node, struct fake_asked, node) : NULL;
}

static void
asked_free(struct fake_asked *asked)
{
    mem_free(asked->filter_kind);
    mem_free(asked->filter_owner);
    mem_free(asked);
}

void
fake_store_free(struct fake_store *fake)
{
    if (!fake)
        return;
    fake_store_crash(fake, 0);
    fake_store_data_fini(&fake->data);
    mem_free(fake);
}

/* --- The port ------------------------------------------------------------------------------- */

static int
fake_load(void *self, struct model *model, struct store_info *ret_info, struct fault *fault)
{
    static const enum row_kind order[] = {
        ROW_POOL, ROW_BLUEPRINT, ROW_HOST, ROW_INSTANCE, ROW_TOKEN, ROW_OPERATION, ROW_IMAGE,
    };
    struct fake_store *fake = self;

    _Static_assert(ARRAY_LEN(order) == ROW_KIND_COUNT, "each kind is loaded");
    if (fake->broken.kind != FAULT_NONE && fake->broken.kind != FAULT_STORAGE_FULL)
        return fault_set(fault, fake->broken.kind, "fake_store.load", "%s", fake->broken.text);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        IDMAP_EACH(&fake->data.rows[order[i]], struct fake_row, row)
        {
            fake_row_add(row, model);
        }
    }
    if (fake->data.side.events.count > 0)
        model->last_seq = fake->data.side.events.at[fake->data.side.events.count - 1].seq;
    fake->epoch++;
    *ret_info =
        (struct store_info){ .cluster_id = "00000000000fa4e5", .restored = fake->data.restored };
    return 0;
}

static void
fake_commit_start(void *self, struct store_commit *commit)
{
    struct fake_store *fake = self;
    struct fake_commit *waiting = mem_new0(sizeof(*waiting));

    assert(commit->batch && commit->done);
    waiting->commit = commit;
    waiting->batch = STEAL(commit->batch);
    waiting->epoch = fake->epoch;
    list_push(&fake->commits, &waiting->node);
}

static void
fake_history_start(void *self, struct store_history *history)
{
    struct fake_store *fake = self;
    struct fake_asked *asked = mem_new0(sizeof(*asked));

    assert(history->kind != HISTORY_EVENTS || (history->limit >= 1 && history->limit <= 1000));
    asked->history = history;
    asked->filter_kind = mem_strdup(history->filter.kind);
    asked->filter_owner = mem_strdup(history->filter.owner);
    history->filter.kind = asked->filter_kind;
    history->filter.owner = asked->filter_owner;
    list_push(&fake->asked, &asked->node);
}

static void
fake_backup_start(void *self, struct store_backup *backup)
{
    struct fake_store *fake = self;
    struct fake_asked *asked = mem_new0(sizeof(*asked));

    asked->backup = backup;
    list_push(&fake->asked, &asked->node);
}

static bool
fake_answer_find(void *self, const char *key, struct store_answer *ret_answer)
{
    const struct fake_store *fake = self;

    for (size_t i = 0; i < fake->data.side.answers.count; i++) {
        if (strcmp(fake->data.side.answers.at[i].key, key) == 0) {
            *ret_answer = fake->data.side.answers.at[i];
            return true;
        }
    }
    return false;
}

static bool
fake_probe(void *self, struct fault *fault)
{
    const struct fake_store *fake = self;

    if (fake->broken.kind == FAULT_NONE)
        return true;
    (void)fault_set(fault, fake->broken.kind, "fake_store.probe", "%s", fake->broken.text);
    return false;
}

/* --- Completion ----------------------------------------------------------------------------- */

size_t
fake_store_pending(const struct fake_store *fake)
{
    return fake->commits.count;
}

/* Whether a broken disk lets this commit through. */
static bool
commit_fits(struct fake_store *fake, const struct store_batch *batch)
{
    size_t rows = fake_store_data_rows(batch);

    if (fake->broken.kind == FAULT_NONE)
        return true;
    /* The room is made by the first commit that fails. */
    if (fake->broken.kind != FAULT_STORAGE_FULL || fake->failed.kind != FAULT_STORAGE_FULL ||
        rows > fake->room)
        return false;
    fake->room -= rows;
    return true;
}

bool
fake_store_commit_next(struct fake_store *fake, const struct fault *fault)
{
    struct fake_commit *waiting = commit_pop(fake);
    struct store_commit *commit;

    if (!waiting)
        return false;
    commit = waiting->commit;
    if (waiting->epoch <= fake->failed_epoch) {
        fault = &fake->failed;
    } else if (!fault && !commit_fits(fake, waiting->batch)) {
        fault = &fake->broken;
    }
    if (fault) {
        fake->failed_epoch = waiting->epoch;
        fake->failed = *fault;
    } else {
        commit->rows = fake_store_data_apply(&fake->data, waiting->batch);
        fake->done++;
    }
    commit_free(waiting);
    commit->done(commit, fault ? &fake->failed : NULL);
    return true;
}

bool
fake_store_asked_next(struct fake_store *fake, const struct fault *fault)
{
    struct fake_asked *asked = asked_pop(fake);
    struct store_history *history;

    if (!asked)
        return false;
    history = asked->history;
    if (!history) {
        if (!fault)
            asked->backup->size_bytes = 4096;
        asked->backup->done(asked->backup, fault);
    } else if (fault) {
        history->done(history, fault);
    } else {
        struct store_history read = *history;

        fake_store_data_read(&fake->data, &read);
        *history = read;
        history->done(history, NULL);
        fake_store_data_read_end(&read);
    }
    asked_free(asked);
    return true;
}

void
fake_store_settle(struct fake_store *fake)
{
    while (fake_store_commit_next(fake, NULL) || fake_store_asked_next(fake, NULL))
        ;
}

void
fake_store_break(struct fake_store *fake, const struct fault *fault, size_t room)
{
    fake->broken = fault ? *fault : (struct fault){ 0 };
    fake->failed.kind = FAULT_NONE;
    fake->room = room;
}

void
fake_store_crash(struct fake_store *fake, size_t durable)
{
    struct fake_commit *waiting;
    struct fake_asked *asked;

    while ((waiting = commit_pop(fake))) {
        if (durable > 0 && waiting->epoch > fake->failed_epoch) {
            (void)fake_store_data_apply(&fake->data, waiting->batch);
            durable--;
        }
        commit_free(waiting);
    }
    while ((asked = asked_pop(fake)))
        asked_free(asked);
}

/* --- Looking -------------------------------------------------------------------------------- */

size_t
fake_store_count(const struct fake_store *fake, enum row_kind kind)
{
    return fake->data.rows[kind].live;
}

const struct fake_row *
fake_store_row(const struct fake_store *fake, enum row_kind kind, int64_t id)
{
    return idmap_find(&fake->data.rows[kind], id);
}

const struct fake_row *
fake_store_row_after(const struct fake_store *fake, enum row_kind kind, int64_t id)
{
    int64_t found;

    return idmap_after(&fake->data.rows[kind], id, &found);
}

const struct event *
fake_store_events(const struct fake_store *fake, size_t *ret_count)
{
    *ret_count = fake->data.side.events.count;
    return fake->data.side.events.at;
}

bool
fake_store_is_restored(const struct fake_store *fake)
{
    return fake->data.restored;
}

void
fake_store_restored_set(struct fake_store *fake, bool restored)
{
    fake->data.restored = restored;
}

uint64_t
fake_store_commits(const struct fake_store *fake)
{
    return fake->done;
}
