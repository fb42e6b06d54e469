/* berth inventory: the hosts as Ansible's dynamic inventory. */

#include <string.h>

#include "berth/cli/output.h"

#include "cmd.h"

/*
 * What Ansible asks of an inventory script: --list gives all groups and, in _meta.hostvars, the
 * variables of all hosts, so that it need not ask with --host for each (docs.ansible.com, "Developing
 * dynamic inventory").
 */

/* A name for Ansible: groups may have letters, digits and '_'; @prefix keeps them apart. Owned. */
static char *
cmd_inventory_group(const char *prefix, const char *text)
{
    char *name = mem_printf("%s_%s", prefix, text);

    for (char *at = name; *at; at++) {
        bool fits =
            (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');

        if (!fits)
            *at = '_';
    }
    return name;
}

/* @name: of a host, joins @group, which is taken. */
static void
cmd_inventory_join(json_t *inventory, const char *name, char *group)
{
    if (!json_object_get(inventory, group))
        json_object_set_new(inventory, group, json_pack("{s:[]}", "hosts"));
    json_array_append_new(json_object_get(json_object_get(inventory, group), "hosts"),
                          json_string(name));
    mem_free(group);
}

static void
cmd_inventory_var(json_t *vars, const char *key, const json_t *value)
{
    if (value && !json_is_null(value))
        json_object_set(vars, key, mem_unconst(value));
}

/* How it is reached, as ssh(1)'s known_hosts has it when its key is known. */
static void
cmd_inventory_ssh(const struct cli *cli, const json_t *host, json_t *vars)
{
    const json_t *ssh = json_object_get(host, "ssh");
    const char *address = json_in_string(host, "address", NULL);
    const char *key = json_in_string(ssh, "host_key", NULL);
    const char *user = cli_args_text(&cli->args, "user");
    int64_t port = json_in_int(ssh, "port", 22);

    if (strcmp(json_in_string(host, "provider", ""), "local") == 0) {
        json_object_set_new(vars, "ansible_connection", json_string("local"));
        return;
    }
    cmd_inventory_var(vars, "ansible_host", json_object_get(host, "address"));
    cmd_inventory_var(vars, "ansible_user", json_object_get(ssh, "user"));
    if (user)
        json_object_set_new(vars, "ansible_user", json_string(user));
    cmd_inventory_var(vars, "ansible_port", json_object_get(ssh, "port"));
    if (key && address) {
        json_object_set_new(vars, "berth_known_hosts",
                            port == 22
                                ? json_sprintf("%s %s", address, key)
                                : json_sprintf("[%s]:%lld %s", address, (long long)port, key));
    }
}

static json_t *
cmd_inventory_vars(const struct cli *cli, const json_t *host)
{
    static const char *const members[][2] = {
        { "berth_id", "id" },
        { "berth_pool", "pool" },
        { "berth_provider", "provider" },
        { "berth_state", "state" },
        { "berth_waiting_for", "waiting_for" },
        { "berth_machine_id", "machine_id" },
        { "berth_machine_type", "machine_type" },
        { "berth_zone", "zone" },
        { "berth_labels", "labels" },
        { "berth_instances", "instances" },
        { "berth_capacity", "capacity" },
    };
    json_t *vars = json_object();

    cmd_inventory_ssh(cli, host, vars);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        cmd_inventory_var(vars, members[i][0], json_object_get(host, members[i][1]));
    return vars;
}

/* Names are unique in a pool only: those that are taken get their pool's behind. Owned. */
static char *
cmd_inventory_name(json_t *hostvars, const json_t *host)
{
    const char *name = json_in_string(host, "name", "?");

    if (!json_object_get(hostvars, name))
        return mem_strdup(name);
    return mem_printf("%s.%s", name, json_in_string(host, "pool", "?"));
}

static void
cmd_inventory_add(const struct cli *cli, json_t *inventory, const json_t *host)
{
    json_t *hostvars = json_object_get(json_object_get(inventory, "_meta"), "hostvars");
    CLEANUP(mem_freep) char *name = cmd_inventory_name(hostvars, host);
    const char *pool = json_in_string(host, "pool", "");
    const char *state = json_in_string(host, "state", "");
    const char *type = json_in_string(host, "machine_type", NULL);
    const char *key;
    json_t *value;

    json_object_set_new(hostvars, name, cmd_inventory_vars(cli, host));
    json_array_append_new(json_object_get(json_object_get(inventory, "berth"), "hosts"),
                          json_string(name));
    cmd_inventory_join(inventory, name, cmd_inventory_group("pool", pool));
    cmd_inventory_join(inventory, name, cmd_inventory_group("state", state));
    if (type)
        cmd_inventory_join(inventory, name, cmd_inventory_group("type", type));
    json_object_foreach(json_object_get(host, "labels"), key, value)
    {
        CLEANUP(mem_freep) char *label = mem_printf("%s_%s", key, json_string_value(value));

        cmd_inventory_join(inventory, name, cmd_inventory_group("label", label));
    }
}

/* A host without an address has nothing that could be reached yet. */
static json_t *
cmd_inventory_all(const struct cli *cli, const json_t *hosts)
{
    json_t *inventory = json_pack("{s:{s:{}},s:{s:[]}}", "_meta", "hostvars", "berth", "hosts");
    const json_t *host;
    size_t i;

    json_array_foreach(hosts, i, host)
    {
        if (json_in_string(host, "address", NULL))
            cmd_inventory_add(cli, inventory, host);
    }
    return inventory;
}

/* A pool without hosts and one that is not there look the same in a list. */
static int
cmd_inventory_pool_check(struct cli *cli, const char *pool)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", pool, NULL);
    CLEANUP(json_freep) json_t *found = NULL;

    return cli_ask_json(cli, path, &found);
}

int
cmd_inventory_inventory(struct cli *cli)
{
    const char *wanted = cli_args_text(&cli->args, "host");
    const char *pool = cli_args_text(&cli->args, "pool");
    CLEANUP(json_freep) json_t *hosts = NULL;
    CLEANUP(json_freep) json_t *inventory = NULL;
    const json_t *vars;
    struct buf path;
    int code;

    buf_init(&path, 512);
    buf_append_string(&path, "/v1/hosts?state=live");
    cli_ask_query(&path, "pool", pool);
    code = cli_ask_list(cli, buf_text(&path), 0, &hosts);
    buf_fini(&path);
    if (code == EXIT_OK && pool && json_array_size(hosts) == 0)
        code = cmd_inventory_pool_check(cli, pool);
    if (code != EXIT_OK)
        return code;
    inventory = cmd_inventory_all(cli, hosts);
    if (!wanted)
        return cli_output_json(cli, inventory);
    vars =
        json_object_get(json_object_get(json_object_get(inventory, "_meta"), "hostvars"), wanted);
    if (!vars) {
        cli_term_note("there is no host %s with an address", wanted);
        return EXIT_NOT_FOUND;
    }
    return cli_output_json(cli, vars);
}
