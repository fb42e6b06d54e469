#pragma once

/*
 * Log lines: a level, a short static topic and a text.  Where they go is the
 * sink's business (the daemon writes them to stderr); without a sink they are
 * dropped.  One line per call: control characters become spaces.
 */

#include "berth/base/mem.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_line {
    enum log_level level;
    const char *topic;
    const char *text;
};

/* @line: borrowed. May be called from any thread. */
typedef void (*log_sink_fn)(const struct log_line *line);

/** log_setup() - once, before threads start; @sink NULL drops all. */
void log_setup(enum log_level most, log_sink_fn sink);
/** log_level_set() - change the level at run time. */
void log_level_set(enum log_level most);

void log_write(enum log_level level, const char *topic, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/** log_level_from_string() - "error", "warn", "info", "debug"; -1 otherwise. */
int log_level_from_string(const char *text);
