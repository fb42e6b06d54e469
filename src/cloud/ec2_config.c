/* A pool's provider section as a table of fields. */

#include <stdio.h>
#include <string.h>

#include "berth/cloud/ec2.h"

#define FIELD(type, member) offsetof(type, member)

enum { CONFIG_TAGS_MAX = 40, CONFIG_LIST_MAX = 16, CONFIG_GIB = 1 << 30 };

static const char *
ec2_config_check_word(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text <= ' ' || *text == 127)
            return "must not have blanks or control characters";
    }
    return NULL;
}

static const char *
ec2_config_check_url(const char *text)
{
    if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
        return "must begin with https:// or http://";
    return ec2_config_check_word(text);
}

static const char *
ec2_config_check_tag(const char *text)
{
    if (strncmp(text, "aws:", 4) == 0 || strncmp(text, "berth:", 6) == 0)
        return "must not begin with aws: or berth:";
    return text[0] ? NULL : "must not be empty";
}

static const struct schema_field ec2_image_fields[] = {
    { .name = "id",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_image, id),
      .max = 64,
      .check = ec2_config_check_word,
      .doc = "Id of the image." },
    { .name = "owner",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_image, owner),
      .max = 64,
      .check = ec2_config_check_word,
      .doc = "Account that the image belongs to, or self, amazon, aws-marketplace." },
    { .name = "name",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_image, name),
      .max = 256,
      .doc = "Name of the image, with * and ? as wildcards: the newest is used." },
};

static const struct schema ec2_image_schema = {
    .name = "Image",
    .doc = "What a machine boots from: an id, or an owner and a name.",
    .size = sizeof(struct ec2_image),
    .fields = ec2_image_fields,
    .field_count = ARRAY_LEN(ec2_image_fields),
};

static const struct schema_field ec2_volume_fields[] = {
    { .name = "size_bytes",
      .type = SCHEMA_INT,
      .offset = FIELD(struct ec2_volume, size_bytes),
      .min = CONFIG_GIB,
      .max = INT64_C(16384) * CONFIG_GIB,
      .doc = "Size, rounded up to GiB; without it that of the image." },
    { .name = "type",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_volume, type),
      .max = 32,
      .check = ec2_config_check_word,
      .doc = "Volume type, as gp3." },
};

static const struct schema ec2_volume_schema = {
    .name = "RootVolume",
    .doc = "The machine's root volume; it is always encrypted and goes with the machine.",
    .size = sizeof(struct ec2_volume),
    .fields = ec2_volume_fields,
    .field_count = ARRAY_LEN(ec2_volume_fields),
};

static const struct schema_field ec2_config_fields[] = {
    { .name = "endpoint",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_config, endpoint),
      .max = 512,
      .check = ec2_config_check_url,
      .doc = "URL of the API; without it AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL, or AWS." },
    { .name = "region",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_config, region),
      .max = 64,
      .check = ec2_config_check_word,
      .doc = "Region; without it AWS_REGION or AWS_DEFAULT_REGION." },
    { .name = "subnets",
      .type = SCHEMA_STRINGS,
      .offset = FIELD(struct ec2_config, subnets),
      .max = CONFIG_LIST_MAX,
      .item_max = 64,
      .check = ec2_config_check_word,
      .doc = "Subnets to launch in, in turn; without them the account's default." },
    { .name = "security_groups",
      .type = SCHEMA_STRINGS,
      .offset = FIELD(struct ec2_config, security_groups),
      .max = CONFIG_LIST_MAX,
      .item_max = 64,
      .check = ec2_config_check_word,
      .doc = "Ids of the machines' security groups." },
    { .name = "image",
      .type = SCHEMA_OBJECT,
      .flags = SCHEMA_REQUIRED,
      .offset = FIELD(struct ec2_config, image),
      .sub = &ec2_image_schema,
      .doc = "What machines boot from." },
    { .name = "root_volume",
      .type = SCHEMA_OBJECT,
      .offset = FIELD(struct ec2_config, root_volume),
      .sub = &ec2_volume_schema,
      .doc = "The machines' root volume." },
    { .name = "key_name",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_config, key_name),
      .max = 255,
      .doc = "Name of a key pair for SSH." },
    { .name = "instance_profile",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_config, instance_profile),
      .max = 512,
      .check = ec2_config_check_word,
      .doc = "Name or ARN of the machines' instance profile." },
    { .name = "spot",
      .type = SCHEMA_BOOL,
      .offset = FIELD(struct ec2_config, spot),
      .doc = "Launch spot machines; on demand where there are none." },
    { .name = "tags",
      .type = SCHEMA_MAP,
      .offset = FIELD(struct ec2_config, tags),
      .max = CONFIG_TAGS_MAX,
      .item_max = 256,
      .check = ec2_config_check_tag,
      .doc = "Tags that each machine and its volume get, beside Berth's own." },
};

const struct schema ec2_config_schema = {
    .name = "Ec2",
    .doc = "Machines of Amazon EC2.",
    .size = sizeof(struct ec2_config),
    .fields = ec2_config_fields,
    .field_count = ARRAY_LEN(ec2_config_fields),
};

int
ec2_config_check(const struct ec2_config *config, const char *pointer, struct problems *problems)
{
    const struct ec2_image *image = &config->image;
    size_t before = problems->count + problems->dropped;
    char at[sizeof(problems->at[0].pointer)];

    (void)snprintf(at, sizeof(at), "%s/image", pointer);
    if (image->id && (image->owner || image->name)) {
        problems_add(problems, at, "range", "has an id: owner and name would choose another one");
    } else if (!image->id && !(image->owner && image->name)) {
        /* A name alone would take what any account calls so. */
        problems_add(problems, at, "required", "needs an id, or an owner and a name");
    }
    return problems->count + problems->dropped > before ? -1 : 0;
}
