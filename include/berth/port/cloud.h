#pragma once

/*
 * What the engine needs from a provider of machines.  One call is one struct with a verb; implemented
 * by src/cloud/ and, for tests, by tests/support/fake_cloud.c.
 *
 * Rules of every implementation: a launch with a token that was used before answers with the machine of
 * the first call; the cluster's and the host's tags go with the launch; nothing without the cluster's
 * tag is ever listed, so nothing else can be named in a changing call.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/domain/pool.h"

#define CLOUD_TAG_CLUSTER "berth:cluster" /* its value is the cluster's id */

enum {
    CLOUD_ID_SIZE = 48,
    CLOUD_TYPE_SIZE = 48,
    CLOUD_TOKEN_SIZE = 65,
    CLOUD_ADDRESS_SIZE = 64,
    CLOUD_ZONE_SIZE = 32,
    CLOUD_CONSOLE_MAX = 64 * 1024, /* bytes of a console that are told */
    CLOUD_FORGOTTEN_SIZE = 160,
    CLOUD_ACCOUNT_SIZE = 32,
};

enum cloud_verb {
    CLOUD_LAUNCH,    /* in: launch; out: machine.  FAULT_CLOUD_* */
    CLOUD_LIST,      /* all machines of the pool with our cluster's tag; out: list */
    CLOUD_TERMINATE, /* in: id; one that is gone is a success */
    CLOUD_CONSOLE,   /* in: id; out: console */
    CLOUD_STOP,   /* in: id; its disk stays, its address goes, and it costs little; of one that is
                        stopped a success. A spot machine's is FAULT_CLOUD_REFUSED */
    CLOUD_START,  /* in: id; of one that runs a success. FAULT_CLOUD_CAPACITY: no room now;
                        FAULT_CLOUD_FAILED: it has not stopped yet */
    CLOUD_FORGET, /* what was made for the pool beside its machines is deleted: it has none any more;
                        out: forgotten. FAULT_CLOUD_FAILED: not yet, something holds on to it */
    CLOUD_VERB_COUNT,
};

const char *cloud_verb_name(enum cloud_verb verb);

enum cloud_state { CLOUD_PENDING, CLOUD_RUNNING, CLOUD_STOPPING, CLOUD_STOPPED, CLOUD_TERMINATED };

struct cloud_machine {
    char id[CLOUD_ID_SIZE];
    char type[CLOUD_TYPE_SIZE]; /* "": not told */
    char zone[CLOUD_ZONE_SIZE];
    char address[CLOUD_ADDRESS_SIZE]; /* "" until it has one */
    int64_t host_id;                  /* of its tag; 0: none that can be read */
    int64_t launched_at_ms;           /* or started, the last time */
    int64_t price_micro;              /* of a spot machine: millionths an hour, now; 0: not known */
    int32_t state;                    /* enum cloud_state */
    bool spot;
    bool notice; /* the provider is about to take it back */
};

struct cloud_launch {
    const char *token; /* idempotency: the same for each repeat of this attempt */
    const char *type;
    const char *host_name;
    int64_t host_id;
    int64_t attempt; /* of this host, from 0: in which zone and market; a token never comes with
                              another attempt or type, so each of its repeats asks for the same */
    const char
        *user_data; /* what the machine runs at its first boot; may be secret; NULL: nothing */
};

struct cloud_list {
    struct cloud_machine *at; /* [count], owned by the call until done returns */
    size_t count;
    bool complete; /* all pages were read: only then may something be concluded from absence */
    char account[CLOUD_ACCOUNT_SIZE]; /* that they are in; "": not told */
};

/* What a machine's console showed last.  A provider may be minutes late with it. */
struct cloud_console {
    const char
        *text; /* clean UTF-8 with lines, at most CLOUD_CONSOLE_MAX bytes; the call's until done
                         returns */
    size_t len;
};

/* How often a provider was asked for something. */
struct cloud_tally {
    const char *action;
    uint64_t calls;
    uint64_t failures; /* of those: ended with a fault */
};

/* Embed it.  It must outlive done. */
struct cloud_call {
    enum cloud_verb verb;
    const struct pool *pool; /* borrowed until done */
    const char *cluster_id;  /* borrowed until done */
    union {
        struct cloud_launch launch; /* borrowed until done */
        const char *id;
    } in;
    struct {
        struct cloud_machine machine;
        struct cloud_list list;
        struct cloud_console console;
        char forgotten
            [CLOUD_FORGOTTEN_SIZE]; /* what was deleted, also before a fault: "security group
                                                 sg-1"; "": nothing */
    } out;
    /* Exactly once, from the loop, never from inside start(); last touch. */
    void (*done)(struct cloud_call *call, const struct fault *fault);
    void *adapter; /* the implementation's own */
};

struct cloud_port {
    void *self;
    void (*start)(void *self, struct cloud_call *call);
    /* done still comes, with FAULT_CANCELLED unless it had ended. */
    void (*cancel)(void *self, struct cloud_call *call);
    /* Since the start. Return: [*ret_count], static or the implementation's. */
    const struct cloud_tally *(*tally)(void *self, size_t *ret_count);
};
