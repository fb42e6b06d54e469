#pragma once

/*
 * The security group of a pool, kept as its configuration says: made once, with our tags; what it lets in
 * is compared and corrected; at the pool's end it is deleted.  A group without the cluster's and the
 * pool's tag is never changed.
 *
 *   look for it by our tags -> [create it] -> look at it -> [let in what lacks] -> [shut what is too much]
 *   -> [let out everything]
 *
 * A group that was just made is not found everywhere at once, and another daemon, or a request that got
 * lost, may have made it first: then it is looked for by its name.
 */

#include "ec2_ask.h"
#include "ec2_launch.h"
#include "ec2_opening.h"

enum ec2_group_step {
    EC2_GROUP_FIND, /* by our tags */
    EC2_GROUP_CREATE,
    EC2_GROUP_BY_NAME, /* there is one with its name */
    EC2_GROUP_LET_IN,
    EC2_GROUP_SHUT,
    EC2_GROUP_LET_OUT,
    EC2_GROUP_DELETE,
    EC2_GROUP_STEP_COUNT,
};

/* Embed it. */
struct ec2_group {
    /* In; borrowed until done. */
    struct ec2_account *account;
    const struct ec2_managed *managed;
    const char *cluster_id;
    const char *pool_name;
    int64_t deadline_mono_ms;
    bool end; /* it is to be deleted, not made */
    /* Exactly once, from the loop, never from inside _start(); last touch.  FAULT_CLOUD_*,
     * FAULT_CANCELLED. */
    void (*done)(struct ec2_group *group, const struct fault *fault);
    /* Out. */
    char id[EC2_GROUP_ID_SIZE];   /* "": there is none (any more) */
    char gone[EC2_GROUP_ID_SIZE]; /* the last that was deleted; "": none */

    /* Its own. */
    enum ec2_group_step step;
    struct ec2_ask ask;
    struct clock_timer timer;      /* before it is looked for again */
    struct ec2_openings *openings; /* [3], owned: lacking, too much, lacking outwards */
    char *name;
    uint32_t rounds;
    bool asking;
    bool cancelled;
    bool made; /* by us, just now */
};

void ec2_group_start(struct ec2_group *group);
void ec2_group_cancel(struct ec2_group *group);

/** ec2_group_encode_new() - the parameters of CreateSecurityGroup; of @group its managed, cluster_id and
 * pool_name. */
void ec2_group_encode_new(const struct ec2_group *group, struct ec2_query *query);
