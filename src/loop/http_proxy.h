#pragma once

/*
 * Whether an exchange goes by a proxy, and which.
 */

#include "http_state.h"

/** http_proxy_find() - for libcurl: the URL, which may have a password; "": none. Borrowed. */
const char *http_proxy_find(const struct http *http, const struct http_op *op);
/** http_proxy_except() - for libcurl: whom to ask directly; "*": all. Borrowed. */
const char *http_proxy_except(const struct http *http, const struct http_op *op);
/** http_proxy_fini() - forget what was set. */
void http_proxy_fini(struct http *http);
