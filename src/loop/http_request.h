#pragma once

/*
 * What goes out: an operation as libcurl's options.
 */

#include "http_state.h"

/** http_request_setup() - set up the exchange's easy handle. Return: 0; -1 when the operation cannot
 * be sent at all: the exchange has ended then. */
int http_request_setup(struct http_exchange *exchange);

/** http_request_is_sent() - may a byte of it have reached the peer? */
bool http_request_is_sent(const struct http_exchange *exchange);
