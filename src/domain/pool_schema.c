/* The tables of fields of a pool: what its configuration, its row and the API say. */

#include <assert.h>
#include <stddef.h>

#include "berth/domain/cron.h"
#include "berth/domain/pool.h"
#include "berth/domain/zone.h"

#define SECOND_MS  INT64_C(1000)
#define HOUR_MS    (3600 * SECOND_MS)
#define DAY_MS     (24 * HOUR_MS)
#define YEAR_MS    (366 * DAY_MS)
#define MEMORY_MAX (INT64_C(1) << 50)

static const char *const pool_life_names[] = {
    [LIFE_FROM_FIRST_USE] = "first_use",
    [LIFE_FROM_ACTIVATION] = "activation",
    NULL,
};
static const char *const pool_drift_names[] = { "ignore", "rerun", "replace", NULL };
static const char *const pool_retire_names[] = {
    [RETIRE_DRAIN] = "drain",
    [RETIRE_WHEN_EMPTY] = "when_empty",
    NULL,
};
static const char *const pool_choice_names[] = {
    [CHOICE_FIT] = "fit",
    [CHOICE_BY_USE] = "by_use",
    NULL,
};

/* clang-format off */
static const struct schema_field pool_overcommit_fields[] = {
    { .name = "memory", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_overcommit, memory_milli),
      .min = 100, .max = 10000, .fallback = 1000,
      .doc = "Reservations may sum up to the capacity times this; 1 promises each container its limit." },
    { .name = "cpus", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_overcommit, cpus_milli),
      .min = 100, .max = 100000, .fallback = 1000,
      .doc = "The same for cpus." },
};

const struct schema pool_overcommit_schema = {
    .name = "PoolOvercommit", .doc = "How much more may be reserved than there is.",
    .size = sizeof(struct pool_overcommit),
    .fields = pool_overcommit_fields, .field_count = ARRAY_LEN(pool_overcommit_fields),
};

static const struct schema_field pool_reserve_fields[] = {
    { .name = "memory_bytes", .type = SCHEMA_INT, .offset = offsetof(struct pool_reserve, memory_bytes),
      .min = 0, .max = INT64_C(1) << 50, .fallback = INT64_C(256) << 20,
      .doc = "Bytes of each host's memory that are kept for the system and the engine." },
    { .name = "cpus", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_reserve, cpus_milli),
      .min = 0, .max = 1000000, .fallback = 0,
      .doc = "Cpus of each host that are kept for the system and the engine." },
};

const struct schema pool_reserve_schema = {
    .name = "PoolReserve", .doc = "What of each host is not given to containers.",
    .size = sizeof(struct pool_reserve),
    .fields = pool_reserve_fields, .field_count = ARRAY_LEN(pool_reserve_fields),
};

#define FIELD(type_, member) .type = SCHEMA_##type_, .offset = offsetof(struct pool_at, member)

#define pool_at pool_machine
static const struct schema_field pool_machine_fields[] = {
    { .name = "type", FIELD(STRING, type), .flags = SCHEMA_REQUIRED, .min = 1, .max = 64,
      .doc = "The provider's name of the machine type." },
    { .name = "price_per_hour", FIELD(MICRO, price_micro), .min = 0, .max = INT64_C(1000000) * 1000000,
      .doc = "What an hour of it costs, in the currency of the budget; 0: nothing, or not known." },
    { .name = "memory_bytes", FIELD(INT, memory_bytes), .min = 0, .max = MEMORY_MAX,
      .doc = "Bytes of memory that a host of this type has for containers, as its engine will tell." },
    { .name = "cpus", FIELD(MILLI, cpus_milli), .min = 0, .max = 1000000,
      .doc = "Cpus that a host of this type has." },
    { .name = "slots", FIELD(INT, slots), .min = 0, .max = 100000,
      .doc = "Slots of a host of this type; 0: the policy's slots_per_host." },
};
#undef pool_at

const struct schema pool_machine_schema = {
    .name = "PoolMachine", .doc = "A machine type that may be launched.",
    .size = sizeof(struct pool_machine),
    .fields = pool_machine_fields, .field_count = ARRAY_LEN(pool_machine_fields),
};

static const struct schema_field pool_machines_fields[] = {
    { .name = "machine_types", .type = SCHEMA_OBJECTS, .offset = offsetof(struct pool, machines),
      .max = POOL_MACHINES_MAX, .sub = &pool_machine_schema,
      .doc = "Machine types that may be launched, in the order of preference." },
};

const struct schema pool_machines_schema = {
    .name = "PoolMachines", .doc = "The machine types of a pool.",
    .size = sizeof(struct pool),
    .fields = pool_machines_fields, .field_count = ARRAY_LEN(pool_machines_fields),
};

