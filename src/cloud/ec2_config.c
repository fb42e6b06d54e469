/* A pool's provider section as a table of fields. */

#include <stdio.h>
#include <string.h>

#include "berth/cloud/ec2.h"

#include "ec2_opening.h"

#define FIELD(type, member) offsetof(type, member)

enum { CONFIG_TAGS_MAX = 40, CONFIG_LIST_MAX = 16, CONFIG_GIB = 1 << 30 };
/* Docker takes published ports from net.ipv4.ip_local_port_range. */
enum { CONFIG_FIRST_PORT = 32768, CONFIG_LAST_PORT = 60999, CONFIG_PORT_MAX = 65535 };

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
      .min = 1,
      .max = 64,
      .check = ec2_config_check_word,
      .doc = "Id of the image." },
    { .name = "owner",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_image, owner),
      .min = 1,
      .max = 64,
      .check = ec2_config_check_word,
      .doc = "Account that the image belongs to, or self, amazon, aws-marketplace." },
    { .name = "name",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_image, name),
      .min = 1,
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

static const char *
ec2_config_check_version(const char *text)
{
    if (strcmp(text, "$Latest") == 0 || strcmp(text, "$Default") == 0)
        return NULL;
    if (!text[0] || strspn(text, "0123456789") != strlen(text))
        return "must be a number, $Latest or $Default";
    return NULL;
}

static const struct schema_field ec2_managed_fields[] = {
    { .name = "create",
      .type = SCHEMA_BOOL,
      .offset = FIELD(struct ec2_managed, create),
      .doc = "Make a security group for the pool and keep it as it says here." },
    { .name = "from",
      .type = SCHEMA_STRINGS,
      .offset = FIELD(struct ec2_managed, from),
      .max = CONFIG_LIST_MAX,
      .item_max = EC2_PEER_SIZE - 1,
      .check = ec2_opening_check,
      .doc = "Networks that may reach the machines: SSH, the engine's API, published ports." },
    { .name = "first_port",
      .type = SCHEMA_INT,
      .offset = FIELD(struct ec2_managed, first_port),
      .min = 1,
      .max = CONFIG_PORT_MAX,
      .fallback = CONFIG_FIRST_PORT,
      .doc = "First of the published ports." },
    { .name = "last_port",
      .type = SCHEMA_INT,
      .offset = FIELD(struct ec2_managed, last_port),
      .min = 1,
      .max = CONFIG_PORT_MAX,
      .fallback = CONFIG_LAST_PORT,
      .doc = "Last of the published ports." },
    { .name = "vpc",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_managed, vpc),
      .max = 64,
      .check = ec2_config_check_word,
      .doc = "VPC of the group, needed with subnets; without it the account's default." },
};

static const struct schema ec2_managed_schema = {
    .name = "SecurityGroup",
    .doc = "The pool's own security group, tagged as its machines are.",
    .size = sizeof(struct ec2_managed),
    .fields = ec2_managed_fields,
    .field_count = ARRAY_LEN(ec2_managed_fields),
};

static const struct schema_field ec2_template_fields[] = {
    { .name = "id",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_template, id),
      .max = 64,
      .check = ec2_config_check_word,
      .doc = "Id of the template." },
    { .name = "name",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_template, name),
      .max = 128,
      .check = ec2_config_check_word,
      .doc = "Name of the template, instead of the id." },
    { .name = "version",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_template, version),
      .max = 20,
      .check = ec2_config_check_version,
      .doc = "Its version: a number, $Latest or $Default; without it $Default." },
};

static const struct schema ec2_template_schema = {
    .name = "LaunchTemplate",
    .doc = "What machines are launched from; what the pool says counts more.",
    .size = sizeof(struct ec2_template),
    .fields = ec2_template_fields,
    .field_count = ARRAY_LEN(ec2_template_fields),
};

static const struct schema_field ec2_key_pair_fields[] = {
    { .name = "create",
      .type = SCHEMA_BOOL,
      .offset = FIELD(struct ec2_key_pair, create),
      .doc = "Import berthd's own public key (berth pool ssh-key) as a key pair of the pool." },
};

static const struct schema ec2_key_pair_schema = {
    .name = "KeyPair",
    .doc = "The pool's own key pair, tagged as its machines are.",
    .size = sizeof(struct ec2_key_pair),
    .fields = ec2_key_pair_fields,
    .field_count = ARRAY_LEN(ec2_key_pair_fields),
};

