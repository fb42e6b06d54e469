/* SSH before a machine that means harm: it must cost little, end in time, and leave the loop to others. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "foe.h"
#include "wire.h"

enum { IGNORE = 2, CHANNEL_SUCCESS = 99, ENOUGH = FOE_SENT_MAX / 2, BITE = 16384 };

static struct ssh_peer
peer_at(const struct foe *foe)
{
    const struct sshd sshd = { .port = foe->port };

    return peer_of(&sshd);
}

/* What it takes to hold the loop: more than is ever read at once. */
static void
send_without_end(struct foe_line *line, uint8_t message)
{
    uint8_t payload[BITE] = { message };

    while (foe_send(line, payload, sizeof(payload))) {
    }
}

static void
connect_to(void (*play)(struct foe_line *line), const char *words)
{
    struct foe foe = { .host_key = host_key, .play = play };
    struct wire wire = { .connect.retry_for_ms = 0 };
    struct ssh_peer peer;

    foe_start(&foe);
    peer = peer_at(&foe);
    wire_connect(&wire, &peer);
    fault_expect(&wire, FAULT_UNREACHABLE, words);
    assert_true(*foe.sent < ENOUGH);
    ssh_free(wire.ssh);
    foe_stop(&foe);
}

static void
play_lines(struct foe_line *line)
{
    static const char text[] = "Welcome! This is no banner.\r\nNor is this.\r\n";

    while (foe_say(line, text, sizeof(text) - 1)) {
    }
}

static void
play_packets_in_clear(struct foe_line *line)
{
    if (foe_greet(line))
        send_without_end(line, IGNORE);
}

static void
play_packets_at_login(struct foe_line *line)
{
    if (foe_greet(line) && foe_shake(line))
        send_without_end(line, IGNORE);
}

static void
who_talks_without_end_is_not_heard_out(void **state)
{
    (void)state;
    connect_to(play_lines, "more than 256 KiB before the login");
    connect_to(play_packets_in_clear, "more than 256 KiB before the login");
    connect_to(play_packets_at_login, "more than 256 KiB before the login");
}

/* --- While a script runs ---------------------------------------------------------------------------- */

static bool
begin(struct foe_line *line)
{
    char token[FOE_TOKEN_LEN + 1];
    char mark[FOE_TOKEN_LEN + 8];
    int len;

    if (!foe_greet(line) || !foe_shake(line) || !foe_let_in(line, token))
        return false;
    len = snprintf(mark, sizeof(mark), "\036%s+\n", token);
    return foe_write(line, mark, (size_t)len) && foe_write(line, "hello\n", strlen("hello\n"));
}

static void
play_nothing(struct foe_line *line)
{
    if (begin(line))
        send_without_end(line, IGNORE);
}

static void
play_answers(struct foe_line *line)
{
    if (begin(line))
        send_without_end(line, CHANNEL_SUCCESS);
}

static void
play_output(struct foe_line *line)
{
    static const char data[BITE];
    bool more = begin(line);

    while (more)
        more = foe_write(line, data, sizeof(data));
}

static void
run_on(void (*play)(struct foe_line *line), int64_t timeout_ms, const struct fault *end)
{
    struct foe foe = { .host_key = host_key, .play = play };
    struct wire wire = { .command.timeout_ms = timeout_ms };
    struct ssh_peer peer;

    foe_start(&foe);
    peer = peer_at(&foe);
    wire_connect(&wire, &peer);
    if (wire.failed)
        fail_msg("%s", wire.fault.text);
    script_run(&wire, "true");
    fault_expect(&wire, end->kind, end->text);
    assert_int_equal(strncmp(wire.out, "hello\n", 6), 0);
    assert_true(wire.out_len <= KEPT_MAX && *foe.sent < FOE_SENT_MAX);
    ssh_free(wire.ssh);
    foe_stop(&foe);
}

static void
a_flood_leaves_the_loop_to_others(void **state)
{
    static const struct fault end = { .kind = FAULT_TIMEOUT, .text = "took too long" };

    (void)state;
    run_on(play_nothing, 500, &end);
    run_on(play_output, 500, &end);
}

static void
what_nobody_asked_for_is_not_kept(void **state)
{
    static const struct fault end = { .kind = FAULT_LOST, .text = "the connection broke" };

    (void)state;
    run_on(play_answers, PATIENCE_MS, &end);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_talks_without_end_is_not_heard_out),
        cmocka_unit_test(a_flood_leaves_the_loop_to_others),
        cmocka_unit_test(what_nobody_asked_for_is_not_kept),
    };

    return cmocka_run_group_tests(tests, wire_group_begin, wire_group_end);
}
