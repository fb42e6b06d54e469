#pragma once

/*
 * One question to EC2: keys, its turn in the bucket of its action, signature, answer, what an error
 * means, and whether it is asked again.  What is asked again changes nothing a second time, or
 * certainly was not done the first time; a launch that may have been done is the caller's to repeat.
 */

#include "berth/cloud/credentials.h"
#include "berth/loop/loop.h"
#include "berth/port/cloud.h"

#include "ec2_fault.h"
#include "ec2_pace.h"
#include "ec2_query.h"
#include "ec2_sign.h"
#include "ec2_xml.h"

enum ec2_action {
    EC2_RUN_INSTANCES,
    EC2_DESCRIBE_INSTANCES,
    EC2_DESCRIBE_IMAGES,
    EC2_DESCRIBE_SPOT,
    EC2_DESCRIBE_PRICES,
    EC2_TERMINATE_INSTANCES,
    EC2_CONSOLE_OUTPUT,
    EC2_STOP_INSTANCES,
    EC2_START_INSTANCES,
    EC2_DESCRIBE_TEMPLATES,
    EC2_DESCRIBE_GROUPS,
    EC2_CREATE_GROUP,
    EC2_DELETE_GROUP,
    EC2_LET_IN,
    EC2_LET_OUT,
    EC2_SHUT,
    EC2_DESCRIBE_KEYS,
    EC2_IMPORT_KEY,
    EC2_DELETE_KEY,
    /* Asked by a check alone. */
    EC2_DESCRIBE_TYPES,
    EC2_DESCRIBE_OFFERINGS,
    EC2_DESCRIBE_SUBNETS,
    EC2_ACTION_COUNT,
};

enum { EC2_HOST_SIZE = 256, EC2_HEADERS_MAX = 4 };

/* Whom to ask, and what was learnt of it. */
struct ec2_account {
    struct http *http;
    const struct clock_port *clock;
    const struct random_port *random;
    struct credentials *credentials; /* borrowed */
    struct http_peer peer;
    const char *url;
    const char *region;
    char host[EC2_HOST_SIZE];
    struct ec2_bucket buckets[EC2_ACTION_COUNT];
    struct ec2_bucket repeats; /* of all actions: what is asked twice everywhere doubles a jam */
    struct cloud_tally *tally; /* [EC2_ACTION_COUNT], borrowed */
    int64_t ahead_ms;          /* the provider's clock before ours; 0: about the same */
};

/* Embed it. */
struct ec2_ask {
    /* In: ec2_ask_init() first. */
    struct ec2_query query; /* the caller adds parameters */
    int64_t deadline_mono_ms;
    /* Exactly once, from the loop, never from inside ec2_ask_start(); ec2_ask_fini() may be called from
     * it.  FAULT_CLOUD_*, FAULT_MACHINE_GONE, FAULT_CANCELLED, FAULT_BUG. */
    void (*done)(struct ec2_ask *ask, const struct fault *fault);

    /* Out, until ec2_ask_fini(). */
    struct ec2_xml *xml;    /* the answer; NULL with a fault */
    struct ec2_error error; /* what EC2 said; code "": nothing that could be read */

    /* Its own. */
    struct ec2_account *account;
    enum ec2_action action;
    struct clock_timer timer;
    struct credentials_wait wait;
    struct http_op op;
    struct credentials_keys *keys; /* a reference */
    struct ec2_signature signature;
    struct http_header headers[EC2_HEADERS_MAX];
    int64_t signed_ahead_ms;
    uint32_t tries;
    bool waiting;   /* for keys */
    bool asking;    /* op is under way */
    bool learnt;    /* it was asked again because of a lesson */
    bool cancelled; /* by the caller */
    struct fault fault;
};

/** ec2_ask_name() - "RunInstances". Static. */
const char *ec2_ask_name(enum ec2_action action);
/** ec2_ask_changes() - something of the provider's: what a policy has to bind to the cluster's tag. */
bool ec2_ask_changes(enum ec2_action action);
/** ec2_ask_tally_init() - the name of each action, counts of 0. */
void ec2_ask_tally_init(struct cloud_tally ret_tally[EC2_ACTION_COUNT]);

void ec2_ask_init(struct ec2_ask *ask, struct ec2_account *account, enum ec2_action action);
void ec2_ask_start(struct ec2_ask *ask);
/** ec2_ask_cancel() - done still comes, with FAULT_CANCELLED unless it had ended. */
void ec2_ask_cancel(struct ec2_ask *ask);
/** ec2_ask_fini() - not while it is under way. */
void ec2_ask_fini(struct ec2_ask *ask);