#define pool_at pool_schedule
static const struct schema_field pool_schedule_fields[] = {
    { .name = "cron", FIELD(STRING, cron), .flags = SCHEMA_REQUIRED, .min = 1, .max = 256, .check = cron_check,
      .doc = "When it begins, as in crontab(5): minute, hour, day of the month, month, day of the week; \"30 7 * * mon-fri\"." },
    { .name = "time_zone", FIELD(STRING, time_zone), .max = 64, .check = zone_name_check,
      .doc = "The clock that cron means: \"Europe/Helsinki\"; without it UTC." },
    { .name = "duration_s", FIELD(MILLI, duration_ms), .flags = SCHEMA_REQUIRED, .min = 60 * SECOND_MS, .max = 31 * DAY_MS,
      .doc = "Seconds for which it holds from each time that cron names." },
    { .name = "min_hosts", FIELD(INT, min_hosts), .min = 0, .max = 10000,
      .doc = "Hosts that are kept meanwhile." },
    { .name = "free_memory_bytes", FIELD(INT, free_memory_bytes), .min = 0, .max = MEMORY_MAX,
      .doc = "Bytes of memory that are kept free meanwhile." },
    { .name = "free_slots", FIELD(INT, free_slots), .min = 0, .max = 1000000,
      .doc = "Slots that are kept free meanwhile." },
};
#undef pool_at

const struct schema pool_schedule_schema = {
    .name = "PoolSchedule", .doc = "Hosts and headroom for certain hours. Where the policy itself or another schedule asks for more, that holds.",
    .size = sizeof(struct pool_schedule),
    .fields = pool_schedule_fields, .field_count = ARRAY_LEN(pool_schedule_fields),
};

