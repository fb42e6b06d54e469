#include "images.h"

#include <assert.h>
#include <string.h>

#include "image_retry.h"
#include "launch.h"
#include "registry.h"

/* One archive or reference on its way to one host.  Freed when it ends. */
struct image_spread {
    struct list_node node;
    struct engine *engine;
    struct engine_wait wait;
    struct lane_op op;
    bool waiting;   /* for the commit */
    bool cancelled; /* while it waited */
    int64_t host_id;
    int64_t image_id;     /* of an archive; 0: a pull */
    int64_t operation_id; /* 0: none asked for it */
    int64_t retried_ms;   /* it failed so long ago; 0: this is the first time */
    char *name;           /* owned: reference to pull or to look for */
    char *path;           /* owned: archive */
};

/* In order of time. */
static void images_on_durable(struct engine_wait *wait, const struct fault *fault);
static void images_look(struct image_spread *spread, struct host *host);
static void images_on_looked(struct lane_op *op, const struct fault *fault);
static void images_send(struct image_spread *spread, struct host *host);
static void images_on_progress(struct docker_call *call, int64_t done, int64_t total,
                               const char *text);
static void images_on_sent(struct lane_op *op, const struct fault *fault);
static void images_end(struct image_spread *spread, const struct fault *fault);

void
images_fini(struct engine *engine)
{
    image_retry_drop(engine, 0);
    registry_fini(engine);
}

void
images_pull_prepare(struct engine *engine, const char *image, struct lane_op *op)
{
    assert(image);
    *op = (struct lane_op){ .call = { .verb = DOCKER_PULL, .name = image }, .share = LANE_BULK };
    op->call.in.registry_auth = registry_auth(engine, image);
}

static struct image_spread *
images_spread_new(struct engine *engine, const struct host *host, const struct image *image,
                  const char *reference, const struct operation *operation)
{
    struct image_spread *spread = mem_new0(sizeof(*spread));
    const struct spool_port *spool = engine->ports.spool;

    spread->engine = engine;
    spread->host_id = host->id;
    spread->operation_id = operation ? operation->id : 0;
    spread->name = mem_strdup(reference);
    if (image) {
        spread->image_id = image->id;
        spread->path = mem_strdup(spool->path(spool->self, image->digest));
    }
    list_push(&engine->spreads, &spread->node);
    spread->waiting = true;
    spread->wait.done = images_on_durable;
    engine_wait_durable(engine, &spread->wait);
    return spread;
}

/* What was asked for is on the disk: hosts may be told. */
static void
images_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct image_spread *spread = CONTAINER_OF(wait, struct image_spread, wait);
    struct engine *engine = spread->engine;
    struct host *host = idmap_find(&engine->model->hosts, spread->host_id);
    struct fault gone;

    spread->waiting = false;
    if (!fault && (engine->reloading || engine->health == ENGINE_STOPPING || spread->cancelled ||
                   !host || !host->lane)) {
        fault_set(&gone, FAULT_CANCELLED, "images", "cancelled before it began");
        fault = &gone;
    }
    if (fault) {
        images_end(spread, fault);
    } else if (spread->image_id && spread->name) {
        images_look(spread, host);
    } else {
        images_send(spread, host);
    }
}

static void
images_look(struct image_spread *spread, struct host *host)
{
    spread->op = (struct lane_op){
        .call = { .verb = DOCKER_IMAGE_INSPECT, .name = spread->name },
        .done = images_on_looked,
    };
    lane_submit(host->lane, &spread->op);
}

/* @host has @references, separated by spaces. */
static void
images_note(struct engine *engine, struct host *host, const char *references)
{
    while (*references) {
        size_t len = strcspn(references, " ");
        CLEANUP(mem_freep) char *one = mem_printf("%.*s", (int)len, references);

        if (len > 0)
            placement_image_set(engine->model->placement, host, one, true);
        references += len + (references[len] != '\0');
    }
}

static void
images_on_looked(struct lane_op *op, const struct fault *fault)
{
    struct image_spread *spread = CONTAINER_OF(op, struct image_spread, op);

    if (fault && fault->kind == FAULT_ENGINE_MISSING && !spread->engine->reloading) {
        images_send(spread, op->lane->host);
        return;
    }
    if (!fault)
        images_note(spread->engine, op->lane->host, spread->name);
    images_end(spread, fault);
}

