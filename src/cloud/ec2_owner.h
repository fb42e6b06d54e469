#pragma once

/*
 * Whose account the keys of now are of.  Each network has a security group `default` that belongs to the
 * account and cannot be shared; so a question that Berth asks anyway tells it, at any endpoint.  Asked once
 * for each key.
 */

#include "berth/base/list.h"

#include "ec2_ask.h"

enum { EC2_OWNER_KEY_SIZE = 132 };

/* Who waits.  Embed it. */
struct ec2_owner_wait {
    /* Exactly once, from the loop; last touch.  The account may be known then, or not to be found out. */
    void (*done)(struct ec2_owner_wait *wait);
    struct list_node node;
};

/* Part of a region. */
struct ec2_owner {
    char account[CLOUD_ACCOUNT_SIZE]; /* "": not known */

    /* Its own. */
    char key_id[EC2_OWNER_KEY_SIZE]; /* of the keys it is of */
    int64_t until_mono_ms;           /* "" is asked again then */
    struct list waiting;             /* struct ec2_owner_wait */
    size_t left;                     /* of those: need not wait any more */
    struct ec2_ask ask;
    bool asking;
};

struct ec2_region;

/** ec2_owner_is_known() - of the keys of now; or it is not to be found out for a while. */
bool ec2_owner_is_known(const struct ec2_region *region);
/** ec2_owner_wait() - ask, unless that is under way; the region lives on until then. */
void ec2_owner_wait(struct ec2_region *region, struct ec2_owner_wait *wait);
/** ec2_owner_leave() - it need not wait any more: done still comes, soon if nobody else waits. Once. */
void ec2_owner_leave(struct ec2_region *region);
