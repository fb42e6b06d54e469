#include "ec2_owner.h"

#include <stdio.h>
#include <string.h>

#include "ec2_region.h"

enum { OWNER_ASK_MS = 10000, OWNER_AGAIN_MS = 600000, OWNER_GROUPS = 5 };

/* In order of time. */
static void ec2_owner_ask(struct ec2_region *region);
static void ec2_owner_on_answer(struct ec2_ask *ask, const struct fault *fault);

static int64_t
ec2_owner_mono_ms(const struct ec2_region *region)
{
    return region->account.clock->mono_ms(region->account.clock->self);
}

bool
ec2_owner_is_known(const struct ec2_region *region)
{
    const struct credentials_keys *keys = credentials_now(region->account.credentials);
    const struct ec2_owner *owner = &region->owner;

    if (!keys || strcmp(owner->key_id, keys->id) != 0)
        return false;
    return owner->account[0] || ec2_owner_mono_ms(region) < owner->until_mono_ms;
}

void
ec2_owner_wait(struct ec2_region *region, struct ec2_owner_wait *wait)
{
    list_push(&region->owner.waiting, &wait->node);
    if (region->owner.asking)
        return;
    region->owner.asking = true;
    ec2_owner_ask(ec2_region_ref(region));
}

void
ec2_owner_leave(struct ec2_region *region)
{
    if (++region->owner.left == region->owner.waiting.count)
        ec2_ask_cancel(&region->owner.ask);
}

static void
ec2_owner_ask(struct ec2_region *region)
{
    struct ec2_ask *ask = &region->owner.ask;

    ec2_ask_init(ask, &region->account, EC2_DESCRIBE_GROUPS);
    ask->deadline_mono_ms = ec2_owner_mono_ms(region) + OWNER_ASK_MS;
    ask->done = ec2_owner_on_answer;
    ec2_query_add_filter(&ask->query, 1, "group-name", "default");
    ec2_query_add_number(&ask->query, "MaxResults", OWNER_GROUPS);
    ec2_ask_start(ask);
}

/* Who may not ask, or has no network, is not held up. */
static void
ec2_owner_read(struct ec2_region *region, const struct fault *fault)
{
    struct ec2_owner *owner = &region->owner;
    const struct credentials_keys *keys = owner->ask.keys;
    struct ec2_node item = { 0 };

    if (!fault)
        item = ec2_xml_find(ec2_xml_root(owner->ask.xml), "securityGroupInfo/item");
    (void)snprintf(owner->account, sizeof(owner->account), "%s",
                   item.xml ? ec2_xml_text(item, "ownerId") : "");
    (void)snprintf(owner->key_id, sizeof(owner->key_id), "%s", keys ? keys->id : "");
    owner->until_mono_ms = ec2_owner_mono_ms(region) + OWNER_AGAIN_MS;
}

static void
ec2_owner_tell(struct ec2_owner *owner)
{
    size_t count = owner->waiting.count; /* who comes meanwhile waits for the next answer */
    struct list_node *node;

    owner->left = 0;
    while (count-- > 0 && (node = list_pop(&owner->waiting))) {
        struct ec2_owner_wait *wait = CONTAINER_OF(node, struct ec2_owner_wait, node);

        wait->done(wait);
    }
}

static void
ec2_owner_on_answer(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_owner *owner = CONTAINER_OF(ask, struct ec2_owner, ask);
    struct ec2_region *region = CONTAINER_OF(owner, struct ec2_region, owner);
    bool cancelled = fault && fault->kind == FAULT_CANCELLED;

    if (!cancelled)
        ec2_owner_read(region, fault);
    ec2_ask_fini(ask);
    if (cancelled && owner->left < owner->waiting.count) {
        ec2_owner_ask(region); /* somebody came since */
        return;
    }
    owner->asking = false;
    ec2_owner_tell(owner);
    ec2_region_unref(region);
}
