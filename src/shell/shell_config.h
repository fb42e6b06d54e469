#pragma once

#include "berth/shell/shell.h"

#include "playbook.h"

/* Tasks that have it are done again, alone, when a certificate nears its end. */
#define SHELL_RENEWAL_TAG "certificates"

/** shell_config_load() - that playbook, read and found fit.
 * Return: 0, or -1 with FAULT_INVALID or FAULT_NOT_FOUND. */
int shell_config_load(const struct shell_config *config, struct playbook **ret_playbook,
                      struct fault *fault);
