#include <inttypes.h>
#include <stdio.h>

#include "berth/domain/host.h"

#include "module.h"
#include "shell_job.h"

enum { KEYS_NUMBER_SIZE = 24 };

/* In a place of units that /etc comes before: there it can be masked, and stays so. */
#define KEYS_UNIT   "/usr/local/lib/systemd/system/" SHELL_UNPREPARED
#define KEYS_SCRIPT "/usr/local/lib/berth/unprepared"

/* Its end waits for nothing but the shell: what that sleeps in may outlast it, and where nobody tells
 * systemd of empty control groups, it would wait for the sleep's end. */
static const char shell_unprepared_unit[] =
    "[Unit]\n"
    "Description=Powers this machine off unless it is prepared in time\n"
    "[Service]\n"
    "ExecStart=/bin/sh " KEYS_SCRIPT "\n"
    "Restart=always\n"
    "RestartSec=60\n"
    "KillMode=process\n"
    "[Install]\n"
    "WantedBy=multi-user.target\n";

struct key *
shell_key_derive(const struct shell *shell, const struct host *host, enum shell_key which)
{
    char id[KEYS_NUMBER_SIZE];
    char attempt[KEYS_NUMBER_SIZE];
    const char *const parts[] = {
        which == SHELL_KEY_PLANTED ? "planted host key" : "host key",
        shell->options.cluster_id(shell->options.cookie),
        id,
        attempt,
    };

    (void)snprintf(id, sizeof(id), "%" PRId64, host->id);
    (void)snprintf(attempt, sizeof(attempt), "%" PRId64, host->machine->attempt);
    return key_derive(vault_secret(shell->vault), parts, ARRAY_LEN(parts));
}

static void
shell_user_data_host_key(const struct key *key, struct json_out *out)
{
    CLEANUP(secret_freep) struct secret *private = key_private_text(key, "");
    char line[KEY_LINE_SIZE];

    json_out_key(out, "ssh_keys");
    json_out_object(out);
    json_out_key(out, "ed25519_private");
    json_out_string_n(out, secret_bytes(private), secret_len(private));
    json_out_kv_string(out, "ed25519_public", key_public_line(key_public(key), "", line));
    json_out_object_end(out);
}

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): where, and what */
shell_user_data_file(struct json_out *out, const char *path, const char *content)
{
    json_out_object(out);
    json_out_kv_string(out, "path", path);
    json_out_kv_string(out, "content", content);
    json_out_object_end(out);
}

/* A machine that nobody prepares ends itself, also if it reboots meanwhile: a lasting unit, not a timer
 * in memory. */
static void
shell_user_data_deadman(struct json_out *out)
{
    json_out_key(out, "write_files");
    json_out_array(out);
    shell_user_data_file(out, KEYS_UNIT, shell_unprepared_unit);
    shell_user_data_file(out, KEYS_SCRIPT, module_script_find("unprepared"));
    json_out_array_end(out);
    json_out_key(out, "runcmd");
    json_out_array(out);
    json_out_string(out, "systemctl enable --now " SHELL_UNPREPARED);
    json_out_array_end(out);
}

struct secret *
shell_user_data(const struct shell *shell, const struct host *host)
{
    CLEANUP(key_freep) struct key *planted = shell_key_derive(shell, host, SHELL_KEY_PLANTED);
    enum { TEXT_MAX = 16384 /* what EC2 takes, before base64 */ };
    char line[KEY_LINE_SIZE];
    struct secret *text;
    struct json_out out;
    struct buf buf;

    buf_init_secret(&buf, TEXT_MAX);
    /* JSON is YAML, too. */
    buf_append_string(&buf, "#cloud-config\n");
    json_out_init(&out, &buf);
    json_out_object(&out);
    shell_user_data_host_key(planted, &out);
    json_out_key(&out, "ssh_authorized_keys");
    json_out_array(&out);
    json_out_string(&out, key_public_line(key_public(shell->user_key), "berthd", line));
    json_out_array_end(&out);
    shell_user_data_deadman(&out);
    json_out_object_end(&out);
    buf_append_char(&buf, '\n');
    text = secret_new(buf.data, buf.len);
    buf_fini(&buf);
    return text;
}
