#pragma once

/*
 * Idempotency-Key: the first answer to a key is kept in the same commit as what
 * it tells about, so that a client that lost the answer may ask again.
 */

#include "request.h"

/**
 * idempotency_begin() - look at the key of a POST
 * @body: what the key's digest covers beside method and target; [len]
 *
 * Return: 0 to go on (request->key is set if there is one), or -1 when the request was answered.
 */
int idempotency_begin(struct request *request, const void *body, size_t len);

/** idempotency_keep() - request->reply goes into this turn's commit, if it is a success. */
void idempotency_keep(struct request *request);

/** idempotency_end() - the key is not in flight any more. */
void idempotency_end(struct request *request);
