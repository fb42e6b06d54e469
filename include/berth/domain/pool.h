#pragma once

/*
 * A pool: hosts of one kind and the rules for them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/schema.h"
#include "berth/domain/pool_place.h"
#include "berth/domain/setback.h"

enum pool_provider { PROVIDER_LOCAL, PROVIDER_STATIC, PROVIDER_EC2, PROVIDER_COUNT };

/** pool_provider_name() - "local", "static", "ec2". */
const char *pool_provider_name(int32_t provider);
/** pool_provider_rents() - Berth launches and terminates the machines itself. */
bool pool_provider_rents(int32_t provider);

struct pool_overcommit {
    int64_t memory_milli; /* 1000: reservations up to the capacity */
    int64_t cpus_milli;
};

struct pool_reserve {
    int64_t memory_bytes; /* of each host, kept for the system */
    int64_t cpus_milli;
};

/* When a host's life begins. */
enum pool_life { LIFE_FROM_FIRST_USE, LIFE_FROM_ACTIVATION };

/* What becomes of a host at the end of its life. */
enum pool_retire {
    RETIRE_DRAIN,      /* no new work; inactive at once */
    RETIRE_WHEN_EMPTY, /* it stays active, as the last choice, until nothing runs there */
};

/* Which machine type to launch. */
enum pool_choice {
    CHOICE_FIT,    /* the cheapest for what is lacking and what waits */
    CHOICE_BY_USE, /* the first while nothing is in use, else the last */
};

/* What becomes of a host that another playbook than today's has prepared. */
enum pool_drift {
    PLAYBOOK_IGNORE,  /* it is told of, and stays as it is */
    PLAYBOOK_RERUN,   /* the playbook is run on it again while it serves */
    PLAYBOOK_REPLACE, /* a rented one is retired, as if by age; a given one as with RERUN */
};

/** pool_drift_name() - "ignore", "rerun", "replace". */
const char *pool_drift_name(int32_t drift);

/* A machine type that may be launched, in the order of preference. */
struct pool_machine {
    char *type;          /* the provider's name */
    int64_t price_micro; /* millionths of the currency an hour */
    int64_t memory_bytes;
    int64_t cpus_milli;
    int64_t slots; /* 0: memory and cpus alone decide */
};

enum { POOL_MACHINES_MAX = 32 };

extern const struct schema pool_machine_schema;
/* Of struct pool: its machine types alone. */
extern const struct schema pool_machines_schema;

/* While the time is within @duration_ms of a time that @cron names, these hold if they are more. */
struct pool_schedule {
    char *cron;      /* five fields, as crontab(5) */
    char *time_zone; /* "Europe/Helsinki"; NULL: UTC */
    int64_t duration_ms;
    int64_t min_hosts;
    int64_t free_memory_bytes;
    int64_t free_slots;
};

enum { POOL_SCHEDULES_MAX = 32 };

extern const struct schema pool_schedule_schema;

/* What PUT /v1/pools/{name} changes. */
struct pool_policy {
    struct pool_overcommit overcommit;
    struct pool_reserve reserve;
    struct schema_map labels; /* each host of the pool carries these, too */
    int64_t error_threshold_milli;
    int64_t slots_per_host;    /* 0: memory and cpus alone decide */
    int64_t starts_per_host;   /* engine operations at once on a host; 0: 4 × its cpus, 2 to 32 */
    int64_t drain_deadline_ms; /* of a drain that names none */
    int64_t anti_affinity;     /* most instances of one owner on one host; 0: no limit */
    /* Growth. */
    int64_t min_hosts;
    int64_t max_hosts;         /* in any state but removed */
    int64_t free_memory_bytes; /* headroom that is kept */
    int64_t free_slots;
    int64_t free_share_milli; /* headroom as a share of what is in use */
    int64_t warm_hosts;       /* prepared and stopped ones that are kept; they count in max_hosts */
    int64_t launches_per_hour; /* 0: no limit */
    int64_t
        budget_per_month_milli; /* thousandths of the currency, per calendar month (UTC); 0: none */
    struct schema_array schedules; /* struct pool_schedule */
    int32_t machine_choice;        /* enum pool_choice */
    /* Retirement. */
    int32_t life_from;            /* enum pool_life */
    int32_t retire;               /* enum pool_retire */
    int64_t host_lifetime_ms;     /* 0: no end */
    int64_t host_lifetime_low_ms; /* less left: new work only when no other host can take it */
    int64_t host_uses;            /* placements, then it is retired; 0: no limit */
    int64_t retire_deadline_ms;   /* instances of a retired host are stopped after; 0: they go on */
    bool consolidate;             /* drain the emptiest host when the others hold its load */
    int64_t consolidate_after_ms; /* since the pool grew last */
    bool shutdown;                /* retire all, launch none */
    /* Trust. */
    int64_t prepare_attempts; /* failures of a preparation, then the host is given up */
    int32_t playbook_drift;   /* enum pool_drift */
    int64_t probation;        /* placements in a row that must go well after a canary */
    int64_t suspended_max_ms; /* a host that has not recovered by then is retired */
    /* Rounds. */
    int64_t actions_per_round; /* in all; 0: no limit */
    int64_t actions_per_kind;  /* of each kind in a round; 0: no limit */
};

extern const struct schema pool_policy_schema;

/* The same, in the parts of which a pool's configuration is made: pool_rules_schema describes a
 * struct pool_policy without overcommit, reserve and labels. */
extern const struct schema pool_overcommit_schema;
extern const struct schema pool_reserve_schema;
extern const struct schema pool_rules_schema;

struct placement_pool;

struct pool {
    int64_t id;
    char *name; /* owned */
    int32_t provider;
    struct pool_policy policy;
    struct schema_array machines; /* struct pool_machine; of the configuration */
    int64_t rev;                  /* of the policy, for ETag */
    int64_t created_at_ms;
    int64_t grown_at_ms;     /* the last launch was decided; 0: none yet */
    int64_t spent_micro;     /* by machines that ended in spent_month */
    int32_t spent_month;     /* 202611: that of spent_micro */
    struct setback setback;  /* machines that never became hosts */
    struct pool_place place; /* of its machines, if it rents */
    bool shut_down; /* by a person: policy.shutdown holds whatever the configuration says */
    /* Not stored. */
    struct placement_pool *placement; /* owned by the placement index */
    uint32_t hosts;                   /* rows that are not removed */
    bool configured;                  /* the configuration names it (or it is `default`) */
    bool left;                        /* it rents, and the configuration names it no more */
    bool dirty;
};

/** pool_policy_check() - what the table of fields cannot say: which of them contradict each other.
 * @pointer: JSON pointer of @policy in its document
 * Return: 0, or -1 with an entry in @problems for each. */
int pool_policy_check(const struct pool_policy *policy, const char *pointer,
                      struct problems *problems);

/** pool_schedule_refuse() - the problem that there is no time zone of the name that the schedule at
 * @index of @policy names. */
void pool_schedule_refuse(const struct pool_policy *policy, size_t index, const char *pointer,
                          struct problems *problems);

struct pool *pool_new(const char *name, int32_t provider);
void pool_free(struct pool *pool);
