#pragma once

/*
 * One call of the port under way: a chain of questions to EC2.
 *
 *   launch:     [image] -> RunInstances -> [by token, when the token was used otherwise]
 *   list:       DescribeInstances, page by page [-> DescribeSpotInstanceRequests, when there are such]
 *   terminate:  TerminateInstances
 *
 *   ec2.c         pools, and calls as jobs
 *   ec2_config.c  a pool's section of the configuration
 *   ec2_job.c     the chains
 *   ec2_ask.c     one question: keys, pace, signature, answer, repeats
 *   ec2_launch.c, ec2_query.c, ec2_sign.c, ec2_xml.c, ec2_machine.c, ec2_fault.c, ec2_pace.c   pure
 */

#include "berth/cloud/ec2.h"

#include "ec2_ask.h"
#include "ec2_launch.h"

/* A pool as it is configured.  Shared: a call goes on with what it began with. */
struct ec2_pool {
    uint32_t refs;
    struct ec2_config config; /* owned */
    struct ec2_account account;
    char *url; /* owned, as the next two */
    char *region;
    char *ca;
    struct ec2_image_found image; /* id "": not looked up yet */
    int64_t image_until_mono_ms;  /* then it is looked up again */
    struct list image_waiting;    /* jobs that wait for the image */
    bool image_asked;             /* one of them looks it up */
};

/** ec2_pool_ref() - the pool with this id; it must have been set. */
struct ec2_pool *ec2_pool_ref(struct ec2 *ec2, int64_t pool_id);
/** ec2_pool_unref() - NULL is fine. */
void ec2_pool_unref(struct ec2_pool *pool);

struct ec2_job {
    struct ec2_pool *pool; /* a reference */
    struct cloud_call *call;
    struct ec2_ask ask;
    bool asking; /* ask is under way */
    bool cancelled;
    int64_t deadline_mono_ms;
    struct fault fault;
    /* Launch. */
    struct list_node waiting;     /* in pool->image_waiting */
    struct clock_timer timer;     /* ends one that is cancelled there */
    struct ec2_image_found image; /* the newest so far */
    /* Pages. */
    uint32_t pages;
    char *page; /* what the next is asked with; owned; NULL: there is none */
    /* List. */
    struct cloud_machine *machines; /* [machine_cap], owned */
    size_t machine_count;
    size_t machine_cap;
};

void ec2_job_start(struct ec2_pool *pool, struct cloud_call *call);
void ec2_job_cancel(struct ec2_job *job);
