/* What playbooks/files/berth-host.sh says of a configuration that means nothing. */

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
    char *err; /* owned */
};

static void
on_done(struct remote_command *command, const struct fault *fault)
{
    struct script *script = CONTAINER_OF(command, struct script, command);

    assert_null(fault);
    script->is_done = true;
    script->err = mem_strdup(buf_text(&command->err));
}

static bool
is_done(void *cookie)
{
    return ((const struct script *)cookie)->is_done;
}

/* What it writes of @line in host.conf. Owned. */
static char *
check(const char *line)
{
    char folder[FOLDER_SIZE];
    CLEANUP(mem_freep) char *text = NULL;
    struct script script = { .command = { .output_limit = 4096, .timeout_ms = DEADLINE_MS } };
    struct loop *loop = loop_new();
    struct local_remote *local = local_remote_new(loop);
    const struct remote *remote = local_remote_get(local);

    folder_make(folder);
    text = mem_printf("sed 's,/etc/berth/host.conf,%s/conf,g' %s/playbooks/files/berth-host.sh "
                      ">%s/script\n"
                      "echo \"%s\" >%s/conf\n"
                      "sh %s/script check\n",
                      folder, BERTH_TEST_SOURCE, folder, line, folder, folder);
    script.command.script = text;
    script.command.done = on_done;
    remote->run(remote->self, &script.command);
    assert_true(loop_run_until(loop, is_done, &script, DEADLINE_MS));
    local_remote_free(local);
    loop_free(loop);
    folder_remove(folder);
    return script.err;
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_nothing_is_refused),
        cmocka_unit_test(what_means_something_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
