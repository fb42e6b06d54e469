#pragma once

/*
 * One case of the tables of steps and faults: a world of two hosts, one fault at
 * one step, and what becomes of it once the fault has passed.
 */

#include "check.h"

enum fault_action {
    ACTION_NONE,        /* the fate of the call is all */
    ACTION_STOP,        /* the instance is asked to stop while the call is under way */
    ACTION_CRASH,       /* the daemon is killed some turns after the call began */
    ACTION_UNREACHABLE, /* its host loses its network */
    ACTION_HANG,        /* its host's engine hangs */
    ACTION_REBOOT,      /* its host restarts, all of its containers end */
};

enum fault_outcome {
    OUTCOME_RUNNING,
    OUTCOME_STOPPED,
    OUTCOME_FAILED,
    OUTCOME_ENDED, /* running, or failed with a reason */
    OUTCOME_FINAL, /* stopped or failed */
};

struct fault_kind_row {
    const char *name;
    struct fake_fate fate;
    enum fault_action action;
    enum fault_outcome outcome;
    bool repeats; /* makes sense when every call fails for a while */
};

extern const struct fault_kind_row fault_rows[];
extern const size_t fault_row_count;

struct fault_case {
    struct world world;
    struct check check;
    const struct fault_kind_row *row;
    enum docker_verb step;
    bool awhile;     /* every such call fails for some seconds; else: only the first */
    int64_t disk_ms; /* how long a commit takes */
    uint64_t turns;  /* ACTION_CRASH: so long after the call began */
    size_t durable;  /* ACTION_CRASH: pending commits that reached the disk */
    int64_t id;      /* the instance */
    bool seen;       /* the call has begun */
    int64_t host_id; /* ... to this host */
};

/** faults_begin() - two hosts, the blueprint @json, no fault yet. */
void faults_begin(struct fault_case *fc, const char *json);
/** faults_inject() - from now on. */
void faults_inject(struct fault_case *fc);
/** faults_play() - until the call has begun and the action was taken, and the fault has passed. */
void faults_play(struct fault_case *fc);
/** faults_settle() - long enough for all to come to rest; then all must be well. */
void faults_settle(struct fault_case *fc, enum fault_outcome outcome);

/** faults_teardown() - of a cmocka test: tells which case failed. */
int faults_teardown(void **state);
