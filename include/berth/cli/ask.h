#pragma once

/*
 * What handlers ask of the daemon.  Each function here tells about a failure on
 * stderr itself and returns the exit code: EXIT_OK, or another enum fault_exit.
 */

#include "berth/cli/cli.h"

/** cli_ask() - send @call. The caller frees it with cli_client_call_fini(). */
int cli_ask(struct cli *cli, struct cli_call *call);

/** cli_ask_quietly() - the same without a word; FAULT of the failure in @fault. */
int cli_ask_quietly(struct cli *cli, struct cli_call *call, struct fault *fault);

/** cli_ask_json() - GET @path. @ret_json: owned; an empty object when there was no body. */
int cli_ask_json(struct cli *cli, const char *path, json_t **ret_json);

/** cli_ask_list() - GET all pages of @path, which may have a query, up to @limit rows (0: all).
 * @ret_items: owned array */
int cli_ask_list(struct cli *cli, const char *path, int64_t limit, json_t **ret_items);

/** cli_ask_list_if_seen() - the same; @ret_items is NULL when the token may not see it or the daemon does
 * not have it. */
int cli_ask_list_if_seen(struct cli *cli, const char *path, json_t **ret_items);

/** cli_ask_path() - "/v1/@resource/@name/@verb", with the name escaped; @verb may be NULL. Owned. */
char *cli_ask_path(const char *resource, const char *name, const char *verb) MUST_USE;

/** cli_ask_query() - append "?key=value" or "&key=value", escaped, to @path; NULL value: nothing. */
void cli_ask_query(struct buf *path, const char *key, const char *value);

/** cli_ask_instance_id() - @word when it is an id, else the id of the one live instance with this
 * name. @ret_id: [ID_TEXT_SIZE] */
int cli_ask_instance_id(struct cli *cli, const char *word, char *ret_id);

/** cli_ask_fail() - tell @fault on stderr: "berth: text". Return: its exit code. */
int cli_ask_fail(const struct fault *fault);

/** cli_ask_problem() - tell what a problem document says: title, detail, each wrong field.
 * @call: done, with cli_client_call()'s @fault.  An interruption is not told: CLI_SIGNAL_EXIT. */
int cli_ask_problem(const struct cli *cli, const struct cli_call *call, const struct fault *fault);

/** cli_ask_confirm() - with --yes, or without a terminal, true at once; else the answer to
 * "@what? [y/N]". Not with --yes. */
bool cli_ask_confirm(const struct cli *cli, const char *what);
