#pragma once

/*
 * Whether a pool could rent machines as it is configured, without renting any: each action that Berth
 * uses is tried as a dry run with the parameters that it would have, and what the configuration names
 * (image, machine types, subnets, security groups, key pair) is looked up and compared.
 */

#include "berth/cloud/ec2.h"

enum ec2_verdict {
    EC2_GOOD,
    EC2_UNKNOWN, /* nothing speaks against it, but it could not be tried */
    EC2_BAD,
};

enum { EC2_FINDING_ACTION_SIZE = 64, EC2_FINDING_TEXT_SIZE = 256, EC2_FINDINGS_MAX = 96 };

/* One thing that was looked at. */
struct ec2_finding {
    enum ec2_verdict verdict;
    char action[EC2_FINDING_ACTION_SIZE]; /* "ec2:RunInstances", as a policy names it; or a field of
                                             the configuration: "image" */
    char text[EC2_FINDING_TEXT_SIZE];     /* what to do; "" when it is good */
};

/* Embed it. */
struct ec2_check {
    /* In; borrowed until done.  ec2_pool_set() was called for the pool, whose machines and warm_hosts
     * count. */
    const struct pool *pool;
    const char *cluster_id;
    /* Out. */
    struct ec2_finding *findings; /* [count], owned by the check until done returns */
    size_t count;
    bool bad; /* one of them is */
    /* Exactly once, from the loop, never from inside _start(); last touch.  With a fault the check could
     * not be made at all: FAULT_CLOUD_* (no credentials: where it was looked; nobody answers),
     * FAULT_CANCELLED. What was found until then is there all the same. */
    void (*done)(struct ec2_check *check, const struct fault *fault);
    void *own;
};

void ec2_check_start(struct ec2 *ec2, struct ec2_check *check);
/** ec2_check_cancel() - done still comes, with FAULT_CANCELLED unless it had ended. */
void ec2_check_cancel(struct ec2_check *check);
