#pragma once

/*
 * --wait: ask again, with growing pauses, until it is done, has failed, or the
 * time is over.  Progress stands on stderr, on a terminal only.  Ctrl-C ends the
 * wait alone; what was asked for goes on.
 */

#include "berth/cli/cli.h"

enum cli_wait_for {
    CLI_WAIT_RUNNING, /* running, or ended well */
    CLI_WAIT_ENDED,
};

/**
 * cli_wait_instances() - until all are as wanted
 * @items: array of instances; replaced by how they are in the end
 *
 * Return: EXIT_OK, EXIT_FAILED (one has failed; its reason was told), EXIT_UNREACHABLE (time is
 * over), CLI_SIGNAL_EXIT, or the exit code of a request that failed.
 */
int cli_wait_instances(struct cli *cli, json_t *items, enum cli_wait_for wanted);

/** cli_wait_host() - the same until a new host is active. @slot: replaced by how it is in the end. */
int cli_wait_host(struct cli *cli, json_t **slot);

/** cli_wait_operation() - the same for an operation. @slot: replaced by how it is in the end; NULL
 * inside is fine and done. */
int cli_wait_operation(struct cli *cli, json_t **slot);
