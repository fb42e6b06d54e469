#pragma once

/*
 * A run in progress.  It is a pump: each phase does its part and names the next one, until one has to
 * wait for the machine or for a timer.
 *
 *   NEXT ──▶ STEP ──▶ ITEM ──▶ ATTEMPT ──▶ (GUARD) ──▶ ACT ──▶ (COMMAND) ──▶ JUDGE ──▶ ITEM or STEP_END
 *    │ ▲                           ▲                                           │            │
 *    ▼ │                           └───────── until is not true yet ───────────┘            │
 *   END└─────────────────────────────────────────────────────────────────────────────────────┘
 *
 * In those in brackets, and in FACTS, it waits for the machine.
 */

#include "redact.h"
#include "result.h"
#include "run.h"
#include "vars.h"

enum run_phase {
    RUN_NEXT,    /* which step is the next */
    RUN_STEP,    /* it begins */
    RUN_ITEM,    /* an item of its loop begins, or it itself if there is none */
    RUN_ATTEMPT, /* the first try, or another */
    RUN_GUARD,   /* whether its command is needed is asked */
    RUN_ACT,     /* it is */
    RUN_COMMAND, /* the machine works */
    RUN_JUDGE,   /* the try has a result */
    RUN_FACTS,   /* facts are gathered */
    RUN_STEP_END,
    RUN_END,
};

struct run_state {
    struct run *run;
    enum run_phase phase;
    bool pumping;
    bool in_command;             /* the machine works */
    struct fault end;            /* FAULT_NONE: all went well */
    bool ends;                   /* end is set: no further step */
    struct clock_timer timer;    /* the begin, a pause */
    struct clock_timer deadline; /* of the whole */
    struct remote_command command;
    struct module_plan plan;
    struct redact_words words;
    struct redact streams[2]; /* stdout, stderr */
    struct vars vars;
    /* Of the step. */
    const struct playbook_step *step;
    uint32_t next; /* the step after it */
    char *name;    /* owned */
    json_t *items; /* owned: what the loop goes over; NULL: no loop */
    size_t item;
    json_t *item_results; /* owned */
    int64_t attempt;
    json_t *args;        /* owned: coerced, of this item */
    json_t *environment; /* owned, of this item */
    json_t *result;      /* owned: of this attempt, then of the step */
    size_t kept;         /* bytes that results cost which are kept, since the run began */
    /* Of the play. */
    bool *notified; /* owned: by handler */
    bool *repeats;  /* owned: by step before from_step: it is done again */
};

/** run_plan_repeats() - which steps before from_step are to be done again. */
void run_plan_repeats(struct run_state *state);
/** run_notify() - the handlers of @task's play that it notifies. */
void run_notify(struct run_state *state, const struct playbook_step *step);
/** run_enter_play() - nobody is notified, but for what steps before from_step may have left. */
void run_enter_play(struct run_state *state, const struct playbook_step *entered);

/** run_prepare_item() - args and environment of this item, from what the playbook says. Return: 0, or -1
 * with @why. */
int run_prepare_item(struct run_state *state, struct fault *why);
/** run_content() - what copy's or template's file shall hold. Return: 0, or -1. */
int run_content(struct run_state *state, struct buf *ret_content, struct fault *why);
/** run_local() - the result of a module that does nothing on the machine; owned. */
json_t *run_local(struct run_state *state);
/** run_judge_result() - changed_when and failed_when. @ret_again: until is not true yet. */
void run_judge_result(struct run_state *state, bool *ret_again);
/** run_keep_result() - count what the result of this item costs; beyond the bound it is a failure. */
void run_keep_result(struct run_state *state);
/** run_emit() - output of the step, unless it is hidden. */
void run_emit(struct run_state *state, bool is_stderr, const char *data, size_t len, bool last);
/** run_name() - what the step is called, with its variables if that can be. */
void run_name(struct run_state *state);
/** run_say_failed() - the fault of the whole, and a line of output if the machine has not written one. */
void run_say_failed(struct run_state *state, struct fault *fault);