#define pool_at pool_policy
static const struct schema_field pool_policy_fields[] = {
    /* These three stand beside `policy` in the configuration. */
    { .name = "overcommit", FIELD(OBJECT, overcommit), .sub = &pool_overcommit_schema,
      .doc = "Factors on each host's capacity." },
    { .name = "reserve", FIELD(OBJECT, reserve), .sub = &pool_reserve_schema,
      .doc = "What of each host is not given to containers." },
    { .name = "labels", FIELD(MAP, labels), .max = 64, .item_max = 256,
      .doc = "Labels that each host of the pool carries, beside its own, which win. One of its own that is the same counts as the pool's." },
    /* What a host is used for. */
    { .name = "error_threshold", FIELD(MILLI, error_threshold_milli), .min = 0, .max = 1000000, .fallback = 3000,
      .doc = "A host whose error score is above this takes no new work." },
    { .name = "slots_per_host", FIELD(INT, slots_per_host), .min = 0, .max = 100000,
      .doc = "Slots of each host; 0: memory and cpus alone decide." },
    { .name = "starts_per_host", FIELD(INT, starts_per_host), .min = 0, .max = 256,
      .doc = "Engine operations at once on a host; 0: four for each of its cpus, 2 to 32." },
    { .name = "drain_deadline_s", FIELD(MILLI, drain_deadline_ms), .min = 0, .max = 30 * DAY_MS, .fallback = HOUR_MS,
      .doc = "Seconds that instances of a drained host may go on before they are stopped, when the drain names none." },
    { .name = "anti_affinity", FIELD(INT, anti_affinity), .min = 0, .max = 100000,
      .doc = "Most instances of one owner on one host; 0: no limit." },
    /* Growth. */
    { .name = "min_hosts", FIELD(INT, min_hosts), .min = 0, .max = 10000,
      .doc = "Hosts that are kept even when nothing runs; 0: the pool may become empty." },
    { .name = "max_hosts", FIELD(INT, max_hosts), .min = 0, .max = 10000, .fallback = 10,
      .doc = "No host is launched when the pool has so many, in whatever state." },
    { .name = "free_memory_bytes", FIELD(INT, free_memory_bytes), .min = 0, .max = MEMORY_MAX,
      .doc = "Bytes of memory that are kept free, so that the next instance need not wait for a machine." },
    { .name = "free_slots", FIELD(INT, free_slots), .min = 0, .max = 1000000,
      .doc = "The same in slots." },
    { .name = "free_share", FIELD(MILLI, free_share_milli), .min = 0, .max = 10000,
      .doc = "The same as a share of what is in use: 0.25 keeps a quarter of it free in addition; the larger of the two holds." },
    { .name = "warm_hosts", FIELD(INT, warm_hosts), .min = 0, .max = 1000,
      .doc = "So many hosts are kept prepared and stopped: started in seconds, and paid for by their disks alone. "
             "They count in max_hosts." },
    { .name = "launches_per_hour", FIELD(INT, launches_per_hour), .min = 0, .max = 100000, .fallback = 20,
      .doc = "Most machines that are launched in an hour; 0: no limit." },
    { .name = "budget_per_month", FIELD(MILLI, budget_per_month_milli), .min = 0, .max = INT64_C(1000000000) * 1000,
      .doc = "Most money for machines in a calendar month (UTC), in the currency of their prices: none is launched that might go beyond; 0: no limit." },
    { .name = "schedules", FIELD(OBJECTS, schedules), .max = POOL_SCHEDULES_MAX, .sub = &pool_schedule_schema,
      .doc = "Hosts and headroom for certain hours." },
    { .name = "machine_choice", FIELD(ENUM, machine_choice), .names = pool_choice_names, .fallback = CHOICE_FIT,
      .doc = "Which machine type is launched. fit: the cheapest for what is lacking and what waits; by_use: the first of the list while nothing is in use, else the last." },
    /* Retirement. */
    { .name = "life_from", FIELD(ENUM, life_from), .names = pool_life_names, .fallback = LIFE_FROM_FIRST_USE,
      .doc = "When a host's life begins: with its first instance, so that an unused host does not age, or when it goes into service." },
    { .name = "retire", FIELD(ENUM, retire), .names = pool_retire_names, .fallback = RETIRE_DRAIN,
      .doc = "At the end of its life a host takes no new work at once (drain), or serves, as the last choice, until nothing runs there (when_empty)." },
    { .name = "host_lifetime_s", FIELD(MILLI, host_lifetime_ms), .min = 0, .max = 10 * YEAR_MS,
      .doc = "Seconds after which a host is replaced by a new one; 0: never." },
    { .name = "host_lifetime_low_s", FIELD(MILLI, host_lifetime_low_ms), .min = 0, .max = YEAR_MS, .fallback = 300 * SECOND_MS,
      .doc = "With less than so many seconds of its life left a host takes new work only when no other can, and its replacement is launched." },
    { .name = "host_uses", FIELD(INT, host_uses), .min = 0, .max = 1000000000,
      .doc = "Instances that were placed on a host before it is replaced; 0: no limit." },
    { .name = "retire_deadline_s", FIELD(MILLI, retire_deadline_ms), .min = 0, .max = YEAR_MS,
      .doc = "Seconds after which the instances of a retired host are stopped; 0: they go on to their own end." },
    { .name = "consolidate", FIELD(BOOL, consolidate), .fallback = 1,
      .doc = "Empty the host with the least on it when the others hold its load and the headroom." },
    { .name = "consolidate_after_s", FIELD(MILLI, consolidate_after_ms), .min = 0, .max = YEAR_MS, .fallback = 900 * SECOND_MS,
      .doc = "Seconds since the pool grew last before it consolidates." },
    { .name = "shutdown", FIELD(BOOL, shutdown),
      .doc = "Retire all hosts and launch none." },
    /* Trust. */
    { .name = "prepare_attempts", FIELD(INT, prepare_attempts), .min = 1, .max = 100, .fallback = 3,
      .doc = "So many failed preparations, and a host is given up and replaced." },
    { .name = "playbook_drift", FIELD(ENUM, playbook_drift), .names = pool_drift_names, .fallback = PLAYBOOK_IGNORE,
      .doc = "What becomes of hosts that were prepared by another playbook than today's. ignore: they are told of; rerun: it is run on them again, one at a time, while they serve; replace: they are retired, one at a time, as if by age." },
    { .name = "probation", FIELD(INT, probation), .min = 0, .max = 1000, .fallback = 3,
      .doc = "Instances that must start well, one at a time, before a host that had failed is trusted again." },
    { .name = "suspended_max_s", FIELD(MILLI, suspended_max_ms), .min = 0, .max = YEAR_MS, .fallback = HOUR_MS,
      .doc = "Seconds that a host that fails has to recover before it is retired; 0: for ever." },
    /* Rounds. */
    { .name = "actions_per_round", FIELD(INT, actions_per_round), .min = 0, .max = 64,
      .doc = "Most changes to the pool's hosts in one round of housekeeping; 0: no limit but 64." },
    { .name = "actions_per_kind", FIELD(INT, actions_per_kind), .min = 0, .max = 64, .fallback = 8,
      .doc = "Most changes of one kind in one round: launches, drains, ...; 0: no limit." },
};
#undef pool_at

const struct schema pool_policy_schema = {
    .name = "PoolPolicy", .doc = "The rules for the hosts of a pool.",
    .size = sizeof(struct pool_policy),
    .fields = pool_policy_fields, .field_count = ARRAY_LEN(pool_policy_fields),
};

const struct schema pool_rules_schema = {
    .name = "PoolRules", .doc = "The rules for the hosts of a pool.",
    .size = sizeof(struct pool_policy),
    .fields = pool_policy_fields + 3, .field_count = ARRAY_LEN(pool_policy_fields) - 3,
};
/* clang-format on */

const char *
pool_drift_name(int32_t drift)
{
    assert(drift >= PLAYBOOK_IGNORE && drift <= PLAYBOOK_REPLACE);
    return pool_drift_names[drift];
}
