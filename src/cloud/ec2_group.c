#include "ec2_group.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/log.h"

#include "ec2_machine.h"

enum { GROUP_ROUNDS_MAX = 12, GROUP_PAUSE_MS = 250, GROUP_PAUSE_MAX_MS = 4000 };
enum { GROUP_LACKING, GROUP_TOO_MUCH, GROUP_OUT, GROUP_SETS };

static const char ec2_group_where[] = "ec2.group";

/* In order of time. */
static void ec2_group_ask(struct ec2_group *group, enum ec2_group_step step);
static void ec2_group_on_answer(struct ec2_ask *ask, const struct fault *fault);
static void ec2_group_on_found(struct ec2_group *group);
static void ec2_group_on_refused(struct ec2_group *group, const struct fault *fault);
static void ec2_group_correct(struct ec2_group *group);
static void ec2_group_again(struct ec2_group *group, const struct fault *fault);
static void ec2_group_on_timer(struct clock_timer *timer);
static void ec2_group_end(struct ec2_group *group, const struct fault *fault);

/* --- Questions ------------------------------------------------------------------------------------ */

static void
ec2_group_encode_find(struct ec2_group *group, struct ec2_query *query)
{
    ec2_query_add_filter(query, 1, "tag:" EC2_TAG_CLUSTER, group->cluster_id);
    ec2_query_add_filter(query, 2, "tag:" EC2_TAG_POOL, group->pool_name);
}

static void
ec2_group_encode_name(struct ec2_group *group, struct ec2_query *query)
{
    ec2_query_add_filter(query, 1, "group-name", group->name);
    if (group->managed->vpc)
        ec2_query_add_filter(query, 2, "vpc-id", group->managed->vpc);
}

static char *
ec2_group_name(const struct ec2_group *group)
{
    return mem_printf("berth-%s-%s", group->cluster_id, group->pool_name);
}

void
ec2_group_encode_new(const struct ec2_group *group, struct ec2_query *query)
{
    CLEANUP(mem_freep) char *name = ec2_group_name(group);
    const struct {
        const char *key;
        const char *value;
    } tags[] = {
        { EC2_TAG_CLUSTER, group->cluster_id },
        { EC2_TAG_POOL, group->pool_name },
        { EC2_TAG_NAME, name },
    };

    ec2_query_add(query, name, "GroupName");
    ec2_query_add(query, "Machines of a pool of Berth", "GroupDescription");
    ec2_query_add(query, group->managed->vpc, "VpcId");
    ec2_query_add(query, "security-group", "TagSpecification.1.ResourceType");
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        ec2_query_add(query, tags[i].key, "TagSpecification.1.Tag.%zu.Key", i + 1);
        ec2_query_add(query, tags[i].value, "TagSpecification.1.Tag.%zu.Value", i + 1);
    }
}

static void
ec2_group_encode_create(struct ec2_group *group, struct ec2_query *query)
{
    ec2_group_encode_new(group, query);
}

static void
ec2_group_encode_in(struct ec2_group *group, struct ec2_query *query)
{
    ec2_query_add(query, group->id, "GroupId");
    ec2_opening_encode(&group->openings[GROUP_LACKING], query);
}

static void
ec2_group_encode_shut(struct ec2_group *group, struct ec2_query *query)
{
    ec2_query_add(query, group->id, "GroupId");
    ec2_opening_encode(&group->openings[GROUP_TOO_MUCH], query);
}

static void
ec2_group_encode_out(struct ec2_group *group, struct ec2_query *query)
{
    ec2_query_add(query, group->id, "GroupId");
    ec2_opening_encode(&group->openings[GROUP_OUT], query);
}

static void
ec2_group_encode_delete(struct ec2_group *group, struct ec2_query *query)
{
    ec2_query_add(query, group->id, "GroupId");
}

static const struct {
    enum ec2_action action;
    void (*encode)(struct ec2_group *group, struct ec2_query *query);
} ec2_group_steps[EC2_GROUP_STEP_COUNT] = {
    [EC2_GROUP_FIND] = { EC2_DESCRIBE_GROUPS, ec2_group_encode_find },
    [EC2_GROUP_CREATE] = { EC2_CREATE_GROUP, ec2_group_encode_create },
    [EC2_GROUP_BY_NAME] = { EC2_DESCRIBE_GROUPS, ec2_group_encode_name },
    [EC2_GROUP_LET_IN] = { EC2_LET_IN, ec2_group_encode_in },
    [EC2_GROUP_SHUT] = { EC2_SHUT, ec2_group_encode_shut },
    [EC2_GROUP_LET_OUT] = { EC2_LET_OUT, ec2_group_encode_out },
    [EC2_GROUP_DELETE] = { EC2_DELETE_GROUP, ec2_group_encode_delete },
};

void
ec2_group_start(struct ec2_group *group)
{
    assert(group->account && group->done && group->deadline_mono_ms > 0);
    group->timer.fire = ec2_group_on_timer;
    group->openings = mem_new0(GROUP_SETS * sizeof(*group->openings));
    group->name = ec2_group_name(group);
    ec2_group_ask(group, EC2_GROUP_FIND);
}

