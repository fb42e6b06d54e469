/* SSH before a real OpenSSH server: many connections at once, on one thread. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire.h"

static void
many_at_once(void **state)
{
    static struct wire wires[MANY];
    struct sshd sshd = SERVER(NULL);
    struct ssh_peer peer;

    (void)state;
    server_start(&sshd);
    peer = peer_of(&sshd);
    for (size_t i = 0; i < MANY; i++) {
        wires[i].connect.part_limit_ms = PATIENCE_MS; /* one machine is all fifty servers */
        wire_begin(&wires[i], &peer);
    }
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
    sshd_stop(&sshd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once),
    };

    return cmocka_run_group_tests(tests, wire_group_begin, wire_group_end);
}
