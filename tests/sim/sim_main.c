/* sim --seed N [--seeds COUNT] [--turns N | --hours N] [--trace FILE]: with hours, large pools.  Each seed one run; the first that breaks an
 * invariant ends the program. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define CENT_MICRO 10000

struct sim_args {
    uint64_t seed;
    uint64_t seeds;
    uint64_t turns;
    uint64_t hours; /* 0: turns count */
    const char *trace;
    const char *program;
};

static bool
sim_number(const char *text, uint64_t *ret_number)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-')
        return false;
    *ret_number = number;
    return true;
}

static bool
sim_args_read(struct sim_args *args, int argc, char **argv)
{
    *args = (struct sim_args){ .seed = 1, .seeds = 1, .turns = 2000, .program = argv[0] };
    for (int i = 1; i + 1 < argc; i += 2) {
        bool good = false;

        if (strcmp(argv[i], "--seed") == 0) {
            good = sim_number(argv[i + 1], &args->seed);
        } else if (strcmp(argv[i], "--seeds") == 0) {
            good = sim_number(argv[i + 1], &args->seeds);
        } else if (strcmp(argv[i], "--turns") == 0) {
            good = sim_number(argv[i + 1], &args->turns);
        } else if (strcmp(argv[i], "--hours") == 0) {
            good = sim_number(argv[i + 1], &args->hours);
        } else if (strcmp(argv[i], "--trace") == 0) {
            args->trace = argv[i + 1];
            good = true;
        }
        if (!good)
            return false;
    }
    return argc % 2 == 1;
}

static void
sim_stats_add(struct sim_stats *sum, const struct sim_stats *one)
{
    uint64_t *to = (uint64_t *)(void *)sum;
    const uint64_t *from = (const uint64_t *)(const void *)one;

    _Static_assert(sizeof(*sum) % sizeof(*to) == 0, "counts only");
    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        to[i] += from[i];
}

static void
sim_faults_print(const char *port, const uint64_t counts[FAULT_KIND_COUNT])
{
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        if (counts[kind] > 0) {
            (void)printf("fault %s %s %llu\n", port, fault_rule((enum fault_kind)kind)->code,
                         (unsigned long long)counts[kind]);
        }
    }
}

static void
sim_stats_print(const struct sim_stats *stats)
{
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        { "turns", stats->turns },
        { "commits", stats->commits },
        { "crashes", stats->crashes },
        { "stops", stats->stops },
        { "actions", stats->actions },
        { "instances asked for", stats->launches },
        { "placements", stats->placements },
        { "engine calls", stats->calls },
        { "machines", stats->machines },
        { "preparations", stats->preparations },
        { "clock jumps", stats->jumps },
        { "outages of the provider", stats->storms },
        { "pools shut down", stats->shutdowns },
        { "seconds without a daemon", stats->down_s },
        { "invariants checked", stats->checks },
        { "virtual seconds", (uint64_t)stats->virtual_ms / 1000 },
        { "machine seconds", stats->machine_s },
        { "cents spent", stats->cost_micro / CENT_MICRO },
        { "millionths leaked", stats->leaked_micro },
    };

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        (void)printf("%s %llu\n", counts[i].name, (unsigned long long)counts[i].count);
    sim_faults_print("engine", stats->faults_docker);
    sim_faults_print("provider", stats->faults_cloud);
    sim_faults_print("playbook", stats->faults_shell);
    (void)printf("fault disk %llu\n", (unsigned long long)stats->faults_disk);
}

/* Return: whether all held. */
static bool
sim_seed(const struct sim_args *args, uint64_t seed, struct sim_stats *sum)
{
    FILE *file = args->trace ? fopen(args->trace, "we") : NULL;
    struct sim *sim = mem_new0(sizeof(*sim));
    bool held;

    if (args->trace && !file) {
        perror(args->trace);
        mem_free(sim);
        return false;
    }
    if (file)
        (void)setvbuf(file, NULL, _IOLBF, 0); /* whole, even when an assertion ends the program */
    sim_init(sim, seed, args->hours > 0, file);
    if (args->hours > 0) {
        sim_run_hours(sim, args->hours);
    } else {
        sim_run(sim, args->turns);
    }
    held = !sim->failed;
    if (held) {
        (void)printf("seed %llu: %llu turns, trace %016llx\n", (unsigned long long)seed,
                     (unsigned long long)sim->turn, (unsigned long long)sim->trace.hash);
    } else {
        (void)fflush(stdout);
        (void)fprintf(stderr, "seed %llu, turn %llu: %s: %s\n", (unsigned long long)seed,
                      (unsigned long long)sim->turn, sim->invariant, sim->why);
        sim_tail_print(sim);
        (void)fprintf(stderr, "replay: %s --seed %llu --%s %llu --trace trace.txt\n", args->program,
                      (unsigned long long)seed, args->hours > 0 ? "hours" : "turns",
                      (unsigned long long)(args->hours > 0 ? args->hours : args->turns));
    }
    sim_stats_add(sum, &sim->stats);
    sim_fini(sim);
    mem_free(sim);
    if (file)
        (void)fclose(file);
    return held;
}

int
main(int argc, char **argv)
{
    struct sim_args args;
    struct sim_stats sum = { 0 };

    if (!sim_args_read(&args, argc, argv)) {
        (void)fprintf(
            stderr, "usage: %s [--seed N] [--seeds COUNT] [--turns N | --hours N] [--trace FILE]\n",
            argv[0]);
        return 2;
    }
    for (uint64_t i = 0; i < args.seeds; i++) {
        if (!sim_seed(&args, args.seed + i, &sum))
            return 1;
        (void)fflush(stdout);
    }
    sim_stats_print(&sum);
    return 0;
}
