/* SSH before a real OpenSSH server: whom we talk to, and how scripts run there and end. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/text.h"
#include "berth/loop/loop.h"

#include "../../../src/shell/ssh.h"
#include "sshd.h"

enum { PATIENCE_MS = 30000, MANY = 50, MIB = 1 << 20 };

static struct loop *loop;
static struct key *host_key, *other_key, *user_key;

/* A connection and what it runs. */
struct wire {
    struct ssh *ssh;
    struct ssh_connect connect;
    struct remote_command command;
    int connects, ends;
    bool failed;
    struct fault fault;
    char out[4096]; /* the first of each, with NUL */
    char err[4096];
    size_t out_len, err_len;
    char live[256]; /* what on_output was given of stdout */
    size_t live_len;
    uint8_t out_sha[TEXT_SHA256_SIZE];
    void (*on_live)(struct wire *wire);
};

/* --- Help ----------------------------------------------------------------------------------------- */

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

static bool
wire_is_connected(void *cookie)
{
    return ((const struct wire *)cookie)->connects > 0;
}

static bool
wire_has_ended(void *cookie)
{
    return ((const struct wire *)cookie)->ends > 0;
}

static struct ssh_peer
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

static void
wire_begin(struct wire *wire, const struct ssh_peer *peer)
{
    wire->ssh = ssh_new(loop, peer);
    wire->connect.done = wire_on_connected;
    ssh_connect_start(wire->ssh, &wire->connect);
    assert_int_equal(wire->connects, 0);
}

static void
wire_connect(struct wire *wire, const struct ssh_peer *peer)
{
    wire_begin(wire, peer);
    assert_true(loop_run_until(loop, wire_is_connected, wire, PATIENCE_MS));
    assert_int_equal(wire->connects, 1);
}

static void
wire_up(struct wire *wire, const struct sshd *sshd)
{
    struct ssh_peer peer = peer_of(sshd);

    wire_connect(wire, &peer);
    if (wire->failed)
        fail_msg("not connected: %s", wire->fault.text);
}

static void
script_begin(struct wire *wire, const char *script)
{
    const struct remote *remote = ssh_remote(wire->ssh);

    wire->ends = 0;
    wire->live_len = 0;
    wire->command.script = script;
    if (wire->command.timeout_ms == 0)
        wire->command.timeout_ms = PATIENCE_MS;
    if (wire->command.output_limit == 0)
        wire->command.output_limit = 64 * 1024;
    wire->command.on_output = wire_on_output;
    wire->command.done = wire_on_done;
    remote->run(remote->self, &wire->command);
    assert_int_equal(wire->ends, 0);
}

static void
script_run(struct wire *wire, const char *script)
{
    script_begin(wire, script);
    assert_true(loop_run_until(loop, wire_has_ended, wire, PATIENCE_MS + 10000));
    assert_int_equal(wire->ends, 1);
}

/* Return: its exit code. */
static int
script_ends(struct wire *wire, const char *script)
{
    script_run(wire, script);
    if (wire->failed)
        fail_msg("it did not end: %s", wire->fault.text);
    return wire->command.exit_code;
}

static void
fault_expect(const struct wire *wire, enum fault_kind kind, const char *words)
{
    assert_true(wire->failed);
    if (wire->fault.kind != kind || !strstr(wire->fault.text, words))
        fail_msg("%s: \"%s\" instead of \"%s\"", fault_rule(wire->fault.kind)->code,
                 wire->fault.text, words);
}

/* What does not happen on the loop. */
static bool
poll_until(bool (*is_done)(const void *cookie), const void *cookie)
{
    for (int left = PATIENCE_MS / 5; left > 0; left--) {
        if (is_done(cookie))
            return true;
        (void)poll(NULL, 0, 5);
    }
    return is_done(cookie);
}

static bool
process_is_gone(const void *cookie)
{
    return kill(*(const pid_t *)cookie, 0) < 0 && errno == ESRCH;
}

/* Every test: a server as asked for, or skipped. */
static void
server_start(struct sshd *sshd)
{
    if (!sshd_start(sshd))
        skip();
}

