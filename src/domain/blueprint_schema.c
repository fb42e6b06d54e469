/*
 * The fields of a blueprint: names, ranges, safe defaults, and the sentences that the manual and the
 * API's description show.
 */

#include <stddef.h>

#include "berth/domain/blueprint.h"
#include "berth/domain/template.h"

#include "blueprint_checks.h"

#define MIB       (INT64_C(1) << 20)
#define BYTES_MAX (INT64_C(1) << 50)
#define HOUR_MS   (INT64_C(3600) * 1000)
#define YEARS_MS  (INT64_C(10) * 366 * 24 * HOUR_MS)

static const char *const blueprint_protocols[] = {
    [PROTOCOL_TCP] = "tcp",
    [PROTOCOL_UDP] = "udp",
    NULL,
};

static const char *const blueprint_pulls[] = {
    [PULL_MISSING] = "missing",
    [PULL_ALWAYS] = "always",
    [PULL_NEVER] = "never",
    NULL,
};

static const char *const blueprint_ready_kinds[] = {
    [READY_PORT] = "port",
    [READY_HTTP] = "http",
    [READY_NONE] = "none",
    NULL,
};

static const char *const blueprint_restarts[] = {
    [RESTART_NO] = "no",
    [RESTART_ON_FAILURE] = "on-failure",
    [RESTART_ALWAYS] = "always",
    NULL,
};

/* A default is taken as good whatever the range: fields that are required have one in it. */
/* clang-format off */
#define PORT(member)    offsetof(struct blueprint_port, member)
#define ULIMIT(member)  offsetof(struct blueprint_ulimit, member)
#define READY(member)   offsetof(struct blueprint_ready, member)
#define RESTART(member) offsetof(struct blueprint_restart, member)
#define SPEC(member)    offsetof(struct blueprint_spec, member)

static const struct schema_field blueprint_port_fields[] = {
    { .name = "container", .type = SCHEMA_INT, .offset = PORT(container), .flags = SCHEMA_REQUIRED,
      .min = 1, .max = 65535, .fallback = 1,
      .doc = "Port inside the container." },
    { .name = "host", .type = SCHEMA_INT, .offset = PORT(host),
      .min = 0, .max = 65535,
      .doc = "Fixed port on the host; 0: a free one is chosen." },
    { .name = "protocol", .type = SCHEMA_ENUM, .offset = PORT(protocol), .names = blueprint_protocols,
      .fallback = PROTOCOL_TCP,
      .doc = "Transport protocol." },
    { .name = "name", .type = SCHEMA_STRING, .offset = PORT(name), .flags = SCHEMA_OMIT_EMPTY,
      .min = 1, .max = 63, .check = blueprint_checks_name,
      .doc = "A name for people." },
};

static const struct schema blueprint_port_schema = {
    .name = "BlueprintPort", .doc = "A port that is published on the host.",
    .size = sizeof(struct blueprint_port),
    .fields = blueprint_port_fields, .field_count = ARRAY_LEN(blueprint_port_fields),
};

static const struct schema_field blueprint_ulimit_fields[] = {
    { .name = "name", .type = SCHEMA_STRING, .offset = ULIMIT(name), .flags = SCHEMA_REQUIRED,
      .min = 1, .max = 16, .check = blueprint_checks_ulimit,
      .doc = "Which limit, in lower case as in setrlimit(2) without RLIMIT_." },
    { .name = "soft", .type = SCHEMA_INT, .offset = ULIMIT(soft), .flags = SCHEMA_REQUIRED,
      .min = -1, .max = BYTES_MAX,
      .doc = "The limit in force; -1: none." },
    { .name = "hard", .type = SCHEMA_INT, .offset = ULIMIT(hard), .flags = SCHEMA_REQUIRED,
      .min = -1, .max = BYTES_MAX,
      .doc = "As far as a process may raise it; -1: without end." },
};

static const struct schema blueprint_ulimit_schema = {
    .name = "BlueprintUlimit", .doc = "A limit on the container's processes.",
    .size = sizeof(struct blueprint_ulimit),
    .fields = blueprint_ulimit_fields, .field_count = ARRAY_LEN(blueprint_ulimit_fields),
};

