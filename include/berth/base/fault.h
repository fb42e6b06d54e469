#pragma once

/*
 * What went wrong, in a form that can be shown, stored and decided upon.  One
 * table (fault_rule()) says for the whole program what each kind means: retry
 * loops, a host's error score, HTTP status and CLI exit code all ask it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/mem.h"

enum fault_kind {
    FAULT_NONE,
    /* From our own side of the API. */
    FAULT_INVALID,      /* the request is wrong; its problems name the fields */
    FAULT_UNAUTHORIZED, /* no token, or not a good one */
    FAULT_FORBIDDEN,    /* a good token that may not do this */
    FAULT_NOT_FOUND,
    FAULT_METHOD,       /* the resource is there, the method is not */
    FAULT_CONFLICT,     /* not in this state, or the name is taken */
    FAULT_PRECONDITION, /* If-Match does not match */
    FAULT_TOO_LARGE,
    FAULT_MEDIA_TYPE,
    FAULT_KEY_REUSED, /* Idempotency-Key with another body */
    FAULT_QUOTA,
    FAULT_NO_CAPACITY,
    FAULT_RATE_LIMITED,
    FAULT_STORAGE_FULL,
    FAULT_STORAGE, /* the database cannot be written or read */
    FAULT_SHUTTING_DOWN,
    FAULT_CANCELLED,
    /* From a host's engine, or on the way to it. */
    FAULT_UNREACHABLE,     /* no connection, or it broke before the request was sent */
    FAULT_TLS,             /* the peer's or our certificate was refused */
    FAULT_TIMEOUT,         /* a deadline passed after the request may have been sent */
    FAULT_LOST,            /* the connection broke after the request was sent */
    FAULT_GARBLED,         /* an answer that is not what the API promises */
    FAULT_ENGINE,          /* the engine answered 5xx */
    FAULT_INCONSISTENT,    /* the engine's answers contradict each other: a host that lies */
    FAULT_ENGINE_MISSING,  /* the engine answered 404: no such container, image, ... */
    FAULT_ENGINE_CONFLICT, /* the engine answered 409: the name is taken, not running, ... */
    FAULT_ENGINE_REFUSED,  /* the engine answered another 4xx */
    FAULT_PORT_TAKEN,      /* a fixed host port is in use */
    FAULT_IMAGE,           /* the image cannot be had or is broken: blames the blueprint */
    FAULT_COMMAND,         /* the container's command cannot be started: blames the blueprint */
    FAULT_EXITED,          /* the container ended before it was ready: blames the blueprint */
    FAULT_NOT_READY,       /* the container runs but did not get ready: blames the blueprint */
    FAULT_REGISTRY,        /* the registry did not answer or refused us */
    /* From a provider of machines, or from a machine that is to become a host. */
    FAULT_CLOUD_CAPACITY,  /* it has no such machine now: another type or zone may do */
    FAULT_CLOUD_LIMIT,     /* the account may not have more */
    FAULT_CLOUD_THROTTLED, /* too many calls: slower */
    FAULT_CLOUD_DENIED,    /* credentials or permissions */
    FAULT_CLOUD_REFUSED,   /* the request is wrong: image, subnet, type, ... */
    FAULT_CLOUD_FAILED,    /* it answered 5xx, or not at all before the request was sent */
    FAULT_CLOUD_UNSURE,    /* no answer: it may have been done */
    FAULT_MACHINE_GONE,    /* the machine has disappeared */
    FAULT_PREPARE,         /* a step of the playbook failed */
    FAULT_BUG,
    FAULT_KIND_COUNT,
};

enum fault_blame { BLAME_NOBODY, BLAME_HOST, BLAME_BLUEPRINT };

/* Exit codes of `berth`. */
enum fault_exit {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_NOT_ALLOWED = 4,
    EXIT_CONFLICT = 5,
    EXIT_UNREACHABLE = 6,
};

enum { FAULT_TEXT_SIZE = 200 };

struct fault {
    enum fault_kind kind;
    const char *where;          /* static string, e.g. "docker.create" */
    int remote_code;            /* HTTP status or exit status; 0 when there was no answer */
    char text[FAULT_TEXT_SIZE]; /* for people; one line, never parsed, never a secret */
};

struct fault_rule {
    const char *code;  /* stable, in problem+json's `code` */
    const char *title; /* the same words for each fault of the kind */
    int http_status;
    enum fault_exit exit_code;
    bool retry;             /* the same call may succeed a little later */
    enum fault_blame blame; /* whose error score it raises */
    int weight;             /* by how many thousandths of an error; 0 when nobody is blamed */
    bool unsure;            /* the other side may have done it all the same */
};

/** fault_rule() - what @kind means. Borrowed, static. */
const struct fault_rule *fault_rule(enum fault_kind kind);

/** fault_kind_from_code() - the kind with this stable code; FAULT_BUG when there is none. */
enum fault_kind fault_kind_from_code(const char *code);

/**
 * fault_set() - fill @fault
 * @fault: may be NULL
 * @where: static string
 * @format: the text; control characters become spaces, it is cut to fit on a UTF-8 boundary
 *
 * Return: always -1, so that `return fault_set(...)` reads well.
 */
int fault_set(struct fault *fault, enum fault_kind kind, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);
