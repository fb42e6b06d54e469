#include "metrics_text.h"

#include <inttypes.h>
#include <string.h>

enum { METRICS_MICRO = 1000000 };

void
metrics_family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP berth_%s %s\n# TYPE berth_%s %s\n", name, help, name, type);
}

void
metrics_single(struct buf *out, const char *name, const char *help, uint64_t value)
{
    metrics_family(out, name, strstr(name, "_total") ? "counter" : "gauge", help);
    buf_printf(out, "berth_%s %" PRIu64 "\n", name, value);
}

void
metrics_micro(struct buf *out, int64_t micro)
{
    buf_printf(out, "%" PRId64 ".%06" PRId64, micro / METRICS_MICRO, micro % METRICS_MICRO);
}

void
metrics_histogram(struct buf *out, const char *name, const char *labels,
                  const struct meter_histogram *histogram)
{
    const char *comma = labels[0] ? "," : "";
    uint64_t sum = 0;

    for (size_t i = 0; i < METER_BUCKETS; i++) {
        sum += histogram->counts[i];
        buf_printf(out, "berth_%s_bucket{%s%sle=\"", name, labels, comma);
        if (i < METER_BUCKETS - 1) {
            metrics_micro(out, meter_bounds_us[i]);
        } else {
            buf_append_string(out, "+Inf");
        }
        buf_printf(out, "\"} %" PRIu64 "\n", sum);
    }
    buf_printf(out, "berth_%s_sum{%s} ", name, labels);
    metrics_micro(out, (int64_t)histogram->sum_us);
    buf_printf(out, "\nberth_%s_count{%s} %" PRIu64 "\n", name, labels, histogram->count);
}

void
metrics_label(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, (char)(*text == '\n' ? ' ' : *text));
    }
}
