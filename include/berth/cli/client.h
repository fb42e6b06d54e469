#pragma once

/*
 * One request to the daemon and its answer, over libcurl, blocking.
 *
 * A request that may be repeated (GET, PUT, DELETE, and POST with an
 * Idempotency-Key) is sent once more when the answer was lost.
 */

#include <stdio.h>

#include "berth/base/json.h"
#include "berth/cli/context.h"

struct cli_client;

struct cli_call {
    /* In. All is borrowed until cli_client_call() returns. */
    const char *method;
    const char *path;        /* with its query, beginning with '/' */
    const json_t *body;      /* NULL: none */
    bool keyed;              /* send an Idempotency-Key, so that it may be repeated */
    const char *if_match;    /* NULL: none */
    const char *accept;      /* NULL: JSON */
    const char *last_event;  /* NULL: none; for event streams */
    FILE *upload;            /* sent as the body; NULL: none */
    int64_t upload_bytes;    /* -1: only its end tells */
    const char *upload_type; /* media type of upload or of text */
    const char *text;        /* a body as it is; NULL: none */
    bool endless;            /* no deadline once we are connected */
    /* A successful answer's body goes here instead of into json, piece by piece.
     * Return: false to stop. */
    bool (*on_data)(struct cli_call *call, const char *data, size_t len);
    /* Bytes of upload that were sent; NULL: not told. */
    void (*on_sent)(struct cli_call *call, int64_t sent_bytes);
    /* Out. */
    long status;         /* 0: there was no answer */
    json_t *json;        /* owned; NULL: no body, or not JSON */
    char etag[72];       /* "" when there was none */
    char request_id[64]; /* the same */
    char type[64];       /* media type; known in on_data, too */
    bool stopped;        /* on_data said so */
};

/**
 * cli_client_new() - @target is borrowed until cli_client_free()
 * @timeout_s: longest wait for an answer, > 0
 * @debug:     tell each request on stderr
 */
struct cli_client *cli_client_new(const struct cli_target *target, int64_t timeout_s, bool debug)
    MUST_USE;
void cli_client_free(struct cli_client *client);
MEM_DEFINE_FREEP(struct cli_client, cli_client_free);

/**
 * cli_client_call() - send @call and wait
 *
 * Return: 0 for 2xx; -1: FAULT_UNREACHABLE, FAULT_TIMEOUT, FAULT_LOST, FAULT_TLS, FAULT_GARBLED,
 * FAULT_CANCELLED (cli_signal_caught()), or what the daemon's problem document says, which is in
 * call->json.
 */
int cli_client_call(struct cli_client *client, struct cli_call *call, struct fault *fault);

/** cli_client_call_fini() - frees what is out. */
void cli_client_call_fini(struct cli_call *call);
