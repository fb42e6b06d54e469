#pragma once

/*
 * What a command's handler gets: the command line, the terminal and the daemon.
 * Handlers return the program's exit code.
 */

#include "berth/cli/args.h"
#include "berth/cli/client.h"
#include "berth/cli/term.h"

struct cli {
    struct cli_args args;
    struct cli_term term;
    struct cli_wish wish;      /* what the command line says about the daemon */
    int64_t timeout_s;         /* longest wait for one answer */
    struct cli_target target;  /* valid with client */
    struct cli_client *client; /* NULL until cli_ask() was called */
};

/** cli_main() - the whole program. @argv: [argc], as main() gets it; a token among them is
 * overwritten.  Return: the exit code. */
int cli_main(int argc, char **argv);
