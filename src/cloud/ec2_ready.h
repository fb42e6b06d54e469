#pragma once

/*
 * What the launches of a pool have to know before, looked up once for all that wait, and again when it is
 * old: the launch template, the image, the pool's own security group and key pair.
 *
 *   [template] -> image -> [security group] -> [key pair]
 */

#include "berth/base/list.h"

#include "ec2_group.h"
#include "ec2_keypair.h"
#include "ec2_launch.h"
#include "ec2_pages.h"

struct ec2_pool;

/* Who waits.  Embed it. */
struct ec2_ready_wait {
    /* Exactly once, from the loop, never from inside ec2_ready_wait(); last touch.  Without a fault
     * ec2_ready_is() holds. */
    void (*done)(struct ec2_ready_wait *wait, const struct fault *fault);
    struct list_node node;
};

/* Part of a pool. */
struct ec2_ready {
    struct ec2_known known; /* while ec2_ready_is() */

    /* Its own. */
    struct ec2_pool *pool;
    struct list waiting;           /* struct ec2_ready_wait */
    struct ec2_ready_wait *leaver; /* the last one, which left: the look ends for it */
    int64_t image_until_mono_ms;   /* then it is looked up again */
    int64_t group_until_mono_ms;
    int64_t key_until_mono_ms;
    struct ec2_ask ask;
    struct ec2_pages pages;
    struct ec2_image_found image; /* the newest so far */
    char template_image[EC2_IMAGE_ID_SIZE];
    struct ec2_group group;
    struct ec2_keypair keypair;
    char *cluster_id; /* owned, as the next: who asked may be gone */
    char *pool_name;
    bool looking;
    bool grouping; /* the group is under way, not ask */
    bool keying;   /* the key pair is */
};

void ec2_ready_init(struct ec2_ready *ready, struct ec2_pool *pool);
void ec2_ready_fini(struct ec2_ready *ready);
/** ec2_ready_is() - all is known that a launch needs. */
bool ec2_ready_is(const struct ec2_ready *ready);
/** ec2_ready_wait() - until it is; @call says for whom. */
void ec2_ready_wait(struct ec2_ready *ready, const struct cloud_call *call,
                    struct ec2_ready_wait *wait);
/** ec2_ready_leave() - do not wait any more.
 * Return: true: done does not come. false: it does, with FAULT_CANCELLED, when the look has ended. */
bool ec2_ready_leave(struct ec2_ready *ready, struct ec2_ready_wait *wait);
/** ec2_ready_ended() - what was made for the pool was deleted: the next launch makes it anew. */
void ec2_ready_ended(struct ec2_ready *ready);
/** ec2_ready_forget() - what is known turned out to be wrong: it is looked up again. */
void ec2_ready_forget(struct ec2_ready *ready);
