#include "ec2_prices.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/text.h"

enum { PRICES_PAGE_SIZE = 1000, PRICES_MICRO = 1000000, PRICES_DIGITS_MAX = 6 };

/* An hour of no machine costs a million. */
#define PRICES_MOST_MICRO (INT64_C(1000000) * PRICES_MICRO)

struct ec2_price {
    char type[CLOUD_TYPE_SIZE];
    char zone[CLOUD_ZONE_SIZE];
    int64_t micro;
    int64_t since_ms;
};

void
ec2_prices_type_add(struct ec2_price_types *types, const char *type)
{
    for (size_t i = 0; i < types->count; i++) {
        if (strcmp(types->at[i], type) == 0)
            return;
    }
    if (type[0] && types->count < EC2_PRICES_TYPES_MAX)
        types->at[types->count++] = type;
}

void
ec2_prices_encode(const struct ec2_price_types *types, int64_t now_ms, struct ec2_query *query)
{
    char now[TEXT_TIME_SIZE];

    (void)text_time(now_ms, now);
    for (size_t i = 0; i < types->count; i++)
        ec2_query_add(query, types->at[i], "InstanceType.%zu", i + 1);
    ec2_query_add(query, "Linux/UNIX", "ProductDescription.1");
    ec2_query_add(query, now, "StartTime");
    ec2_query_add(query, now, "EndTime");
    ec2_query_add_number(query, "MaxResults", PRICES_PAGE_SIZE);
}

bool
ec2_prices_micro(const char *text, int64_t *ret_micro)
{
    int64_t micro = 0;
    int digits = 0;
    bool point = false;
    bool more = false;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text; text++) {
        if (*text == '.' && !point) {
            point = true;
        } else if (*text < '0' || *text > '9' || micro > PRICES_MOST_MICRO) {
            return false;
        } else if (!point || digits < PRICES_DIGITS_MAX) {
            micro = micro * 10 + (*text - '0');
            digits += point;
        } else {
            more = more || *text != '0';
        }
    }
    for (; digits < PRICES_DIGITS_MAX && micro <= PRICES_MOST_MICRO; digits++)
        micro *= 10;
    if (micro > PRICES_MOST_MICRO)
        return false;
    *ret_micro = micro + more;
    return true;
}

static struct ec2_price *
ec2_prices_at(const struct ec2_prices *prices, const char *type, const char *zone)
{
    for (size_t i = 0; i < prices->count; i++) {
        if (strcmp(prices->at[i].type, type) == 0 && strcmp(prices->at[i].zone, zone) == 0)
            return &prices->at[i];
    }
    return NULL;
}

static void
ec2_prices_set(struct ec2_prices *prices, const struct ec2_price *price)
{
    struct ec2_price *known = ec2_prices_at(prices, price->type, price->zone);

    if (known) {
        if (price->since_ms >= known->since_ms)
            *known = *price;
        return;
    }
    if (prices->count == EC2_PRICES_MAX)
        return;
    if (!prices->at)
        prices->at = mem_resize(NULL, EC2_PRICES_MAX, sizeof(*prices->at));
    prices->at[prices->count++] = *price;
}

void
ec2_prices_read(struct ec2_prices *prices, struct ec2_node root)
{
    struct ec2_node item = ec2_xml_find(root, "spotPriceHistorySet/item");

    for (; item.xml; item = ec2_xml_next(item)) {
        const char *type = ec2_xml_text(item, "instanceType");
        const char *zone = ec2_xml_text(item, "availabilityZone");
        struct ec2_price price = { 0 };

        if (!*type || !*zone || strlen(type) >= sizeof(price.type) ||
            strlen(zone) >= sizeof(price.zone) ||
            !ec2_prices_micro(ec2_xml_text(item, "spotPrice"), &price.micro))
            continue;
        (void)snprintf(price.type, sizeof(price.type), "%s", type);
        (void)snprintf(price.zone, sizeof(price.zone), "%s", zone);
        (void)text_time_parse(ec2_xml_text(item, "timestamp"), &price.since_ms);
        ec2_prices_set(prices, &price);
    }
}

int64_t
ec2_prices_find(const struct ec2_prices *prices, const char *type, const char *zone)
{
    const struct ec2_price *price = ec2_prices_at(prices, type, zone);

    return price ? price->micro : 0;
}

void
ec2_prices_fini(struct ec2_prices *prices)
{
    mem_free(prices->at);
    *prices = (struct ec2_prices){ 0 };
}
