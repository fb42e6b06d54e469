/* The shell's port without a machine: what user data plants, and how what can't begin ends. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/json.h"
#include "berth/loop/loop.h"
#include "berth/shell/shell.h"

#include "../../../src/shell/shell_job.h"
#include "support/folder.h"

enum { USER_DATA_MAX = 16384 };

static const char playbook_text[] = "- hosts: all\n"
                                    "  tasks:\n"
                                    "    - name: Bring it\n"
                                    "      copy:\n"
                                    "        content: \"{{ berth_ca }}{{ berth_server_cert }}"
                                    "{{ berth_server_key }}\"\n"
                                    "        dest: /cert\n"
                                    "      tags: [other, certificates]\n";

struct world {
    char folder[FOLDER_SIZE];
    char *playbook;
    struct loop *loop;
    struct shell *shell;
    struct pool *pool;
    struct host *host;
    const char *cluster;
    /* Of the preparation. */
    struct shell_prepare prepare;
    bool done;
    enum fault_kind kind;
    char text[FAULT_TEXT_SIZE];
};

static const char *
world_cluster(void *cookie)
{
    return ((struct world *)cookie)->cluster;
}

static void
world_write(const struct world *world, const char *text)
{
    FILE *file = fopen(world->playbook, "we");

    assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int
world_setup(void **state)
{
    static struct world world;
    struct shell_options options = { .cluster_id = world_cluster, .cookie = &world };

    world = (struct world){ .cluster = "c1" };
    folder_make(world.folder);
    world.playbook = mem_printf("%s/mine.yml", world.folder);
    world_write(&world, playbook_text);
    world.loop = loop_new();
    options.data_dir = world.folder;
    assert_int_equal(shell_new(world.loop, &options, &world.shell, NULL), 0);
    world.pool = pool_new("web", PROVIDER_EC2);
    world.host = host_new(world.pool, "web-1");
    world.host->id = 7;
    world.host->machine = machine_new("t3.small");
    *state = &world;
    return 0;
}

static int
world_teardown(void **state)
{
    struct world *world = *state;

    shell_free(world->shell);
    loop_free(world->loop);
    host_free(world->host);
    pool_free(world->pool);
    mem_free(world->playbook);
    folder_remove(world->folder);
    return 0;
}

static int
world_pool_set(struct world *world, const struct shell_config *changes, struct fault *fault)
{
    struct shell_config config = *changes;

    config.playbook = world->playbook;
    config.certificate_lifetime_ms = 86400000;
    return shell_pool_set(world->shell, "web", &config, fault);
}

/* --- User data ---------------------------------------------------------------------------------- */

static json_t *
world_user_data(struct world *world)
{
    const struct shell_port *port = shell_port(world->shell);
    CLEANUP(secret_freep) struct secret *text = port->user_data(port->self, world->host);
    static const char first[] = "#cloud-config\n";
    json_t *json = NULL;

    assert_non_null(text);
    assert_true(secret_len(text) <= USER_DATA_MAX);
    assert_memory_equal(secret_bytes(text), first, strlen(first));
    assert_int_equal(json_in_parse(secret_bytes(text) + strlen(first),
                                   secret_len(text) - strlen(first), &json, NULL),
                     0);
    return json;
}

static char *
world_planted(struct world *world)
{
    CLEANUP(json_freep) json_t *json = world_user_data(world);

    return mem_strdup(json_in_string(json_object_get(json, "ssh_keys"), "ed25519_public", "none"));
}

static void
test_user_data_plants_keys(void **state)
{
    struct world *world = *state;
    CLEANUP(json_freep) json_t *json = world_user_data(world);
    CLEANUP(key_freep)
    struct key *planted = shell_key_derive(world->shell, world->host, SHELL_KEY_PLANTED);
    const json_t *keys = json_object_get(json, "ssh_keys");
    CLEANUP(secret_freep) struct secret *text = key_private_text(planted, "");
    struct key_public public;

    assert_int_equal(json_object_size(keys), 2);
    assert_string_equal(json_in_string(keys, "ed25519_private", ""), secret_bytes(text));
    assert_int_equal(key_public_parse(json_in_string(keys, "ed25519_public", ""), &public, NULL),
                     0);
    assert_true(key_public_equal(&public, key_public(planted)));
}

static const char *
world_file(const json_t *json, size_t index, const char *name)
{
    return json_in_string(json_array_get(json_object_get(json, "write_files"), index), name, "");
}

/* A machine that nobody prepares ends itself: by a unit that is there after a reboot, and can be masked. */
static void
test_user_data_has_a_dead_man(void **state)
{
    struct world *world = *state;
    CLEANUP(json_freep) json_t *json = world_user_data(world);
    const char *command = json_string_value(json_array_get(json_object_get(json, "runcmd"), 0));

    assert_string_equal(command, "systemctl enable --now " SHELL_UNPREPARED);
    assert_string_equal(world_file(json, 0, "path"),
                        "/usr/local/lib/systemd/system/" SHELL_UNPREPARED);
    assert_non_null(strstr(world_file(json, 0, "content"), world_file(json, 1, "path")));
    assert_non_null(strstr(world_file(json, 0, "content"), "WantedBy="));
    assert_non_null(strstr(world_file(json, 1, "content"), "systemctl poweroff"));
}

/* The same again, also after a restart, and another for whatever is another machine. */
static void
test_each_machine_has_its_own_key(void **state)
{
    struct world *world = *state;
    struct shell_options options = { .data_dir = world->folder,
                                     .cluster_id = world_cluster,
                                     .cookie = world };
    CLEANUP(mem_freep) char *first = world_planted(world);
    CLEANUP(mem_freep) char *again = NULL;
    CLEANUP(mem_freep) char *attempt = NULL;
    CLEANUP(mem_freep) char *host = NULL;
    CLEANUP(mem_freep) char *cluster = NULL;

    shell_free(STEAL(world->shell));
    assert_int_equal(shell_new(world->loop, &options, &world->shell, NULL), 0);
    again = world_planted(world);
    assert_string_equal(first, again);
    world->host->machine->attempt = 1;
    attempt = world_planted(world);
    assert_string_not_equal(first, attempt);
    world->host->machine->attempt = 0;
    world->host->id = 8;
    host = world_planted(world);
    assert_string_not_equal(first, host);
    world->host->id = 7;
    world->cluster = "c2";
    cluster = world_planted(world);
    assert_string_not_equal(first, cluster);
}

/* The key that is pinned in the end was never in user data. */
static void
test_the_final_key_is_another(void **state)
{
    struct world *world = *state;
    CLEANUP(key_freep)
    struct key *planted = shell_key_derive(world->shell, world->host, SHELL_KEY_PLANTED);
    CLEANUP(key_freep)
    struct key *final = shell_key_derive(world->shell, world->host, SHELL_KEY_FINAL);

    assert_false(key_public_equal(key_public(planted), key_public(final)));
}

/* A host with a key that is not of ours is told from those that are, and from those that tell nothing; once
 * a loss was accepted, the hosts from before are expected no more. */
static void
test_whose_keys_they_are(void **state)
{
    struct world *world = *state;
    struct shell_options options = { .data_dir = world->folder,
                                     .cluster_id = world_cluster,
                                     .cookie = world };
    const struct shell_renewal renewal = { .data_dir = world->folder,
                                           .random = loop_random(world->loop),
                                           .last_host_id = 7 };
    CLEANUP(key_freep)
    struct key *final = shell_key_derive(world->shell, world->host, SHELL_KEY_FINAL);
    struct machine *machine = world->host->machine;
    char line[KEY_LINE_SIZE];

    machine->host_key = mem_strdup(key_public_line(key_public(final), "", line));
    assert_int_equal(shell_kin(world->shell, world->host), SHELL_KIN_UNKNOWN);
    machine->sealed = true;
    assert_int_equal(shell_kin(world->shell, world->host), SHELL_KIN_OURS);
    machine->attempt++; /* another machine, another key */
    assert_int_equal(shell_kin(world->shell, world->host), SHELL_KIN_STRANGER);

    shell_free(STEAL(world->shell));
    assert_int_equal(shell_keys_renew(&renewal, NULL), 0);
    assert_int_equal(shell_new(world->loop, &options, &world->shell, NULL), 0);
    assert_int_equal(shell_kin(world->shell, world->host), SHELL_KIN_UNKNOWN);
    world->host->id = 8;
    assert_int_equal(shell_kin(world->shell, world->host), SHELL_KIN_STRANGER);
    machine->ssh = mem_strdup("admin@10.0.0.5"); /* its key is its owner's */
    assert_int_equal(shell_kin(world->shell, world->host), SHELL_KIN_UNKNOWN);
}

static void
test_given_machines_get_none(void **state)
{
    struct world *world = *state;
    const struct shell_port *port = shell_port(world->shell);

    world->host->machine->ssh = mem_strdup("admin@10.0.0.5");
    assert_null(port->user_data(port->self, world->host));
}

/* --- Pools -------------------------------------------------------------------------------------- */

static void
test_revisions(void **state)
{
    struct world *world = *state;
    const struct shell_port *port = shell_port(world->shell);
    struct schema_pair pair = { .key = mem_unconst("a"), .value = mem_unconst("b") };
    const struct shell_config plain = { 0 };
    const struct shell_config given = { .playbook_vars = { .at = &pair, .count = 1 } };
    char first[SHELL_REVISION_SIZE];
    char second[SHELL_REVISION_SIZE];

    assert_false(port->revision(port->self, world->pool, first));
    assert_int_equal(world_pool_set(world, &plain, NULL), 0);
    assert_true(port->revision(port->self, world->pool, first));
    assert_int_equal(strlen(first), SHELL_REVISION_SIZE - 1);
    assert_int_equal(world_pool_set(world, &given, NULL), 0);
    assert_true(port->revision(port->self, world->pool, second));
    assert_string_not_equal(first, second);
    assert_int_equal(world_pool_set(world, &plain, NULL), 0);
    assert_true(port->revision(port->self, world->pool, second));
    assert_string_equal(first, second);
    shell_pools_keep(world->shell, NULL, 0);
    assert_false(port->revision(port->self, world->pool, first));
}

/* Proves: a playbook that brings no certificate, or whose renewal would bring none, is refused, and why. */
static void
test_playbooks_without_certificates_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *says; /* NULL: it is good */
    } cases[] = {
        { "- hosts: all\n  tasks:\n    - command: id\n", "does not use berth_ca" },
        { "- hosts: all\n  tasks:\n"
          "    - {command: 'x {{ berth_ca }} {{ berth_server_cert }}', tags: certificates}\n",
          "does not use berth_server_key" },
        { "- hosts: all\n  tasks:\n"
          "    - {command: 'x {{ berth_ca }} {{ berth_server_cert }} {{ berth_server_key }}'}\n"
          "    - {command: id, tags: certificates}\n",
          "certificates among its tags uses berth_server_cert" },
        { "- hosts: all\n  tasks:\n"
          "    - {command: 'x {{ berth_ca }} {{ berth_server_cert }}', tags: certificates}\n"
          "    - {command: 'x {{ berth_server_key }}', tags: [other]}\n",
          "certificates among its tags uses berth_server_key" },
        { "- hosts: all\n  tasks:\n    - {command: id, tags: certificates}\n  handlers:\n"
          "    - {command: 'x {{ berth_ca }} {{ berth_server_cert }} {{ berth_server_key }}'}\n",
          "certificates among its tags uses berth_server_cert" },
        { "- hosts: all\n  tasks:\n    - {command: 'x {{ berth_ca }}'}\n"
          "    - {command: 'x {{ berth_server_cert }} {{ berth_server_key }}', tags: [always]}\n",
          NULL },
        { "- hosts: all\n  tags: [certificates]\n  tasks:\n"
          "    - {command: 'x {{ berth_ca }} {{ berth_server_cert }} {{ berth_server_key }}'}\n",
          NULL },
    };
    struct world *world = *state;
    const struct shell_config plain = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fault fault = { 0 };

        world_write(world, cases[i].text);
        assert_int_equal(world_pool_set(world, &plain, &fault), cases[i].says ? -1 : 0);
        assert_int_equal(fault.kind, cases[i].says ? FAULT_INVALID : FAULT_NONE);
        if (cases[i].says && !strstr(fault.text, cases[i].says))
            fail_msg("%zu: %s", i, fault.text);
    }
}

