#pragma once

/*
 * What the preparations of a host did, step by step: a page of it as JSON, or a stream that goes on
 * until the host is prepared or given up.
 */

#include "request.h"

/* What is wanted of it. */
struct host_log_filter {
    int64_t host_id;
    int64_t after; /* store_step_place() */
    uint32_t run;  /* 0: all */
    bool failed;   /* only steps that failed */
};

/** host_log_step() - one step as JSON; @running: it has not ended. */
void host_log_step(struct json_out *out, const struct store_step *step, bool running);
/** host_log_live() - the step of @filter's host that is under way. Return: false: none that is wanted. */
bool host_log_live(const struct engine *engine, const struct host_log_filter *filter,
                   struct store_step *ret_step);

/** host_log_page_start() - answer @request with a page of at most @limit steps. */
void host_log_page_start(struct request *request, const struct host_log_filter *filter,
                         int64_t limit);

/**
 * host_log_stream_start() - answer @request with server-sent events
 *
 * "step": one that has ended, as host_log_step(), once it is durable; its id resumes behind it.
 * "progress": the one under way, with what it has written since the last such event.
 * "end": {"prepared","state","reason"}: no more will come.
 */
void host_log_stream_start(struct request *request, const struct host_log_filter *filter);
/** host_log_stream_notify() - steps began, wrote something or ended. @server: struct api_server */
void host_log_stream_notify(struct api_server *server);
/** host_log_stream_tick() - heartbeats that are due; and hosts are looked at. */
void host_log_stream_tick(struct api_server *server);
