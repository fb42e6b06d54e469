#pragma once

/* The body of a request: how much of it, of which type, and what it says. */

#include "request.h"

/** body_admit() - what the head says about it. Return: 0, or -1 when the request was refused. */
int body_admit(struct request *request);
/** body_is_unwanted() - it is not worth waiting for before a refusal is sent. */
bool body_is_unwanted(const struct request *request);
/** body_take() - a piece. Return: false to cut the connection. */
bool body_take(struct request *request, const char *data, size_t len);
/** body_decode() - all is there: parse it, fill request->input, look at the Idempotency-Key.
 * Return: 0, or -1 when the request was answered. */
int body_decode(struct request *request);
/** body_abort() - forget an archive that did not come to its end. */
void body_abort(struct request *request);
