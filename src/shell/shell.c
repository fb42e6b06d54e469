#include "berth/shell/shell.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "berth/base/log.h"

#include "shell_config.h"
#include "shell_job.h"

enum { SHELL_RENEWAL_MS = 6 * 3600 * 1000 };

static void shell_prepare_start(void *self, struct shell_prepare *prepare);
static void shell_prepare_cancel(void *self, struct shell_prepare *prepare);
static struct secret *shell_port_user_data(void *self, const struct host *host);
static const char *shell_public_key(void *self);
static bool shell_revision(void *self, const struct pool *pool,
                           char ret_revision[SHELL_REVISION_SIZE]);
static void shell_on_renewal(struct clock_timer *timer);

/* For people who want to log in to a machine: Berth derives it anew each time. */
static int
shell_user_key_open(struct shell *shell, struct fault *fault)
{
    static const char *const parts[] = { "user key" };
    CLEANUP(secret_freep) struct secret *private = NULL;
    CLEANUP(secret_freep) struct secret *public = NULL;
    char line[KEY_LINE_SIZE];

    shell->user_key = key_derive(vault_secret(shell->vault), parts, ARRAY_LEN(parts));
    private = key_private_text(shell->user_key, "berthd");
    (void)key_public_line(key_public(shell->user_key), "berthd", line);
    (void)key_public_line(key_public(shell->user_key), "berthd", shell->user_line);
    line[strlen(line) + 1] = '\0';
    line[strlen(line)] = '\n';
    public = secret_new(line, strlen(line));
    if (vault_keep(shell->vault, "ssh_key", private, fault) < 0)
        return -1;
    return vault_keep(shell->vault, "ssh_key.pub", public, fault);
}

int
shell_new(struct loop *loop, const struct shell_options *options, struct shell **ret_shell,
          struct fault *fault)
{
    struct shell *shell = mem_new0(sizeof(*shell));

    shell->port = (struct shell_port){
        .self = shell,
        .prepare_start = shell_prepare_start,
        .prepare_cancel = shell_prepare_cancel,
        .user_data = shell_port_user_data,
        .revision = shell_revision,
        .public_key = shell_public_key,
    };
    shell->options = *options;
    shell->options.data_dir = NULL;
    shell->loop = loop;
    shell->renewal.fire = shell_on_renewal;
    if (vault_open(options->data_dir, loop_random(loop), &shell->vault, fault) < 0 ||
        shell_user_key_open(shell, fault) < 0) {
        shell_free(shell);
        return -1;
    }
    shell_on_renewal(&shell->renewal);
    *ret_shell = shell;
    return 0;
}

void
shell_pool_unref(struct shell_pool *pool)
{
    if (!pool || --pool->refs > 0)
        return;
    schema_free(&shell_config_schema, &pool->config);
    playbook_free(pool->playbook);
    mem_free(pool->name);
    mem_free(pool);
}

void
shell_free(struct shell *shell)
{
    const struct clock_port *clock;

    if (!shell)
        return;
    assert(shell->jobs == 0);
    clock = loop_clock(shell->loop);
    clock->timer_clear(clock->self, &shell->renewal);
    for (size_t i = 0; i < shell->count; i++)
        shell_pool_unref(shell->pools[i]);
    mem_free(shell->pools);
    key_free(shell->user_key);
    vault_close(shell->vault);
    mem_free(shell);
}

const struct shell_port *
shell_port(struct shell *shell)
{
    return &shell->port;
}

/* --- Pools -------------------------------------------------------------------------------------- */

static struct shell_pool *
shell_pool_find(const struct shell *shell, const char *name)
{
    for (size_t i = 0; i < shell->count; i++) {
        if (strcmp(shell->pools[i]->name, name) == 0)
            return shell->pools[i];
    }
    return NULL;
}

