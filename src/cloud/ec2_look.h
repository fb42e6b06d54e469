#pragma once

/*
 * What a check has learnt of the provider so far, and what it finds in that: the image, the machine types
 * and where they are offered, the subnets and their zones.  Pure.
 */

#include "berth/cloud/ec2_check.h"

#include "ec2_keypair.h"
#include "ec2_launch.h"
#include "ec2_machine.h"

struct ec2_look_type {
    int64_t memory_bytes;
    bool there;
    bool fits;    /* the image's architecture */
    bool offered; /* in one of the zones */
};

struct ec2_look {
    struct ec2_check *check; /* findings go there */
    const struct ec2_config *config;
    struct ec2_known known;         /* id "": no image; its group: the one that is there */
    char key[EC2_KEYPAIR_ID_SIZE];  /* the id of the pool's own key pair; "": there is none */
    char machine[CLOUD_ID_SIZE];    /* one of ours; "": there is none */
    struct ec2_look_type *types;    /* [check->pool->machines.count], owned */
    char (*zones)[CLOUD_ZONE_SIZE]; /* of the subnets, owned */
    size_t zone_count;
    char template_image[EC2_IMAGE_ID_SIZE];
    bool types_known;
    bool offers_known;
};

void ec2_look_init(struct ec2_look *look, struct ec2_check *check, const struct ec2_config *config);
void ec2_look_fini(struct ec2_look *look);
/** ec2_look_add() - one more finding; the same again is dropped, as is what finds no room. */
void ec2_look_add(struct ec2_look *look, enum ec2_verdict verdict, const char *action,
                  const char *format, ...) PRINTF_LIKE(4, 5);

/* An answer of DescribeLaunchTemplateVersions. */
void ec2_look_template(struct ec2_look *look, struct ec2_node root);
/* A page of DescribeImages, DescribeInstanceTypes, ... */
void ec2_look_image(struct ec2_look *look, struct ec2_node root);
void ec2_look_types(struct ec2_look *look, struct ec2_node root);
void ec2_look_subnets(struct ec2_look *look, struct ec2_node root);
void ec2_look_offers(struct ec2_look *look, struct ec2_node root);
void ec2_look_group(struct ec2_look *look, struct ec2_node root);
void ec2_look_key(struct ec2_look *look, struct ec2_node root);
void ec2_look_machines(struct ec2_look *look, struct ec2_node root);
/** ec2_look_compare() - all pages were read: what does not go together. */
void ec2_look_compare(struct ec2_look *look);
