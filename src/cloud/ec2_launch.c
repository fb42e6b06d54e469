#include "ec2_launch.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/id.h"

#include "ec2_machine.h"

#define LAUNCH_GIB (INT64_C(1) << 30)

/* Where the launch is to go. */
struct ec2_launch_place {
    const char *subnet; /* NULL: the account's default */
    bool spot;
};

/* Attempts go through the machine types by themselves (the engine does that); places are the digits
 * above.  Hosts begin in different subnets. */
static struct ec2_launch_place
ec2_launch_place(const struct cloud_call *call, const struct ec2_config *config)
{
    const struct cloud_launch *launch = &call->in.launch;
    uint64_t types = call->pool->machines.count ? call->pool->machines.count : 1;
    uint64_t subnets = config->subnets.count ? config->subnets.count : 1;
    uint64_t turn = (uint64_t)launch->attempt / types;
    uint64_t subnet = ((uint64_t)launch->host_id + turn) % subnets;

    return (struct ec2_launch_place){
        .subnet = config->subnets.count ? config->subnets.at[subnet] : NULL,
        .spot = config->spot && turn / subnets % 2 == 0,
    };
}

/* The tags of one kind of thing that the launch makes. */
static void
ec2_launch_tags(const struct cloud_call *call, const struct ec2_config *config,
                struct ec2_query *query, size_t number)
{
    static const char *const kinds[] = { "instance", "volume", "spot-instances-request" };
    char host[ID_TEXT_SIZE];
    const struct schema_pair own[] = {
        { mem_unconst(EC2_TAG_CLUSTER), mem_unconst(call->cluster_id) },
        { mem_unconst(EC2_TAG_POOL), call->pool->name },
        { mem_unconst(EC2_TAG_HOST),
          mem_unconst(id_encode(ID_HOST, call->in.launch.host_id, host)) },
        { mem_unconst(EC2_TAG_NAME), mem_unconst(call->in.launch.host_name) },
    };

    ec2_query_add(query, kinds[number], "TagSpecification.%zu.ResourceType", number + 1);
    for (size_t i = 0; i < ARRAY_LEN(own) + config->tags.count; i++) {
        const struct schema_pair *tag =
            i < ARRAY_LEN(own) ? &own[i] : &config->tags.at[i - ARRAY_LEN(own)];

        /* A configured Name would be a second one. */
        if (i >= ARRAY_LEN(own) && strcmp(tag->key, EC2_TAG_NAME) == 0)
            continue;
        ec2_query_add(query, tag->key, "TagSpecification.%zu.Tag.%zu.Key", number + 1, i + 1);
        ec2_query_add(query, tag->value, "TagSpecification.%zu.Tag.%zu.Value", number + 1, i + 1);
    }
}

static void
ec2_launch_volume(const struct ec2_volume *volume, const char *device, struct ec2_query *query)
{
    ec2_query_add(query, device, "BlockDeviceMapping.1.DeviceName");
    ec2_query_add(query, "true", "BlockDeviceMapping.1.Ebs.Encrypted");
    ec2_query_add(query, "true", "BlockDeviceMapping.1.Ebs.DeleteOnTermination");
    ec2_query_add(query, volume->type, "BlockDeviceMapping.1.Ebs.VolumeType");
    if (volume->size_bytes > 0) {
        ec2_query_add_number(query, "BlockDeviceMapping.1.Ebs.VolumeSize",
                             (volume->size_bytes + LAUNCH_GIB - 1) / LAUNCH_GIB);
    }
}

static void
ec2_launch_groups(const struct ec2_config *config, const struct ec2_known *known,
                  struct ec2_query *query)
{
    size_t count = config->security_groups.count;

    for (size_t i = 0; i < count; i++)
        ec2_query_add(query, config->security_groups.at[i], "SecurityGroupId.%zu", i + 1);
    if (known->group[0])
        ec2_query_add(query, known->group, "SecurityGroupId.%zu", count + 1);
}

/* What a template could say against our rules is said again: a machine must be given back when we ask. */
static void
ec2_launch_template(const struct ec2_config *config, struct ec2_query *query)
{
    const struct ec2_template *launch = &config->launch_template;

    if (!ec2_launch_has_template(config))
        return;
    ec2_query_add(query, launch->id, "LaunchTemplate.LaunchTemplateId");
    ec2_query_add(query, launch->name, "LaunchTemplate.LaunchTemplateName");
    ec2_query_add(query, launch->version, "LaunchTemplate.Version");
    ec2_query_add(query, "false", "DisableApiTermination");
    ec2_query_add(query, "false", "DisableApiStop"); /* it, too, keeps a machine from its end */
}

static void
ec2_launch_safety(struct ec2_query *query)
{
    ec2_query_add(query, "terminate", "InstanceInitiatedShutdownBehavior");
    ec2_query_add(query, "enabled", "MetadataOptions.HttpEndpoint");
    ec2_query_add(query, "required", "MetadataOptions.HttpTokens");
    ec2_query_add_number(query, "MetadataOptions.HttpPutResponseHopLimit", 1);
}

