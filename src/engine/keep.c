#include "keep.h"

#include "turn.h"

enum { KEEP_LINES = 1000 };

static void
keep_on_data(struct docker_call *call, int stream, const char *data, size_t len)
{
    struct keep *keep = CONTAINER_OF(call, struct lane_op, call)->keep;
    size_t most = (size_t)keep->engine->config.log_tail_bytes;

    (void)stream;
    if (len > most) {
        data += len - most;
        len = most;
    }
    if (keep->tail.len + len > most)
        buf_consume(&keep->tail, keep->tail.len + len - most);
    buf_append(&keep->tail, data, len);
}

static void
keep_on_end(struct lane_op *op, const struct fault *fault)
{
    struct keep *keep = op->keep;
    size_t len = keep->tail.len;

    (void)fault;
    op->keep = NULL;
    if (len > 0 && !keep->engine->reloading)
        turn_log_add(keep->engine, keep->instance, buf_take(&keep->tail), len);
    buf_fini(&keep->tail);
    keep->done(keep);
}

void
keep_start(struct keep *keep, struct lane_op *op, struct engine *engine, struct instance *instance)
{
    keep->engine = engine;
    keep->instance = instance;
    keep->op = op;
    buf_init(&keep->tail, (size_t)engine->config.log_tail_bytes);
    instance_container_name(instance, keep->name);
    *op = (struct lane_op){
        .call = { .verb = DOCKER_LOGS, .name = keep->name, .on_data = keep_on_data },
        .done = keep_on_end,
        .keep = keep,
    };
    op->call.in.logs.tail = KEEP_LINES;
    lane_submit(instance->host->lane, op);
}
