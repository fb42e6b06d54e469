#include "ec2_region.h"

#include <assert.h>
#include <string.h>

static bool
ec2_region_is(const struct ec2_region *region, const struct ec2_account *account)
{
    return region->account.credentials == account->credentials &&
           strcmp(region->url, account->url) == 0 && strcmp(region->name, account->region) == 0 &&
           strcmp(region->ca, account->peer.ca) == 0;
}

struct ec2_region *
ec2_region_get(struct list *all, const struct ec2_account *account)
{
    struct ec2_region *region;

    for (struct list_node *node = list_first(all); node; node = list_next(all, node)) {
        region = CONTAINER_OF(node, struct ec2_region, node);
        if (ec2_region_is(region, account))
            return ec2_region_ref(region);
    }
    region = mem_new0(sizeof(*region));
    region->refs = 1;
    region->all = all;
    region->url = mem_strdup(account->url);
    region->name = mem_strdup(account->region);
    region->ca = mem_strdup(account->peer.ca);
    region->account = *account;
    region->account.url = region->url;
    region->account.region = region->name;
    region->account.peer.ca = region->ca;
    list_init(&region->owner.waiting);
    list_push(all, &region->node);
    return region;
}

struct ec2_region *
ec2_region_ref(struct ec2_region *region)
{
    region->refs++;
    return region;
}

void
ec2_region_unref(struct ec2_region *region)
{
    if (!region || --region->refs > 0)
        return;
    assert(!region->listing && !region->ending && !region->owner.asking);
    list_remove(region->all, &region->node);
    ec2_prices_fini(&region->prices);
    mem_free(region->url);
    mem_free(region->name);
    mem_free(region->ca);
    mem_free(region);
}