static void
images_send(struct image_spread *spread, struct host *host)
{
    if (spread->path) {
        spread->op = (struct lane_op){ .call = { .verb = DOCKER_LOAD }, .share = LANE_BULK };
        spread->op.call.in.load.path = spread->path;
    } else {
        assert(spread->name);
        images_pull_prepare(spread->engine, spread->name, &spread->op);
    }
    spread->op.call.on_progress = images_on_progress;
    spread->op.done = images_on_sent;
    lane_submit(host->lane, &spread->op);
}

static void
images_on_progress(struct docker_call *call, int64_t done, int64_t total, const char *text)
{
    struct image_spread *spread =
        CONTAINER_OF(CONTAINER_OF(call, struct lane_op, call), struct image_spread, op);
    struct operation *operation =
        idmap_find(&spread->engine->model->operations, spread->operation_id);
    struct buf buf;

    if (!operation || operation->state != OPERATION_RUNNING)
        return;
    /* Only for readers: not worth a commit each time. */
    buf_init(&buf, 240);
    buf_printf(&buf, "%s: %s, %lld of %lld bytes", spread->op.lane->host->name,
               text ? text : "sending", (long long)done, (long long)total);
    free(operation->text);
    operation->text = buf_take(&buf);
}

static void
images_on_sent(struct lane_op *op, const struct fault *fault)
{
    struct image_spread *spread = CONTAINER_OF(op, struct image_spread, op);
    struct engine *engine = spread->engine;
    struct image *image = idmap_find(&engine->model->images, spread->image_id);
    struct host *host = op->lane->host;

    if (!fault && image && !image->references && op->call.out.text[0]) {
        image->references = mem_strdup(op->call.out.text);
        model_image_touch(engine->model, image);
    }
    if (!fault)
        images_note(engine, host, spread->image_id ? op->call.out.text : spread->name);
    if (!fault && !engine->reloading) {
        state_event(engine, "host.image", host, NULL, "has image %s now",
                    spread->image_id ? op->call.out.text : spread->name);
    }
    images_end(spread, fault);
}

static void
images_operation_step(struct engine *engine, struct operation *operation, const char *host_name,
                      const struct fault *fault)
{
    operation->progress++;
    if (fault) {
        free(operation->text);
        operation->text = mem_printf("%s: %s", host_name, fault->text);
        operation->failures++;
    }
    if (operation->progress >= operation->total) {
        operation->state = operation->cancel_asked ? OPERATION_CANCELLED
                           : operation->failures   ? OPERATION_FAILED
                                                   : OPERATION_DONE;
        operation->ended_at_ms = state_now_ms(engine);
        operation->work = NULL;
        if (!operation->failures) {
            free(operation->text);
            operation->text = NULL;
        }
    }
    model_operation_touch(engine->model, operation);
}

static bool
images_is_to_retry(const struct image_spread *spread, const struct host *host,
                   const struct fault *fault)
{
    const struct engine *engine = spread->engine;

    return fault && fault->kind != FAULT_CANCELLED && host && host->lane && !engine->reloading &&
           engine->health != ENGINE_STOPPING;
}

static void
images_end(struct image_spread *spread, const struct fault *fault)
{
    struct engine *engine = spread->engine;
    struct operation *operation = idmap_find(&engine->model->operations, spread->operation_id);

    const struct image *image = idmap_find(&engine->model->images, spread->image_id);
    const struct host *host = idmap_find(&engine->model->hosts, spread->host_id);

    if (image && images_is_to_retry(spread, host, fault)) {
        state_event(engine, "host.image_failed", host, NULL,
                    "an image archive could not be loaded, it is sent again later: %s",
                    fault->text);
        image_retry_plan(engine, host, image, spread->retried_ms);
    }
    if (operation && engine->reloading) {
        operation->work = NULL; /* its row is thrown away */
    } else if (operation && operation->state == OPERATION_RUNNING) {
        images_operation_step(engine, operation, host ? host->name : "a host that is gone", fault);
    }
    list_remove(&engine->spreads, &spread->node);
    if (image && host && !engine->reloading)
        launch_image_came(engine, host);
    free(spread->name);
    free(spread->path);
    free(spread);
}

bool
images_are_coming(const struct engine *engine, const struct host *host)
{
    for (struct list_node *node = list_first(&engine->spreads); node;
         node = list_next(&engine->spreads, node)) {
        const struct image_spread *spread = CONTAINER_OF(node, struct image_spread, node);

        if (spread->host_id == host->id && spread->image_id)
            return true;
    }
    return false;
}

