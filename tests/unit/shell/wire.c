#include "wire.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct loop *loop;
struct key *host_key, *other_key, *user_key;

static void
fault_keep(struct wire *wire, const struct fault *fault)
{
    wire->failed = fault != NULL;
    wire->fault = fault ? *fault : (struct fault){ 0 };
}

static void
wire_on_connected(struct ssh_connect *connect, const struct fault *fault)
{
    struct wire *wire = CONTAINER_OF(connect, struct wire, connect);

    wire->connects++;
    fault_keep(wire, fault);
}

static void
bytes_keep(char *to, size_t size, const struct buf *from)
{
    size_t len = from->len < size - 1 ? from->len : size - 1;

    memcpy(to, buf_text(from), len);
    to[len] = '\0';
}

static void
wire_on_done(struct remote_command *command, const struct fault *fault)
{
    struct wire *wire = CONTAINER_OF(command, struct wire, command);

    wire->ends++;
    fault_keep(wire, fault);
    bytes_keep(wire->out, sizeof(wire->out), &command->out);
    bytes_keep(wire->err, sizeof(wire->err), &command->err);
    wire->out_len = command->out.len;
    wire->err_len = command->err.len;
    text_sha256(buf_text(&command->out), command->out.len, wire->out_sha);
}

static void
wire_on_output(struct remote_command *command, bool is_stderr, const char *data, size_t len)
{
    struct wire *wire = CONTAINER_OF(command, struct wire, command);

    for (size_t i = 0; i < len && !is_stderr && wire->live_len < sizeof(wire->live) - 1; i++)
        wire->live[wire->live_len++] = data[i];
    wire->live[wire->live_len] = '\0';
    if (wire->on_live && strchr(wire->live, '\n'))
        wire->on_live(wire);
}

bool
wire_is_connected(void *cookie)
{
    return ((const struct wire *)cookie)->connects > 0;
}

bool
wire_has_ended(void *cookie)
{
    return ((const struct wire *)cookie)->ends > 0;
}

struct ssh_peer
peer_of(const struct sshd *sshd)
{
    struct ssh_peer peer = {
        .address = "127.0.0.1",
        .port = sshd->port,
        .user = sshd_me(),
        .key = user_key,
        .accepted_count = 2,
    };

    peer.accepted[0] = *key_public(other_key);
    peer.accepted[1] = *key_public(host_key);
    return peer;
}

void
wire_begin(struct wire *wire, const struct ssh_peer *peer)
{
    wire->ssh = ssh_new(loop, peer);
    wire->connect.done = wire_on_connected;
    ssh_connect_start(wire->ssh, &wire->connect);
    assert_int_equal(wire->connects, 0);
}

void
wire_connect(struct wire *wire, const struct ssh_peer *peer)
{
    wire_begin(wire, peer);
    assert_true(loop_run_until(loop, wire_is_connected, wire, PATIENCE_MS));
    assert_int_equal(wire->connects, 1);
}

void
wire_up(struct wire *wire, const struct sshd *sshd)
{
    struct ssh_peer peer = peer_of(sshd);

    wire_connect(wire, &peer);
    if (wire->failed)
        fail_msg("not connected: %s", wire->fault.text);
}

void
script_begin(struct wire *wire, const char *script)
{
    const struct remote *remote = ssh_remote(wire->ssh);

    wire->ends = 0;
    wire->live_len = 0;
    wire->command.script = script;
    if (wire->command.timeout_ms == 0)
        wire->command.timeout_ms = PATIENCE_MS;
    if (wire->command.output_limit == 0)
        wire->command.output_limit = KEPT_MAX;
    wire->command.on_output = wire_on_output;
    wire->command.done = wire_on_done;
    remote->run(remote->self, &wire->command);
    assert_int_equal(wire->ends, 0);
}

void
script_run(struct wire *wire, const char *script)
{
    script_begin(wire, script);
    assert_true(loop_run_until(loop, wire_has_ended, wire, PATIENCE_MS + 10000));
    assert_int_equal(wire->ends, 1);
}

int
script_ends(struct wire *wire, const char *script)
{
    script_run(wire, script);
    if (wire->failed)
        fail_msg("it did not end: %s", wire->fault.text);
    return wire->command.exit_code;
}

void
fault_expect(const struct wire *wire, enum fault_kind kind, const char *words)
{
    assert_true(wire->failed);
    if (wire->fault.kind != kind || !strstr(wire->fault.text, words)) {
        fail_msg("%s: \"%s\" instead of \"%s\"", fault_rule(wire->fault.kind)->code,
                 wire->fault.text, words);
    }
}

bool
poll_until(bool (*is_done)(const void *cookie), const void *cookie)
{
    for (int left = PATIENCE_MS / 5; left > 0; left--) {
        if (is_done(cookie))
            return true;
        (void)poll(NULL, 0, 5);
    }
    return is_done(cookie);
}

void
server_start(struct sshd *sshd)
{
    if (!sshd_start(sshd))
        skip();
}

static struct key *
key_make(const char *name)
{
    char text[] = "of a test";
    struct secret *secret = secret_new(text, strlen(text));
    struct key *key = key_derive(secret, &name, 1);

    secret_free(secret);
    return key;
}

int
wire_group_begin(void **state)
{
    (void)state;
    loop = loop_new();
    host_key = key_make("host");
    other_key = key_make("other");
    user_key = key_make("user");
    return 0;
}

int
wire_group_end(void **state)
{
    (void)state;
    key_free(host_key);
    key_free(other_key);
    key_free(user_key);
    loop_free(loop);
    return 0;
}
