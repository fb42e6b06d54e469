#pragma once

/* What the checks remember beside the model: it outlives crashes. */

#include "sim.h"

/* Of one row, an instance or a host, by its durable events. */
struct sim_row {
    int state;
    int64_t since_ms; /* monotonic */
};

/* Of one host. */
struct sim_host {
    struct host_amount reserved; /* at the end of the last turn */
    struct host_amount capacity;
    int stage; /* of its machine, and since when */
    int64_t stage_ms;
    int64_t trouble_ms;  /* monotonic: something about it failed last */
    uint64_t left_start; /* book.starts when it was last not active */
    uint64_t start;      /* of the daemon that saw it so */
};

enum { SIM_SPAWNS_MAX = 32 };

/* Of one pool. */
struct sim_pool {
    int64_t spawns_ms[SIM_SPAWNS_MAX]; /* monotonic, a ring */
    uint64_t spawns;
    int64_t launches_per_hour; /* at the end of the last turn, and a little longer */
    int64_t budget_milli;
    int64_t changed_ms; /* monotonic: the policy allows something else since; 0: it does not */
    bool missed;        /* the last complete listing that was told lacked a machine */
};

struct sim_promise {
    struct engine_wait wait;
    struct list_node node;
    struct sim *sim;
    const struct engine *engine; /* that was asked; a dead one does not answer any more */
    int64_t id;
    enum sim_promise_kind kind;
    bool kept; /* the commit is done */
    bool failed;
};

struct sim_guilty {
    struct list_node node;
    const struct fake_machine *machine;
};

struct sim_book {
    struct idmap rows;         /* struct sim_row */
    struct idmap pools;        /* struct sim_pool */
    struct idmap hosts;        /* struct sim_host */
    struct idmap proofs;       /* struct sim_book: shutdowns whose end was looked at */
    struct list promises;      /* struct sim_promise */
    struct list guilty;        /* struct sim_guilty: machines whose hosts may have a score */
    int64_t last_seq;          /* of the durable events that were looked at */
    int64_t started_ms;        /* the daemon, monotonic */
    const struct model *model; /* of the last turn: another one means that the rows were loaded */
    uint64_t starts;           /* how often rows were loaded */
};

/** sim_book_row() - NULL: no event spoke of it yet. */
struct sim_row *sim_book_row(const struct sim_book *book, int64_t id);
/** sim_book_host() - made when there is none. */
struct sim_host *sim_book_host(struct sim_book *book, int64_t id);
/** sim_book_pause() - the daemon was down for so long: nothing is late because of that. */
void sim_book_pause(struct sim_book *book, int64_t ms);
/** sim_book_pool() - made when there is none. */
struct sim_pool *sim_book_pool(struct sim_book *book, int64_t id);
/** sim_limits_spawn() - a host of the pool was decided. */
void sim_limits_spawn(struct sim *sim, int64_t pool_id);
/** sim_limits_keep() - what the pools allow, at the end of a turn. */
void sim_limits_keep(struct sim *sim, const char *name);
/** sim_limits_rest() - at rest: the pools' money is what the provider asks for. */
void sim_limits_rest(struct sim *sim);
/** sim_book_read() - the events that have become durable. */
void sim_book_read(struct sim *sim);
/** sim_book_guilty() - whether the machine did something that raises a score. */
bool sim_book_guilty(const struct sim_book *book, const struct fake_machine *machine);
/** sim_book_promises() - each promise whose commit is done is kept. */
void sim_book_promises(struct sim *sim, const char *name);
/** sim_book_answered() - all that the living daemon was asked is answered. */
void sim_book_answered(struct sim *sim, const char *name);

/* --- Used by several files of checks -------------------------------------------------------- */

/** sim_machine() - behind the host's endpoint; NULL: it has none yet. */
struct fake_machine *sim_machine(struct sim *sim, const struct host *host);
/** sim_is_known() - a durable row has the provider's name of @vm. */
bool sim_is_known(struct sim *sim, const struct fake_vm *vm);
/** sim_is_there() - its machine runs, and is the one behind its endpoint. */
bool sim_is_there(struct sim *sim, const struct host *host);
bool sim_answers(const struct fake_machine *machine);
bool sim_is_ours(const struct sim *sim, const struct fake_container *container);
struct fake_container *sim_container_next(const struct fake_machine *machine,
                                          const struct fake_container *container);
