/* playbooks/files/berth-host.sh, without a machine: what it says of a configuration that means nothing, and
 * what its packet filter begins with. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "local_remote.h"
#include "support/folder.h"

enum { DEADLINE_MS = 60000 };

struct script {
    struct remote_command command;
    bool is_done;
    char *out; /* owned */
    char *err; /* owned */
};

static void
script_fini(struct script *script)
{
    mem_free(script->out);
    mem_free(script->err);
}

static void
on_done(struct remote_command *command, const struct fault *fault)
{
    struct script *script = CONTAINER_OF(command, struct script, command);

    assert_null(fault);
    script->is_done = true;
    script->out = mem_strdup(buf_text(&command->out));
    script->err = mem_strdup(buf_text(&command->err));
}

static bool
is_done(void *cookie)
{
    return ((const struct script *)cookie)->is_done;
}

/* The script with @line for a host.conf, called as @call says: "$s" is it. Return: its end; what it says
 * is in @script: script_fini(). */
static int
host(const char *line, const char *call, struct script *script)
{
    char folder[FOLDER_SIZE];
    CLEANUP(mem_freep) char *text = NULL;
    struct loop *loop = loop_new();
    struct local_remote *local = local_remote_new(loop);
    const struct remote *remote = local_remote_get(local);

    folder_make(folder);
    text = mem_printf("s=%s/script\n"
                      "sed 's,/etc/berth/host.conf,%s/conf,g; s,^RUN=.*,RUN=%s/run,' "
                      "%s/playbooks/files/berth-host.sh >\"$s\"\n"
                      "echo \"%s\" >%s/conf\n"
                      "%s\n",
                      folder, folder, folder, BERTH_TEST_SOURCE, line, folder, call);
    *script = (struct script){
        .command = { .script = text,
                     .output_limit = 4096,
                     .timeout_ms = DEADLINE_MS,
                     .done = on_done },
    };
    remote->run(remote->self, &script->command);
    assert_true(loop_run_until(loop, is_done, script, DEADLINE_MS));
    local_remote_free(local);
    loop_free(loop);
    folder_remove(folder);
    return script->command.exit_code;
}

/* What it writes of @line in host.conf. Owned. */
static char *
check(const char *line)
{
    CLEANUP(script_fini) struct script script;

    assert_int_equal(host(line, "sh \"$s\" check", &script), 1);
    return STEAL(script.err);
}

static void
what_means_nothing_is_refused(void **state)
{
    static const struct {
        const char *line;
        const char *words;
    } rows[] = {
        { "SSH_CLOSED='on'", "berth_ssh_closed: on is neither true nor false" },
        { "SSH_CLOSED='TRUE'", "berth_ssh_closed" },
        { "DEADMAN_S='1h'", "berth_deadman_s: 1h is no number of seconds" },
        { "DEADMAN_S=''", "berth_deadman_s" },
        { "DEADMAN_S='-1'", "berth_deadman_s" },
        { "SWAP_BYTES='2G'", "berth_swap_bytes: 2G is neither auto nor a number of bytes" },
        { "HOST_NAME='a b'", "berth_host_name: a b is no name of a machine" },
        { "HOST_NAME='-x'", "berth_host_name" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_freep) char *err = check(rows[i].line);

        if (!strstr(err, rows[i].words))
            fail_msg("%s: %s", rows[i].line, err);
    }
}

static void
what_means_something_is_not(void **state)
{
    static const char *const lines[] = {
        "SSH_CLOSED='True' DEADMAN_S='86400' SWAP_BYTES='auto' HOST_NAME='h-1.pool'",
        "SSH_CLOSED='false' DEADMAN_S='0' SWAP_BYTES='0'",
        "SSH_CLOSED='' HOST_NAME=''",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        CLEANUP(mem_freep) char *err = check(lines[i]);

        /* There is no orchestrator: it has come so far. */
        if (!strstr(err, "berth_orchestrator is empty") && !strstr(err, "systemd"))
            fail_msg("%s: %s", lines[i], err);
    }
}

/* In a network of its own, where somebody has let everything through before. */
static void
nothing_is_let_through_before_our_rules(void **state)
{
    static const char call[] =
        "unshare -n true 2>/dev/null && command -v iptables >/dev/null || exit 77\n"
        "export s; unshare -n sh -euc '\n"
        "iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER\n"
        "iptables -I FORWARD -i docker0 -j ACCEPT; iptables -I INPUT -j ACCEPT\n"
        "sh \"$s\" firewall-load; sh \"$s\" firewall-load\n"
        "for tables in iptables ip6tables; do\n"
        "    for chain in INPUT FORWARD DOCKER-USER; do $tables -S $chain | grep -m 1 ^-A; done\n"
        "    $tables -S FORWARD | grep -c -- \"-j DOCKER-USER\"\n"
        "done'";
    CLEANUP(script_fini) struct script script;
    int code = host("ORCHESTRATOR='10.0.0.0/8 2001:db8::/32'", call, &script);

    (void)state;
    if (code == 77)
        skip();
    assert_string_equal(script.err, "");
    assert_string_equal(script.out, "-A INPUT -j BERTH-INPUT\n-A FORWARD -j DOCKER-USER\n"
                                    "-A DOCKER-USER -j BERTH-FORWARD\n1\n"
                                    "-A INPUT -j BERTH-INPUT\n-A FORWARD -j DOCKER-USER\n"
                                    "-A DOCKER-USER -j BERTH-FORWARD\n1\n");
    assert_int_equal(code, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_nothing_is_refused),
        cmocka_unit_test(what_means_something_is_not),
        cmocka_unit_test(nothing_is_let_through_before_our_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
