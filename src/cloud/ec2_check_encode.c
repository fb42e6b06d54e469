#include "ec2_check_encode.h"

#include "ec2_group.h"
#include "ec2_keypair.h"

/* Nobody's. */
static const char ec2_check_machine[] = "i-00000000000000000";
static const char ec2_check_group[] = "sg-00000000000000000";
static const char ec2_check_key[] = "key-00000000000000000";
static const char ec2_check_public[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAA"
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static const struct ec2_config *
ec2_check_config(const struct ec2_checking *checking)
{
    return &checking->pool->config;
}

void
ec2_check_encode_nothing(struct ec2_checking *checking, struct ec2_query *query)
{
    (void)checking, (void)query;
}

void
ec2_check_encode_image(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_launch_image_encode(ec2_check_config(checking), checking->look.template_image, query);
}

void
ec2_check_encode_types(struct ec2_checking *checking, struct ec2_query *query)
{
    const struct schema_array *machines = &checking->check->pool->machines;
    const struct pool_machine *types = machines->at;

    ec2_query_add(query, "instance-type", "Filter.1.Name");
    for (size_t i = 0; i < machines->count; i++)
        ec2_query_add(query, types[i].type, "Filter.1.Value.%zu", i + 1);
}

void
ec2_check_encode_offers(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_query_add(query, "availability-zone", "LocationType");
    ec2_check_encode_types(checking, query);
}

void
ec2_check_encode_subnets(struct ec2_checking *checking, struct ec2_query *query)
{
    const struct schema_strings *subnets = &ec2_check_config(checking)->subnets;

    for (size_t i = 0; i < subnets->count; i++)
        ec2_query_add(query, subnets->at[i], "SubnetId.%zu", i + 1);
}

void
ec2_check_encode_groups(struct ec2_checking *checking, struct ec2_query *query)
{
    const struct schema_strings *groups = &ec2_check_config(checking)->security_groups;

    for (size_t i = 0; i < groups->count; i++)
        ec2_query_add(query, groups->at[i], "GroupId.%zu", i + 1);
}

void
ec2_check_encode_key(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_query_add(query, ec2_check_config(checking)->key_name, "KeyName.1");
}

void
ec2_check_encode_ours(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_query_add_filter(query, 1, "tag:" EC2_TAG_CLUSTER, checking->check->cluster_id);
    ec2_query_add_filter(query, 2, "tag:" EC2_TAG_POOL, checking->check->pool->name);
}

void
ec2_check_encode_launch(struct ec2_checking *checking, struct ec2_query *query)
{
    const struct pool *pool = checking->check->pool;
    const struct pool_machine *types = pool->machines.at;
    uint64_t subnets = ec2_check_config(checking)->subnets.count;
    const struct cloud_call call = {
        .verb = CLOUD_LAUNCH,
        .pool = pool,
        .cluster_id = checking->check->cluster_id,
        .in.launch = {
            .token = "berth-check",
            .type = types[checking->turn % pool->machines.count].type,
            .host_name = "berth-check",
            .host_id = 1,
            /* Attempts go through types, subnets and markets in this order (ec2_launch.c). */
            .attempt = (int64_t)(checking->turn < pool->machines.count
                                     ? checking->turn
                                     : pool->machines.count * (subnets ? subnets : 1)),
        },
    };

    (checking->bare ? ec2_launch_encode_bare : ec2_launch_encode)(&call, ec2_check_config(checking),
                                                                  &checking->look.known, query);
}

void
ec2_check_encode_machine(struct ec2_checking *checking, struct ec2_query *query)
{
    const char *machine = checking->look.machine;
    bool list = checking->ask.action != EC2_CONSOLE_OUTPUT;

    ec2_query_add(query, *machine ? machine : ec2_check_machine,
                  list ? "InstanceId.1" : "InstanceId");
}

void
ec2_check_encode_template(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_launch_template_encode(ec2_check_config(checking), query);
}

void
ec2_check_encode_create(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_group_encode_new(
        &(struct ec2_group){
            .managed = &ec2_check_config(checking)->security_group,
            .cluster_id = checking->check->cluster_id,
            .pool_name = checking->check->pool->name,
        },
        query);
}

void
ec2_check_encode_rules(struct ec2_checking *checking, struct ec2_query *query)
{
    const char *group = checking->look.known.group;
    struct ec2_openings *openings = mem_new0(sizeof(*openings));

    ec2_opening_want_out(openings);
    ec2_query_add(query, *group ? group : ec2_check_group, "GroupId");
    ec2_opening_encode(openings, query);
    mem_free(openings);
}

static struct ec2_keypair
ec2_check_pair(const struct ec2_checking *checking)
{
    const struct ec2_check *check = checking->check;
    struct ec2_keypair keypair = {
        .cluster_id = check->cluster_id,
        .pool_name = check->pool->name,
        .public_key = ec2_check_public,
    };

    ec2_keypair_name(check->cluster_id, check->pool->name, keypair.name);
    return keypair;
}

void
ec2_check_encode_pair(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_keypair_encode_find(ec2_check_pair(checking).name, query);
}

void
ec2_check_encode_import(struct ec2_checking *checking, struct ec2_query *query)
{
    const struct ec2_keypair keypair = ec2_check_pair(checking);

    ec2_keypair_encode_import(&keypair, query);
}

void
ec2_check_encode_unpair(struct ec2_checking *checking, struct ec2_query *query)
{
    ec2_query_add(query, checking->look.key[0] ? checking->look.key : ec2_check_key, "KeyPairId");
}
