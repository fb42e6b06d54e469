#pragma once

/*
 * A thread with a queue of jobs: what blocks (SQLite) runs there, its end is
 * told on the loop.
 */

#include <stddef.h>

#include "berth/base/list.h"
#include "berth/loop/loop.h"

struct worker;

/* One job.  Embed it. */
struct worker_job {
    void (*run)(struct worker_job *job);  /* on the worker's thread */
    void (*done)(struct worker_job *job); /* on the loop, in the order of the jobs; last touch */
    struct list_node node;
};

/** worker_new() - start the thread; @name is at most 15 characters. */
struct worker *worker_new(struct loop *loop, const char *name);
/** worker_free() - runs what is queued, calls the remaining done(), joins. */
void worker_free(struct worker *worker);
void worker_post(struct worker *worker, struct worker_job *job);
/** worker_backlog() - jobs posted whose done() has not come. Loop thread only. */
size_t worker_backlog(const struct worker *worker);
