/* How a pool's machines are prepared, as a table of fields. */

#include "shell_config.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/shell/shell.h"

#include "playbook.h"
#include "ssh.h"

#define FIELD(member) offsetof(struct shell_config, member)
#define DAY_MS        (INT64_C(86400) * 1000)

enum { CONFIG_VARS_MAX = 64, CONFIG_ORCHESTRATOR_MAX = 32, CONFIG_NET_SIZE = 64 };

static const char *
shell_config_check_user(const char *text)
{
    return ssh_is_user(text)
               ? NULL
               : "must be a user's name: a letter or _, then letters, digits, _ or -, "
                 "lower case";
}

static const char *
shell_config_check_playbook(const char *text)
{
    return text[0] == '/' || (text[0] && !strchr(text, '/'))
               ? NULL
               : "must be an absolute path, or the name of a playbook that comes with Berth";
}

static const char *
shell_config_check_var(const char *text)
{
    static const char *const ours[] = { "berth_ca",           "berth_server_cert",
                                        "berth_server_key",   "berth_orchestrator",
                                        "berth_ssh_host_key", "berth_ssh_host_key_public" };

    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (strcmp(text, ours[i]) == 0)
            return "is given by Berth: leave it out";
    }
    if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
            strlen(text) ||
        (text[0] >= '0' && text[0] <= '9'))
        return "must be a variable's name: letters, digits and _";
    return NULL;
}

static bool
shell_config_is_prefix(const char *text, long most)
{
    char *end;
    long bits = strtol(text, &end, 10);

    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && bits <= most;
}

static const char *
shell_config_check_net(const char *text)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    unsigned char bytes[sizeof(struct in6_addr)];
    char address[CONFIG_NET_SIZE];
    bool four;

    if (len < sizeof(address)) {
        memcpy(address, text, len);
        address[len] = '\0';
        four = inet_pton(AF_INET, address, bytes) == 1;
        if ((four || inet_pton(AF_INET6, address, bytes) == 1) &&
            (!slash || shell_config_is_prefix(slash + 1, four ? 32 : 128)))
            return NULL;
    }
    return "must be an IP address or a network like 10.0.0.0/24";
}

/* clang-format off */
static const struct schema_field shell_config_fields[] = {
    { .name = "ssh_user", .type = SCHEMA_STRING, .offset = FIELD(ssh_user), .min = 1, .max = SSH_USER_MAX,
      .check = shell_config_check_user,
      .doc = "The image's user that may become root by sudo; default admin (Debian; on Ubuntu it is ubuntu)." },
    { .name = "playbook", .type = SCHEMA_STRING, .offset = FIELD(playbook), .min = 1, .max = 4096,
      .check = shell_config_check_playbook,
      .doc = "What makes a machine a host: a path, or the name of one that comes with Berth; default docker-host.yml." },
    { .name = "playbook_vars", .type = SCHEMA_MAP, .offset = FIELD(playbook_vars), .max = CONFIG_VARS_MAX,
      .item_max = 4096, .check = shell_config_check_var,
      .doc = "Variables of the playbook." },
    { .name = "orchestrator", .type = SCHEMA_STRINGS, .offset = FIELD(orchestrator), .max = CONFIG_ORCHESTRATOR_MAX,
      .item_max = CONFIG_NET_SIZE, .check = shell_config_check_net,
      .doc = "Addresses and networks that may reach the hosts; default: the address that a machine sees berthd come from." },
    { .name = "certificate_lifetime_s", .type = SCHEMA_MILLI, .offset = FIELD(certificate_lifetime_ms),
      .min = DAY_MS, .max = 3650 * DAY_MS, .fallback = 90 * DAY_MS,
      .doc = "Seconds for which the certificates of the hosts' engines are good." },
};
/* clang-format on */

const struct schema shell_config_schema = {
    .name = "Preparation",
    .doc = "How machines become hosts.",
    .size = sizeof(struct shell_config),
    .fields = shell_config_fields,
    .field_count = ARRAY_LEN(shell_config_fields),
};

/* Those that come with Berth lie beside an installed program (sbin, share), or in the source tree of
 * one that was built there (build/<preset>).  Owned. */
static char *
shell_config_playbook(const struct shell_config *config)
{
    static const char *const folders[] = { "../share/berth/playbooks", "../../playbooks" };
    const char *name = config->playbook ? config->playbook : "docker-host.yml";
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *path = NULL;

    if (name[0] == '/' || len < 0)
        return mem_strdup(name);
    while (len > 0 && self[len - 1] != '/')
        len--;
    self[len] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        mem_free(path);
        path = mem_printf("%s%s/%s", self, folders[i], name);
        if (access(path, R_OK) == 0)
            return path;
    }
    mem_free(path);
    return mem_printf("/usr/share/berth/playbooks/%s", name);
}

/* Without a certificate its engine would show none of the pool, and never be reached; without a renewal,
 * which is a run of these tasks, no more once it has ended. */
static int
shell_config_judge(const struct playbook *playbook, const char *path, struct fault *fault)
{
    static const struct {
        const char *name;
        bool renewed;
    } needed[] = { { "berth_ca", false },
                   { "berth_server_cert", true },
                   { "berth_server_key", true } };

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (!playbook_uses(playbook, needed[i].name)) {
            return fault_set(fault, FAULT_INVALID, "shell",
                             "%s does not use %s: berthd could not reach its engine", path,
                             needed[i].name);
        }
        if (needed[i].renewed &&
            !playbook_uses_tagged(playbook, needed[i].name, SHELL_RENEWAL_TAG)) {
            return fault_set(fault, FAULT_INVALID, "shell",
                             "%s: no task with " SHELL_RENEWAL_TAG
                             " among its tags uses %s: a renewal would change nothing",
                             path, needed[i].name);
        }
    }
    return 0;
}

int
shell_config_load(const struct shell_config *config, struct playbook **ret_playbook,
                  struct fault *fault)
{
    CLEANUP(playbook_freep) struct playbook *playbook = NULL;
    CLEANUP(mem_freep) char *path = shell_config_playbook(config);

    if (playbook_load(path, &playbook, fault) < 0 || shell_config_judge(playbook, path, fault) < 0)
        return -1;
    *ret_playbook = STEAL(playbook);
    return 0;
}

int
shell_config_check(const struct shell_config *config, const char *pointer,
                   struct problems *problems)
{
    CLEANUP(playbook_freep) struct playbook *playbook = NULL;
    const struct schema_map *vars = &config->playbook_vars;
    char at[sizeof(problems->at[0].pointer)];
    struct fault fault;
    int ret = 0;

    if (shell_config_load(config, &playbook, &fault) < 0) {
        (void)snprintf(at, sizeof(at), "%s/playbook", pointer);
        problems_add(problems, at, "format", "%s", fault.text);
        return -1;
    }
    for (size_t i = 0; i < vars->count; i++) {
        if (playbook_uses(playbook, vars->at[i].key))
            continue;
        (void)snprintf(at, sizeof(at), "%s/playbook_vars/%s", pointer, vars->at[i].key);
        problems_add(problems, at, "format",
                     "stands nowhere in the playbook: it would change nothing");
        ret = -1;
    }
    return ret;
}
