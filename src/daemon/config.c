#include "berth/daemon/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/yaml.h"

#include "zone_files.h"

enum { CONFIG_FILE_MAX = 1 << 20 };

static void
config_string_default(char **slot, const char *text)
{
    if (!*slot)
        *slot = mem_strdup(text);
}

static const char *
config_env(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets any */

    return text && *text ? text : NULL;
}

static void
config_fill(struct config *config)
{
    const char *engine = config_env("DOCKER_HOST");

    config_string_default(&config->cluster, "berth");
    config_string_default(&config->data_dir, "/var/lib/berth");
    if (config->listen.count == 0) {
        config->listen.at = mem_new0(2 * sizeof(char *));
        config->listen.at[0] = mem_printf("unix:%s/berthd.sock", config->data_dir);
        config->listen.at[1] = mem_strdup("http://127.0.0.1:7070");
        config->listen.count = 2;
    }
    if (config->pools.count == 0) {
        struct config_pool *pool = mem_new0(sizeof(*pool));

        schema_defaults(&config_pool_schema, pool);
        pool->name = mem_strdup("default");
        config->pools = (struct schema_array){ .at = pool, .count = 1 };
    }
    for (size_t i = 0; i < config->pools.count; i++) {
        struct config_pool *pool = &((struct config_pool *)config->pools.at)[i];

        if (pool->provider == PROVIDER_LOCAL) {
            config_string_default(&pool->engine, engine ? engine : "unix:///run/docker.sock");
        }
    }
}

/* What the table of fields cannot say. */

static void
config_check_listen(const struct config *config, struct problems *problems)
{
    static const char *const loopback[] = { "unix:", "http://127.",
                                            "http://localhost:", "http://[::1]:" };

    for (size_t i = 0; i < config->listen.count && !config->allow_remote; i++) {
        CLEANUP(mem_freep) char *at = mem_printf("/listen/%zu", i);
        bool local = false;

        for (size_t j = 0; j < ARRAY_LEN(loopback); j++)
            local |= strncmp(config->listen.at[i], loopback[j], strlen(loopback[j])) == 0;
        if (!local) {
            problems_add(problems, at, "format",
                         "must be a unix socket or a loopback address; with `allow_remote: true` "
                         "another one, with something in front that sees to TLS");
        }
    }
}

static void
config_refuse(const struct config_pool *pool, const char *field, struct problems *problems,
              const char *why)
{
    CLEANUP(mem_freep) char *at = mem_printf("/pools/%s/%s", pool->name, field);

    problems_add(problems, at, "format", "%s", why);
}

static void
config_check_host(const struct config_pool *pool, size_t index, struct problems *problems)
{
    const struct config_host *hosts = pool->hosts.at;
    const struct config_host *host = &hosts[index];
    bool tls = host->ca && host->cert && host->key;
    CLEANUP(mem_freep) char *at = mem_printf("/pools/%s/hosts/%zu", pool->name, index);

    if (!host->engine == !host->ssh)
        problems_add(problems, at, "required", "needs engine (a machine that runs one) or ssh");
    if (!host->ssh != !host->host_key) {
        problems_add(problems, at, "required",
                     "ssh and host_key belong together; ssh-keyscan -t ed25519 ADDRESS shows it");
    }
    if (host->ssh && (tls || host->plain))
        problems_add(problems, at, "format", "plain and certificates are of an engine");
    if (host->engine && strncmp(host->engine, "tcp:", 4) == 0 && !tls && !host->plain) {
        problems_add(problems, at, "required",
                     "tcp needs ca, cert and key (mutual TLS), or `plain: true`");
    }
    if (tls && host->plain)
        problems_add(problems, at, "format", "plain and certificates exclude each other");
    for (size_t i = 0; i < index; i++) {
        if (strcmp(hosts[i].name, host->name) == 0)
            problems_add(problems, at, "duplicate", "there is another host %s", host->name);
    }
}

/* @at: the pointer of its policy. */
static void
config_check_zones(const struct config_pool *pool, const char *at, struct problems *problems)
{
    const struct pool_schedule *schedules = pool->policy.schedules.at;
    struct zone_files *files = zone_files_new(NULL);
    const struct zone_port *zones = zone_files_port(files);

    for (size_t i = 0; i < pool->policy.schedules.count; i++) {
        if (schedules[i].time_zone && !zones->find(zones->self, schedules[i].time_zone))
            pool_schedule_refuse(&pool->policy, i, at, problems);
    }
    zone_files_free(files);
}

/* @at: the pointer of the pool. */
static void
config_check_rented(const struct config_pool *pool, const char *at, struct problems *problems)
{
    if (pool->hosts.count > 0) {
        config_refuse(pool, "hosts", problems,
                      "must not be given with provider ec2: its hosts are launched");
    }
    if (pool->engine)
        config_refuse(pool, "engine", problems, "must not be given with provider ec2");
    if (!pool->ec2.region && !config_env("AWS_REGION") && !config_env("AWS_DEFAULT_REGION"))
        config_refuse(pool, "region", problems, "must be given, or AWS_REGION be set");
    if (pool->machines.count == 0)
        config_refuse(pool, "machine_types", problems, "must name at least one to launch");
    (void)ec2_config_check(&pool->ec2, at, problems);
    (void)shell_config_check(&pool->shell, at, problems);
}

