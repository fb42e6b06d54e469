#pragma once

/*
 * What spot machines cost now, by type and zone, as DescribeSpotPriceHistory tells it.  Pure: who asks
 * keeps it fresh.
 */

#include "berth/port/cloud.h"

#include "ec2_query.h"
#include "ec2_xml.h"

enum { EC2_PRICES_MAX = 1024, EC2_PRICES_TYPES_MAX = 50 };

struct ec2_price;

/* Zeroed: none is known. */
struct ec2_prices {
    struct ec2_price *at; /* [count], owned */
    size_t count;
    int64_t until_mono_ms; /* then they are asked for again */
};

/* Types that prices are asked for; more than that many are asked for later. */
struct ec2_price_types {
    const char *at[EC2_PRICES_TYPES_MAX]; /* borrowed */
    size_t count;
};

/** ec2_prices_type_add() - @type is one of them, once. */
void ec2_prices_type_add(struct ec2_price_types *types, const char *type);
/** ec2_prices_encode() - the parameters of DescribeSpotPriceHistory: what @types cost at @now_ms. */
void ec2_prices_encode(const struct ec2_price_types *types, int64_t now_ms,
                       struct ec2_query *query);
/** ec2_prices_read() - take over what an answer tells; of two prices the newer one. */
void ec2_prices_read(struct ec2_prices *prices, struct ec2_node root);
/** ec2_prices_find() - millionths of a dollar an hour; 0: not known. */
int64_t ec2_prices_find(const struct ec2_prices *prices, const char *type, const char *zone);
void ec2_prices_fini(struct ec2_prices *prices);

/** ec2_prices_micro() - "0.0832" in millionths, rounded up. Return: false when it is no such number, or
 * more than a million. */
bool ec2_prices_micro(const char *text, int64_t *ret_micro);
