#include "berth/loop/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "berth/base/mem.h"

struct worker {
    uv_async_t wake; /* the loop, when jobs have ended */
    pthread_t thread;
    char name[16];
    size_t backlog; /* the loop's */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t posted; /* or asked to stop */
    pthread_cond_t ended;  /* a job has */
    struct list queue;
    struct list finished;
    bool busy;
    bool stop;
};

static void *worker_main(void *arg);
static void worker_on_wake(uv_async_t *wake);
static void worker_finish(struct worker *worker);
static void worker_wait_quiet(struct worker *worker);
static void worker_on_closed(uv_handle_t *handle);

static void
worker_must(int error, const char *what)
{
    if (error == 0)
        return;
    (void)fprintf(stderr, "berth: worker: %s: %s\n", what, strerrordesc_np(error));
    abort();
}

struct worker *
worker_new(struct loop *loop, const char *name)
{
    struct worker *worker = mem_new0(sizeof(*worker));
    sigset_t all;
    sigset_t before;

    assert(strlen(name) < sizeof(worker->name));
    (void)snprintf(worker->name, sizeof(worker->name), "%s", name);
    list_init(&worker->queue);
    list_init(&worker->finished);
    worker_must(pthread_mutex_init(&worker->mutex, NULL), "mutex");
    worker_must(pthread_cond_init(&worker->posted, NULL), "condition");
    worker_must(pthread_cond_init(&worker->ended, NULL), "condition");
    worker_must(-uv_async_init(loop_uv(loop), &worker->wake, worker_on_wake), "hand-off");
    worker->wake.data = worker;

    /* Signals are the loop's: the thread inherits a mask that blocks them all. */
    (void)sigfillset(&all);
    worker_must(pthread_sigmask(SIG_SETMASK, &all, &before), "signal mask");
    worker_must(pthread_create(&worker->thread, NULL, worker_main, worker), "thread");
    worker_must(pthread_sigmask(SIG_SETMASK, &before, NULL), "signal mask");
    return worker;
}

void
worker_free(struct worker *worker)
{
    if (!worker)
        return;
    while (worker->backlog > 0) { /* a done() may post again */
        worker_wait_quiet(worker);
        worker_finish(worker);
    }
    (void)pthread_mutex_lock(&worker->mutex);
    worker->stop = true;
    (void)pthread_cond_signal(&worker->posted);
    (void)pthread_mutex_unlock(&worker->mutex);
    worker_must(pthread_join(worker->thread, NULL), "join");
    (void)pthread_cond_destroy(&worker->posted);
    (void)pthread_cond_destroy(&worker->ended);
    (void)pthread_mutex_destroy(&worker->mutex);
    uv_close((uv_handle_t *)&worker->wake, worker_on_closed);
}

void
worker_post(struct worker *worker, struct worker_job *job)
{
    assert(job->run && job->done);
    worker->backlog++;
    (void)pthread_mutex_lock(&worker->mutex);
    list_push(&worker->queue, &job->node);
    (void)pthread_cond_signal(&worker->posted);
    (void)pthread_mutex_unlock(&worker->mutex);
}

size_t
worker_backlog(const struct worker *worker)
{
    return worker->backlog;
}

static void *
worker_main(void *arg)
{
    struct worker *worker = arg;

    (void)pthread_setname_np(pthread_self(), worker->name);
    (void)pthread_mutex_lock(&worker->mutex);
    for (;;) {
        struct list_node *node = list_pop(&worker->queue);

        if (!node && worker->stop)
            break;
        if (!node) {
            (void)pthread_cond_wait(&worker->posted, &worker->mutex);
            continue;
        }
        worker->busy = true;
        (void)pthread_mutex_unlock(&worker->mutex);
        CONTAINER_OF(node, struct worker_job, node)
            ->run(CONTAINER_OF(node, struct worker_job, node));
        (void)pthread_mutex_lock(&worker->mutex);
        worker->busy = false;
        list_push(&worker->finished, node);
        (void)pthread_cond_signal(&worker->ended);
        (void)uv_async_send(&worker->wake);
    }
    (void)pthread_mutex_unlock(&worker->mutex);
    return NULL;
}

static void
worker_on_wake(uv_async_t *wake)
{
    worker_finish(wake->data);
}

static void
worker_finish(struct worker *worker)
{
    struct list finished;
    struct list_node *node;

    list_init(&finished);
    (void)pthread_mutex_lock(&worker->mutex);
    list_move(&finished, &worker->finished);
    (void)pthread_mutex_unlock(&worker->mutex);
    while ((node = list_pop(&finished))) {
        struct worker_job *job = CONTAINER_OF(node, struct worker_job, node);

        worker->backlog--;
        job->done(job);
    }
}

static void
worker_wait_quiet(struct worker *worker)
{
    (void)pthread_mutex_lock(&worker->mutex);
    while (worker->busy || worker->queue.count > 0)
        (void)pthread_cond_wait(&worker->ended, &worker->mutex);
    (void)pthread_mutex_unlock(&worker->mutex);
}

static void
worker_on_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}