static const struct schema_field blueprint_ready_fields[] = {
    { .name = "kind", .type = SCHEMA_ENUM, .offset = READY(kind), .names = blueprint_ready_kinds,
      .fallback = READY_PORT,
      .doc = "What shows that it answers: a TCP port accepts, an HTTP path answers 200 to 399, or nothing is asked." },
    { .name = "port", .type = SCHEMA_INT, .offset = READY(port),
      .min = 0, .max = 65535,
      .doc = "Container port to ask; 0: the first TCP port." },
    { .name = "path", .type = SCHEMA_STRING, .offset = READY(path),
      .min = 1, .max = 1024, .check = blueprint_checks_path,
      .doc = "Path to ask for with kind http." },
    { .name = "timeout_s", .type = SCHEMA_MILLI, .offset = READY(timeout_ms),
      .min = 1000, .max = HOUR_MS, .fallback = INT64_C(60) * 1000,
      .doc = "Seconds from the start of the container until the launch counts as failed." },
};

static const struct schema blueprint_ready_schema = {
    .name = "BlueprintReady", .doc = "When an instance counts as running.",
    .size = sizeof(struct blueprint_ready),
    .fields = blueprint_ready_fields, .field_count = ARRAY_LEN(blueprint_ready_fields),
};

static const struct schema_field blueprint_restart_fields[] = {
    { .name = "policy", .type = SCHEMA_ENUM, .offset = RESTART(policy), .names = blueprint_restarts,
      .fallback = RESTART_NO,
      .doc = "When a container that ended is started again: never, after an exit code other than 0, or always." },
    { .name = "max_retries", .type = SCHEMA_INT, .offset = RESTART(max_retries),
      .min = 0, .max = 1000000,
      .doc = "Most restarts in a row; 0: without end." },
};

static const struct schema blueprint_restart_schema = {
    .name = "BlueprintRestart", .doc = "What happens when the container ends by itself.",
    .size = sizeof(struct blueprint_restart),
    .fields = blueprint_restart_fields, .field_count = ARRAY_LEN(blueprint_restart_fields),
};

