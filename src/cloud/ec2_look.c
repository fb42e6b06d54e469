#include "ec2_look.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_ZONES_MAX = 32, LOOK_MIB = 1024 * 1024 };

void
ec2_look_init(struct ec2_look *look, struct ec2_check *check, const struct ec2_config *config)
{
    size_t count = check->pool->machines.count;

    *look = (struct ec2_look){
        .check = check,
        .config = config,
        .types = mem_new0((count ? count : 1) * sizeof(*look->types)),
        .zones = mem_new0(LOOK_ZONES_MAX * sizeof(*look->zones)),
    };
}

void
ec2_look_fini(struct ec2_look *look)
{
    mem_free(look->types);
    mem_free(look->zones);
}

void
ec2_look_add(struct ec2_look *look, enum ec2_verdict verdict, const char *action,
             const char *format, ...)
{
    struct ec2_check *check = look->check;
    struct ec2_finding found = { .verdict = verdict };
    va_list args;

    va_start(args, format);
    (void)vsnprintf(found.text, sizeof(found.text), format, args);
    va_end(args);
    (void)snprintf(found.action, sizeof(found.action), "%s", action);
    for (size_t i = 0; i < check->count; i++) {
        const struct ec2_finding *known = &check->findings[i];

        if (known->verdict == verdict && strcmp(known->action, found.action) == 0 &&
            strcmp(known->text, found.text) == 0)
            return;
    }
    check->bad = check->bad || verdict == EC2_BAD;
    if (check->count < EC2_FINDINGS_MAX)
        check->findings[check->count++] = found;
}

void
ec2_look_template(struct ec2_look *look, struct ec2_node root)
{
    struct fault unfit;

    if (ec2_launch_template_read(root, look->config, look->template_image, &unfit) < 0)
        ec2_look_add(look, EC2_BAD, "launch_template", "%s", unfit.text);
}

/* The pool's own security group, if it was made already. */
void
ec2_look_group(struct ec2_look *look, struct ec2_node root)
{
    struct ec2_node item = ec2_xml_find(root, "securityGroupInfo/item");

    for (; item.xml; item = ec2_xml_next(item)) {
        const char *id = ec2_xml_text(item, "groupId");

        if (ec2_machine_is_ours(item, look->check->cluster_id, look->check->pool->name) &&
            strlen(id) < sizeof(look->known.group))
            (void)snprintf(look->known.group, sizeof(look->known.group), "%s", id);
    }
}

void
ec2_look_key(struct ec2_look *look, struct ec2_node root)
{
    struct ec2_node item = ec2_xml_find(root, "keySet/item");

    for (; item.xml; item = ec2_xml_next(item)) {
        const char *id = ec2_xml_text(item, "keyPairId");

        if (ec2_machine_is_ours(item, look->check->cluster_id, look->check->pool->name)) {
            (void)snprintf(look->key, sizeof(look->key), "%s", id);
        } else {
            ec2_look_add(
                look, EC2_BAD, "key_pair",
                "there is a key pair %s without our tags: delete it, or name it in key_name",
                ec2_xml_text(item, "keyName"));
        }
    }
}

void
ec2_look_image(struct ec2_look *look, struct ec2_node root)
{
    ec2_launch_image_read(root, &look->known.image);
}

/* Of the pool's types the one with this name; NULL: none. */
static struct ec2_look_type *
ec2_look_type(struct ec2_look *look, const char *name)
{
    const struct schema_array *machines = &look->check->pool->machines;
    const struct pool_machine *types = machines->at;

    for (size_t i = 0; i < machines->count; i++) {
        if (strcmp(types[i].type, name) == 0)
            return &look->types[i];
    }
    return NULL;
}

/* 0: what it says cannot be. */
static int64_t
ec2_look_bytes(const char *mib)
{
    long long number = strtoll(mib, NULL, 10);

    return number >= 0 && number <= INT64_MAX / LOOK_MIB ? number * LOOK_MIB : 0;
}

