/*
 * The worker: jobs run in order on one other thread, done() comes in order on
 * the loop's, and freeing it finishes what is queued.
 */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/loop/worker.h"

enum { PATIENCE_MS = 10000, JOBS = 1000 };

struct probe {
    struct worker_job job;
    int number;
    int repeats; /* done() posts it again so often */
};

static struct loop *loop;
static struct worker *worker;
static pthread_t loop_thread;
static pthread_t job_thread;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int ran;  /* the worker's thread */
static int done; /* the loop's */

static int
setup(void **state)
{
    (void)state;
    loop_thread = pthread_self();
    loop = loop_new();
    worker = worker_new(loop, "a-worker-of-15c");
    ran = done = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    worker_free(worker);
    loop_free(loop);
    return 0;
}

static void
on_run(struct worker_job *job)
{
    struct probe *probe = CONTAINER_OF(job, struct probe, job);

    job_thread = pthread_self();
    assert_int_equal(probe->number, ran);
    ran++;
}

static void
on_done(struct worker_job *job)
{
    struct probe *probe = CONTAINER_OF(job, struct probe, job);

    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_int_equal(probe->number, done);
    done++;
    if (probe->repeats-- > 0) {
        probe->number++;
        worker_post(worker, job);
    }
}

static bool
all_done(void *cookie)
{
    return done == *(int *)cookie;
}

static void
jobs_keep_their_order(void **state)
{
    struct probe *probes = mem_new0(sizeof(*probes) * JOBS);
    int wanted = JOBS;

    (void)state;
    for (int i = 0; i < JOBS; i++) {
        probes[i].job = (struct worker_job){ .run = on_run, .done = on_done };
        probes[i].number = i;
        worker_post(worker, &probes[i].job);
    }
    assert_int_equal(worker_backlog(worker), JOBS);
    assert_int_equal(done, 0);
    assert_true(loop_run_until(loop, all_done, &wanted, PATIENCE_MS));
    assert_int_equal(ran, JOBS);
    assert_int_equal(worker_backlog(worker), 0);
    assert_false(pthread_equal(job_thread, loop_thread));
    mem_free(probes);
}

static void
on_run_gate(struct worker_job *job)
{
    (void)pthread_mutex_lock(&gate);
    (void)pthread_mutex_unlock(&gate);
    on_run(job);
}

/* The first job is held while the others queue up, so that freeing finds them there. */
static void
freeing_finishes_what_is_queued(void **state)
{
    struct probe probes[20] = { 0 };

    (void)state;
    (void)pthread_mutex_lock(&gate);
    for (int i = 0; i < 20; i++) {
        probes[i].job = (struct worker_job){ .run = on_run_gate, .done = on_done };
        probes[i].number = i;
        worker_post(worker, &probes[i].job);
    }
    probes[19].repeats = 5; /* and done() posts more meanwhile */
    (void)pthread_mutex_unlock(&gate);
    worker_free(worker);
    worker = NULL;
    assert_int_equal(ran, 25);
    assert_int_equal(done, 25);
}

static void
jobs_may_be_posted_from_done(void **state)
{
    struct probe probe = { .job = { .run = on_run, .done = on_done }, .repeats = 99 };
    int wanted = 100;

    (void)state;
    worker_post(worker, &probe.job);
    assert_true(loop_run_until(loop, all_done, &wanted, PATIENCE_MS));
    assert_int_equal(ran, 100);
}

static void
on_run_mask(struct worker_job *job)
{
    sigset_t mask;
    char name[16];

    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    assert_true(sigismember(&mask, SIGTERM));
    assert_int_equal(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
    assert_string_equal(name, "a-worker-of-15c");
    on_run(job);
}

static void
signals_are_left_to_the_loop(void **state)
{
    struct probe probe = { .job = { .run = on_run_mask, .done = on_done } };
    int wanted = 1;
    sigset_t mask;

    (void)state;
    worker_post(worker, &probe.job);
    assert_true(loop_run_until(loop, all_done, &wanted, PATIENCE_MS));
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    assert_false(sigismember(&mask, SIGTERM));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(freeing_finishes_what_is_queued, setup, teardown),
        cmocka_unit_test_setup_teardown(jobs_may_be_posted_from_done, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_are_left_to_the_loop, setup, teardown),
    };

    return cmocka_run_group_tests_name("loop.worker", tests, NULL, NULL);
}
