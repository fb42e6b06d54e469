#pragma once

/*
 * libcurl's codes as faults: was anything sent, was it about certificates, did
 * the connection break or was the answer wrong.
 */

#include "http_state.h"

/** http_fault_end() - end the exchange with what @code, not CURLE_OK, means in its phase. */
void http_fault_end(struct http_exchange *exchange, CURLcode code);
