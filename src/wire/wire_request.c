#include <stddef.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/domain/given.h"
#include "berth/domain/token.h"
#include "berth/wire/request.h"

enum {
    NAME_MAX_BYTES = 63,
    OWNER_MAX_BYTES = 128,
    PATH_MAX_BYTES = 1024,
    COUNT_MAX = 1000,
    SECOND_MS = 1000,
};

#define YEAR_MS (INT64_C(366) * 24 * 3600 * SECOND_MS)

/* The names of enum token_role, in its order. */
static const char *const wire_request_roles[] = { "user", "operator", "admin", NULL };
_Static_assert(ROLE_COUNT == ARRAY_LEN(wire_request_roles) - 1, "each role has its name");

static const char *
wire_request_check_name(const char *text)
{
    return text_is_name(text)
               ? NULL
               : "must be 1 to 63 of a-z, 0-9, '.' and '-', with a letter or digit at both ends";
}

const char *
wire_request_check_owner(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return "must consist of visible ASCII characters";
    }
    return len > 0 && len <= OWNER_MAX_BYTES ? NULL : "must be 1 to 128 characters long";
}

static const char *
wire_request_check_engine(const char *text)
{
    bool good = strncmp(text, "tcp://", 6) == 0 || strncmp(text, "unix:///", 8) == 0;

    return good ? NULL : "must begin with tcp:// or unix:///";
}

static const char *
wire_request_check_path(const char *text)
{
    return text[0] == '/' ? NULL : "must be an absolute path";
}

static const char *
wire_request_check_time(const char *text)
{
    int64_t at_ms;

    return text_time_parse(text, &at_ms) ? NULL : "must be a time as in RFC 3339";
}

static const char *
wire_request_check_machine(const char *text)
{
    return text_is_name(text) ? NULL : "must be the id of a machine";
}

static const char *
wire_request_check_reference(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~')
            return "must consist of visible ASCII characters";
    }
    return NULL;
}

#define NAMED(type, field, text) .name = text, .offset = offsetof(struct type, field)
#define OF(type, id, title, text)                                                                  \
    const struct schema type##_schema = {                                                          \
        .name = title,                                                                             \
        .doc = text,                                                                               \
        .size = sizeof(struct type),                                                               \
        .fields = id,                                                                              \
        .field_count = ARRAY_LEN(id),                                                              \
    }

/* clang-format off */
static const struct schema_field wire_request_instance_fields[] = {
    { NAMED(wire_request_instance, blueprint, "blueprint"), .type = SCHEMA_STRING, .flags = SCHEMA_REQUIRED,
      .min = 1, .max = NAME_MAX_BYTES, .check = wire_request_check_name, .doc = "Name of the blueprint." },
    { NAMED(wire_request_instance, version, "blueprint_version"), .type = SCHEMA_INT, .min = 0, .max = INT64_MAX,
      .doc = "Version of the blueprint; 0 or none: the latest." },
    { NAMED(wire_request_instance, pool, "pool"), .type = SCHEMA_STRING,
      .min = 1, .max = NAME_MAX_BYTES, .check = wire_request_check_name, .doc = "Pool; the blueprint's when not given." },
    { NAMED(wire_request_instance, owner, "owner"), .type = SCHEMA_STRING,
      .min = 1, .max = OWNER_MAX_BYTES, .check = wire_request_check_owner, .doc = "Whose it is; the token's owner when not given." },
    { NAMED(wire_request_instance, name, "name"), .type = SCHEMA_STRING,
      .min = 1, .max = NAME_MAX_BYTES, .check = wire_request_check_name, .doc = "A name for people." },
    { NAMED(wire_request_instance, count, "count"), .type = SCHEMA_INT, .min = 1, .max = COUNT_MAX,
      .doc = "How many, all or none. The answer is a list when it is given, else one instance." },
    { NAMED(wire_request_instance, lifetime_ms, "lifetime_s"), .type = SCHEMA_MILLI, .min = 0, .max = YEAR_MS,
      .doc = "Seconds until it is stopped; the blueprint's when not given." },
};

