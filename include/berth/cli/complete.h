#pragma once

/*
 * Completion: the shells' scripts hand the words to `berth __complete`, which
 * answers from the table of commands.
 */

#include "berth/base/buf.h"
#include "berth/cli/table.h"

/** cli_complete_script() - for "bash", "zsh" or "fish"; NULL for another. Static. */
const char *cli_complete_script(const char *shell);

/**
 * cli_complete_words() - what the last of @words may become
 * @words: [count] after the program's name, count > 0; the last may be empty
 * @out:   gets a line for each candidate: the word, a tab, what it means
 *
 * Return: what else to offer: CLI_WORDS_NONE, CLI_WORDS_FILE, or what the daemon or the contexts
 * know; @ret_prefix, "--flag=" of the last word when its value is meant, stands before them.
 */
enum cli_words cli_complete_words(const char *const *words, size_t count, struct buf *out,
                                  const char **ret_prefix);
