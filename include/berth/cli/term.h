#pragma once

/*
 * The terminal, if there is one: how wide, which colours, and a line of
 * progress on stderr.
 */

#include <stdbool.h>

#include "berth/base/buf.h"

struct cli_term {
    bool in;       /* stdin is a terminal */
    bool out;      /* stdout is one */
    bool progress; /* stderr is one that can move its cursor */
    bool colour;
    size_t width; /* of stdout in columns; 0: no terminal, no limit */
};

/** cli_term_init() - look. NO_COLOR and TERM=dumb are respected, COLUMNS where the terminal itself
 * does not tell its width. */
void cli_term_init(struct cli_term *ret_term);

/** cli_term_write() - @text to stdout; control characters do not reach a terminal but as we mean
 * them (@trusted). Return: an exit code; a closed pipe is fine. */
int cli_term_write(const struct cli_term *term, const char *text, size_t len, bool trusted);

/** cli_term_progress() - replace the line of progress; without a terminal nothing. */
void cli_term_progress(const struct cli_term *term, const char *format, ...) PRINTF_LIKE(2, 3);
/** cli_term_progress_end() - take it away. */
void cli_term_progress_end(const struct cli_term *term);

/** cli_term_note() - a line for people on stderr: "berth: ..." */
void cli_term_note(const char *format, ...) PRINTF_LIKE(1, 2);