void
ec2_group_cancel(struct ec2_group *group)
{
    const struct clock_port *clock = group->account->clock;

    group->cancelled = true;
    if (group->asking) {
        ec2_ask_cancel(&group->ask);
    } else {
        clock->timer_set(clock->self, &group->timer, clock->mono_ms(clock->self));
    }
}

static void
ec2_group_ask(struct ec2_group *group, enum ec2_group_step step)
{
    group->step = step;
    ec2_ask_init(&group->ask, group->account, ec2_group_steps[step].action);
    group->ask.deadline_mono_ms = group->deadline_mono_ms;
    group->ask.done = ec2_group_on_answer;
    ec2_group_steps[step].encode(group, &group->ask.query);
    group->asking = true;
    ec2_ask_start(&group->ask);
}

/* --- Answers -------------------------------------------------------------------------------------- */

static void
ec2_group_on_answer(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_group *group = CONTAINER_OF(ask, struct ec2_group, ask);
    struct ec2_node root;

    group->asking = false;
    if (fault) {
        ec2_group_on_refused(group, fault);
        return;
    }
    root = ec2_xml_root(ask->xml);
    switch (group->step) {
    case EC2_GROUP_FIND:
    case EC2_GROUP_BY_NAME:
        ec2_group_on_found(group);
        break;
    case EC2_GROUP_CREATE:
        (void)snprintf(group->id, sizeof(group->id), "%s", ec2_xml_text(root, "groupId"));
        log_info("ec2", "security group %s (%s) was made", group->id, group->name);
        group->made = true;
        ec2_opening_want(group->managed, &group->openings[GROUP_LACKING]);
        ec2_group_correct(group);
        break;
    case EC2_GROUP_LET_IN:
        group->openings[GROUP_LACKING].count = 0;
        ec2_group_correct(group);
        break;
    case EC2_GROUP_SHUT:
        group->openings[GROUP_TOO_MUCH].count = 0;
        ec2_group_correct(group);
        break;
    case EC2_GROUP_LET_OUT:
        group->openings[GROUP_OUT].count = 0;
        ec2_group_correct(group);
        break;
    case EC2_GROUP_DELETE:
        log_info("ec2", "security group %s (%s) was deleted", group->id, group->name);
        memcpy(group->gone, group->id, sizeof(group->gone));
        ec2_group_again(group, NULL); /* there may be another one */
        break;
    case EC2_GROUP_STEP_COUNT:
        break;
    }
}

/* The first of ours, in the order of their ids, so that all who look choose the same. */
static struct ec2_node
ec2_group_pick(const struct ec2_group *group)
{
    struct ec2_node item = ec2_xml_find(ec2_xml_root(group->ask.xml), "securityGroupInfo/item");
    struct ec2_node best = { 0 };

    for (; item.xml; item = ec2_xml_next(item)) {
        const char *id = ec2_xml_text(item, "groupId");
        const char *vpc = ec2_xml_text(item, "vpcId");

        if (!ec2_machine_is_ours(item, group->cluster_id, group->pool_name) || !*id ||
            strlen(id) >= sizeof(group->id) ||
            (!group->end && group->managed->vpc && strcmp(vpc, group->managed->vpc) != 0))
            continue;
        if (!best.xml || strcmp(id, ec2_xml_text(best, "groupId")) < 0)
            best = item;
    }
    return best;
}

static void
ec2_group_compare(struct ec2_group *group, struct ec2_node item)
{
    struct ec2_openings *sets = mem_new0(2 * sizeof(*sets));
    struct ec2_openings *wanted = &sets[0];
    struct ec2_openings *there = &sets[1];

    ec2_opening_want(group->managed, wanted);
    ec2_opening_read(item, "ipPermissions", there);
    ec2_opening_minus(wanted, there, &group->openings[GROUP_LACKING]);
    ec2_opening_minus(there, wanted, &group->openings[GROUP_TOO_MUCH]);
    ec2_opening_want_out(wanted);
    ec2_opening_read(item, "ipPermissionsEgress", there);
    ec2_opening_minus(wanted, there, &group->openings[GROUP_OUT]);
    mem_free(sets);
}

static void
ec2_group_on_found(struct ec2_group *group)
{
    struct ec2_node any = ec2_xml_find(ec2_xml_root(group->ask.xml), "securityGroupInfo/item");
    struct ec2_node item = ec2_group_pick(group);
    struct fault fault;

    if (item.xml && group->end) {
        (void)snprintf(group->id, sizeof(group->id), "%s", ec2_xml_text(item, "groupId"));
        ec2_ask_fini(&group->ask);
        ec2_group_ask(group, EC2_GROUP_DELETE);
    } else if (item.xml) {
        (void)snprintf(group->id, sizeof(group->id), "%s", ec2_xml_text(item, "groupId"));
        ec2_group_compare(group, item);
        ec2_group_correct(group);
    } else if (group->end) {
        group->id[0] = '\0';
        ec2_group_end(group, NULL);
    } else if (group->step == EC2_GROUP_FIND && !group->made) {
        ec2_ask_fini(&group->ask);
        ec2_group_ask(group, EC2_GROUP_CREATE);
    } else if (any.xml && !group->made) {
        (void)fault_set(&fault, FAULT_CLOUD_REFUSED, ec2_group_where,
                        "there is a security group %s without our tags: delete or rename it",
                        group->name);
        ec2_group_end(group, &fault);
    } else {
        (void)fault_set(&fault, FAULT_CLOUD_FAILED, ec2_group_where,
                        "the security group %s is there, but is not shown", group->name);
        ec2_group_again(group, &fault); /* not shown everywhere yet */
    }
}

