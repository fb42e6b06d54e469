/* The world of one run, and its turns. */

#include <stdio.h>

#include "sim_book.h"

enum {
    GRAVES_MAX = 1 << 16,
    BATCH_MAX = 4, /* things that happen in one turn, at most */
    HOUR_MS = 3600 * 1000,
    SLOW_MS = 60000,
    SLOW_TURNS = 8,
    FLEET_TURNS = 8,
    REST_MS = 6 * 3600 * 1000,     /* after faults stopped, until all must be quiet */
    REST_STEP_MS = 15 * 60 * 1000, /* looked so often */
    REST_SHIFT_MS = 7 * 60 * 1000, /* later: each half an hour may bring something */
    REST_TURNS = 400000,
    CALM_DISK_MS = 5,
    CALM_HASTE = 10, /* a machine is a host well within a round */
    CALM_ROUND_MS = 60000,
};

/* Dead engines: what a crash leaves is not freed, but it is not a leak of the program either. */
static struct engine *graves[GRAVES_MAX];
static size_t grave_count;

static uint64_t
sim_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

uint64_t
sim_random(struct sim *sim, uint64_t below)
{
    return sim_next(&sim->random) % below;
}

bool
sim_chance(struct sim *sim, uint64_t permille)
{
    return sim_random(sim, 1000) < permille;
}

static void
sim_random_fill(void *self, void *ret_data, size_t len)
{
    struct sim *sim = self;
    uint8_t *data = ret_data;

    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)sim_next(&sim->engine_random);
}

static const char *
sim_spool_path(void *self, const char *name)
{
    (void)self;
    return name;
}

int64_t
sim_mono(const struct sim *sim)
{
    const struct clock_port *clock = fake_clock_port(sim->clock);

    return clock->mono_ms(clock->self);
}

void
sim_start(struct sim *sim)
{
    struct fault fault;

    if (sim_chance(sim, sim->plan.restores)) {
        sim_trace(sim, "from a backup");
        fake_store_restored_set(sim->store, true);
    }
    sim->engine = engine_new(&sim->ports, &sim->config);
    if (engine_load(sim->engine, &fault) < 0) {
        sim_fail(sim, "a start loads the rows", "%s", fault.text);
        return;
    }
    sim_trace(sim, "start");
    sim_check_started(sim);
}

static void
sim_world_make(struct sim *sim, uint64_t seed, void *trace_file)
{
    *sim = (struct sim){ .seed = seed, .random = seed, .engine_random = ~seed };
    list_init(&sim->calls);
    sim->trace.hash = 0xcbf29ce484222325U;
    sim->trace.file = trace_file;
    sim->clock = fake_clock_new(INT64_C(1700000000000));
    sim->docker = fake_docker_new(fake_clock_port(sim->clock));
    sim->store = fake_store_new();
    sim->cloud = fake_cloud_new(fake_clock_port(sim->clock), sim->docker);
    sim->shell = fake_shell_new(fake_clock_port(sim->clock), sim->cloud);
    sim->random_port = (struct random_port){ .self = sim, .fill = sim_random_fill };
    sim->spool = (struct spool_port){ .self = sim, .path = sim_spool_path };
    sim->ports = (struct engine_ports){
        .clock = fake_clock_mortal(sim->clock),
        .random = &sim->random_port,
        .store = fake_store_port(sim->store),
        .docker = fake_docker_port(sim->docker),
        .cloud = fake_cloud_port(sim->cloud),
        .shell = fake_shell_port(sim->shell),
        .spool = &sim->spool,
    };
    engine_config_defaults(&sim->config);
}

void
sim_init(struct sim *sim, uint64_t seed, bool fleet, void *trace_file)
{
    sim_world_make(sim, seed, trace_file);
    sim->plan.fleet = fleet;
    sim_plan_draw(sim);
    fake_shell_certificate_ms(sim->shell, sim->plan.certificate_ms);
    sim_check_init(sim);
    sim_fate_init(sim);
    sim_start(sim);
    sim_plan_apply(sim);
}

void
sim_init_calm(struct sim *sim, uint64_t seed)
{
    sim_world_make(sim, seed, NULL);
    sim->plan = (struct sim_plan){ .disk_ms = CALM_DISK_MS, .haste = CALM_HASTE };
    sim->config.housekeeping_ms = CALM_ROUND_MS;
    sim->quiet = true;
    sim_check_init(sim);
    sim_fate_init(sim);
    sim_start(sim);
}

