#pragma once

/*
 * A request of EC2's query API as a form body: Action, Version, then parameters in the order in which
 * they are added.  The same calls give the same bytes, so a request can be signed and repeated.
 */

#include <stdint.h>

#include "berth/base/buf.h"

enum {
    EC2_QUERY_MAX = 128 * 1024, /* of a body; EC2 takes 16 KiB of user data before its encoding */
};

struct ec2_query {
    struct buf body;
};

/** ec2_query_init() - "Action=@action&Version=2016-11-15". */
void ec2_query_init(struct ec2_query *query, const char *action);
/** ec2_query_init_sts() - the same for the security token service. */
void ec2_query_init_sts(struct ec2_query *query, const char *action);
/** ec2_query_fini() - wipes the body: user data may be secret. */
void ec2_query_fini(struct ec2_query *query);

/** ec2_query_add() - one more parameter, its name as printf() would print it ("Filter.%zu.Name"). NULL
 * @value: none. Everything but letters, digits, '-', '.', '_' and '~' is escaped. */
void ec2_query_add(struct ec2_query *query, const char *value, const char *format, ...)
    PRINTF_LIKE(3, 4);
/** ec2_query_add_number() - the same with a number. */
void ec2_query_add_number(struct ec2_query *query, const char *key, int64_t value);
/** ec2_query_add_base64() - the same with the base64 of @value. */
void ec2_query_add_base64(struct ec2_query *query, const char *key, const char *value);
/** ec2_query_add_filter() - the @number-th filter, from 1: @key is @value. */
void ec2_query_add_filter(struct ec2_query *query, size_t number, const char *key,
                          const char *value);
