#pragma once

#include "berth/shell/shell.h"

#include "playbook.h"

/** shell_config_playbook() - the path of the playbook that @config names; owned. */
char *shell_config_playbook(const struct shell_config *config) MUST_USE;

/** shell_config_load() - that playbook, read and found fit.
 * Return: 0, or -1 with FAULT_INVALID or FAULT_NOT_FOUND. */
int shell_config_load(const struct shell_config *config, struct playbook **ret_playbook,
                      struct fault *fault);
