#pragma once

/*
 * An account in a region: what all pools there share.  EC2 counts calls by account, region and action;
 * so their pace is kept here, and so are the calls that are asked for together.
 */

#include "ec2_ask.h"
#include "ec2_owner.h"
#include "ec2_prices.h"

struct ec2_batch;

struct ec2_region {
    uint32_t refs;
    struct list *all; /* it is in, the provider's */
    struct list_node node;
    struct ec2_account account;
    char *url; /* owned, as the next two */
    char *name;
    char *ca;
    struct ec2_batch *listing; /* takes more calls still; NULL: none does */
    struct ec2_batch *ending;
    struct ec2_prices prices; /* of spot machines */
    struct ec2_owner owner;   /* of the keys */
};

/** ec2_region_get() - the one of @all that is asked at @account's URL, for its region, with its
 * credentials and its CA; a new one if there is none. @account's texts are copied.
 * Return: a reference. */
struct ec2_region *ec2_region_get(struct list *all, const struct ec2_account *account);
struct ec2_region *ec2_region_ref(struct ec2_region *region);
/** ec2_region_unref() - NULL is fine. */
void ec2_region_unref(struct ec2_region *region);
