#include "image_retry.h"

#include "images.h"

enum { IMAGE_RETRY_MIN_MS = 60 * 1000, IMAGE_RETRY_MAX_MS = 60 * 60 * 1000 };

struct image_retry {
    struct list_node node; /* in engine->image_retries */
    struct engine *engine;
    struct clock_timer timer;
    int64_t host_id;
    int64_t image_id;
    int64_t delay_ms;
};

static void image_retry_on_timer(struct clock_timer *timer);

static void
image_retry_free(struct image_retry *retry)
{
    state_timer_clear(retry->engine, &retry->timer);
    list_remove(&retry->engine->image_retries, &retry->node);
    free(retry);
}

void
image_retry_plan(struct engine *engine, const struct host *host, const struct image *image,
                 int64_t delay_ms)
{
    struct image_retry *retry = mem_new0(sizeof(*retry));

    retry->engine = engine;
    retry->host_id = host->id;
    retry->image_id = image->id;
    retry->delay_ms = delay_ms == 0                       ? IMAGE_RETRY_MIN_MS
                      : delay_ms * 2 > IMAGE_RETRY_MAX_MS ? IMAGE_RETRY_MAX_MS
                                                          : delay_ms * 2;
    retry->timer.fire = image_retry_on_timer;
    list_push(&engine->image_retries, &retry->node);
    state_timer_set(engine, &retry->timer, retry->delay_ms);
}

/* One that cannot be reached gets it when it joins. */
static void
image_retry_on_timer(struct clock_timer *timer)
{
    struct image_retry *retry = CONTAINER_OF(timer, struct image_retry, timer);
    struct engine *engine = retry->engine;
    struct host *host = idmap_find(&engine->model->hosts, retry->host_id);
    const struct image *image = idmap_find(&engine->model->images, retry->image_id);
    int64_t delay_ms = retry->delay_ms;

    image_retry_free(retry);
    if (host && image && host->lane && host->lane->state == LANE_OPEN)
        images_send_again(engine, host, image, delay_ms);
}

void
image_retry_drop(struct engine *engine, int64_t host_id)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&engine->image_retries); node; node = next) {
        struct image_retry *retry = CONTAINER_OF(node, struct image_retry, node);

        next = list_next(&engine->image_retries, node);
        if (host_id == 0 || retry->host_id == host_id)
            image_retry_free(retry);
    }
}
