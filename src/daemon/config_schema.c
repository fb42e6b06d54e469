#include <stdlib.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/daemon/config.h"
#include "berth/domain/given.h"

#define DAY_MS  (INT64_C(86400) * 1000)
#define YEAR_MS (INT64_C(366) * DAY_MS)
#define KIB     INT64_C(1024)
#define MIB     (KIB * 1024)
#define GIB     (MIB * 1024)

static const char *const config_levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const config_formats[] = { "auto", "logfmt", "journal", NULL };
static const char *const config_providers[] = { "local", "static", "ec2", NULL };

static const char *
config_check_name(const char *text)
{
    return text_is_name(text) ? NULL : "must be 1 to 63 lower-case letters, digits, dots or dashes";
}

static const char *
config_check_path(const char *text)
{
    return text[0] == '/' ? NULL : "must be an absolute path";
}

static const char *
config_check_engine(const char *text)
{
    if (strncmp(text, "unix:///", 8) == 0 || strncmp(text, "tcp://", 6) == 0)
        return NULL;
    return "must be unix:///PATH or tcp://ADDRESS:PORT";
}

static const char *
config_check_listen(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

    if (strncmp(text, "unix:/", 6) == 0)
        return NULL;
    if (strncmp(text, "http://", 7) == 0 && colon > text + 7 && digits >= 1 && digits <= 5 &&
        colon[1 + digits] == '\0' && strtol(colon + 1, NULL, 10) <= UINT16_MAX)
        return NULL;
    return "must be unix:/PATH or http://ADDRESS:PORT";
}

/* clang-format off */
#define FIELD(type_, member) .type = SCHEMA_##type_, .offset = offsetof(struct config_at, member)

#define config_at config_log
static const struct schema_field config_log_fields[] = {
    { .name = "level", FIELD(ENUM, level), .names = config_levels, .fallback = 2,
      .doc = "How much is logged." },
    { .name = "format", FIELD(ENUM, format), .names = config_formats, .fallback = CONFIG_LOG_AUTO,
      .doc = "auto: journald priorities under systemd, logfmt otherwise." },
};
static const struct schema config_log_schema = {
    .name = "Log", .doc = "What is logged, to stderr.", .size = sizeof(struct config_log),
    .fields = config_log_fields, .field_count = ARRAY_LEN(config_log_fields),
};
#undef config_at

#define config_at config_housekeeping
static const struct schema_field config_housekeeping_fields[] = {
    { .name = "interval_s", FIELD(MILLI, interval_ms), .min = 1000, .max = DAY_MS, .fallback = 15000,
      .doc = "Seconds between two looks at each host and two rounds of tidying up." },
};
static const struct schema config_housekeeping_schema = {
    .name = "Housekeeping", .doc = "The periodic timer.", .size = sizeof(struct config_housekeeping),
    .fields = config_housekeeping_fields, .field_count = ARRAY_LEN(config_housekeeping_fields),
};
#undef config_at

#define config_at config_retention
static const struct schema_field config_retention_fields[] = {
    { .name = "instances", FIELD(INT, instances), .min = 0, .max = 10000000, .fallback = 10000,
      .doc = "Most ended instances that are kept." },
    { .name = "instances_s", FIELD(MILLI, instances_ms), .min = 0, .max = 10 * YEAR_MS, .fallback = 7 * DAY_MS,
      .doc = "Seconds for which ended instances and the reasons of their placement are kept." },
    { .name = "hosts_s", FIELD(MILLI, hosts_ms), .min = 0, .max = 10 * YEAR_MS, .fallback = 30 * DAY_MS,
      .doc = "Seconds for which removed hosts are kept." },
    { .name = "operations_s", FIELD(MILLI, operations_ms), .min = 0, .max = 10 * YEAR_MS, .fallback = 7 * DAY_MS,
      .doc = "Seconds for which ended operations are kept." },
    { .name = "events", FIELD(INT, events), .min = 1000, .max = INT64_C(1000000000), .fallback = 1000000,
      .doc = "Most events that are kept." },
    { .name = "events_s", FIELD(MILLI, events_ms), .min = 0, .max = 10 * YEAR_MS, .fallback = 30 * DAY_MS,
      .doc = "Seconds for which events are kept." },
    { .name = "logs_s", FIELD(MILLI, logs_ms), .min = 0, .max = 10 * YEAR_MS, .fallback = 7 * DAY_MS,
      .doc = "Seconds for which the last output of ended instances is kept." },
    { .name = "logs_bytes", FIELD(INT, logs_bytes), .min = 0, .max = 1024 * GIB, .fallback = 256 * MIB,
      .doc = "Most bytes of such output in all." },
    { .name = "host_logs_bytes", FIELD(INT, host_logs_bytes), .min = MIB, .max = 1024 * GIB, .fallback = 64 * MIB,
      .doc = "Most bytes of what the preparations of hosts wrote, in all." },
    { .name = "log_tail_bytes", FIELD(INT, log_tail_bytes), .min = 1 * KIB, .max = 16 * MIB, .fallback = 64 * KIB,
      .doc = "Most bytes of output that are kept of one ended container." },
    { .name = "idempotency_s", FIELD(MILLI, idempotency_ms), .min = 60000, .max = 30 * DAY_MS, .fallback = DAY_MS,
      .doc = "Seconds for which the answer to an Idempotency-Key is kept." },
};
static const struct schema config_retention_schema = {
    .name = "Retention", .doc = "How much history is kept.", .size = sizeof(struct config_retention),
    .fields = config_retention_fields, .field_count = ARRAY_LEN(config_retention_fields),
};
#undef config_at