static bool
ec2_group_is(const struct ec2_group *group, const char *code)
{
    return strcmp(group->ask.error.code, code) == 0;
}

/* It is otherwise than it was shown, or it is not known what was done: looking tells. */
static bool
ec2_group_is_old_news(const struct ec2_group *group, const struct fault *fault)
{
    return ec2_group_is(group, "InvalidGroup.NotFound") ||
           ec2_group_is(group, "InvalidPermission.Duplicate") ||
           ec2_group_is(group, "InvalidPermission.NotFound") || fault->kind == FAULT_CLOUD_UNSURE;
}

static void
ec2_group_on_refused(struct ec2_group *group, const struct fault *fault)
{
    struct fault refused = *fault;

    if (!group->cancelled && group->step == EC2_GROUP_CREATE &&
        ec2_group_is(group, "InvalidGroup.Duplicate")) {
        ec2_ask_fini(&group->ask);
        ec2_group_ask(group, EC2_GROUP_BY_NAME);
        return;
    }
    if (!group->cancelled && ec2_group_is_old_news(group, fault)) {
        ec2_group_again(group, &refused);
        return;
    }
    if (group->step == EC2_GROUP_DELETE && ec2_group_is(group, "DependencyViolation")) {
        (void)fault_set(&refused, FAULT_CLOUD_FAILED, ec2_group_where,
                        "security group %s is in use: its machines, or another group's rules",
                        group->id);
    }
    ec2_group_end(group, &refused);
}

/* One step towards what it ought to be: let in before shutting, so that nothing that is right breaks. */
static void
ec2_group_correct(struct ec2_group *group)
{
    static const enum ec2_group_step steps[GROUP_SETS] = {
        [GROUP_LACKING] = EC2_GROUP_LET_IN,
        [GROUP_TOO_MUCH] = EC2_GROUP_SHUT,
        [GROUP_OUT] = EC2_GROUP_LET_OUT,
    };

    ec2_ask_fini(&group->ask);
    for (size_t i = 0; i < GROUP_SETS; i++) {
        if (group->openings[i].count == 0)
            continue;
        if (!group->made) {
            log_warn("ec2", "security group %s (%s) is not as it is configured: %zu rules %s",
                     group->id, group->name, group->openings[i].count,
                     i == GROUP_TOO_MUCH ? "are revoked" : "are added");
        }
        ec2_group_ask(group, steps[i]);
        return;
    }
    ec2_group_end(group, NULL);
}

/* --- Once more ------------------------------------------------------------------------------------ */

/* It is looked for again, after a pause that grows.  @fault: what it ends with when that was too often. */
static void
ec2_group_again(struct ec2_group *group, const struct fault *fault)
{
    const struct clock_port *clock = group->account->clock;
    int64_t pause_ms = (int64_t)GROUP_PAUSE_MS << (group->rounds < 6 ? group->rounds : 6);
    int64_t now_mono_ms = clock->mono_ms(clock->self);

    if (pause_ms > GROUP_PAUSE_MAX_MS)
        pause_ms = GROUP_PAUSE_MAX_MS;
    if (fault &&
        (++group->rounds > GROUP_ROUNDS_MAX || now_mono_ms + pause_ms >= group->deadline_mono_ms)) {
        ec2_group_end(group, fault);
        return;
    }
    ec2_ask_fini(&group->ask);
    clock->timer_set(clock->self, &group->timer, fault ? now_mono_ms + pause_ms : now_mono_ms);
}

static void
ec2_group_on_timer(struct clock_timer *timer)
{
    struct ec2_group *group = CONTAINER_OF(timer, struct ec2_group, timer);
    struct fault cancelled;

    if (group->cancelled) {
        (void)fault_set(&cancelled, FAULT_CANCELLED, ec2_group_where, "cancelled");
        ec2_group_end(group, &cancelled);
    } else {
        ec2_group_ask(group, group->step == EC2_GROUP_BY_NAME ? EC2_GROUP_BY_NAME : EC2_GROUP_FIND);
    }
}

static void
ec2_group_end(struct ec2_group *group, const struct fault *fault)
{
    struct fault ended;

    if (fault)
        ended = *fault;
    if (group->ask.account)
        ec2_ask_fini(&group->ask);
    mem_free(STEAL(group->openings));
    mem_free(STEAL(group->name));
    group->done(group, fault ? &ended : NULL);
}
