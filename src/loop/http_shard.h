#pragma once

/*
 * A shard: one multi handle for about a hundred peers.  All shards' descriptors
 * are watched through one epoll descriptor, so that a connection that comes
 * into use costs one system call and no memory.
 */

#include "http_state.h"

/** http_shard_find() - the shard of the peer @key; made when it is not there yet. */
struct http_shard *http_shard_find(struct http *http, int64_t key);
/** http_shard_free() - closes its connections; no exchange may be in it. */
void http_shard_free(struct http_shard *shard);

/** http_shard_touch() - the pass looks at it. */
void http_shard_touch(struct http_shard *shard);
/** http_shard_poll() - let libcurl do what its descriptors are ready for, for all shards. */
void http_shard_poll(struct http *http);
/** http_shard_hurry() - let libcurl do what is due by now, also what was just added. */
void http_shard_hurry(struct http_shard *shard);

/** http_shard_socket_open() - CURLOPT_OPENSOCKETFUNCTION, with the exchange. */
curl_socket_t http_shard_socket_open(void *cookie, curlsocktype purpose,
                                     struct curl_sockaddr *address);
/** http_shard_socket_close() - CURLOPT_CLOSESOCKETFUNCTION, with the http. */
int http_shard_socket_close(void *cookie, curl_socket_t socket);
/** http_shard_peer_close() - break the idle connections to this peer: libcurl finds them dead. */
void http_shard_peer_close(struct http *http, int64_t key);