static void
sim_bury(struct sim *sim)
{
    fake_docker_restart(sim->docker);
    fake_cloud_restart(sim->cloud);
    fake_shell_restart(sim->shell);
    fake_clock_crash(sim->clock);
    if (grave_count < GRAVES_MAX)
        graves[grave_count++] = sim->engine;
    sim->engine = NULL;
    sim->disk_due_ms = 0;
}

void
sim_fini(struct sim *sim)
{
    if (sim->engine) {
        fake_store_crash(sim->store, 0);
        sim_bury(sim);
    }
    sim_calls_free(sim);
    sim_check_fini(sim);
    fake_shell_free(sim->shell);
    fake_cloud_free(sim->cloud);
    fake_docker_free(sim->docker);
    fake_store_free(sim->store);
    fake_clock_free(sim->clock);
}

/* --- One turn ------------------------------------------------------------------------------- */

static void
sim_commit(struct sim *sim)
{
    struct fault fault;
    const struct fault *failed = sim_fate_disk(sim, &fault);
    uint64_t before = fake_store_commits(sim->store);

    sim->disk_due_ms = 0;
    (void)fake_store_commit_next(sim->store, failed);
    if (fake_store_commits(sim->store) > before) {
        sim->stats.commits++;
    } else {
        sim->stats.faults_disk++;
        sim_trace(sim, "commit failed");
    }
}

/* The disk takes its time. */
static bool
sim_happens(struct sim *sim, int64_t until_mono_ms)
{
    if (fake_store_pending(sim->store) == 0) {
        sim->disk_due_ms = 0;
    } else if (sim->disk_due_ms == 0) {
        sim->disk_due_ms =
            sim_mono(sim) + (int64_t)sim_random(sim, (uint64_t)sim->plan.disk_ms + 1);
    }
    if (sim->disk_due_ms == 0 || sim->disk_due_ms > until_mono_ms)
        return fake_clock_next(sim->clock, until_mono_ms);
    if (fake_clock_next(sim->clock, sim->disk_due_ms - 1))
        return true;
    if (sim_mono(sim) < sim->disk_due_ms)
        fake_clock_advance(sim->clock, sim->disk_due_ms - sim_mono(sim));
    sim_commit(sim);
    return true;
}

void
sim_turn_end(struct sim *sim)
{
    if (sim->failed)
        return;
    engine_turn_end(sim->engine);
    sim->turn++;
    sim->stats.turns++;
    fake_docker_records_clear(sim->docker);
    sim_check_turn(sim);
}

bool
sim_turn(struct sim *sim, int64_t until_mono_ms)
{
    bool happened = fake_clock_asked(sim->clock);
    uint64_t more = sim_random(sim, 4) ? 0 : sim_random(sim, BATCH_MAX);

    if (sim->disk_good_ms > 0 && sim_mono(sim) >= sim->disk_good_ms) {
        sim->disk_good_ms = 0;
        fake_store_break(sim->store, NULL, 0);
        sim_trace(sim, "the disk is good");
    }
    if (!happened)
        happened = fake_store_asked_next(sim->store, NULL) || sim_happens(sim, until_mono_ms);
    if (!happened)
        return false;
    /* What is due at the same time may share the turn. */
    while (more-- > 0 && sim_happens(sim, sim_mono(sim))) {
    }
    sim_turn_end(sim);
    return true;
}

void
sim_kill(struct sim *sim, size_t durable)
{
    sim_trace(sim, "crash, of %zu commits %zu are durable", fake_store_pending(sim->store),
              durable);
    sim->stats.crashes++;
    fake_store_crash(sim->store, durable);
    sim_book_read(sim); /* it may be down for long */
    sim_bury(sim);
    fake_store_break(sim->store, NULL, 0); /* else it would not start */
    sim->disk_good_ms = 0;
}

void
sim_crash(struct sim *sim, size_t durable)
{
    sim_kill(sim, durable);
    sim_act_down(sim);
    sim_start(sim);
}

static void
sim_on_stopped(void *cookie)
{
    *(bool *)cookie = true;
}

