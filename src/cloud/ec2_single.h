#pragma once

/*
 * Calls about one machine: its console, its stop and its start.
 */

#include "ec2_job.h"

/** ec2_single_begin() - @job's verb says which. */
void ec2_single_begin(struct ec2_job *job);