/* Of all that a host's state depends on: the playbook, and what it is given. */
static void
shell_pool_revision(struct shell_pool *pool)
{
    uint8_t digest[TEXT_SHA256_SIZE];
    char hex[2 * TEXT_SHA256_SIZE + 1];
    const struct shell_config *config = &pool->config;
    struct buf text;

    memcpy(pool->revision, playbook_revision(pool->playbook), SHELL_REVISION_SIZE);
    if (config->playbook_vars.count == 0 && config->orchestrator.count == 0)
        return;
    buf_init(&text, 0);
    buf_append_string(&text, pool->revision);
    for (size_t i = 0; i < config->playbook_vars.count; i++) {
        buf_printf(&text, "\n%s=%s", config->playbook_vars.at[i].key,
                   config->playbook_vars.at[i].value);
    }
    for (size_t i = 0; i < config->orchestrator.count; i++)
        buf_printf(&text, "\n%s", config->orchestrator.at[i]);
    text_sha256(text.data, text.len, digest);
    text_hex(digest, sizeof(digest), hex);
    memcpy(pool->revision, hex, SHELL_REVISION_SIZE - 1);
    buf_fini(&text);
}

int
shell_pool_set(struct shell *shell, const char *name, const struct shell_config *config,
               struct fault *fault)
{
    const struct clock_port *clock = loop_clock(shell->loop);
    CLEANUP(playbook_freep) struct playbook *playbook = NULL;
    const struct vault_pool *vault;
    struct shell_pool *pool;

    if (shell_config_load(config, &playbook, fault) < 0 ||
        vault_pool(shell->vault, name, clock->now_ms(clock->self), &vault, fault) < 0)
        return -1;
    pool = mem_new0(sizeof(*pool));
    pool->refs = 1;
    pool->name = mem_strdup(name);
    schema_copy(&shell_config_schema, config, &pool->config);
    pool->playbook = STEAL(playbook);
    pool->vault = vault;
    shell_pool_revision(pool);
    for (size_t i = 0; i < shell->count; i++) {
        if (strcmp(shell->pools[i]->name, name) == 0) {
            shell_pool_unref(shell->pools[i]);
            shell->pools[i] = pool;
            return 0;
        }
    }
    shell->pools = mem_resize(shell->pools, shell->count + 1, sizeof(struct shell_pool *));
    shell->pools[shell->count++] = pool;
    return 0;
}

static bool
shell_is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

void
shell_pools_keep(struct shell *shell, const char *const *names, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < shell->count; i++) {
        if (shell_is_among(shell->pools[i]->name, names, count)) {
            shell->pools[kept++] = shell->pools[i];
        } else {
            shell_pool_unref(shell->pools[i]);
        }
    }
    shell->count = kept;
}

/* Our own certificates are renewed in time, however long the daemon runs. */
static void
shell_on_renewal(struct clock_timer *timer)
{
    struct shell *shell = CONTAINER_OF(timer, struct shell, renewal);
    const struct clock_port *clock = loop_clock(shell->loop);
    const struct vault_pool *pool;
    struct fault fault;

    for (size_t i = 0; i < shell->count; i++) {
        const char *name = shell->pools[i]->name;

        if (vault_pool(shell->vault, name, clock->now_ms(clock->self), &pool, &fault) < 0) {
            log_error("shell", "pool %s: our certificate cannot be renewed: %s", name, fault.text);
        }
    }
    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + SHELL_RENEWAL_MS);
}

/* --- The port ----------------------------------------------------------------------------------- */

static void
shell_prepare_start(void *self, struct shell_prepare *prepare)
{
    struct shell *shell = self;

    assert(prepare->host && prepare->host->machine && prepare->done);
    shell_job_start(shell, shell_pool_find(shell, prepare->host->pool->name), prepare);
}

static void
shell_prepare_cancel(void *self, struct shell_prepare *prepare)
{
    (void)self;
    shell_job_cancel(prepare);
}

static const char *
shell_public_key(void *self)
{
    const struct shell *shell = self;

    return shell->user_line;
}

static struct secret *
shell_port_user_data(void *self, const struct host *host)
{
    return host->machine && !host->machine->ssh ? shell_user_data(self, host) : NULL;
}

static bool
shell_revision(void *self, const struct pool *pool, char ret_revision[SHELL_REVISION_SIZE])
{
    const struct shell_pool *found = shell_pool_find(self, pool->name);

    if (!found)
        return false;
    memcpy(ret_revision, found->revision, SHELL_REVISION_SIZE);
    return true;
}
