#pragma once

/*
 * Prometheus' text format.  All names get the prefix "berth_".
 */

#include "berth/base/buf.h"
#include "berth/engine/meter.h"

/** metrics_family() - what stands before a metric's samples. */
void metrics_family(struct buf *out, const char *name, const char *type, const char *help);
/** metrics_single() - a metric without labels; a counter when @name has "_total". */
void metrics_single(struct buf *out, const char *name, const char *help, uint64_t value);
/** metrics_histogram() - @labels: `step="pull"`, or "" */
void metrics_histogram(struct buf *out, const char *name, const char *labels,
                       const struct meter_histogram *histogram);
/** metrics_micro() - millionths as a number with six decimals; >= 0. */
void metrics_micro(struct buf *out, int64_t micro);
/** metrics_label() - @text as the inside of a label's quotes. */
void metrics_label(struct buf *out, const char *text);
