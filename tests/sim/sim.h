#pragma once

/*
 * The deterministic simulation: the real domain and engine against a clock, a disk, engines, a
 * provider and playbooks of memory.  A seed decides everything; time jumps to what happens next.
 *
 *   sim_plan   what this seed is like: pools, policies, how often what fails
 *   sim_world  one turn: the next thing that happens, then the engine's end of the turn
 *   sim_fate   what becomes of each call to a port
 *   sim_act    what users, operators and bad luck do
 *   sim_check  the invariants, after each turn and when faults have stopped
 *   sim_trace  what happened, the same bytes for the same seed
 */

#include "berth/base/idmap.h"
#include "berth/engine/engine.h"

#include "support/fake_clock.h"
#include "support/fake_docker.h"
#include "support/fake_shell.h"
#include "support/fake_store.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)
/* What runs on a machine ends it when no daemon has come for so long. */
#define SIM_DEAD_MAN_MS INT64_C(86400000)
/* An hour of the dearest machine. */
#define SIM_DEAREST_MICRO INT64_C(2000000)

enum {
    SIM_STATIC_MAX = 6,
    SIM_LINE_SIZE = 240,
    SIM_TAIL = 48, /* lines that are kept for a failure */
    SIM_RENTED_MAX = 2,
};

/* What the seed drew before the first turn. */
struct sim_plan {
    int64_t think_ms;       /* between two things that people do, on average */
    int64_t disk_ms;        /* of a commit, at most */
    uint64_t docker_faults; /* of a thousand calls */
    uint64_t cloud_faults;
    uint64_t storms; /* of a thousand calls: begin an outage of the provider */
    uint64_t shell_faults;
    uint64_t vm_faults;     /* of a thousand machines */
    uint64_t disk_faults;   /* of a thousand commits */
    uint64_t crashes;       /* of a thousand turns */
    uint64_t restores;      /* of a thousand starts: the database is a backup's */
    uint64_t jumps;         /* of a thousand actions: the wall clock's */
    uint64_t haste;         /* machines boot, are prepared and end so many times faster */
    int64_t certificate_ms; /* how long those of engines live; 0: there are none */
    int static_hosts;
    int rented_pools;
    bool fleet; /* large pools for many hours: what they cost, and what leaks */
};

/* How often what happened: the summary. */
struct sim_stats {
    uint64_t turns;
    uint64_t commits;
    uint64_t crashes;
    uint64_t stops;
    uint64_t actions;
    uint64_t launches; /* instances asked for */
    uint64_t placements;
    uint64_t calls;
    uint64_t machines;
    uint64_t preparations;
    uint64_t checks;
    uint64_t jumps;
    uint64_t storms;
    uint64_t storms_s;  /* how long they lasted */
    uint64_t shutdowns; /* of pools, begun */
    uint64_t down_s;    /* that no daemon ran */
    uint64_t faults_docker[FAULT_KIND_COUNT];
    uint64_t faults_cloud[FAULT_KIND_COUNT];
    uint64_t faults_shell[FAULT_KIND_COUNT];
    uint64_t faults_disk;
    uint64_t machine_s;    /* of all machines together */
    uint64_t cost_micro;   /* of them */
    uint64_t leaked_micro; /* by machines that were left when all had come to rest */
    int64_t virtual_ms;
};

struct sim_trace {
    char lines[SIM_TAIL][SIM_LINE_SIZE];
    uint64_t count;
    uint64_t hash;
    void *file; /* a FILE; NULL: nobody wants it */
};

extern const char *const sim_rented_names[SIM_RENTED_MAX];

struct sim_book; /* what sim_check remembers */

struct sim {
    uint64_t seed;
    uint64_t random;
    uint64_t engine_random;
    struct fake_clock *clock;
    struct fake_docker *docker;
    struct fake_store *store;
    struct fake_cloud *cloud;
    struct fake_shell *shell;
    struct random_port random_port;
    struct spool_port spool;
    struct engine_ports ports;
    struct engine_config config;
    struct engine *engine; /* NULL: dead */
    struct sim_plan plan;
    struct sim_stats stats;
    struct sim_trace trace;
    struct sim_book *book;
    int64_t disk_due_ms;   /* when the oldest commit is done; 0: none is pending */
    int64_t disk_good_ms;  /* the disk works again then; 0: it works */
    int64_t act_ms;        /* the next action */
    int64_t storm_ends_ms; /* until then the provider fails in one way; 0: it does not */
    enum fault_kind storm;
    uint64_t turn;
    int hosts_added;
    struct list calls;  /* of requests, to containers */
    bool impatient;     /* whoever asked for that asks again at once */
    int64_t stopped_id; /* the instance that was last asked to stop; 0: none */
    bool quiet;         /* faults have stopped */
    bool failed;
    bool restless; /* what failed may still come right: faults have stopped, time goes on */
    char invariant[64];
    char why[SIM_LINE_SIZE];
};

/* --- sim_world ------------------------------------------------------------------------------ */