/* --- Preparations that can't begin --------------------------------------------------------------- */

static void
world_on_step(struct shell_prepare *prepare)
{
    (void)prepare;
}

static void
world_on_done(struct shell_prepare *prepare, const struct fault *fault)
{
    struct world *world = CONTAINER_OF(prepare, struct world, prepare);

    assert_false(world->done);
    world->done = true;
    world->kind = fault ? fault->kind : FAULT_NONE;
    (void)snprintf(world->text, sizeof(world->text), "%s", fault ? fault->text : "");
}

static bool
world_is_done(void *cookie)
{
    return ((struct world *)cookie)->done;
}

static void
world_prepare(struct world *world, bool cancel)
{
    const struct shell_port *port = shell_port(world->shell);

    world->prepare = (struct shell_prepare){
        .host = world->host,
        .address = "127.0.0.1",
        .on_step = world_on_step,
        .done = world_on_done,
    };
    port->prepare_start(port->self, &world->prepare);
    assert_false(world->done);
    if (cancel)
        port->prepare_cancel(port->self, &world->prepare);
    assert_false(world->done);
    assert_true(loop_run_until(world->loop, world_is_done, world, 10000));
}

static void
test_a_pool_without_a_section(void **state)
{
    struct world *world = *state;

    world_prepare(world, false);
    assert_int_equal(world->kind, FAULT_PREPARE);
    assert_non_null(strstr(world->text, "pool web"));
}