static char *
images_first_reference(const struct image *image)
{
    char *copy = mem_strdup(image->references);

    if (copy)
        copy[strcspn(copy, " ")] = '\0';
    return copy;
}

void
images_host_joined(struct engine *engine, struct host *host)
{
    image_retry_drop(engine, host->id);
    IDMAP_EACH(&engine->model->images, struct image, image)
    {
        CLEANUP(mem_freep) char *reference = NULL;

        if (image->pool_id != host->pool->id)
            continue;
        reference = images_first_reference(image);
        (void)images_spread_new(engine, host, image, reference, NULL);
    }
}

void
images_send_again(struct engine *engine, struct host *host, const struct image *image,
                  int64_t retried_ms)
{
    CLEANUP(mem_freep) char *reference = images_first_reference(image);

    images_spread_new(engine, host, image, reference, NULL)->retried_ms = retried_ms;
}

static void
images_cancel(struct engine *engine, int64_t operation_id)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&engine->spreads); node; node = next) {
        struct image_spread *spread = CONTAINER_OF(node, struct image_spread, node);

        next = list_next(&engine->spreads, node);
        if (operation_id != 0 && spread->operation_id != operation_id)
            continue;
        if (spread->waiting) {
            spread->cancelled = true;
        } else {
            lane_cancel(&spread->op);
        }
    }
}

void
images_operation_cancel(struct engine *engine, const struct operation *operation)
{
    images_cancel(engine, operation->id);
}

void
images_cancel_all(struct engine *engine)
{
    image_retry_drop(engine, 0);
    images_cancel(engine, 0);
}

static struct operation *
images_operation(struct engine *engine, enum operation_kind kind, const struct pool *pool,
                 const char *subject, const char *owner)
{
    struct operation *operation = operation_new(state_id_next(engine), kind);

    operation->owner = mem_strdup(owner);
    operation->pool = mem_strdup(pool->name);
    operation->subject = mem_strdup(subject);
    operation->created_at_ms = state_now_ms(engine);
    model_operation_add(engine->model, operation, false);
    return operation;
}

/* To every host of the pool that can be reached; the others get it when they join. */
static void
images_spread_all(struct engine *engine, const struct pool *pool, const struct image *image,
                  struct operation *operation)
{
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool == pool && host->lane && host->lane->state == LANE_OPEN)
            operation->total++;
    }
    if (operation->total == 0) {
        operation->state = OPERATION_DONE;
        operation->ended_at_ms = state_now_ms(engine);
        operation->text = mem_strdup("no host of the pool answers now; they get it when they join");
        return;
    }
    operation->work = operation;
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool == pool && host->lane && host->lane->state == LANE_OPEN) {
            (void)images_spread_new(engine, host, image, image ? NULL : operation->subject,
                                    operation);
        }
    }
}

int
engine_image_load(struct engine *engine, const struct image_request *request,
                  struct operation **ret_operation, struct fault *fault)
{
    struct pool *pool = model_pool_find(engine->model, request->pool);
    struct image *image = NULL;

    if (engine_admit(engine, false, fault) < 0)
        return -1;
    if (!pool)
        return fault_set(fault, FAULT_NOT_FOUND, "images", "there is no pool %s", request->pool);
    IDMAP_EACH(&engine->model->images, struct image, known)
    {
        if (known->pool_id == pool->id && strcmp(known->digest, request->spool) == 0)
            image = known;
    }
    if (!image) {
        image = image_new(state_id_next(engine));
        image->pool_id = pool->id;
        image->digest = mem_strdup(request->spool);
        image->size_bytes = request->size_bytes;
        image->created_at_ms = state_now_ms(engine);
        model_image_add(engine->model, image, false);
    }
    *ret_operation =
        images_operation(engine, OPERATION_IMAGE_LOAD, pool, request->spool, request->owner);
    images_spread_all(engine, pool, image, *ret_operation);
    return 0;
}

int
engine_image_pull(struct engine *engine, const struct image_pull_request *request,
                  struct operation **ret_operation, struct fault *fault)
{
    struct pool *pool = model_pool_find(engine->model, request->pool);

    if (engine_admit(engine, false, fault) < 0)
        return -1;
    if (!pool)
        return fault_set(fault, FAULT_NOT_FOUND, "images", "there is no pool %s", request->pool);
    *ret_operation =
        images_operation(engine, OPERATION_IMAGE_PULL, pool, request->reference, request->owner);
    images_spread_all(engine, pool, NULL, *ret_operation);
    return 0;
}