static void
config_check_pool(const struct config_pool *pool, struct problems *problems)
{
    bool local = pool->provider == PROVIDER_LOCAL;
    CLEANUP(mem_freep) char *at = mem_printf("/pools/%s/policy", pool->name);
    CLEANUP(mem_freep) char *whole = mem_printf("/pools/%s", pool->name);

    if (pool->provider == PROVIDER_STATIC && pool->shell.playbook)
        (void)shell_config_check(&pool->shell, whole, problems);
    if (local && pool->hosts.count > 0) {
        config_refuse(pool, "hosts", problems,
                      "must not be given with provider local; use provider static");
    }
    if (local && strncmp(pool->engine, "unix:", 5) != 0) {
        config_refuse(pool, "engine", problems,
                      "must be unix:///PATH with provider local (DOCKER_HOST counts when it is not "
                      "given); use provider static for tcp");
    }
    if (pool->provider == PROVIDER_STATIC && pool->engine) {
        config_refuse(pool, "engine", problems,
                      "must not be given with provider static; give it to each of its hosts");
    }
    if (pool_provider_rents(pool->provider))
        config_check_rented(pool, whole, problems);
    for (size_t i = 0; i < pool->hosts.count; i++)
        config_check_host(pool, i, problems);
    (void)pool_policy_check(&pool->policy, at, problems);
    config_check_zones(pool, at, problems);
}

static int
config_read(const char *path, struct buf *buf, struct fault *fault)
{
    FILE *file = fopen(path, "re");
    char chunk[4096];
    size_t got;

    if (!file)
        return fault_set(fault, FAULT_INVALID, "config", "%s: %s", path, strerrordesc_np(errno));
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_append(buf, chunk, got);
    if (ferror(file) || buf->overflow) {
        (void)fclose(file);
        return fault_set(fault, FAULT_INVALID, "config", "%s: cannot be read, or is over %d bytes",
                         path, CONFIG_FILE_MAX);
    }
    (void)fclose(file);
    return 0;
}

/* Keys of @schema that another provider has. */
static void
config_check_strangers(const char *name, const json_t *pool, const struct schema *schema,
                       struct problems *problems)
{
    const char *provider = json_in_string(pool, "provider", "local");

    for (size_t i = 0; i < schema->field_count; i++) {
        CLEANUP(mem_freep) char *at = mem_printf("/pools/%s/%s", name, schema->fields[i].name);

        if (json_object_get(pool, schema->fields[i].name)) {
            problems_add(problems, at, "format",
                         "must not be given with provider %s; it belongs to provider ec2",
                         provider);
        }
    }
}

static void
config_check_keys(const char *name, const json_t *pool, struct problems *problems)
{
    const char *provider = json_in_string(pool, "provider", "local");
    bool is_static = strcmp(provider, "static") == 0;

    if (strcmp(provider, "local") != 0 && !is_static)
        return;
    config_check_strangers(name, pool, &ec2_config_schema, problems);
    /* Machines that are given are prepared, too. */
    if (!is_static)
        config_check_strangers(name, pool, &shell_config_schema, problems);
}

/* An image may be told by its id alone. */
static void
config_widen_image(json_t *pool)
{
    json_t *image = json_object_get(pool, "image");

    if (json_is_string(image))
        (void)json_object_set_new(pool, "image", json_pack("{s:O}", "id", image));
}

static void
config_shape(json_t *json, struct problems *problems)
{
    const char *name;
    json_t *pool;

    json_object_foreach(json_object_get(json, "pools"), name, pool)
    {
        config_widen_image(pool);
        config_check_keys(name, pool, problems);
    }
}

static int
config_decode(const char *path, const struct buf *buf, struct config *config,
              struct problems *problems, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;

    if (yaml_parse(path, buf_text(buf), buf->len, &json, fault) < 0)
        return -1;
    config_shape(json, problems);
    if (schema_decode(&config_schema, json, config, "", problems) < 0 || problems->count > 0) {
        return fault_set(fault, FAULT_INVALID, "config", "%s: %s: %s", path,
                         problems->at[0].pointer, problems->at[0].detail);
    }
    return 0;
}

int
config_load(const char *path, struct config *ret_config, struct problems *problems,
            struct fault *fault)
{
    struct config config;
    struct buf buf;
    int result = 0;

    schema_defaults(&config_schema, &config);
    buf_init(&buf, CONFIG_FILE_MAX);
    if (path && (config_read(path, &buf, fault) < 0 ||
                 config_decode(path, &buf, &config, problems, fault) < 0))
        result = -1;
    buf_fini(&buf);
    if (result == 0) {
        config_fill(&config);
        config_check_listen(&config, problems);
        for (size_t i = 0; i < config.pools.count; i++)
            config_check_pool(&((struct config_pool *)config.pools.at)[i], problems);
        if (problems->count > 0) {
            result = fault_set(fault, FAULT_INVALID, "config", "%s: %s: %s",
                               path ? path : "the default configuration", problems->at[0].pointer,
                               problems->at[0].detail);
        }
    }
    if (result < 0) {
        config_fini(&config);
        return -1;
    }
    *ret_config = config;
    return 0;
}

void
config_fini(struct config *config)
{
    schema_free(&config_schema, config);
}

const struct config_pool *
config_rented_find(const struct config *config, const char *name)
{
    const struct config_pool *pools = config->pools.at;

    for (size_t i = 0; i < config->pools.count; i++) {
        if (strcmp(pools[i].name, name) == 0 && pool_provider_rents(pools[i].provider))
            return &pools[i];
    }
    return NULL;
}
