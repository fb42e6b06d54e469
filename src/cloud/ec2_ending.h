#pragma once

/*
 * Terminations: one TerminateInstances for all calls in a batch.  EC2 refuses the whole of it when one id
 * is bad; those that the refusal names end with it then, and the others are asked for again.  When it
 * names none, halves are tried, so that each call gets an outcome of its own.
 */

#include "ec2_batch.h"

/** ec2_ending_begin() - for ec2_batch_join(). */
void ec2_ending_begin(struct ec2_batch *batch);
/** ec2_ending_is_named() - the words of a refusal name @id, and not only something that begins so. */
bool ec2_ending_is_named(const char *words, const char *id);
