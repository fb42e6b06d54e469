#include "ec2_opening.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPENING_SSH = 22, OPENING_ENGINE = 2376, OPENING_BITS_V4 = 32, OPENING_BITS_V6 = 128 };

/* How each kind of peer stands in an answer and in a request. */
static const struct {
    const char *list;
    const char *item;
    const char *key;
} ec2_opening_peers[] = {
    [EC2_PEER_IPV4] = { "ipRanges/item", "cidrIp", "IpRanges.1.CidrIp" },
    [EC2_PEER_IPV6] = { "ipv6Ranges/item", "cidrIpv6", "Ipv6Ranges.1.CidrIpv6" },
    [EC2_PEER_GROUP] = { "groups/item", "groupId", "Groups.1.GroupId" },
    [EC2_PEER_LIST] = { "prefixListIds/item", "prefixListId", "PrefixListIds.1.PrefixListId" },
};

static void
ec2_opening_add(struct ec2_openings *openings, const struct ec2_opening *opening)
{
    if (openings->count < EC2_OPENINGS_MAX)
        openings->at[openings->count++] = *opening;
}

void
ec2_opening_want(const struct ec2_managed *managed, struct ec2_openings *ret_openings)
{
    const struct {
        int64_t first;
        int64_t last;
    } ports[] = {
        { OPENING_SSH, OPENING_SSH },
        { OPENING_ENGINE, OPENING_ENGINE },
        { managed->first_port, managed->last_port },
    };

    ret_openings->count = 0;
    for (size_t i = 0; i < managed->from.count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(ports); k++) {
            struct ec2_opening opening = {
                .protocol = "tcp",
                .first = ports[k].first,
                .last = ports[k].last,
                .kind = strchr(managed->from.at[i], ':') ? EC2_PEER_IPV6 : EC2_PEER_IPV4,
            };

            (void)snprintf(opening.peer, sizeof(opening.peer), "%s", managed->from.at[i]);
            ec2_opening_add(ret_openings, &opening);
        }
    }
}

void
ec2_opening_want_out(struct ec2_openings *ret_openings)
{
    static const struct ec2_opening everything = {
        .protocol = "-1",
        .first = -1,
        .last = -1,
        .kind = EC2_PEER_IPV4,
        .peer = "0.0.0.0/0",
    };

    ret_openings->count = 0;
    ec2_opening_add(ret_openings, &everything);
}

static int64_t
ec2_opening_port(struct ec2_node permission, const char *name)
{
    const char *text = ec2_xml_text(permission, name);

    return *text ? strtoll(text, NULL, 10) : -1;
}

static void
ec2_opening_read_one(struct ec2_node permission, struct ec2_openings *openings)
{
    struct ec2_opening opening = {
        .first = ec2_opening_port(permission, "fromPort"),
        .last = ec2_opening_port(permission, "toPort"),
    };

    (void)snprintf(opening.protocol, sizeof(opening.protocol), "%s",
                   ec2_xml_text(permission, "ipProtocol"));
    for (size_t i = 0; i < ARRAY_LEN(ec2_opening_peers); i++) {
        struct ec2_node peer = ec2_xml_find(permission, ec2_opening_peers[i].list);

        opening.kind = (enum ec2_peer)i;
        for (; peer.xml; peer = ec2_xml_next(peer)) {
            (void)snprintf(opening.peer, sizeof(opening.peer), "%s",
                           ec2_xml_text(peer, ec2_opening_peers[i].item));
            ec2_opening_add(openings, &opening);
        }
    }
}

void
ec2_opening_read(struct ec2_node item, const char *path, struct ec2_openings *ret_openings)
{
    struct ec2_node permission = ec2_xml_find(ec2_xml_find(item, path), "item");

    ret_openings->count = 0;
    for (; permission.xml; permission = ec2_xml_next(permission))
        ec2_opening_read_one(permission, ret_openings);
}

static bool
ec2_opening_is_same(const struct ec2_opening *a, const struct ec2_opening *b)
{
    return strcmp(a->protocol, b->protocol) == 0 && a->first == b->first && a->last == b->last &&
           a->kind == b->kind && strcmp(a->peer, b->peer) == 0;
}

void
ec2_opening_minus(const struct ec2_openings *all, const struct ec2_openings *without,
                  struct ec2_openings *ret_rest)
{
    assert(ret_rest != all && ret_rest != without);
    ret_rest->count = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool there = false;

        for (size_t k = 0; k < without->count && !there; k++)
            there = ec2_opening_is_same(&all->at[i], &without->at[k]);
        for (size_t k = 0; k < ret_rest->count && !there; k++)
            there = ec2_opening_is_same(&all->at[i], &ret_rest->at[k]);
        if (!there)
            ec2_opening_add(ret_rest, &all->at[i]);
    }
}

void
ec2_opening_encode(const struct ec2_openings *openings, struct ec2_query *query)
{
    for (size_t i = 0; i < openings->count; i++) {
        const struct ec2_opening *opening = &openings->at[i];
        char number[24];

        ec2_query_add(query, opening->protocol, "IpPermissions.%zu.IpProtocol", i + 1);
        if (opening->first >= 0) {
            (void)snprintf(number, sizeof(number), "%lld", (long long)opening->first);
            ec2_query_add(query, number, "IpPermissions.%zu.FromPort", i + 1);
            (void)snprintf(number, sizeof(number), "%lld", (long long)opening->last);
            ec2_query_add(query, number, "IpPermissions.%zu.ToPort", i + 1);
        }
        ec2_query_add(query, opening->peer, "IpPermissions.%zu.%s", i + 1,
                      ec2_opening_peers[opening->kind].key);
    }
}

/* --- Networks --------------------------------------------------------------------------------------- */

static bool
ec2_opening_has_host_bits(const uint8_t *address, bool v6, size_t prefix)
{
    for (size_t i = prefix; i < (v6 ? OPENING_BITS_V6 : OPENING_BITS_V4); i++) {
        if (address[i / 8] & (0x80U >> (i % 8)))
            return true;
    }
    return false;
}

/* Rules are compared as text, so there is one way to write a network. */
const char *
ec2_opening_check(const char *text)
{
    const char *slash = strchr(text, '/');
    bool v6 = strchr(text, ':') != NULL;
    size_t bits = v6 ? OPENING_BITS_V6 : OPENING_BITS_V4;
    uint8_t address[16];
    char own[EC2_PEER_SIZE];
    char again[EC2_PEER_SIZE];
    char *end = NULL;
    unsigned long prefix;

    if (!slash || slash[1] < '0' || slash[1] > '9' || (size_t)(slash - text) >= sizeof(own))
        return "must be a network: 203.0.113.7/32, 10.0.0.0/16, 2001:db8::/48";
    (void)snprintf(own, sizeof(own), "%.*s", (int)(slash - text), text);
    prefix = strtoul(slash + 1, &end, 10);
    if (*end || prefix > bits || inet_pton(v6 ? AF_INET6 : AF_INET, own, address) != 1)
        return "must be a network: 203.0.113.7/32, 10.0.0.0/16, 2001:db8::/48";
    if (ec2_opening_has_host_bits(address, v6, prefix))
        return "must be the network's first address: 10.0.0.0/16, not 10.0.0.7/16";
    if (!inet_ntop(v6 ? AF_INET6 : AF_INET, address, again, sizeof(again)) ||
        strcmp(own, again) != 0)
        return "must be in its shortest form, in lower case: 2001:db8::/48";
    return NULL;
}
