#pragma once

/*
 * What a security group lets through, as a set of openings: a protocol, ports and who may use them.
 * Pure.
 */

#include "berth/cloud/ec2.h"

#include "ec2_query.h"
#include "ec2_xml.h"

enum { EC2_OPENINGS_MAX = 256, EC2_PEER_SIZE = 64 };

/* Who: a network, or something that only the provider knows. */
enum ec2_peer { EC2_PEER_IPV4, EC2_PEER_IPV6, EC2_PEER_GROUP, EC2_PEER_LIST };

struct ec2_opening {
    char protocol[8]; /* "tcp", or "-1": all, on all ports */
    int64_t first;    /* port; -1: all */
    int64_t last;
    enum ec2_peer kind;
    char peer[EC2_PEER_SIZE];
};

struct ec2_openings {
    struct ec2_opening at[EC2_OPENINGS_MAX];
    size_t count;
};

/** ec2_opening_want() - what a managed group lets in: SSH, the engine's API, published ports. */
void ec2_opening_want(const struct ec2_managed *managed, struct ec2_openings *ret_openings);
/** ec2_opening_want_out() - and out: everything, over IPv4. */
void ec2_opening_want_out(struct ec2_openings *ret_openings);
/** ec2_opening_read() - those below @path ("ipPermissions") of an item of a securityGroupInfo; beyond the
 * limit they are left out. */
void ec2_opening_read(struct ec2_node item, const char *path, struct ec2_openings *ret_openings);
/** ec2_opening_minus() - those of @all that are not in @without. */
void ec2_opening_minus(const struct ec2_openings *all, const struct ec2_openings *without,
                       struct ec2_openings *ret_rest);
/** ec2_opening_encode() - as IpPermissions of a request. */
void ec2_opening_encode(const struct ec2_openings *openings, struct ec2_query *query);

/** ec2_opening_check() - NULL when @text is a network as the provider writes it, else what is wrong. */
const char *ec2_opening_check(const char *text);
