#pragma once

/*
 * Which machines there are: one listing for the calls of all pools in a batch, page by page.
 *
 *   DescribeInstances ... [-> DescribeSpotPriceHistory] [-> DescribeSpotInstanceRequests]
 *
 * The latter two only where spot machines run, and what they tell is a hint: without it the listing
 * holds.
 */

#include "ec2_batch.h"

/** ec2_listing_begin() - for ec2_batch_join(). */
void ec2_listing_begin(struct ec2_batch *batch);
