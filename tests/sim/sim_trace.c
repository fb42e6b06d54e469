/* One line for each thing that happens; a hash of all, a ring of the last, a file for those who ask. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define FNV_PRIME 0x100000001b3U

void
sim_trace(struct sim *sim, const char *format, ...)
{
    struct sim_trace *trace = &sim->trace;
    char *line = trace->lines[trace->count++ % SIM_TAIL];
    int64_t now = sim_mono(sim);
    va_list args;
    int len;

    len = snprintf(line, SIM_LINE_SIZE, "%llu %lld.%03lld ", (unsigned long long)sim->turn,
                   (long long)now / 1000, (long long)now % 1000);
    va_start(args, format);
    (void)vsnprintf(line + len, SIM_LINE_SIZE - (size_t)len, format, args);
    va_end(args);
    for (const char *at = line; *at; at++)
        trace->hash = (trace->hash ^ (uint8_t)*at) * FNV_PRIME;
    if (trace->file)
        (void)fprintf(trace->file, "%s\n", line);
}

void
sim_fail(struct sim *sim, const char *invariant, const char *format, ...)
{
    va_list args;

    if (sim->failed)
        return;
    sim->failed = true;
    (void)snprintf(sim->invariant, sizeof(sim->invariant), "%s", invariant);
    va_start(args, format);
    (void)vsnprintf(sim->why, sizeof(sim->why), format, args);
    va_end(args);
    sim_trace(sim, "BROKEN %s: %s", sim->invariant, sim->why);
}

void
sim_tail_print(const struct sim *sim)
{
    uint64_t from = sim->trace.count > SIM_TAIL ? sim->trace.count - SIM_TAIL : 0;

    for (uint64_t i = from; i < sim->trace.count; i++)
        (void)fprintf(stderr, "  %s\n", sim->trace.lines[i % SIM_TAIL]);
}