void
ec2_launch_encode_bare(const struct cloud_call *call, const struct ec2_config *config,
                       const struct ec2_known *known, struct ec2_query *query)
{
    const struct cloud_launch *launch = &call->in.launch;
    struct ec2_launch_place place = ec2_launch_place(call, config);
    const char *profile = config->instance_profile;
    bool arn = profile && strncmp(profile, "arn:", 4) == 0;

    ec2_query_add(query, launch->token, "ClientToken");
    ec2_query_add_number(query, "MinCount", 1);
    ec2_query_add_number(query, "MaxCount", 1);
    ec2_query_add(query, known->image.id, "ImageId");
    ec2_query_add(query, launch->type, "InstanceType");
    ec2_query_add(query, place.subnet, "SubnetId");
    ec2_launch_groups(config, known, query);
    ec2_launch_template(config, query);
    ec2_query_add(query, known->key[0] ? known->key : config->key_name, "KeyName");
    ec2_query_add(query, profile, arn ? "IamInstanceProfile.Arn" : "IamInstanceProfile.Name");
    ec2_launch_safety(query);
    ec2_launch_volume(&config->root_volume, known->image.device, query);
    if (place.spot) {
        ec2_query_add(query, "spot", "InstanceMarketOptions.MarketType");
        ec2_query_add(query, "one-time", "InstanceMarketOptions.SpotOptions.SpotInstanceType");
        ec2_query_add(query, "terminate",
                      "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior");
    }
    if (launch->user_data)
        ec2_query_add_base64(query, "UserData", launch->user_data);
}

void
ec2_launch_encode(const struct cloud_call *call, const struct ec2_config *config,
                  const struct ec2_known *known, struct ec2_query *query)
{
    struct ec2_launch_place place = ec2_launch_place(call, config);

    ec2_launch_encode_bare(call, config, known, query);
    for (size_t i = 0; i < (place.spot ? 3 : 2); i++)
        ec2_launch_tags(call, config, query, i);
}

bool
ec2_launch_has_template(const struct ec2_config *config)
{
    return config->launch_template.id || config->launch_template.name;
}

void
ec2_launch_template_encode(const struct ec2_config *config, struct ec2_query *query)
{
    const struct ec2_template *launch = &config->launch_template;

    ec2_query_add(query, launch->id, "LaunchTemplateId");
    ec2_query_add(query, launch->name, "LaunchTemplateName");
    ec2_query_add(query, launch->version ? launch->version : "$Default", "LaunchTemplateVersion.1");
}

int
ec2_launch_template_read(struct ec2_node root, const struct ec2_config *config,
                         char ret_image[EC2_IMAGE_ID_SIZE], struct fault *fault)
{
    struct ec2_node data = ec2_xml_find(root, "launchTemplateVersionSet/item/launchTemplateData");
    const char *image = ec2_xml_text(data, "imageId");
    const char *spot = ec2_xml_text(data, "instanceMarketOptions/spotOptions/spotInstanceType");
    bool own = config->image.id || config->image.name;

    if (!data.xml) {
        return fault_set(fault, FAULT_CLOUD_REFUSED, "ec2.template",
                         "the launch template has no such version");
    }
    if (strcmp(spot, "persistent") == 0) {
        return fault_set(fault, FAULT_CLOUD_REFUSED, "ec2.template",
                         "the launch template asks for persistent spot machines, which come back "
                         "after they were given back: make them one-time");
    }
    if (!own && (strncmp(image, "ami-", 4) != 0 || strlen(image) >= EC2_IMAGE_ID_SIZE)) {
        return fault_set(fault, FAULT_CLOUD_REFUSED, "ec2.template",
                         "the launch template names no image by id: give the pool an image");
    }
    (void)snprintf(ret_image, EC2_IMAGE_ID_SIZE, "%s", own ? "" : image);
    return 0;
}

void
ec2_launch_image_encode(const struct ec2_config *config, const char *template_image,
                        struct ec2_query *query)
{
    const struct ec2_image *image = &config->image;

    if (!image->name) {
        ec2_query_add(query, image->id ? image->id : template_image, "ImageId.1");
        return;
    }
    ec2_query_add(query, image->owner, "Owner.1");
    ec2_query_add_filter(query, 1, "name", image->name);
    ec2_query_add_filter(query, 2, "state", "available");
    ec2_query_add_filter(query, 3, "root-device-type", "ebs");
}

void
ec2_launch_image_read(struct ec2_node root, struct ec2_image_found *image)
{
    struct ec2_node item = ec2_xml_find(root, "imagesSet/item");

    for (; item.xml; item = ec2_xml_next(item)) {
        const char *id = ec2_xml_text(item, "imageId");
        const char *device = ec2_xml_text(item, "rootDeviceName");
        const char *created = ec2_xml_text(item, "creationDate"); /* of one form, in UTC */
        const char *arch = ec2_xml_text(item, "architecture");

        if (!*id || !*device || strlen(id) >= sizeof(image->id) ||
            strlen(device) >= sizeof(image->device) || strlen(created) >= sizeof(image->created))
            continue;
        if (image->id[0] && strcmp(created, image->created) <= 0)
            continue;
        (void)snprintf(image->id, sizeof(image->id), "%s", id);
        (void)snprintf(image->device, sizeof(image->device), "%s", device);
        (void)snprintf(image->created, sizeof(image->created), "%s", created);
        (void)snprintf(image->arch, sizeof(image->arch), "%s", arch);
    }
}
