#pragma once

#include "berth/base/json.h"
#include "berth/domain/machine.h"

/** wire_row_ssh() - {"user","port","host_key"}: how @machine is logged in to, by its `ssh`
 * ("user@address", "user@address:port") or its `user`; null: not known. */
void wire_row_ssh(struct json_out *out, const struct machine *machine);
