/* SSH before a real OpenSSH server: whom we talk to. */

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire.h"

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
        { false, "KexAlgorithms diffie-hellman-group-exchange-sha256",
          "no key exchange in common" },
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

/* The loop is busy while a part of the try runs out of time, and then the whole is cancelled. */
static void
a_late_try_is_cancelled(void **state)
{
    struct sshd nowhere = { 0 };
    struct wire wire = { .connect = { .retry_for_ms = PATIENCE_MS, .part_limit_ms = 300 } };
    struct ssh_peer peer;
    int sock = port_take(&nowhere.port, true);

    (void)state;
    peer = peer_of(&nowhere);
    wire_begin(&wire, &peer);
    while (wire.connect.tries == 0)
        (void)loop_run_until(loop, wire_is_connected, &wire, 1);
    (void)poll(NULL, 0, 400);
    ssh_connect_cancel(wire.ssh);
    assert_true(loop_run_until(loop, wire_is_connected, &wire, PATIENCE_MS));
    fault_expect(&wire, FAULT_CANCELLED, "");
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
        cmocka_unit_test(a_late_try_is_cancelled),
        cmocka_unit_test(a_name_is_no_address),
    };

    return cmocka_run_group_tests(tests, wire_group_begin, wire_group_end);
}
