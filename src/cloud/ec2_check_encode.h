#pragma once

/*
 * What a check asks: the parameters of each of its questions, as the configuration and what is known
 * already say.
 */

#include "ec2_job.h"
#include "ec2_look.h"

struct ec2_checking {
    struct ec2_check *check;
    struct ec2_pool *pool; /* a reference */
    struct ec2_ask ask;
    struct ec2_look look;
    size_t step;
    size_t turn; /* of a step that is asked several times */
    uint32_t pages;
    char *page; /* owned; NULL: the first */
    bool bare;  /* a launch is tried without tags, after they were refused */
    bool cancelled;
};

void ec2_check_encode_nothing(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_image(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_types(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_offers(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_subnets(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_groups(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_key(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_ours(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_launch(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_machine(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_template(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_create(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_rules(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_pair(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_import(struct ec2_checking *checking, struct ec2_query *query);
void ec2_check_encode_unpair(struct ec2_checking *checking, struct ec2_query *query);
