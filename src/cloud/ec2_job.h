#pragma once

/*
 * One call of the port under way: a chain of questions to EC2.
 *
 *   launch:     [what it has to know: ec2_ready.c] -> RunInstances -> [by token, when the token was used otherwise]
 *   list:       together with those of other pools: ec2_listing.c
 *   terminate:  together with others: ec2_ending.c
 *   console, stop, start: ec2_single.c
 *   forget:     ec2_forget.c
 *
 *   ec2.c         pools, and calls as jobs
 *   ec2_config.c  a pool's section of the configuration
 *   ec2_region.c  what the pools of an account in a region share; ec2_owner.c: whose account that is
 *   ec2_job.c     calls, and the chain of a launch
 *   ec2_batch.c   calls that are asked for together
 *   ec2_ready.c   what a launch has to know before; ec2_group.c: a security group of the pool's own;
 *   ec2_keypair.c a key pair of its own
 *   ec2_forget.c  the end of a pool: what was made for it goes
 *   ec2_check.c   a check of a pool without renting; ec2_look.c: what it learns
 *   ec2_ask.c     one question: keys, pace, signature, answer, repeats
 *   ec2_launch.c, ec2_query.c, ec2_sign.c, ec2_xml.c, ec2_machine.c, ec2_fault.c, ec2_pace.c,
 *   ec2_pages.c, ec2_prices.c, ec2_console.c, ec2_opening.c   pure
 */

#include "berth/cloud/ec2.h"

#include "ec2_ready.h"
#include "ec2_region.h"

struct ec2_batch;
struct ec2_forget;

/* A pool as it is configured.  Shared: a call goes on with what it began with. */
struct ec2_pool {
    uint32_t refs;
    struct ec2_config config;  /* owned */
    char *login_key;           /* owned; NULL: none */
    struct ec2_region *region; /* a reference */
    struct ec2_ready ready;    /* what its launches have to know */
};

/** ec2_pool_ref() - the pool with this id; it must have been set. */
struct ec2_pool *ec2_pool_ref(struct ec2 *ec2, int64_t pool_id);
/** ec2_pool_unref() - NULL is fine. */
void ec2_pool_unref(struct ec2_pool *pool);
/** ec2_pool_account() - borrowed. */
struct ec2_account *ec2_pool_account(const struct ec2_pool *pool);

struct ec2_job {
    struct ec2_pool *pool; /* a reference */
    struct cloud_call *call;
    struct ec2_ask ask;
    bool asking; /* ask is under way */
    bool cancelled;
    bool checking; /* whose the keys are */
    struct ec2_owner_wait owner_wait;
    int64_t deadline_mono_ms;
    struct fault fault;
    /* Launch. */
    struct ec2_ready_wait wait;
    bool waiting;             /* for what the launch has to know */
    struct clock_timer timer; /* ends one that is cancelled there */
    /* List and terminate. */
    struct ec2_batch *batch; /* that it is asked for with; NULL: none */
    struct list_node batched;
    bool asked;                     /* the question under way names its machine */
    struct cloud_machine *machines; /* [machine_cap], owned */
    size_t machine_count;
    size_t machine_cap;
    /* Console. */
    char *console; /* owned */
    bool latest;   /* what it shows now is asked for */
    /* Forget. */
    struct ec2_forget *forget;        /* owned; NULL: it is not one, or ends */
    char account[CLOUD_ACCOUNT_SIZE]; /* of the machines; "": there are none */
};

void ec2_job_start(struct ec2_pool *pool, struct cloud_call *call);
void ec2_job_cancel(struct ec2_job *job);

/** ec2_job_ask() - begin a question of its own; the caller adds parameters and starts job->ask. */
struct ec2_query *ec2_job_ask(struct ec2_job *job, enum ec2_action action,
                              void (*done)(struct ec2_ask *ask, const struct fault *fault));
/** ec2_job_answered() - the first line of such a done. */
struct ec2_job *ec2_job_answered(struct ec2_ask *ask);
/** ec2_job_end() - its call is done; @job is freed. */
void ec2_job_end(struct ec2_job *job, const struct fault *fault);
/** ec2_job_end_soon() - it was cancelled, and ends from the loop. */
void ec2_job_end_soon(struct ec2_job *job);
