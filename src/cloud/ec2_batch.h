#pragma once

/*
 * Calls of one account and region that come within a moment and are asked for together, whichever pools
 * they are of.  The last of them that is cancelled ends the question; the others leave by themselves.
 *
 *   open (takes more) -> asking, question by question -> ended
 */

#include "ec2_job.h"

struct ec2_batch {
    struct ec2_region *region; /* a reference */
    struct ec2_batch **open;   /* where it is found as long as it takes more; NULL: it does not */
    struct list jobs;          /* struct ec2_job, by batched */
    struct clock_timer timer;  /* ends the moment */
    void (*begin)(struct ec2_batch *batch);
    struct ec2_ask ask;
    bool asking;
    int64_t deadline_mono_ms; /* of its first job */
    /* Listings. */
    struct ec2_pages pages;
    bool incomplete;
    /* Terminations. */
    size_t group; /* so many at once */
};

enum { EC2_BATCH_MOMENT_MS = 50, EC2_BATCH_MAX = 100 };

/** ec2_batch_join() - @job is asked for with others. @open: where its region keeps the batch; @begin:
 * called from the loop, once no more come. */
void ec2_batch_join(struct ec2_job *job, struct ec2_batch **open,
                    void (*begin)(struct ec2_batch *batch));
/** ec2_batch_leave() - @job, which is in one, is cancelled. */
void ec2_batch_leave(struct ec2_job *job);

/** ec2_batch_first() - its first job; NULL: all have ended or left. */
struct ec2_job *ec2_batch_first(const struct ec2_batch *batch);
struct ec2_job *ec2_batch_after(const struct ec2_batch *batch, const struct ec2_job *job);

/** ec2_batch_ask() - begin a question; the caller adds parameters and starts batch->ask. */
struct ec2_query *ec2_batch_ask(struct ec2_batch *batch, enum ec2_action action,
                                void (*done)(struct ec2_ask *ask, const struct fault *fault));
/** ec2_batch_answered() - the first line of such a done. */
struct ec2_batch *ec2_batch_answered(struct ec2_ask *ask);
/** ec2_batch_tell() - @job ends so. */
void ec2_batch_tell(struct ec2_batch *batch, struct ec2_job *job, const struct fault *fault);
/** ec2_batch_end() - all that are left end so; @batch is freed. */
void ec2_batch_end(struct ec2_batch *batch, const struct fault *fault);