static void
test_a_cancelled_one_ends(void **state)
{
    struct world *world = *state;
    const struct shell_config plain = { 0 };

    assert_int_equal(world_pool_set(world, &plain, NULL), 0);
    world_prepare(world, true);
    assert_int_equal(world->kind, FAULT_CANCELLED);
}

/* A machine of somebody else's is known by its host key, or not at all. */
static void
test_given_machines_that_are_not_known(void **state)
{
    static const struct {
        const char *ssh;
        const char *host_key;
        const char *says;
    } bad[] = {
        { "10.0.0.5", "ssh-ed25519 x", "is not user@address" },
        { "admin@host", "ssh-ed25519 x", "in digits" },
        { "admin@10.0.0.5:0", "ssh-ed25519 x", "is not user@address" },
        { "admin@10.0.0.5:65536", "ssh-ed25519 x", "is not user@address" },
        { "admin@[10.0.0.5]x", "ssh-ed25519 x", "is not user@address" },
        { "-oProxy@10.0.0.5", "ssh-ed25519 x", "is not user@address" },
        { "admin@10.0.0.5", NULL, "trusted on first use" },
    };
    struct world *world = *state;
    const struct shell_config plain = { 0 };

    assert_int_equal(world_pool_set(world, &plain, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        mem_free(world->host->machine->ssh);
        mem_free(world->host->machine->host_key);
        world->host->machine->ssh = mem_strdup(bad[i].ssh);
        world->host->machine->host_key = mem_strdup(bad[i].host_key);
        world->done = false;
        world_prepare(world, false);
        assert_int_equal(world->kind, FAULT_INVALID);
        if (!strstr(world->text, bad[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].ssh, world->text, bad[i].says);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_user_data_plants_keys),
        TEST(test_user_data_has_a_dead_man),
        TEST(test_each_machine_has_its_own_key),
        TEST(test_the_final_key_is_another),
        TEST(test_whose_keys_they_are),
        TEST(test_given_machines_get_none),
        TEST(test_revisions),
        TEST(test_playbooks_without_certificates_are_refused),
        TEST(test_a_pool_without_a_section),
        TEST(test_a_cancelled_one_ends),
        TEST(test_given_machines_that_are_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
