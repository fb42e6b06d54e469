#pragma once

/*
 * What comes in: the head's lines and the body's pieces, as libcurl's callbacks.
 */

#include "http_state.h"

/** http_answer_head() - CURLOPT_HEADERFUNCTION, with the exchange; one line, 1xx heads included. */
size_t http_answer_head(char *line, size_t size, size_t count, void *cookie);
/** http_answer_body() - CURLOPT_WRITEFUNCTION, with the exchange. */
size_t http_answer_body(char *data, size_t size, size_t count, void *cookie);
