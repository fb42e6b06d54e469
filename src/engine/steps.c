#include "steps.h"

#include <assert.h>
#include <string.h>

#include "rental.h"
#include "turn.h"

static void
steps_open(struct steps *steps, const char *name)
{
    size_t len = strnlen(name, sizeof(steps->name) - 1);

    steps->open = true;
    steps->failed = false;
    steps->started_at_ms = state_now_ms(steps->engine);
    steps->started_mono_ms = state_mono_ms(steps->engine);
    steps->cut_bytes = 0;
    buf_clear(&steps->tail);
    memcpy(steps->name, name, len);
    steps->name[len] = '\0';
    text_utf8_clean(steps->name, false);
}

static void
steps_news(struct engine *engine)
{
    engine->steps_news = true;
    engine->ports.clock->turn_ask(engine->ports.clock->self);
}

struct steps *
steps_begin(struct engine *engine, struct host *host)
{
    struct steps *steps = mem_new0(sizeof(*steps));

    assert(host->machine);
    host->machine->runs++;
    model_host_touch(engine->model, host, state_now_ms(engine));
    steps->engine = engine;
    steps->host = host;
    buf_init(&steps->tail, STEPS_TAIL_MAX);
    steps_open(steps, "connection");
    return steps;
}

void
steps_free(struct steps *steps)
{
    if (!steps)
        return;
    buf_fini(&steps->tail);
    mem_free(steps);
}

/* As it is now; borrows from @steps. */
static void
steps_row(const struct steps *steps, struct store_step *ret_row)
{
    size_t over = steps->tail.len > STEPS_OUTPUT_MAX ? steps->tail.len - STEPS_OUTPUT_MAX : 0;

    *ret_row = (struct store_step){
        .host_id = steps->host->id,
        .run = (uint32_t)steps->host->machine->runs,
        .step = steps->step,
        .steps = steps->count,
        .name = steps->name,
        .started_at_ms = steps->started_at_ms,
        .took_ms = state_mono_ms(steps->engine) - steps->started_mono_ms,
        .cut_bytes = steps->cut_bytes + (int64_t)over,
        .output = buf_text(&steps->tail) + over,
        .len = steps->tail.len - over,
    };
}

static void
steps_close(struct steps *steps, enum shell_end end, const char *reason)
{
    const struct store_port *store = steps->engine->ports.store;
    struct store_step row;

    steps_row(steps, &row);
    row.ended = end;
    row.reason = reason;
    store->put_step(turn_batch(steps->engine), &row);
    steps->open = false;
    steps_news(steps->engine);
}

void
steps_step(struct steps *steps, const struct shell_prepare *prepare)
{
    if (steps->open && (steps->step > 0 || steps->failed))
        steps_close(steps, steps->failed ? SHELL_FAILED : SHELL_OK, NULL);
    steps->step = prepare->step + 1;
    steps->count = prepare->step_count;
    steps_open(steps, prepare->step_name);
    steps_news(steps->engine);
}

void
steps_output(struct steps *steps, const char *data, size_t len)
{
    size_t skipped = len > STEPS_OUTPUT_MAX ? len - STEPS_OUTPUT_MAX : 0;
    size_t over;

    if (!steps->open || len == 0)
        return;
    if (skipped > 0) {
        steps->cut_bytes += (int64_t)(steps->tail.len + skipped);
        buf_clear(&steps->tail);
    }
    /* It is moved once in STEPS_OUTPUT_MAX bytes only. */
    if (steps->tail.len + len - skipped > STEPS_TAIL_MAX) {
        over = steps->tail.len - STEPS_OUTPUT_MAX;
        buf_consume(&steps->tail, over);
        steps->cut_bytes += (int64_t)over;
    }
    buf_append(&steps->tail, data + skipped, len - skipped);
    steps_news(steps->engine);
}

void
steps_step_end(struct steps *steps, enum shell_end end)
{
    if (!steps->open)
        return;
    if (end == SHELL_FAILED) {
        steps->failed = true;
    } else {
        steps_close(steps, end, NULL);
    }
}

char *
steps_where(const struct steps *steps)
{
    if (steps->step == 0)
        return mem_strdup("the connection");
    return mem_printf("step %u of %u (%s)", steps->step, steps->count, steps->name);
}

void
steps_end(struct steps *steps, const struct fault *fault)
{
    if (steps->open && fault) {
        steps_close(steps, SHELL_FAILED, fault->text);
    } else if (steps->open && steps->step > 0) {
        steps_close(steps, SHELL_OK, NULL);
    }
    steps->open = false;
}

void
steps_tell(struct engine *engine)
{
    if (!engine->steps_news)
        return;
    engine->steps_news = false;
    if (engine->steps_notify)
        engine->steps_notify(engine->steps_cookie);
}

void
engine_steps_listen(struct engine *engine, void (*notify)(void *cookie), void *cookie)
{
    engine->steps_notify = notify;
    engine->steps_cookie = cookie;
}

bool
engine_host_step(const struct engine *engine, const struct host *host, struct store_step *ret_step)
{
    const struct rental *rental = rental_find(engine, host);

    if (!rental || !rental->steps || !rental->steps->open)
        return false;
    steps_row(rental->steps, ret_step);
    return true;
}

bool
engine_host_is_preparing(const struct engine *engine, const struct host *host)
{
    const struct rental *rental = rental_find(engine, host);

    return host->state == HOST_SPAWNED || (rental && rental->preparing);
}
