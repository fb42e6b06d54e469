#include "ec2_batch.h"

#include <assert.h>

static void ec2_batch_on_timer(struct clock_timer *timer);

static void
ec2_batch_close(struct ec2_batch *batch)
{
    const struct clock_port *clock = batch->region->account.clock;

    if (!batch->open)
        return;
    clock->timer_clear(clock->self, &batch->timer);
    *batch->open = NULL;
    batch->open = NULL;
}

static void
ec2_batch_free(struct ec2_batch *batch)
{
    assert(!batch->asking && batch->jobs.count == 0);
    ec2_batch_close(batch);
    if (batch->ask.account)
        ec2_ask_fini(&batch->ask);
    ec2_pages_fini(&batch->pages);
    ec2_region_unref(batch->region);
    mem_free(batch);
}

static struct ec2_batch *
ec2_batch_new(const struct ec2_job *job, struct ec2_batch **open,
              void (*begin)(struct ec2_batch *batch))
{
    struct ec2_batch *batch = mem_new0(sizeof(*batch));
    const struct clock_port *clock;

    batch->region = ec2_region_ref(job->pool->region);
    batch->open = open;
    batch->begin = begin;
    batch->deadline_mono_ms = job->deadline_mono_ms;
    batch->timer.fire = ec2_batch_on_timer;
    list_init(&batch->jobs);
    *open = batch;
    clock = batch->region->account.clock;
    clock->timer_set(clock->self, &batch->timer, clock->mono_ms(clock->self) + EC2_BATCH_MOMENT_MS);
    return batch;
}

void
ec2_batch_join(struct ec2_job *job, struct ec2_batch **open, void (*begin)(struct ec2_batch *batch))
{
    struct ec2_batch *batch = *open ? *open : ec2_batch_new(job, open, begin);

    job->batch = batch;
    list_push(&batch->jobs, &job->batched);
    if (batch->jobs.count == EC2_BATCH_MAX) {
        /* The next one begins another. */
        *batch->open = NULL;
        batch->open = NULL;
    }
}

static void
ec2_batch_on_timer(struct clock_timer *timer)
{
    struct ec2_batch *batch = CONTAINER_OF(timer, struct ec2_batch, timer);

    ec2_batch_close(batch);
    batch->begin(batch);
}

static void
ec2_batch_remove(struct ec2_batch *batch, struct ec2_job *job)
{
    list_remove(&batch->jobs, &job->batched);
    job->batch = NULL;
}

void
ec2_batch_leave(struct ec2_job *job)
{
    struct ec2_batch *batch = job->batch;
    bool waits = batch->timer.at_mono_ms > 0;
    const struct clock_port *clock = batch->region->account.clock;

    if (batch->asking && batch->jobs.count == 1) {
        ec2_ask_cancel(&batch->ask);
        return;
    }
    ec2_batch_remove(batch, job);
    ec2_job_end_soon(job);
    if (waits && batch->jobs.count == 0) {
        clock->timer_clear(clock->self, &batch->timer);
        ec2_batch_free(batch);
    }
}

struct ec2_job *
ec2_batch_first(const struct ec2_batch *batch)
{
    struct list_node *node = list_first(&batch->jobs);

    return node ? CONTAINER_OF(node, struct ec2_job, batched) : NULL;
}

struct ec2_job *
ec2_batch_after(const struct ec2_batch *batch, const struct ec2_job *job)
{
    struct list_node *node = list_next(&batch->jobs, &job->batched);

    return node ? CONTAINER_OF(node, struct ec2_job, batched) : NULL;
}

struct ec2_query *
ec2_batch_ask(struct ec2_batch *batch, enum ec2_action action,
              void (*done)(struct ec2_ask *ask, const struct fault *fault))
{
    assert(!batch->asking && batch->jobs.count > 0);
    if (batch->ask.account)
        ec2_ask_fini(&batch->ask);
    ec2_ask_init(&batch->ask, &batch->region->account, action);
    batch->ask.deadline_mono_ms = batch->deadline_mono_ms;
    batch->ask.done = done;
    batch->asking = true;
    return &batch->ask.query;
}

struct ec2_batch *
ec2_batch_answered(struct ec2_ask *ask)
{
    struct ec2_batch *batch = CONTAINER_OF(ask, struct ec2_batch, ask);

    batch->asking = false;
    return batch;
}

void
ec2_batch_tell(struct ec2_batch *batch, struct ec2_job *job, const struct fault *fault)
{
    ec2_batch_remove(batch, job);
    ec2_job_end(job, fault);
}

void
ec2_batch_end(struct ec2_batch *batch, const struct fault *fault)
{
    struct fault ended = { 0 };
    struct ec2_job *job;

    if (fault)
        ended = *fault; /* it may be the question's */
    while ((job = ec2_batch_first(batch)))
        ec2_batch_tell(batch, job, fault ? &ended : NULL);
    ec2_batch_free(batch);
}
