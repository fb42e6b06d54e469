#pragma once

/*
 * A launch as a request, and an image as an answer tells it.  Pure.
 */

#include "berth/cloud/ec2.h"

#include "ec2_query.h"
#include "ec2_xml.h"

enum {
    EC2_IMAGE_ID_SIZE = 64,
    EC2_DEVICE_SIZE = 64,
    EC2_CREATED_SIZE = 32,
    EC2_ARCH_SIZE = 16,
    EC2_GROUP_ID_SIZE = 64,
    EC2_KEY_NAME_SIZE = 256
};

/* An image that was looked up. */
struct ec2_image_found {
    char id[EC2_IMAGE_ID_SIZE];
    char device[EC2_DEVICE_SIZE]; /* of its root volume */
    char created[EC2_CREATED_SIZE];
    char arch[EC2_ARCH_SIZE]; /* "x86_64", "arm64", ...; "": not told */
};

/* What a launch has to know before (ec2_ready.h). */
struct ec2_known {
    struct ec2_image_found image;
    char group[EC2_GROUP_ID_SIZE]; /* the pool's own security group; "": none */
    char key[EC2_KEY_NAME_SIZE];   /* the pool's own key pair; "": none */
};

/** ec2_launch_encode() - the parameters of RunInstances: the same for each call with the same token, as
 * long as @config and @known are.  What stands beside a launch template counts more than the template;
 * tags are joined. */
void ec2_launch_encode(const struct cloud_call *call, const struct ec2_config *config,
                       const struct ec2_known *known, struct ec2_query *query);
/** ec2_launch_encode_bare() - the same without tags: such a machine would be nobody's. */
void ec2_launch_encode_bare(const struct cloud_call *call, const struct ec2_config *config,
                            const struct ec2_known *known, struct ec2_query *query);

bool ec2_launch_has_template(const struct ec2_config *config);
/** ec2_launch_template_encode() - the parameters of DescribeLaunchTemplateVersions. */
void ec2_launch_template_encode(const struct ec2_config *config, struct ec2_query *query);
/** ec2_launch_template_read() - what the template says of the image.
 * @ret_image: its id; "" when the pool names one itself
 * Return: 0, or -1 with FAULT_CLOUD_REFUSED: no machine of Berth's can be launched from it, and why. */
int ec2_launch_template_read(struct ec2_node root, const struct ec2_config *config,
                             char ret_image[EC2_IMAGE_ID_SIZE], struct fault *fault);

/** ec2_launch_image_encode() - the parameters of DescribeImages.
 * @template_image: id, when the pool names no image */
void ec2_launch_image_encode(const struct ec2_config *config, const char *template_image,
                             struct ec2_query *query);
/** ec2_launch_image_read() - the newest image of an answer, if it is newer than @image ("": none yet). */
void ec2_launch_image_read(struct ec2_node root, struct ec2_image_found *image);