#define config_at config_limits
static const struct schema_field config_limits_fields[] = {
    { .name = "queue", FIELD(INT, queue), .min = 0, .max = 10000000, .fallback = 100000,
      .doc = "Most instances that may wait for room." },
    { .name = "connections", FIELD(INT, connections), .min = 16, .max = 100000, .fallback = 2000,
      .doc = "Most connections to each address it listens on." },
    { .name = "body_bytes", FIELD(INT, body_bytes), .min = 4 * KIB, .max = 64 * MIB, .fallback = 1 * MIB,
      .doc = "Most bytes of one request's body." },
    { .name = "image_bytes", FIELD(INT, image_bytes), .min = 1 * MIB, .max = 1024 * GIB, .fallback = 16 * GIB,
      .doc = "Most bytes of one image archive." },
};
static const struct schema config_limits_schema = {
    .name = "Limits", .doc = "Bounds on what requests may cost.", .size = sizeof(struct config_limits),
    .fields = config_limits_fields, .field_count = ARRAY_LEN(config_limits_fields),
};
#undef config_at

#define config_at config_host
static const struct schema_field config_host_fields[] = {
    { .name = "name", FIELD(STRING, name), .flags = SCHEMA_REQUIRED, .min = 1, .max = 63, .check = config_check_name,
      .doc = "The host's name in its pool." },
    { .name = "engine", FIELD(STRING, engine), .min = 1, .max = 512, .check = config_check_engine,
      .doc = "Its Docker engine: tcp://10.0.0.5:2376 or unix:///PATH; or ssh." },
    { .name = "ssh", FIELD(STRING, ssh), .min = 1, .max = 320, .check = given_check_ssh,
      .doc = "Instead of engine: user@address[:port] of a bare machine that the pool's playbook makes a host." },
    { .name = "host_key", FIELD(STRING, host_key), .min = 1, .max = 512, .check = given_check_key,
      .doc = "With ssh: the machine's host key, ssh-ed25519 AAAA..." },
    { .name = "ca", FIELD(STRING, ca), .max = 4096, .check = config_check_path,
      .doc = "PEM file of the authority that signed the engine's certificate." },
    { .name = "cert", FIELD(STRING, cert), .max = 4096, .check = config_check_path,
      .doc = "PEM file of our certificate." },
    { .name = "key", FIELD(STRING, key), .max = 4096, .check = config_check_path,
      .doc = "PEM file of our key." },
    { .name = "plain", FIELD(BOOL, plain),
      .doc = "Allow tcp without TLS. Whoever reaches that port owns the machine." },
    { .name = "labels", FIELD(MAP, labels), .max = 64, .item_max = 256,
      .doc = "Labels of this host, beside its pool's." },
};
static const struct schema config_host_schema = {
    .name = "StaticHost", .doc = "A machine that runs an engine, or that is to become a host.", .size = sizeof(struct config_host),
    .fields = config_host_fields, .field_count = ARRAY_LEN(config_host_fields),
};
#undef config_at

#define config_at config_registry
static const struct schema_field config_registry_fields[] = {
    { .name = "name", FIELD(STRING, name), .flags = SCHEMA_REQUIRED, .min = 1, .max = 255,
      .doc = "The registry's server, as in image names." },
    { .name = "username", FIELD(STRING, username), .flags = SCHEMA_REQUIRED, .min = 1, .max = 255,
      .doc = "Who we are there." },
    { .name = "password_file", FIELD(STRING, password_file), .flags = SCHEMA_REQUIRED, .min = 1, .max = 4096,
      .check = config_check_path, .doc = "File with the password or token, mode 0600." },
};
static const struct schema config_registry_schema = {
    .name = "Registry", .doc = "Credentials for pulling images.", .size = sizeof(struct config_registry),
    .fields = config_registry_fields, .field_count = ARRAY_LEN(config_registry_fields),
};
#undef config_at

