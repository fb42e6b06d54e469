#pragma once

/*
 * A launch as a request, and an image as an answer tells it.  Pure.
 */

#include "berth/cloud/ec2.h"

#include "ec2_query.h"
#include "ec2_xml.h"

enum { EC2_IMAGE_ID_SIZE = 64, EC2_DEVICE_SIZE = 64, EC2_CREATED_SIZE = 32, EC2_ARCH_SIZE = 16 };

/* An image that was looked up. */
struct ec2_image_found {
    char id[EC2_IMAGE_ID_SIZE];
    char device[EC2_DEVICE_SIZE]; /* of its root volume */
    char created[EC2_CREATED_SIZE];
    char arch[EC2_ARCH_SIZE]; /* "x86_64", "arm64", ...; "": not told */
};

/** ec2_launch_encode() - the parameters of RunInstances: the same for each call with the same token, as
 * long as @config and @image are. */
void ec2_launch_encode(const struct cloud_call *call, const struct ec2_config *config,
                       const struct ec2_image_found *image, struct ec2_query *query);
/** ec2_launch_encode_bare() - the same without tags: such a machine would be nobody's. */
void ec2_launch_encode_bare(const struct cloud_call *call, const struct ec2_config *config,
                            const struct ec2_image_found *image, struct ec2_query *query);

/** ec2_launch_image_encode() - the parameters of DescribeImages. */
void ec2_launch_image_encode(const struct ec2_config *config, struct ec2_query *query);
/** ec2_launch_image_read() - the newest image of an answer, if it is newer than @image ("": none yet). */
void ec2_launch_image_read(struct ec2_node root, struct ec2_image_found *image);