/** sim_init() - @fleet: pools of many hosts, for sim_run_hours(). */
void sim_init(struct sim *sim, uint64_t seed, bool fleet, void *trace_file);
/** sim_init_calm() - no pools, no workload, no faults: whoever calls says what happens. The seed decides
 * how long things take, and what shares a turn. */
void sim_init_calm(struct sim *sim, uint64_t seed);
void sim_fini(struct sim *sim);
/** sim_random() - below @below, > 0. */
uint64_t sim_random(struct sim *sim, uint64_t below);
/** sim_chance() - true @permille times of a thousand. */
bool sim_chance(struct sim *sim, uint64_t permille);
int64_t sim_mono(const struct sim *sim);
/** sim_turn() - what happens next until @until_mono_ms, and the engine's end of the turn.
 * Return: false when nothing happened. */
bool sim_turn(struct sim *sim, int64_t until_mono_ms);
/** sim_turn_end() - after something was asked of the engine. */
void sim_turn_end(struct sim *sim);
/** sim_kill() - kill -9, @durable as in fake_store_crash(); nobody starts it again. */
void sim_kill(struct sim *sim, size_t durable);
/** sim_start() - on what the store has; it must not run. */
void sim_start(struct sim *sim);
/** sim_crash() - sim_kill() and sim_start(). */
void sim_crash(struct sim *sim, size_t durable);
/** sim_restart() - stopped in order, and a new start. */
void sim_restart(struct sim *sim);
/** sim_run() - @turns turns; then faults stop and all must come to rest. */
void sim_run(struct sim *sim, uint64_t turns);
/** sim_run_hours() - the same for so many hours, however many turns that takes. */
void sim_run_hours(struct sim *sim, uint64_t hours);

/* --- sim_trace ------------------------------------------------------------------------------ */

void sim_trace(struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);
/** sim_fail() - @invariant does not hold; the run ends. The first one counts. */
void sim_fail(struct sim *sim, const char *invariant, const char *format, ...) PRINTF_LIKE(3, 4);
/** sim_tail_print() - the last lines, on stderr. */
void sim_tail_print(const struct sim *sim);

/* --- sim_plan, sim_fate, sim_act ------------------------------------------------------------ */

/** sim_plan_draw() - before the first start. */
void sim_plan_draw(struct sim *sim);
/** sim_plan_apply() - pools, hosts and blueprints, through the engine. */
void sim_plan_apply(struct sim *sim);
/** sim_pool_put() - with a policy that is drawn; "default" is static, all others are rented. */
void sim_pool_put(struct sim *sim, const char *name);
/** sim_blueprint_put() - @quoted: as the API takes it, with single quotes for double ones. */
void sim_blueprint_put(struct sim *sim, const char *quoted);
/** sim_fate_init() - hooks into the fakes. */
void sim_fate_init(struct sim *sim);
/** sim_fate_disk() - what becomes of the commit that is due. Return: NULL when it is done. */
const struct fault *sim_fate_disk(struct sim *sim, struct fault *fault);
/** sim_fate_heal() - faults stop: machines answer, the disk works. */
void sim_fate_heal(struct sim *sim);
/** sim_act() - one thing that people, or bad luck, do. */
void sim_act(struct sim *sim);
/** sim_act_cloud() / _shutdown() / _playbook() - what sim_act() does to rented machines. */
void sim_act_cloud(struct sim *sim);
void sim_act_shutdown(struct sim *sim);
void sim_act_playbook(struct sim *sim);
/** sim_act_down() - the daemon is dead, and starts later; mostly at once. */
void sim_act_down(struct sim *sim);
/** sim_calls_free() - after the last daemon has died. */
void sim_calls_free(struct sim *sim);
/** sim_host_add() - a host of the pool `default` on the machine "s1", "s2", ...; NULL: refused. */
struct host *sim_host_add(struct sim *sim, const char *machine);

/* --- sim_check ------------------------------------------------------------------------------ */

void sim_check_init(struct sim *sim);
void sim_check_fini(struct sim *sim);
/** sim_check_turn() - what must hold at all times. */
void sim_check_turn(struct sim *sim);
/** sim_check_started() - after a start: what was acknowledged is there. */
void sim_check_started(struct sim *sim);
/** sim_check_rest() - what must hold when faults stopped long ago; a failure is `restless`. */
void sim_check_rest(struct sim *sim);
/** sim_money_count() - at the end: what machines cost, and what leaked, into the summary. */
void sim_money_count(struct sim *sim);
/** sim_check_docker() / _cloud() - a call begins. */
void sim_check_docker(struct sim *sim, const struct docker_call *call,
                      const struct fake_fate *fate);
void sim_check_cloud(struct sim *sim, const struct cloud_call *call);
/** sim_blame() - from now on @machine's host may have a score. */
void sim_blame(struct sim *sim, const struct fake_machine *machine);

enum sim_promise_kind { PROMISE_LAUNCH, PROMISE_STOP };

/** sim_promise() - @id was asked for: once its commit is done it must never be forgotten. */
void sim_promise(struct sim *sim, enum sim_promise_kind kind, int64_t id);
