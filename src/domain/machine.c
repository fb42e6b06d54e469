#include "berth/domain/machine.h"

#include <assert.h>
#include <stddef.h>

#include "berth/base/mem.h"

static const char *const machine_stage_names[MACHINE_STAGE_COUNT + 1] = {
    [MACHINE_INTENT] = "intent",   [MACHINE_BOOTING] = "booting",
    [MACHINE_UP] = "up",           [MACHINE_PREPARING] = "preparing",
    [MACHINE_READY] = "ready",     [MACHINE_RETURNING] = "returning",
    [MACHINE_PARKING] = "parking", [MACHINE_WARM] = "warm",
    [MACHINE_WAKING] = "waking",
};

/* clang-format off */
static const struct schema_field machine_fields[] = {
    { .name = "id", .type = SCHEMA_STRING, .offset = offsetof(struct machine, id), .max = 64,
      .doc = "The provider's name of the machine; null until it is known." },
    { .name = "type", .type = SCHEMA_STRING, .offset = offsetof(struct machine, type), .max = 64,
      .doc = "The machine type." },
    { .name = "zone", .type = SCHEMA_STRING, .offset = offsetof(struct machine, zone), .max = 64,
      .doc = "The zone it is in." },
    { .name = "price_micro", .type = SCHEMA_INT, .offset = offsetof(struct machine, price_micro),
      .doc = "Price of an hour in millionths of the currency." },
    { .name = "launched_at_ms", .type = SCHEMA_INT, .offset = offsetof(struct machine, launched_at_ms),
      .doc = "When it was asked for, Unix milliseconds." },
    { .name = "stage_at_ms", .type = SCHEMA_INT, .offset = offsetof(struct machine, stage_at_ms),
      .doc = "In its stage since, Unix milliseconds." },
    { .name = "attempt", .type = SCHEMA_INT, .offset = offsetof(struct machine, attempt),
      .doc = "How often the launch was tried anew." },
    { .name = "prepare_failures", .type = SCHEMA_INT, .offset = offsetof(struct machine, prepare_failures),
      .doc = "How often its preparation failed." },
    { .name = "runs", .type = SCHEMA_INT, .offset = offsetof(struct machine, runs),
      .doc = "How often a playbook was run on it." },
    { .name = "step", .type = SCHEMA_INT, .offset = offsetof(struct machine, step),
      .doc = "The step that is under way or failed last, from 0." },
    { .name = "step_revision", .type = SCHEMA_STRING, .offset = offsetof(struct machine, step_revision),
      .max = 64, .doc = "Revision of the playbook that the step belongs to." },
    { .name = "playbook_revision", .type = SCHEMA_STRING,
      .offset = offsetof(struct machine, playbook_revision), .max = 64,
      .doc = "Revision of the playbook that prepared it." },
    { .name = "certificate_at_ms", .type = SCHEMA_INT,
      .offset = offsetof(struct machine, certificate_at_ms),
      .doc = "When its engine's certificate was issued, Unix milliseconds." },
    { .name = "certificate_ends_at_ms", .type = SCHEMA_INT,
      .offset = offsetof(struct machine, certificate_ends_at_ms),
      .doc = "When its engine's certificate ends, Unix milliseconds." },
    { .name = "ssh", .type = SCHEMA_STRING, .offset = offsetof(struct machine, ssh), .max = 320,
      .doc = "user@address of a machine that is not rented." },
    { .name = "host_key", .type = SCHEMA_STRING, .offset = offsetof(struct machine, host_key), .max = 512,
      .doc = "The SSH host key that it shows." },
    { .name = "user", .type = SCHEMA_STRING, .offset = offsetof(struct machine, user), .max = 64,
      .doc = "As whom Berth logs in to a rented machine." },
    { .name = "stage", .type = SCHEMA_ENUM, .offset = offsetof(struct machine, stage),
      .names = machine_stage_names,
      .doc = "How far it is." },
    { .name = "spot", .type = SCHEMA_BOOL, .offset = offsetof(struct machine, spot),
      .doc = "Whether the provider may take it back." },
    { .name = "warm", .type = SCHEMA_BOOL, .offset = offsetof(struct machine, warm),
      .doc = "Whether it is kept prepared and stopped." },
    { .name = "sealed", .type = SCHEMA_BOOL, .offset = offsetof(struct machine, sealed),
      .doc = "Whether the SSH host key that it booted with was replaced." },
};
/* clang-format on */

const struct schema machine_schema = {
    .name = "Machine",
    .doc = "A rented machine.",
    .size = sizeof(struct machine),
    .fields = machine_fields,
    .field_count = ARRAY_LEN(machine_fields),
};

const char *
machine_stage_name(int32_t stage)
{
    assert(stage >= 0 && stage < MACHINE_STAGE_COUNT);
    return machine_stage_names[stage];
}

struct machine *
machine_new(const char *type)
{
    struct machine *machine = mem_new0(sizeof(*machine));

    machine->type = mem_strdup(type);
    return machine;
}

void
machine_free(struct machine *machine)
{
    if (!machine)
        return;
    schema_free(&machine_schema, machine);
    mem_free(machine);
}
