#pragma once

/*
 * A machine as DescribeInstances and RunInstances tell it, and the tags by which it is ours.
 */

#include "berth/cloud/ec2.h"
#include "berth/port/cloud.h"

#include "ec2_xml.h"

/* Who reads them in the provider's console knows where they are from. */
#define EC2_TAG_CLUSTER CLOUD_TAG_CLUSTER
#define EC2_TAG_POOL    "berth:pool"
#define EC2_TAG_HOST    "berth:host" /* the host's id as the API shows it */
#define EC2_TAG_NAME    "Name"

/** ec2_machine_is_ours() - an item of an instancesSet carries the cluster's and the pool's tag. */
bool ec2_machine_is_ours(struct ec2_node item, const char *cluster_id, const char *pool_name);
/** ec2_machine_read() - an item of an instancesSet; of its addresses the one of the kind @address.
 * Return: false when it has no id that fits, or no known state: it is no machine then. */
bool ec2_machine_read(struct ec2_node item, enum ec2_address address,
                      struct cloud_machine *ret_machine);