static const struct schema_field blueprint_fields[] = {
    { .name = "name", .type = SCHEMA_STRING, .offset = SPEC(name), .flags = SCHEMA_REQUIRED,
      .min = 1, .max = 63, .check = blueprint_checks_name,
      .doc = "Unique name: lower-case letters, digits, dots and dashes." },
    { .name = "image", .type = SCHEMA_STRING, .offset = SPEC(image), .flags = SCHEMA_REQUIRED,
      .min = 1, .max = 512, .check = blueprint_checks_image,
      .doc = "Image reference: [registry/]name[:tag][@digest]." },
    { .name = "command", .type = SCHEMA_STRINGS, .offset = SPEC(command),
      .max = 256, .item_max = 32768, .check = template_check,
      .doc = "Command and arguments instead of the image's; may use {instance_id} and {owner}." },
    { .name = "entrypoint", .type = SCHEMA_STRINGS, .offset = SPEC(entrypoint),
      .max = 256, .item_max = 32768, .check = template_check,
      .doc = "Entry point instead of the image's; may use {instance_id} and {owner}." },
    { .name = "env", .type = SCHEMA_MAP, .offset = SPEC(env),
      .max = 512, .item_max = 32768, .check = blueprint_checks_env_key,
      .doc = "Environment; values may use {instance_id} and {owner}." },
    { .name = "ports", .type = SCHEMA_OBJECTS, .offset = SPEC(ports), .sub = &blueprint_port_schema,
      .max = 64,
      .doc = "Ports that are published on the host." },
    { .name = "memory_bytes", .type = SCHEMA_INT, .offset = SPEC(memory_bytes), .flags = SCHEMA_REQUIRED,
      .min = 6 * MIB, .max = BYTES_MAX, .fallback = 6 * MIB,
      .doc = "Memory limit in bytes; this much, and 3.5 MiB for the engine's own processes, is reserved on the host." },
    { .name = "memory_swap_bytes", .type = SCHEMA_INT, .offset = SPEC(memory_swap_bytes),
      .min = -1, .max = BYTES_MAX, .fallback = -1,
      .doc = "Swap in bytes beside the memory; -1: twice the memory; 0: none." },
    { .name = "memory_reservation_bytes", .type = SCHEMA_INT, .offset = SPEC(memory_reservation_bytes),
      .min = 0, .max = BYTES_MAX,
      .doc = "Bytes that the container is pushed back to when the host runs short; 0: none." },
    { .name = "cpus", .type = SCHEMA_MILLI, .offset = SPEC(cpus_milli),
      .min = 0, .max = INT64_C(1024) * 1000,
      .doc = "Hard limit on cpu time, in cpus, reserved on the host; 0: none." },
    { .name = "pids", .type = SCHEMA_INT, .offset = SPEC(pids),
      .min = 1, .max = 4194304, .fallback = 256,
      .doc = "Most processes and threads in the container." },
    { .name = "slots", .type = SCHEMA_INT, .offset = SPEC(slots),
      .min = 1, .max = 100000, .fallback = 1,
      .doc = "Slots it takes on its host, in pools that count slots." },
    { .name = "lifetime_s", .type = SCHEMA_MILLI, .offset = SPEC(lifetime_ms),
      .min = 0, .max = YEARS_MS,
      .doc = "Seconds from the first time running until its end; 0: no end." },
    { .name = "idle_timeout_s", .type = SCHEMA_MILLI, .offset = SPEC(idle_timeout_ms),
      .min = 0, .max = YEARS_MS,
      .doc = "Seconds without network traffic after which it ends; 0: never." },
    { .name = "end_grace_s", .type = SCHEMA_MILLI, .offset = SPEC(end_grace_ms),
      .min = 0, .max = 24 * HOUR_MS, .fallback = INT64_C(60) * 1000,
      .doc = "Seconds between the announcement of its end and the stop." },
    { .name = "max_per_user", .type = SCHEMA_INT, .offset = SPEC(max_per_user),
      .min = 0, .max = 1000000,
      .doc = "Most live instances of one owner; 0: no limit." },
    { .name = "log_bytes", .type = SCHEMA_INT, .offset = SPEC(log_bytes),
      .min = INT64_C(64) * 1024, .max = INT64_C(1) << 40, .fallback = 10 * MIB,
      .doc = "Most bytes of output that the engine keeps." },
    { .name = "stop_grace_s", .type = SCHEMA_MILLI, .offset = SPEC(stop_grace_ms),
      .min = 0, .max = HOUR_MS, .fallback = INT64_C(10) * 1000,
      .doc = "Seconds between asking the container to stop and killing it." },
    { .name = "labels", .type = SCHEMA_MAP, .offset = SPEC(labels),
      .max = 64, .item_max = 4096, .check = blueprint_checks_label_key,
      .doc = "Labels for the container; none may start with 'berth.'." },
    { .name = "host_labels", .type = SCHEMA_MAP, .offset = SPEC(host_labels),
      .max = 16, .item_max = 256,
      .doc = "Only hosts that carry all of these labels are used." },
    { .name = "tmpfs", .type = SCHEMA_MAP, .offset = SPEC(tmpfs),
      .max = 32, .item_max = 512, .check = blueprint_checks_mount,
      .doc = "File systems in memory: absolute path and mount options." },
    { .name = "cap_add", .type = SCHEMA_STRINGS, .offset = SPEC(cap_add),
      .max = 64, .item_max = 32, .check = blueprint_checks_capability,
      .doc = "Linux capabilities that are kept; all others are dropped." },
    { .name = "ulimits", .type = SCHEMA_OBJECTS, .offset = SPEC(ulimits), .sub = &blueprint_ulimit_schema,
      .max = 16,
      .doc = "Limits on the container's processes." },
    { .name = "ready", .type = SCHEMA_OBJECT, .offset = SPEC(ready), .sub = &blueprint_ready_schema,
      .doc = "When an instance counts as running." },
    { .name = "restart", .type = SCHEMA_OBJECT, .offset = SPEC(restart), .sub = &blueprint_restart_schema,
      .doc = "What happens when the container ends by itself." },
    { .name = "read_only", .type = SCHEMA_BOOL, .offset = SPEC(read_only),
      .doc = "The container's root file system cannot be written." },
    { .name = "pull", .type = SCHEMA_ENUM, .offset = SPEC(pull), .names = blueprint_pulls,
      .fallback = PULL_MISSING,
      .doc = "When the image is pulled: if the host does not have it, always, or never." },
    { .name = "pool", .type = SCHEMA_STRING, .offset = SPEC(pool),
      .min = 1, .max = 63, .check = blueprint_checks_name,
      .doc = "Pool whose hosts are used; 'default' when it is not given." },
};

const struct schema blueprint_schema = {
    .name = "Blueprint", .doc = "What to run.",
    .size = sizeof(struct blueprint_spec),
    .fields = blueprint_fields, .field_count = ARRAY_LEN(blueprint_fields),
};
/* clang-format on */