static const struct schema_field wire_request_extend_fields[] = {
    { NAMED(wire_request_extend, lifetime_ms, "lifetime_s"), .type = SCHEMA_MILLI, .min = 0, .max = YEAR_MS, .fallback = -1,
      .doc = "Seconds from now until it is stopped; 0: no end." },
    { NAMED(wire_request_extend, ends_at, "ends_at"), .type = SCHEMA_STRING, .min = 1, .max = 40,
      .check = wire_request_check_time, .doc = "When it is stopped, as in RFC 3339." },
};

static const struct schema_field wire_request_exec_fields[] = {
    { NAMED(wire_request_exec, command, "command"), .type = SCHEMA_STRINGS, .flags = SCHEMA_REQUIRED, .max = 256,
      .item_max = 32768, .doc = "Program and arguments; no shell comes between." },
    { NAMED(wire_request_exec, user, "user"), .type = SCHEMA_STRING, .min = 1, .max = NAME_MAX_BYTES,
      .check = wire_request_check_reference, .doc = "User or user:group in the container." },
    { NAMED(wire_request_exec, workdir, "workdir"), .type = SCHEMA_STRING, .min = 1, .max = PATH_MAX_BYTES,
      .check = wire_request_check_path, .doc = "Working directory in the container." },
};

static const struct schema_field wire_request_host_fields[] = {
    { NAMED(wire_request_host, pool, "pool"), .type = SCHEMA_STRING, .flags = SCHEMA_REQUIRED, .min = 1, .max = NAME_MAX_BYTES,
      .check = wire_request_check_name, .doc = "The pool it joins." },
    { NAMED(wire_request_host, name, "name"), .type = SCHEMA_STRING, .flags = SCHEMA_REQUIRED, .min = 1, .max = NAME_MAX_BYTES,
      .check = wire_request_check_name, .doc = "Its name in the pool." },
    { NAMED(wire_request_host, engine, "engine"), .type = SCHEMA_STRING, .min = 1, .max = PATH_MAX_BYTES,
      .check = wire_request_check_engine, .doc = "Address of its engine: tcp://10.0.0.5:2376 or unix:///run/docker.sock; or ssh." },
    { NAMED(wire_request_host, ssh, "ssh"), .type = SCHEMA_STRING, .min = 1, .max = 320, .check = given_check_ssh,
      .doc = "Instead of engine: user@address[:port] of a bare machine that Berth makes a host by the pool's playbook." },
    { NAMED(wire_request_host, host_key, "host_key"), .type = SCHEMA_STRING, .min = 1, .max = 512, .check = given_check_key,
      .doc = "With ssh: the machine's host key, ssh-ed25519 AAAA...; no other is accepted." },
    { NAMED(wire_request_host, ca, "ca"), .type = SCHEMA_STRING, .min = 1, .max = PATH_MAX_BYTES,
      .check = wire_request_check_path, .doc = "PEM file, on the daemon's machine, of the authority that signed its certificate." },
    { NAMED(wire_request_host, cert, "cert"), .type = SCHEMA_STRING, .min = 1, .max = PATH_MAX_BYTES,
      .check = wire_request_check_path, .doc = "PEM file of our certificate." },
    { NAMED(wire_request_host, key, "key"), .type = SCHEMA_STRING, .min = 1, .max = PATH_MAX_BYTES,
      .check = wire_request_check_path, .doc = "PEM file of our certificate's key." },
    { NAMED(wire_request_host, plain, "plain"), .type = SCHEMA_BOOL,
      .doc = "Allow tcp without TLS: whoever reaches that port owns the machine." },
    { NAMED(wire_request_host, labels, "labels"), .type = SCHEMA_MAP, .max = 64, .item_max = 255,
      .doc = "Labels that blueprints may ask for." },
};

