#pragma once

/*
 * EC2's errors as faults: by code, never by HTTP status (a lack of capacity comes as 500).  One table.
 * Source: "Error codes for the Amazon EC2 API" and "Common error types" of the API reference.
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/fault.h"

/* What can be learnt from an error, so that the same request may go well next time. */
enum ec2_lesson {
    EC2_LESSON_NONE,
    EC2_LESSON_CLOCK, /* our clock may be wrong: the answer's Date tells; if it is not, others are to be had */
    EC2_LESSON_CREDENTIALS, /* these have ended: others are to be had */
};

enum { EC2_MESSAGE_SIZE = 4096 /* it may name a hundred machines */ };

struct ec2_error {
    int status;         /* HTTP */
    const char *action; /* what was asked for, "RunInstances"; static; NULL: not known */
    char code[64];
    char message[EC2_MESSAGE_SIZE];
    char request_id[48];
};

struct ec2_rule {
    const char *code; /* "Invalid*": begins so; "*LimitExceeded": ends so */
    enum fault_kind kind;
    bool repeat; /* nothing was done, and the same request may go well in a moment */
    enum ec2_lesson lesson;
    const char *words; /* instead of the message, which may repeat what was signed; NULL: that */
};

/** ec2_fault_read() - fill code, message and request_id of @ret_error from the body of an answer; ""
 * where it says nothing. Return: whether it has a code. */
bool ec2_fault_read(const char *body, size_t len, struct ec2_error *ret_error);
/** ec2_fault_rule() - what @error means. Static. */
const struct ec2_rule *ec2_fault_rule(const struct ec2_error *error);
/** ec2_fault_permission() - which permission lacks, "ec2:RunInstances", by its message or its action.
 * Return: whether that is known and shorter than @size. */
bool ec2_fault_permission(const struct ec2_error *error, size_t size, char *ret_name);
/** ec2_fault_set() - @error as a fault: its code, its words, its request's id.
 * Return: always -1. */
int ec2_fault_set(const struct ec2_error *error, const char *where, struct fault *fault);
