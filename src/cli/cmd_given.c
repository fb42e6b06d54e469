/* berth host add --ssh, berth pool ssh-key */

#include "cmd_given.h"

#include <stdlib.h>
#include <string.h>

#include "berth/cli/file.h"
#include "berth/cli/known_hosts.h"
#include "berth/cli/output.h"

static bool
cmd_given_look_in(const char *file, const struct given *given, char **ret_key)
{
    struct buf text;
    struct fault fault;
    bool found;

    if (cli_file_read(file, &text, &fault) < 0)
        return false;
    found = cli_known_hosts_find(buf_text(&text), given, ret_key);
    buf_fini(&text);
    if (found)
        cli_term_note("the host key is that of %s", file);
    return found;
}

/* Somebody who has logged in there by hand has compared it. */
static bool
cmd_given_known_key(const struct given *given, char **ret_key)
{
    const char *home = getenv("HOME"); /* NOLINT(concurrency-mt-unsafe): we have one thread */
    CLEANUP(mem_freep) char *own = home ? mem_printf("%s/.ssh/known_hosts", home) : NULL;

    return (own && cmd_given_look_in(own, given, ret_key)) ||
           cmd_given_look_in("/etc/ssh/ssh_known_hosts", given, ret_key);
}

static int
cmd_given_unknown(const struct given *given)
{
    cli_term_note(
        "no ed25519 host key of %s is known, and a machine is never trusted on first use.",
        given->address);
    cli_term_note("  what it shows:      ssh-keyscan -t ed25519 -p %d %s", (int)given->port,
                  given->address);
    cli_term_note("  its fingerprint:    the same, with: | ssh-keygen -lf -");
    cli_term_note("  on the machine:     ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    cli_term_note("when both fingerprints are the same: --host-key 'ssh-ed25519 AAAA...'");
    return EXIT_USAGE;
}

int
cmd_given_put(const struct cli *cli, json_t *body)
{
    const char *ssh = cli_args_text(&cli->args, "ssh");
    const char *asked = cli_args_text(&cli->args, "host-key");
    CLEANUP(mem_freep) char *known = NULL;
    struct given given;

    if (!given_parse(ssh, &given)) {
        cli_term_note("--ssh %s", given_check_ssh(ssh));
        return EXIT_USAGE;
    }
    if (asked && given_check_key(asked)) {
        cli_term_note("--host-key %s", given_check_key(asked));
        return EXIT_USAGE;
    }
    if (!asked && !cmd_given_known_key(&given, &known))
        return cmd_given_unknown(&given);
    json_object_set_new(body, "ssh", json_string(ssh));
    json_object_set_new(body, "host_key", json_string(asked ? asked : known));
    return EXIT_OK;
}

int
cmd_given_ssh_key(struct cli *cli)
{
    CLEANUP(json_freep) json_t *answer = NULL;
    int code = cli_ask_json(cli, "/v1/ssh-key", &answer);
    const char *key = json_in_string(answer, "public_key", NULL);
    CLEANUP(mem_freep) char *line = NULL;

    if (code != EXIT_OK)
        return code;
    if (!key) {
        cli_term_note("this daemon prepares no machines");
        return EXIT_NOT_FOUND;
    }
    if (!cli_output_is(cli, "table") && !cli_output_is(cli, "wide"))
        return cli_output_object(cli, "public_key", answer);
    line = mem_printf("%s\n", key);
    return cli_term_write(&cli->term, line, strlen(line), false);
}
