#pragma once

/*
 * Server-sent events: each stream reads the history behind its own place, so it
 * sees only what is durable, and may begin where an earlier one ended.
 */

#include "event_page.h"

/** event_stream_start() - answer @request with a stream. */
void event_stream_start(struct request *request, const struct event_filter *filter);
/** event_stream_number() - the value of Last-Event-ID. Return: false when it is none. */
bool event_stream_number(const char *text, int64_t *ret_value);
/** event_stream_notify() - there are new events. @server: struct api_server */
void event_stream_notify(struct api_server *server);
/** event_stream_tick() - heartbeats that are due. */
void event_stream_tick(struct api_server *server);
