#pragma once

/*
 * The end of a pool: what Berth made for it beside machines, its key pair and its security group, is deleted,
 * whatever the configuration says of it now.
 */

#include "ec2_job.h"

void ec2_forget_begin(struct ec2_job *job);
void ec2_forget_cancel(struct ec2_job *job);