void
sim_restart(struct sim *sim)
{
    bool stopped = false;

    sim_trace(sim, "stop");
    sim->stats.stops++;
    fake_store_break(sim->store, NULL, 0);
    sim->disk_good_ms = 0;
    engine_stop_start(sim->engine, sim_on_stopped, &stopped);
    for (int i = 0; i < 100000 && !stopped && !sim->failed; i++)
        (void)sim_turn(sim, INT64_MAX);
    if (sim->failed)
        return;
    if (!stopped) {
        sim_fail(sim, "a stop ends", "it goes on for ever");
        return;
    }
    engine_free(STEAL(sim->engine));
    fake_docker_restart(sim->docker);
    fake_store_break(sim->store, NULL, 0); /* it may have failed again meanwhile */
    sim->disk_good_ms = 0;
    sim_act_down(sim);
    sim_start(sim);
}

/* --- One run -------------------------------------------------------------------------------- */

static void
sim_crash_maybe(struct sim *sim)
{
    /* A commit under way is when a crash hurts. */
    if (sim->plan.fleet && sim_random(sim, FLEET_TURNS) > 0)
        return; /* most turns of a large pool are looks at hosts */
    if (!sim_chance(sim, sim->plan.crashes * (fake_store_pending(sim->store) > 0 ? 4 : 1)) ||
        (sim->plan.think_ms >= SLOW_MS && sim_random(sim, SLOW_TURNS) > 0))
        return;
    if (sim_random(sim, 5) == 0) {
        sim_restart(sim);
    } else {
        sim_crash(sim, sim_random(sim, 3));
    }
}

static void
sim_busy(struct sim *sim, uint64_t turns, int64_t until)
{
    while (sim->turn < turns && sim_mono(sim) < until && !sim->failed) {
        if (sim->act_ms <= sim_mono(sim)) {
            sim->act_ms =
                sim_mono(sim) + 1 + (int64_t)sim_random(sim, 2 * (uint64_t)sim->plan.think_ms);
            sim->stats.actions++;
            sim_act(sim);
            sim_turn_end(sim);
        } else if (!sim_turn(sim, sim->act_ms)) {
            fake_clock_advance(sim->clock, sim->act_ms - sim_mono(sim));
        }
        if (!sim->failed)
            sim_crash_maybe(sim);
    }
}

/* Whether all is quiet now; if not, the failure that would be told stays in @sim. */
static bool
sim_rests(struct sim *sim, int64_t ms)
{
    int64_t until = sim_mono(sim) + ms;

    while (!sim->failed && sim_turn(sim, until)) {
    }
    if (sim_mono(sim) < until)
        fake_clock_advance(sim->clock, until - sim_mono(sim));
    /* The end of a time is the end of what is under way then, too. */
    while (!sim->failed && fake_store_pending(sim->store) > 0)
        (void)sim_turn(sim, INT64_MAX);
    if (!sim->failed)
        sim_check_rest(sim);
    return !sim->failed;
}

/* It rests when it does so twice in a row. */
static void
sim_rest(struct sim *sim)
{
    int64_t until = sim_mono(sim) + REST_MS;
    uint64_t turns_max = sim->turn + REST_TURNS;
    int64_t step_ms = REST_STEP_MS;
    int times = 0;

    sim_trace(sim, "faults stop");
    sim->quiet = true;
    sim_fate_heal(sim);
    while (times < 2) {
        bool rests = sim_rests(sim, step_ms);

        if (!rests && (!sim->restless || sim_mono(sim) >= until || sim->turn >= turns_max))
            return;
        times = rests ? times + 1 : 0;
        step_ms = rests ? REST_STEP_MS : REST_STEP_MS + REST_SHIFT_MS;
        sim->failed = sim->restless = false;
    }
}

static void
sim_run_until(struct sim *sim, uint64_t turns, int64_t until)
{
    int64_t began = sim_mono(sim);

    sim_turn_end(sim);
    sim_busy(sim, turns, until);
    if (!sim->failed)
        sim_rest(sim);
    sim->stats.virtual_ms = sim_mono(sim) - began;
    sim_money_count(sim);
}

void
sim_run(struct sim *sim, uint64_t turns)
{
    /* Where little happens, hours must pass: ages, hours of launches, budgets. */
    sim_run_until(sim, sim->plan.think_ms >= SLOW_MS ? turns * SLOW_TURNS : turns, INT64_MAX);
}

void
sim_run_hours(struct sim *sim, uint64_t hours)
{
    sim_run_until(sim, UINT64_MAX, sim_mono(sim) + (int64_t)hours * HOUR_MS);
}