#define SERVER(...)                                                                                \
    {                                                                                              \
        .host_key = host_key, .user_key = user_key, .options = { __VA_ARGS__ }                     \
    }

/* --- Whom we talk to ------------------------------------------------------------------------------ */

static void
a_known_machine_is_accepted(void **state)
{
    struct sshd sshd = SERVER(NULL);
    struct wire wire = { 0 };

    (void)state;
    server_start(&sshd);
    wire_up(&wire, &sshd);
    assert_int_equal(wire.connect.accepted, 1);
    assert_int_equal(wire.connect.tries, 1);
    assert_int_equal(script_ends(&wire, "echo hello; echo there >&2; id -un; exit 3"), 3);
    assert_int_equal(strncmp(wire.out, "hello\n", 6), 0);
    assert_string_equal(wire.err, "there\n");
    assert_true(sshd_log_has(&sshd, "userauth-request")); /* what the next test looks for */
    ssh_free(wire.ssh);
    sshd_stop(&sshd);
}

/* Not even the user's name, let alone a signature that could be of use to somebody. */
static bool
sshd_has_hung_up(const void *cookie)
{
    return sshd_log_has(cookie, "[preauth]");
}

static void
another_machine_never_hears_who_we_are(void **state)
{
    struct sshd sshd = SERVER(NULL);
    struct wire wire = { .connect.retry_for_ms = PATIENCE_MS };
    struct ssh_peer peer;

    (void)state;
    server_start(&sshd);
    peer = peer_of(&sshd);
    peer.accepted_count = 1;
    wire_connect(&wire, &peer);
    fault_expect(&wire, FAULT_TLS, "another machine answers");
    assert_int_equal(wire.connect.tries, 1);
    assert_true(poll_until(sshd_has_hung_up, &sshd));
    assert_false(sshd_log_has(&sshd, "userauth-request"));
    ssh_free(wire.ssh);
    sshd_stop(&sshd);
}

static void
a_machine_that_does_not_know_our_key_yet_is_tried_again(void **state)
{
    struct sshd sshd = { .host_key = host_key };
    struct wire wire = { .connect.retry_for_ms = 1 };
    struct wire second = { .connect.retry_for_ms = PATIENCE_MS };
    struct ssh_peer peer;

    (void)state;
    server_start(&sshd);
    peer = peer_of(&sshd);
    wire_connect(&wire, &peer);
    fault_expect(&wire, FAULT_TLS, "does not accept our key (SHA256:");
    assert_int_equal(wire.connect.tries, 1);
    ssh_free(wire.ssh);

    wire_begin(&second, &peer);
    while (second.connect.tries < 2 && second.connects == 0)
        (void)loop_run_until(loop, wire_is_connected, &second, 20);
    assert_int_equal(second.connects, 0);
    sshd_authorize(&sshd, user_key);
    assert_true(loop_run_until(loop, wire_is_connected, &second, PATIENCE_MS));
    assert_false(second.failed);
    assert_true(second.connect.tries >= 2);
    ssh_free(second.ssh);
    sshd_stop(&sshd);
}

static void
what_is_not_in_common_is_told(void **state)
{
    static const struct {
        bool rsa;
        const char *option, *words;
    } rows[] = {
        { true, NULL, "no type of host key in common: it has rsa-sha2-512,rsa-sha2-256" },
        { false, "Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com",
          "no cipher in common: it has aes256-gcm@openssh.com" },
        { false, "MACs hmac-sha2-256-etm@openssh.com", "no MAC in common" },
        { false, "KexAlgorithms sntrup761x25519-sha512@openssh.com", "no key exchange in common" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sshd sshd = SERVER(rows[i].option);
        struct wire wire = { .connect.retry_for_ms = PATIENCE_MS };
        struct ssh_peer peer;

        if (rows[i].rsa)
            sshd.host_key = NULL;
        server_start(&sshd);
        peer = peer_of(&sshd);
        wire_connect(&wire, &peer);
        fault_expect(&wire, FAULT_GARBLED, rows[i].words);
        assert_int_equal(wire.connect.tries, 1);
        ssh_free(wire.ssh);
        sshd_stop(&sshd);
    }
}

/* A socket of ours that nobody serves. */
static int
port_take(uint16_t *ret_port, bool listens)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(sock, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(sock, (struct sockaddr *)&address, &len), 0);
    if (listens)
        assert_int_equal(listen(sock, 8), 0);
    *ret_port = ntohs(address.sin_port);
    return sock;
}

