#pragma once

/*
 * What a task made, as `register` keeps it: changed, failed, skipped, msg; of commands rc, stdout,
 * stderr and their lines.
 */

#include "module.h"
#include "remote.h"

enum { RESULT_LINES_MAX = 10000 }; /* of stdout_lines, stderr_lines, and facts */

/** result_skipped() / result_failed() / result_fine() - owned. */
json_t *result_skipped(void);
json_t *result_failed(const char *msg);
json_t *result_fine(void);

/** result_of_command() - how @command ended, for a task of @module; owned. */
json_t *result_of_command(const struct module *module, const struct remote_command *command);

/** result_of_guard() - of a command that was not needed; owned. */
json_t *result_of_guard(const struct remote_command *command);

/** result_of_items() - of a loop whose items had these results, a list; owned. */
json_t *result_of_items(const json_t *items);

/** result_is() - whether its boolean @name is true. */
bool result_is(const json_t *result, const char *name);

/** result_cost() - about how many bytes of memory it takes; not of a loop. */
size_t result_cost(const json_t *result);

/** result_why() - why it failed, a line or more, into @buf. */
void result_why(const json_t *result, struct buf *buf);

/** result_facts() - what the script facts wrote, added to @facts. */
void result_facts(const struct remote_command *command, json_t *facts);