static const char *const ec2_addresses[] = { "private", "public", NULL };

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
    { .name = "security_group",
      .type = SCHEMA_OBJECT,
      .offset = FIELD(struct ec2_config, security_group),
      .sub = &ec2_managed_schema,
      .doc = "A security group of the pool's own, beside those." },
    { .name = "launch_template",
      .type = SCHEMA_OBJECT,
      .offset = FIELD(struct ec2_config, launch_template),
      .sub = &ec2_template_schema,
      .doc = "A launch template that machines are launched from." },
    { .name = "image",
      .type = SCHEMA_OBJECT,
      .offset = FIELD(struct ec2_config, image),
      .sub = &ec2_image_schema,
      .doc = "What machines boot from; needed unless a launch template has one." },
    { .name = "root_volume",
      .type = SCHEMA_OBJECT,
      .offset = FIELD(struct ec2_config, root_volume),
      .sub = &ec2_volume_schema,
      .doc = "The machines' root volume." },
    { .name = "key_name",
      .type = SCHEMA_STRING,
      .offset = FIELD(struct ec2_config, key_name),
      .max = 255,
      .doc = "Name of a key pair for people who log in; Berth itself needs none." },
    { .name = "key_pair",
      .type = SCHEMA_OBJECT,
      .offset = FIELD(struct ec2_config, key_pair),
      .sub = &ec2_key_pair_schema,
      .doc = "A key pair of the pool's own, instead of key_name." },
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
    { .name = "address",
      .type = SCHEMA_ENUM,
      .offset = FIELD(struct ec2_config, address),
      .names = ec2_addresses,
      .fallback = EC2_ADDRESS_PRIVATE,
      .doc = "By which of its addresses a machine is reached: private, or public where berthd is "
             "elsewhere." },
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

static void
ec2_config_check_image(const struct ec2_config *config, const char *pointer,
                       struct problems *problems)
{
    const struct ec2_image *image = &config->image;
    bool templated = config->launch_template.id || config->launch_template.name;
    bool none = !image->id && !image->owner && !image->name;

    if (image->id && (image->owner || image->name)) {
        problems_add(problems, pointer, "range",
                     "has an id: owner and name would choose another one");
    } else if (!image->id && !(image->owner && image->name) && !(none && templated)) {
        /* A name alone would take what any account calls so. */
        problems_add(problems, pointer, "required", "needs an id, or an owner and a name");
    }
}

static void
ec2_config_check_group(const struct ec2_config *config, const char *pointer,
                       struct problems *problems)
{
    const struct ec2_managed *group = &config->security_group;

    if (group->create && group->from.count == 0) {
        problems_add(problems, pointer, "required",
                     "needs from: the networks that the daemon and the route ask from");
    } else if (!group->create && (group->from.count > 0 || group->vpc)) {
        problems_add(problems, pointer, "range", "is made only with create: true");
    } else if (group->first_port > group->last_port) {
        problems_add(problems, pointer, "range", "has a first_port after its last_port");
    } else if (group->create && config->subnets.count > 0 && !group->vpc) {
        problems_add(problems, pointer, "required", "needs vpc: that of the subnets");
    }
}

static void
ec2_config_check_key(const struct ec2_config *config, const char *pointer,
                     struct problems *problems)
{
    if (config->key_pair.create && config->key_name)
        problems_add(problems, pointer, "range", "is made by Berth: leave key_name out");
}

static void
ec2_config_check_template(const struct ec2_config *config, const char *pointer,
                          struct problems *problems)
{
    const struct ec2_template *launch = &config->launch_template;

    if (launch->id && launch->name) {
        problems_add(problems, pointer, "range", "has an id and a name: give it one of them");
    } else if (launch->version && !launch->id && !launch->name) {
        problems_add(problems, pointer, "required", "needs an id or a name");
    }
}

int
ec2_config_check(const struct ec2_config *config, const char *pointer, struct problems *problems)
{
    static const struct {
        const char *name;
        void (*check)(const struct ec2_config *config, const char *pointer,
                      struct problems *problems);
    } parts[] = {
        { "image", ec2_config_check_image },
        { "security_group", ec2_config_check_group },
        { "launch_template", ec2_config_check_template },
        { "key_pair", ec2_config_check_key },
    };
    size_t before = problems->count + problems->dropped;
    char at[sizeof(problems->at[0].pointer)];

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        (void)snprintf(at, sizeof(at), "%s/%s", pointer, parts[i].name);
        parts[i].check(config, at, problems);
    }
    return problems->count + problems->dropped > before ? -1 : 0;
}
