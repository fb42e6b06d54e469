#pragma once

#include "berth/base/json.h"
#include "berth/domain/machine.h"

/** wire_row_ssh() - {"user","port","host_key"}: how @machine, whose `ssh` is "user@address" or
 * "user@address:port", is logged in to; null: not known. */
void wire_row_ssh(struct json_out *out, const struct machine *machine);
