#pragma once

/*
 * Log lines to stderr: with journald priorities under systemd, else in logfmt.
 */

#include "berth/daemon/config.h"

/** log_sink_setup() - from the configuration's level and format. */
void log_sink_setup(const struct config_log *config);