#define config_at config_pool
static const struct schema_field config_pool_fields[] = {
    { .name = "name", FIELD(STRING, name), .flags = SCHEMA_REQUIRED, .min = 1, .max = 63, .check = config_check_name,
      .doc = "The pool's name." },
    { .name = "provider", FIELD(ENUM, provider), .names = config_providers, .fallback = PROVIDER_LOCAL,
      .doc = "Where its hosts come from." },
    { .name = "engine", FIELD(STRING, engine), .max = 512, .check = config_check_engine,
      .doc = "local: the engine of this machine; default: DOCKER_HOST, else unix:///run/docker.sock." },
    { .name = "hosts", FIELD(OBJECTS, hosts), .max = 10000, .sub = &config_host_schema,
      .doc = "static: the machines." },
    { .name = "machine_types", FIELD(OBJECTS, machines), .max = POOL_MACHINES_MAX, .sub = &pool_machine_schema,
      .doc = "The machine types that may be launched, in the order of preference." },
    { .name = "ec2", FIELD(OBJECT, ec2), .flags = SCHEMA_INLINE, .sub = &ec2_config_schema,
      .doc = "ec2: where and what to launch." },
    { .name = "shell", FIELD(OBJECT, shell), .flags = SCHEMA_INLINE, .sub = &shell_config_schema,
      .doc = "ec2: how machines become hosts." },
    /* Before the three that lie in the same struct: its defaults zero them. */
    { .name = "policy", FIELD(OBJECT, policy), .sub = &pool_rules_schema,
      .doc = "The rules for its hosts." },
    { .name = "labels", FIELD(MAP, policy.labels), .max = 64, .item_max = 256,
      .doc = "Labels that each host of the pool carries, beside its own." },
    { .name = "overcommit", FIELD(OBJECT, policy.overcommit), .sub = &pool_overcommit_schema,
      .doc = "Factors on each host's capacity." },
    { .name = "reserve", FIELD(OBJECT, policy.reserve), .sub = &pool_reserve_schema,
      .doc = "What of each host is not given to containers." },
};
const struct schema config_pool_schema = {
    .name = "Pool", .doc = "Hosts of one kind.", .size = sizeof(struct config_pool),
    .fields = config_pool_fields, .field_count = ARRAY_LEN(config_pool_fields),
};
#undef config_at

#define config_at config
static const struct schema_field config_fields[] = {
    { .name = "cluster", FIELD(STRING, cluster), .min = 1, .max = 63, .check = config_check_name,
      .doc = "A name for people; containers carry an id of their own." },
    { .name = "data_dir", FIELD(STRING, data_dir), .min = 1, .max = 4096, .check = config_check_path,
      .doc = "Where the database, the admin token and image archives are kept." },
    { .name = "listen", FIELD(STRINGS, listen), .max = 16, .item_max = 512, .check = config_check_listen,
      .doc = "Addresses of the API." },
    { .name = "allow_remote", FIELD(BOOL, allow_remote),
      .doc = "Allow listening on other addresses than loopback: something else must see to TLS." },
    { .name = "log", FIELD(OBJECT, log), .sub = &config_log_schema, .doc = "What is logged, to stderr." },
    { .name = "housekeeping", FIELD(OBJECT, housekeeping), .sub = &config_housekeeping_schema,
      .doc = "The periodic timer." },
    { .name = "retention", FIELD(OBJECT, retention), .sub = &config_retention_schema,
      .doc = "How much history is kept." },
    { .name = "limits", FIELD(OBJECT, limits), .sub = &config_limits_schema,
      .doc = "Bounds on what requests may cost." },
    { .name = "registries", FIELD(OBJECT_MAP, registries), .max = 64, .sub = &config_registry_schema,
      .doc = "Credentials for pulling images, by server." },
    { .name = "pools", FIELD(OBJECT_MAP, pools), .max = 256, .sub = &config_pool_schema,
      .doc = "The pools; `default` always exists." },
};
const struct schema config_schema = {
    .name = "Configuration", .doc = "The configuration of berthd.", .size = sizeof(struct config),
    .fields = config_fields, .field_count = ARRAY_LEN(config_fields),
};
#undef config_at
/* clang-format on */