static void
a_machine_that_boots_is_tried_again(void **state)
{
    struct sshd nowhere = { 0 };
    struct wire wire = { .connect.retry_for_ms = 1500 };
    struct wire cancelled = { .connect.retry_for_ms = PATIENCE_MS };
    struct ssh_peer peer;
    int sock = port_take(&nowhere.port, false);

    (void)state;
    peer = peer_of(&nowhere);
    wire_connect(&wire, &peer);
    fault_expect(&wire, FAULT_UNREACHABLE, "Connection refused");
    assert_true(wire.connect.tries >= 2);
    ssh_free(wire.ssh);

    wire_begin(&cancelled, &peer);
    ssh_connect_cancel(cancelled.ssh);
    assert_int_equal(cancelled.connects, 0);
    assert_true(loop_run_until(loop, wire_is_connected, &cancelled, PATIENCE_MS));
    fault_expect(&cancelled, FAULT_CANCELLED, "");
    ssh_free(cancelled.ssh);
    close(sock);
}

static void
who_falls_silent_is_given_up(void **state)
{
    struct sshd nowhere = { 0 };
    struct wire wire = { .connect.part_limit_ms = 200 };
    struct ssh_peer peer;
    int sock = port_take(&nowhere.port, true);

    (void)state;
    peer = peer_of(&nowhere);
    wire_connect(&wire, &peer);
    fault_expect(&wire, FAULT_TIMEOUT, "fell silent");
    ssh_free(wire.ssh);
    close(sock);
}

static void
a_name_is_no_address(void **state)
{
    struct sshd nowhere = { .port = 22 };
    struct wire wire = { .connect.retry_for_ms = PATIENCE_MS };
    struct ssh_peer peer = peer_of(&nowhere);

    (void)state;
    peer.address = "localhost";
    wire_connect(&wire, &peer);
    fault_expect(&wire, FAULT_INVALID, "an address in digits is needed");
    ssh_free(wire.ssh);
}

/* --- How scripts end ------------------------------------------------------------------------------ */

static struct sshd shared; /* of the tests that leave it as it was */

static void
scripts_end_with_their_code(void **state)
{
    static const struct {
        const char *script;
        int code;
        const char *out, *err; /* NULL: whatever */
    } rows[] = {
        { "true", 0, "", "" },
        { "", 0, "", "" },
        { "false", 1, "", "" },
        { "exit 255", 255, "", "" },
        { "kill -9 $$", 137, "", NULL },
        { "kill -TERM $$; echo never", 143, "", NULL },
        { "set -e; false; echo never", 1, "", "" },
        { "no_such_program", 127, "", NULL },
        { "echo 'unfinished", 2, "", NULL },
        { "printf 'no newline'; printf err >&2", 0, "no newline", "err" },
        { "printf 'a\\036b\\036'; printf '\\036' >&2", 0, "a\036b\036", "\036" },
        { "echo \"$0\" \"$#\" \"${t-}${s-}${w-}${script-}\"", 0, "/bin/sh 0 \n", "" },
        { "cat", 0, "", "" },
        { "cd /; pwd\n\n# the end\n\n", 0, "/\n", "" },
        { "sleep 600 & echo left", 0, "left\n", "" },
        { "exec 1>&- 2>&-; exit 7", 7, "", "" },
    };
    struct wire wire = { 0 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int code = script_ends(&wire, rows[i].script);

        if (code != rows[i].code)
            fail_msg("%s: ended with %d", rows[i].script, code);
        if (rows[i].out)
            assert_string_equal(wire.out, rows[i].out);
        if (rows[i].err)
            assert_string_equal(wire.err, rows[i].err);
        assert_false(wire.command.truncated);
    }
    ssh_free(wire.ssh);
}

