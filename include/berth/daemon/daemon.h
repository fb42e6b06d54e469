#pragma once

/*
 * The one place where ports meet adapters.
 */

#include <stdbool.h>

#include "berth/base/fault.h"
#include "berth/daemon/config.h"
#include "berth/port/docker.h"

struct daemon;
struct loop;

/* What a test or a benchmark puts in the place of the outside world. */
struct daemon_options {
    const char *config_path; /* NULL: defaults */
    const char *version;
    const struct docker_port *(*docker)(struct loop *loop, void *cookie); /* NULL: real engines */
    void *cookie;
};

/**
 * daemon_new() - open the store, load, listen; nothing runs before daemon_run()
 * @ret_daemon: owned
 */
int daemon_new(const struct daemon_options *options, struct config *config,
               struct daemon **ret_daemon, struct fault *fault);
/** daemon_run() - until SIGTERM, SIGINT or daemon_stop(). */
void daemon_run(struct daemon *daemon);
/** daemon_stop() - ask it to end in order. */
void daemon_stop(struct daemon *daemon);
void daemon_free(struct daemon *daemon);
