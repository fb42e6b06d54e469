#include "wire_row_ssh.h"

#include <string.h>

enum { WIRE_SSH_PORT = 22 };

static int64_t
wire_row_number(const char *digits)
{
    int64_t value = 0;

    for (; *digits >= '0' && *digits <= '9' && value < UINT16_MAX; digits++)
        value = value * 10 + (*digits - '0');
    return value;
}

/* An address of IPv6 has more colons, and with a port brackets. */
void
wire_row_ssh(struct json_out *out, const struct machine *machine)
{
    const char *ssh = machine->ssh ? machine->ssh : machine->user;
    const char *at = ssh ? strchrnul(ssh, '@') : NULL;
    const char *colon = at ? strrchr(at, ':') : NULL; /* of the port */
    int64_t port = WIRE_SSH_PORT;

    if (!at) {
        json_out_null(out);
        return;
    }
    if (colon && (colon == strchr(at, ':') || colon[-1] == ']'))
        port = wire_row_number(colon + 1);
    json_out_object(out);
    json_out_key(out, "user");
    json_out_string_n(out, ssh, (size_t)(at - ssh));
    json_out_kv_int(out, "port", port);
    json_out_kv_string(out, "host_key", machine->host_key);
    json_out_object_end(out);
}