static const struct schema_field wire_request_drain_fields[] = {
    { NAMED(wire_request_drain, deadline_ms, "deadline_s"), .type = SCHEMA_MILLI, .min = 0, .max = YEAR_MS, .fallback = -1,
      .doc = "Seconds until what still runs is stopped; the pool's when not given." },
};

static const struct schema_field wire_request_remove_fields[] = {
    { NAMED(wire_request_remove, force, "force"), .type = SCHEMA_BOOL,
      .doc = "At once: what runs there is given up." },
};

static const struct schema_field wire_request_token_fields[] = {
    { NAMED(wire_request_token, name, "name"), .type = SCHEMA_STRING, .flags = SCHEMA_REQUIRED, .min = 1, .max = NAME_MAX_BYTES,
      .check = wire_request_check_name, .doc = "A name for people." },
    { NAMED(wire_request_token, role, "role"), .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, .names = wire_request_roles,
      .doc = "What it may do." },
    { NAMED(wire_request_token, owner, "owner"), .type = SCHEMA_STRING, .min = 1, .max = OWNER_MAX_BYTES,
      .check = wire_request_check_owner, .doc = "Whose instances it makes and, for a user, sees; its name when not given." },
    { NAMED(wire_request_token, pools, "pools"), .type = SCHEMA_STRINGS, .max = 16, .item_max = NAME_MAX_BYTES,
      .check = wire_request_check_name, .doc = "Only these pools; none: all." },
    { NAMED(wire_request_token, expires_in_ms, "expires_in_s"), .type = SCHEMA_MILLI, .min = 1, .max = 10 * YEAR_MS,
      .doc = "Seconds until it ends; never when not given." },
};

static const struct schema_field wire_request_pull_fields[] = {
    { NAMED(wire_request_pull, pool, "pool"), .type = SCHEMA_STRING, .min = 1, .max = NAME_MAX_BYTES,
      .check = wire_request_check_name, .doc = "The pool whose hosts pull it; default when not given." },
    { NAMED(wire_request_pull, reference, "reference"), .type = SCHEMA_STRING, .flags = SCHEMA_REQUIRED, .min = 1, .max = 255,
      .check = wire_request_check_reference, .doc = "The image, as in docker pull." },
};

static const struct schema_field wire_request_apply_fields[] = {
    { NAMED(wire_request_apply, revision, "revision"), .type = SCHEMA_STRING, .flags = SCHEMA_REQUIRED, .min = 1, .max = 64,
      .check = wire_request_check_reference, .doc = "That of the plan that was looked at: another one means that the pool has moved since (412)." },
};

static const struct schema_field wire_request_machines_fields[] = {
    { NAMED(wire_request_machines, machines, "machines"), .type = SCHEMA_STRINGS, .flags = SCHEMA_REQUIRED, .max = 1000,
      .item_max = 47, .check = wire_request_check_machine, .doc = "Ids of machines, as the list of orphans tells them; at least one." },
};
/* clang-format on */

OF(wire_request_instance, wire_request_instance_fields, "InstanceRequest", "What to start.");
OF(wire_request_extend, wire_request_extend_fields, "ExtendRequest", "A new end; one of the two.");
OF(wire_request_exec, wire_request_exec_fields, "ExecRequest", "A command to run in a container.");
OF(wire_request_host, wire_request_host_fields, "HostRequest", "A machine with an engine.");
OF(wire_request_drain, wire_request_drain_fields, "DrainRequest", "How long a drain may take.");
OF(wire_request_remove, wire_request_remove_fields, "RemoveRequest", "How to remove a host.");
OF(wire_request_token, wire_request_token_fields, "TokenRequest", "A token to make.");
OF(wire_request_pull, wire_request_pull_fields, "PullRequest", "An image to pull.");
OF(wire_request_apply, wire_request_apply_fields, "ApplyRequest", "Which plan to carry out.");
OF(wire_request_machines, wire_request_machines_fields, "MachinesRequest",
   "Machines to give back.");