void
ec2_look_types(struct ec2_look *look, struct ec2_node root)
{
    struct ec2_node item = ec2_xml_find(root, "instanceTypeSet/item");

    look->types_known = true;
    for (; item.xml; item = ec2_xml_next(item)) {
        struct ec2_look_type *type = ec2_look_type(look, ec2_xml_text(item, "instanceType"));
        struct ec2_node arch = ec2_xml_find(item, "processorInfo/supportedArchitectures/item");

        if (!type)
            continue;
        type->there = true;
        type->memory_bytes = ec2_look_bytes(ec2_xml_text(item, "memoryInfo/sizeInMiB"));
        for (; arch.xml; arch = ec2_xml_next(arch))
            type->fits = type->fits || strcmp(ec2_xml_text(arch, ""), look->known.image.arch) == 0;
    }
}

void
ec2_look_subnets(struct ec2_look *look, struct ec2_node root)
{
    struct ec2_node item = ec2_xml_find(root, "subnetSet/item");

    for (; item.xml && look->zone_count < LOOK_ZONES_MAX; item = ec2_xml_next(item)) {
        const char *zone = ec2_xml_text(item, "availabilityZone");

        if (strlen(zone) < sizeof(look->zones[0])) {
            (void)snprintf(look->zones[look->zone_count++], sizeof(look->zones[0]), "%s", zone);
        }
    }
}

static bool
ec2_look_is_ours(const struct ec2_look *look, const char *zone)
{
    for (size_t i = 0; i < look->zone_count; i++) {
        if (strcmp(look->zones[i], zone) == 0)
            return true;
    }
    return look->zone_count == 0;
}

void
ec2_look_offers(struct ec2_look *look, struct ec2_node root)
{
    struct ec2_node item = ec2_xml_find(root, "instanceTypeOfferingSet/item");

    look->offers_known = true;
    for (; item.xml; item = ec2_xml_next(item)) {
        struct ec2_look_type *type = ec2_look_type(look, ec2_xml_text(item, "instanceType"));

        if (type && ec2_look_is_ours(look, ec2_xml_text(item, "location")))
            type->offered = true;
    }
}

void
ec2_look_machines(struct ec2_look *look, struct ec2_node root)
{
    const struct ec2_check *check = look->check;
    struct ec2_node node = ec2_xml_find(root, "reservationSet/item");

    for (; node.xml; node = ec2_xml_next(node)) {
        struct ec2_node item = ec2_xml_find(node, "instancesSet/item");
        struct cloud_machine machine;

        for (; item.xml; item = ec2_xml_next(item)) {
            if (ec2_machine_is_ours(item, check->cluster_id, check->pool->name) &&
                ec2_machine_read(item, EC2_ADDRESS_PRIVATE, &machine) &&
                machine.state < CLOUD_STOPPING)
                memcpy(look->machine, machine.id, sizeof(look->machine));
        }
    }
}

static void
ec2_look_compare_type(struct ec2_look *look, const struct pool_machine *machine,
                      const struct ec2_look_type *type)
{
    if (look->types_known && !type->there) {
        ec2_look_add(look, EC2_BAD, "machine_types", "%s: there is no such type in this region",
                     machine->type);
    } else if (look->types_known && look->known.image.id[0] && !type->fits) {
        ec2_look_add(look, EC2_BAD, "machine_types",
                     "%s cannot boot image %s, which is of architecture %s", machine->type,
                     look->known.image.id, look->known.image.arch);
    } else if (look->offers_known && !type->offered) {
        ec2_look_add(look, EC2_BAD, "machine_types", "%s is offered in no zone of the %s",
                     machine->type, look->zone_count ? "subnets" : "region");
    } else if (look->types_known && machine->memory_bytes > type->memory_bytes) {
        ec2_look_add(look, EC2_BAD, "machine_types",
                     "%s has %" PRId64 " MiB of memory, not %" PRId64 " as memory_bytes says",
                     machine->type, type->memory_bytes / LOOK_MIB,
                     machine->memory_bytes / LOOK_MIB);
    }
}

void
ec2_look_compare(struct ec2_look *look)
{
    const struct schema_array *machines = &look->check->pool->machines;
    const struct pool_machine *types = machines->at;
    const struct ec2_image *image = &look->config->image;

    if (!look->known.image.id[0] && image->name) {
        ec2_look_add(look, EC2_BAD, "image", "%s has no image that is called %s", image->owner,
                     image->name);
    }
    for (size_t i = 0; i < machines->count; i++)
        ec2_look_compare_type(look, &types[i], &look->types[i]);
}