/* The token is nowhere to be found by a script, and what looks like a mark passes as it is. */
static void
a_script_cannot_end_itself(void **state)
{
    static const char script[] =
        "printf '\\036%s 0\\n' 00112233445566778899aabbccddeeff\n"
        "printf '\\036%s+\\n' 00112233445566778899aabbccddeeff\n"
        "for n in $(set | grep -Eo '[0-9a-f]{32}') $(env | grep -Eo '[0-9a-f]{32}') "
        "$(tr '\\0' '\\n' </proc/$$/cmdline | grep -Eo '[0-9a-f]{32}'); do\n"
        "    printf '\\036%s 0\\n' \"$n\"; printf '\\036%s 0\\n' \"$n\" >&2\n"
        "done\n"
        "exit 9";
    struct wire wire = { 0 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    assert_int_equal(script_ends(&wire, script), 9);
    assert_non_null(strstr(wire.out, "\036"
                                     "00112233445566778899aabbccddeeff 0\n\036"
                                     "00112233445566778899aabbccddeeff+\n"));
    ssh_free(wire.ssh);
}

static void
both_streams_are_read_at_once(void **state)
{
    struct wire wire = { .command.output_limit = 16 * MIB };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    assert_int_equal(script_ends(&wire,
                                 "head -c 10485760 /dev/zero >&2 & head -c 10485760 /dev/zero\n"
                                 "wait; exit 4"),
                     4);
    assert_int_equal(wire.out_len, 10 * MIB);
    assert_int_equal(wire.err_len, 10 * MIB);
    assert_false(wire.command.truncated);
    ssh_free(wire.ssh);
}

static void
output_is_cut_at_its_limit(void **state)
{
    struct wire wire = { .command.output_limit = 5 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    assert_int_equal(script_ends(&wire, "echo 12345678; echo 123 >&2"), 0);
    assert_string_equal(wire.out, "12345");
    assert_string_equal(wire.err, "123\n");
    assert_string_equal(wire.live, "12345678\n");
    assert_true(wire.command.truncated);
    ssh_free(wire.ssh);
}

static void
input_arrives_byte_by_byte(void **state)
{
    enum { LEN = 8 * MIB + 7 };
    struct wire wire = { .command.output_limit = LEN + 1 };
    CLEANUP(mem_freep) char *input = mem_new0(LEN);
    uint8_t expected[TEXT_SHA256_SIZE];
    uint32_t seed = 1;

    (void)state;
    if (shared.port == 0)
        skip();
    for (size_t i = 0; i < LEN; i++) {
        seed = seed * 1664525 + 1013904223;
        input[i] = (char)(seed >> 24);
    }
    text_sha256(input, LEN, expected);
    wire_up(&wire, &shared);
    wire.command.input = input;
    wire.command.input_len = LEN;
    assert_int_equal(script_ends(&wire, "cat"), 0);
    assert_int_equal(wire.out_len, LEN);
    assert_memory_equal(wire.out_sha, expected, sizeof(expected));
    /* Who does not want all of it ends all the same. */
    assert_int_equal(script_ends(&wire, "head -c 3 >/dev/null; exit 5"), 5);
    wire.command.input_len = 3;
    assert_int_equal(script_ends(&wire, "wc -c"), 0);
    assert_string_equal(wire.out, "3\n");
    ssh_free(wire.ssh);
}

static void
live_is_a_process(struct wire *wire)
{
    (void)strtol(wire->live, NULL, 10);
}

static bool
wire_is_live(void *cookie)
{
    return strchr(((const struct wire *)cookie)->live, '\n') != NULL;
}

static void
live_cancel(struct wire *wire)
{
    const struct remote *remote = ssh_remote(wire->ssh);

    remote->cancel(remote->self, &wire->command);
    assert_int_equal(wire->ends, 0);
}

static const char *const for_ever = "sleep 600 & echo $$ $!; wait";

/* Both processes of the script above. */
static void
nobody_runs_expect(const char *live)
{
    char *end;
    pid_t script = (pid_t)strtol(live, &end, 10);
    pid_t child = (pid_t)strtol(end, NULL, 10);

    assert_true(script > 1 && child > 1);
    assert_true(poll_until(process_is_gone, &script));
    assert_true(poll_until(process_is_gone, &child));
}

static void
a_cancelled_script_ends_there_too(void **state)
{
    struct wire wire = { .on_live = live_cancel };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_run(&wire, for_ever);
    fault_expect(&wire, FAULT_CANCELLED, "");
    nobody_runs_expect(wire.live);
    wire.on_live = NULL;
    assert_int_equal(script_ends(&wire, "exit 6"), 6); /* the connection goes on */
    /* Before it began. */
    script_begin(&wire, for_ever);
    live_cancel(&wire);
    assert_true(loop_run_until(loop, wire_has_ended, &wire, PATIENCE_MS));
    fault_expect(&wire, FAULT_CANCELLED, "");
    ssh_free(wire.ssh);
}

static void
a_script_that_takes_too_long_ends_there_too(void **state)
{
    struct wire wire = { .command.timeout_ms = 1000 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_run(&wire, for_ever);
    fault_expect(&wire, FAULT_TIMEOUT, "took too long");
    nobody_runs_expect(wire.live);
    wire.command.timeout_ms = PATIENCE_MS;
    assert_int_equal(script_ends(&wire, "exit 6"), 6);
    ssh_free(wire.ssh);
}

static void
a_script_whose_connection_goes_ends_too(void **state)
{
    struct wire wire = { .on_live = live_is_a_process };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_begin(&wire, for_ever);
    assert_true(loop_run_until(loop, wire_is_live, &wire, PATIENCE_MS));
    live_cancel(&wire);
    assert_true(loop_run_until(loop, wire_has_ended, &wire, PATIENCE_MS));
    ssh_free(wire.ssh);
    nobody_runs_expect(wire.live);
}

/* The nearest sshd above a script. */
#define FIND_SSHD                                                                                  \
    "p=$$; until grep -q '^Name:.sshd$' /proc/$p/status; do\n"                                     \
    "    p=$(sed -n 's/^PPid:.//p' /proc/$p/status)\n"                                             \
    "done\n"

static void
a_killed_server_is_no_success(void **state)
{
    struct wire wire = { 0 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_run(&wire, FIND_SSHD "sleep 600 & echo $$ $!; kill -9 $p; wait");
    fault_expect(&wire, FAULT_LOST, "the connection broke while a script ran");
    nobody_runs_expect(wire.live);
    script_run(&wire, "true");
    fault_expect(&wire, FAULT_UNREACHABLE, "no connection any more");
    ssh_free(wire.ssh);
}

static void
a_killed_wrapper_is_no_success(void **state)
{
    struct wire wire = { 0 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_run(&wire, "kill -9 -- -$(ps -o pgid= -p $$ | tr -d ' '); kill -9 0");
    fault_expect(&wire, FAULT_LOST, "the shell around the script ended");
    assert_int_equal(script_ends(&wire, "exit 6"), 6);
    ssh_free(wire.ssh);
}

static void
a_hanging_server_runs_into_the_deadline(void **state)
{
    struct wire wire = { .command.timeout_ms = 1000 };
    pid_t server;

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_run(&wire, FIND_SSHD "echo $p; kill -STOP $p; sleep 600");
    fault_expect(&wire, FAULT_TIMEOUT, "took too long");
    server = (pid_t)strtol(wire.live, NULL, 10);
    ssh_free(wire.ssh);
    if (server > 1)
        kill(server, SIGCONT);
}

static void
many_at_once(void **state)
{
    static struct wire wires[MANY];
    struct ssh_peer peer = peer_of(&shared);

    (void)state;
    if (shared.port == 0)
        skip();
    for (size_t i = 0; i < MANY; i++)
        wire_begin(&wires[i], &peer);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(loop_run_until(loop, wire_is_connected, &wires[i], PATIENCE_MS));
        if (wires[i].failed)
            fail_msg("%zu: %s", i, wires[i].fault.text);
    }
    for (size_t i = 0; i < MANY; i++)
        script_begin(&wires[i], "head -c 100000 /dev/zero; exit 8");
    for (size_t i = 0; i < MANY; i++) {
        assert_true(loop_run_until(loop, wire_has_ended, &wires[i], PATIENCE_MS));
        assert_false(wires[i].failed);
        assert_int_equal(wires[i].command.exit_code, 8);
        ssh_free(wires[i].ssh);
    }
}

/* --- Other users ---------------------------------------------------------------------------------- */

static void
scripts_run_as_another_user(void **state)
{
    struct wire wire = { .command.user = sshd_me() };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    assert_int_equal(script_ends(&wire, "id -un; command -v sudo >/dev/null || exit 0; exit 1"),
                     access("/usr/bin/sudo", X_OK) == 0);
    assert_int_equal(strncmp(wire.out, sshd_me(), strlen(sshd_me())), 0);
    wire.command.user = "root; id";
    script_run(&wire, "id");
    fault_expect(&wire, FAULT_INVALID, "no name of a user");
    if (getuid() != 0 || access("/usr/bin/sudo", X_OK) < 0) {
        ssh_free(wire.ssh);
        print_message("as root and with sudo this would test more\n");
        return;
    }
    wire.command.user = "daemon";
    wire.command.input = "in\0put";
    wire.command.input_len = 6;
    assert_int_equal(script_ends(&wire, "id -un; wc -c; exit 3"), 3);
    assert_string_equal(wire.out, "daemon\n6\n");
    wire.command.timeout_ms = 1000;
    wire.command.input_len = 0;
    script_run(&wire, for_ever);
    fault_expect(&wire, FAULT_TIMEOUT, "took too long");
    nobody_runs_expect(wire.live);
    wire.command.user = "nobody_of_this_name";
    script_run(&wire, "id");
    fault_expect(&wire, FAULT_UNREACHABLE, "unknown user nobody_of_this_name");
    ssh_free(wire.ssh);
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

static int
group_begin(void **state)
{
    (void)state;
    loop = loop_new();
    host_key = key_make("host");
    other_key = key_make("other");
    user_key = key_make("user");
    shared = (struct sshd)SERVER(NULL);
    if (!sshd_start(&shared))
        shared.port = 0;
    return 0;
}

static int
group_end(void **state)
{
    (void)state;
    if (shared.port != 0)
        sshd_stop(&shared);
    key_free(host_key);
    key_free(other_key);
    key_free(user_key);
    loop_free(loop);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_machine_is_accepted),
        cmocka_unit_test(another_machine_never_hears_who_we_are),
        cmocka_unit_test(a_machine_that_does_not_know_our_key_yet_is_tried_again),
        cmocka_unit_test(what_is_not_in_common_is_told),
        cmocka_unit_test(a_machine_that_boots_is_tried_again),
        cmocka_unit_test(who_falls_silent_is_given_up),
        cmocka_unit_test(a_name_is_no_address),
        cmocka_unit_test(scripts_end_with_their_code),
        cmocka_unit_test(a_script_cannot_end_itself),
        cmocka_unit_test(both_streams_are_read_at_once),
        cmocka_unit_test(output_is_cut_at_its_limit),
        cmocka_unit_test(input_arrives_byte_by_byte),
        cmocka_unit_test(a_cancelled_script_ends_there_too),
        cmocka_unit_test(a_script_that_takes_too_long_ends_there_too),
        cmocka_unit_test(a_script_whose_connection_goes_ends_too),
        cmocka_unit_test(a_killed_server_is_no_success),
        cmocka_unit_test(a_killed_wrapper_is_no_success),
        cmocka_unit_test(a_hanging_server_runs_into_the_deadline),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(scripts_run_as_another_user),
    };

    return cmocka_run_group_tests(tests, group_begin, group_end);
}
