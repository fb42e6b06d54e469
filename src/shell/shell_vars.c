/* What a playbook is given beside its own variables. */

#include "shell_vars.h"

#include <string.h>

/* A day: longer than any restart or repair of berthd. */
#define SHELL_DEADMAN_S "86400"

const char *const shell_vars_fresh[SHELL_VARS_FRESH] = { "berth_server_cert", "berth_server_key" };

static int
shell_vars_certificate(const struct shell *shell, const struct shell_vars_for *machine,
                       struct shell_vars *vars, struct fault *fault)
{
    const struct clock_port *clock = loop_clock(shell->loop);
    const struct pki_pair *authority = &machine->pool->vault->authority;
    CLEANUP(mem_freep)
    char *dns = mem_printf("%s.%s.berth", machine->host->name, machine->pool->name);
    const struct pki_order order = {
        .role = PKI_SERVER,
        .name = machine->host->name,
        .address = machine->address,
        .dns = dns,
        .now_ms = clock->now_ms(clock->self),
        .lifetime_ms = machine->pool->config.certificate_lifetime_ms,
    };

    if (pki_issue(authority, &order, loop_random(shell->loop), &vars->server, fault) < 0)
        return -1;
    return pki_check(&vars->server, authority->certificate, &vars->certificate_ends_at_ms, fault);
}

static void
shell_vars_put(struct shell_vars *vars, const char *name, const char *value)
{
    (void)json_object_set_new(vars->json, name, json_string(value));
}

static void
shell_vars_orchestrator(const struct shell_vars_for *machine, struct shell_vars *vars)
{
    const struct schema_strings *nets = &machine->pool->config.orchestrator;
    struct buf text;

    buf_init(&text, 0);
    for (size_t i = 0; i < nets->count; i++)
        buf_printf(&text, "%s%s", i > 0 ? " " : "", nets->at[i]);
    shell_vars_put(vars, "berth_orchestrator",
                   nets->count > 0 ? buf_text(&text) : machine->seen_from);
    buf_fini(&text);
}

int
shell_vars_make(const struct shell *shell, const struct shell_vars_for *machine,
                struct shell_vars *ret_vars, struct fault *fault)
{
    const struct schema_map *own = &machine->pool->config.playbook_vars;
    char line[KEY_LINE_SIZE];

    *ret_vars = (struct shell_vars){ .json = json_object() };
    if (shell_vars_certificate(shell, machine, ret_vars, fault) < 0)
        return -1;
    ret_vars->secrets[ret_vars->secret_count++] = secret_bytes(ret_vars->server.key);
    shell_vars_put(ret_vars, "berth_ca", machine->pool->vault->authority.certificate);
    shell_vars_put(ret_vars, "berth_server_cert", ret_vars->server.certificate);
    shell_vars_put(ret_vars, "berth_server_key", secret_bytes(ret_vars->server.key));
    shell_vars_put(ret_vars, "berth_host_name", machine->host->name);
    shell_vars_orchestrator(machine, ret_vars);
    if (host_is_rented(machine->host))
        shell_vars_put(ret_vars, "berth_deadman_s", SHELL_DEADMAN_S);
    if (machine->key) {
        ret_vars->host_key = key_private_text(machine->key, "");
        ret_vars->secrets[ret_vars->secret_count++] = secret_bytes(ret_vars->host_key);
        shell_vars_put(ret_vars, "berth_ssh_host_key", secret_bytes(ret_vars->host_key));
        (void)key_public_line(key_public(machine->key), "", line);
        line[strlen(line) + 1] = '\0';
        line[strlen(line)] = '\n';
        shell_vars_put(ret_vars, "berth_ssh_host_key_public", line);
    }
    for (size_t i = 0; i < own->count; i++)
        shell_vars_put(ret_vars, own->at[i].key, own->at[i].value);
    return 0;
}

void
shell_vars_fini(struct shell_vars *vars)
{
    json_decref(vars->json);
    pki_pair_fini(&vars->server);
    secret_free(vars->host_key);
    *vars = (struct shell_vars){ 0 };
}
