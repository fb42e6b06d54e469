#pragma once

/* host add --ssh: machines that Berth prepares itself. */

#include "berth/base/json.h"

#include "cmd.h"

/** cmd_given_put() - "ssh" and "host_key" of --ssh, and of --host-key or the operator's known_hosts, go
 * into @body.  Return: an exit code; what is wrong was told. */
int cmd_given_put(const struct cli *cli, json_t *body);
