/* SSH before a real OpenSSH server: how scripts run there, and how they end. */

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire.h"

static struct sshd shared; /* of the tests that leave it as it was */

static bool
process_is_gone(const void *cookie)
{
    return kill(*(const pid_t *)cookie, 0) < 0 && errno == ESRCH;
}

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
    struct wire wire = { .command.output_limit = (size_t)16 * MIB };

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

/* Our end of every connection to the shared server gets room for a packet only in part. */
static void
sockets_narrow(void)
{
    int size = 1; /* the kernel makes it the least that it allows */
    int count = 0;

    for (int socket = 3; socket < 256; socket++) {
        struct sockaddr_in peer = { 0 };
        socklen_t len = sizeof(peer);

        if (getpeername(socket, (struct sockaddr *)&peer, &len) == 0 &&
            peer.sin_family == AF_INET && ntohs(peer.sin_port) == shared.port) {
            assert_int_equal(setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
            count++;
        }
    }
    assert_int_equal(count, 1);
}

/* libssh2 mixes up the session when something else is sent before the rest of a packet: here that
 * happens all the time, with windows to be adjusted in between. */
static void
packets_go_through_a_narrow_socket(void **state)
{
    enum { LEN = 3 * MIB };
    struct wire wire = { .command.output_limit = LEN + 1 };
    CLEANUP(mem_freep) char *input = mem_new0(LEN);
    uint8_t expected[TEXT_SHA256_SIZE];

    (void)state;
    if (shared.port == 0)
        skip();
    for (size_t i = 0; i < LEN; i++)
        input[i] = (char)(i * 31 >> 3 & 0xff);
    text_sha256(input, LEN, expected);
    wire_up(&wire, &shared);
    sockets_narrow();
    wire.command.input = input;
    wire.command.input_len = LEN;
    assert_int_equal(script_ends(&wire, "tee /dev/stderr"), 0);
    assert_int_equal(wire.out_len, LEN);
    assert_int_equal(wire.err_len, LEN);
    assert_memory_equal(wire.out_sha, expected, sizeof(expected));
    ssh_free(wire.ssh);
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

/* The @index-th number of its first line. */
static pid_t
live_number(const struct wire *wire, int index)
{
    char *end = mem_unconst(wire->live);
    long number = 0;

    for (int i = 0; i <= index; i++)
        number = strtol(end, &end, 10);
    assert_true(number > 1);
    return (pid_t)number;
}

/* Both processes of the script above. */
static void
nobody_runs_expect(const struct wire *wire)
{
    pid_t script = live_number(wire, 0);
    pid_t child = live_number(wire, 1);

    assert_true(poll_until(process_is_gone, &script));
    assert_true(poll_until(process_is_gone, &child));
}

static void
live_kill(struct wire *wire)
{
    assert_int_equal(kill(live_number(wire, 2), SIGKILL), 0);
}

static void
live_stop(struct wire *wire)
{
    assert_int_equal(kill(live_number(wire, 2), SIGSTOP), 0);
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
    nobody_runs_expect(&wire);
    wire.on_live = NULL;
    assert_int_equal(script_ends(&wire, "exit 6"), 6); /* the connection goes on */
    /* Before it began. */
    script_begin(&wire, for_ever);
    live_cancel(&wire);
    assert_true(loop_run_until(loop, wire_has_ended, &wire, PATIENCE_MS));
    fault_expect(&wire, FAULT_CANCELLED, "");
    ssh_free(wire.ssh);
}

/* However slow this machine is: it has begun before its time is over. */
static void
script_times_out(struct wire *wire, const char *script)
{
    wire->command.timeout_ms = 1000;
    do {
        script_run(wire, script);
        fault_expect(wire, FAULT_TIMEOUT, "took too long");
        wire->command.timeout_ms *= 2;
    } while (wire->live_len == 0 && wire->command.timeout_ms < PATIENCE_MS);
    wire->command.timeout_ms = 0; /* the usual again */
}

static void
a_script_that_takes_too_long_ends_there_too(void **state)
{
    struct wire wire = { 0 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_times_out(&wire, for_ever);
    nobody_runs_expect(&wire);
    assert_int_equal(script_ends(&wire, "exit 6"), 6);
    ssh_free(wire.ssh);
}

static void
a_script_whose_connection_goes_ends_too(void **state)
{
    struct wire wire = { 0 };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_begin(&wire, for_ever);
    assert_true(loop_run_until(loop, wire_is_live, &wire, PATIENCE_MS));
    live_cancel(&wire);
    assert_true(loop_run_until(loop, wire_has_ended, &wire, PATIENCE_MS));
    ssh_free(wire.ssh);
    nobody_runs_expect(&wire);
}

/* The nearest sshd above a script. */
#define FIND_SSHD                                                                                  \
    "p=$$; until grep -q '^Name:.sshd$' /proc/$p/status; do\n"                                     \
    "    p=$(sed -n 's/^PPid:.//p' /proc/$p/status)\n"                                             \
    "done\n"

static void
a_killed_server_is_no_success(void **state)
{
    struct wire wire = { .on_live = live_kill };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_run(&wire, FIND_SSHD "sleep 600 & echo $$ $! $p; wait");
    fault_expect(&wire, FAULT_LOST, "the connection broke while a script ran");
    nobody_runs_expect(&wire);
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
    struct wire wire = { .on_live = live_stop };

    (void)state;
    if (shared.port == 0)
        skip();
    wire_up(&wire, &shared);
    script_times_out(&wire, FIND_SSHD "sleep 600 & echo $$ $! $p; wait");
    ssh_free(wire.ssh);
    assert_int_equal(kill(live_number(&wire, 2), SIGCONT), 0);
    nobody_runs_expect(&wire);
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
    wire.command.input_len = 0;
    script_times_out(&wire, for_ever);
    nobody_runs_expect(&wire);
    wire.command.user = "nobody_of_this_name";
    script_run(&wire, "id");
    fault_expect(&wire, FAULT_UNREACHABLE, "unknown user nobody_of_this_name");
    ssh_free(wire.ssh);
}

static int
group_begin(void **state)
{
    (void)wire_group_begin(state);
    shared = (struct sshd)SERVER(NULL);
    if (!sshd_start(&shared))
        shared.port = 0;
    return 0;
}

static int
group_end(void **state)
{
    if (shared.port != 0)
        sshd_stop(&shared);
    return wire_group_end(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_end_with_their_code),
        cmocka_unit_test(a_script_cannot_end_itself),
        cmocka_unit_test(both_streams_are_read_at_once),
        cmocka_unit_test(output_is_cut_at_its_limit),
        cmocka_unit_test(input_arrives_byte_by_byte),
        cmocka_unit_test(packets_go_through_a_narrow_socket),
        cmocka_unit_test(a_cancelled_script_ends_there_too),
        cmocka_unit_test(a_script_that_takes_too_long_ends_there_too),
        cmocka_unit_test(a_script_whose_connection_goes_ends_too),
        cmocka_unit_test(a_killed_server_is_no_success),
        cmocka_unit_test(a_killed_wrapper_is_no_success),
        cmocka_unit_test(a_hanging_server_runs_into_the_deadline),
        cmocka_unit_test(scripts_run_as_another_user),
    };

    return cmocka_run_group_tests(tests, group_begin, group_end);
}
