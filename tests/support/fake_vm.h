#pragma once

/*
 * Machines as a provider knows them, in virtual time: pending, running, stopping, terminated; hidden
 * from listings at first; some never boot, vanish, or are taken back.  What each cost stays known
 * after its end.
 */

#include "berth/base/idmap.h"
#include "berth/base/list.h"
#include "berth/base/text.h"
#include "berth/port/clock.h"
#include "berth/port/cloud.h"

#include "support/fake_docker.h"

enum { FAKE_VM_NOTICE_MS = 120000, FAKE_VM_START_MS = 5000, FAKE_VM_DISK_SHARE = 20 };

/* What becomes of a machine; decided when it is launched. */
struct fake_vm_life {
    int64_t hidden_ms;   /* listings lack it for so long */
    int64_t boot_ms;     /* until it runs and has an address; -1: never */
    int64_t stop_ms;     /* from stopping to terminated */
    int64_t ends_ms;     /* it is gone so long after its launch; 0: not by itself */
    bool notice;         /* and is listed with a notice FAKE_VM_NOTICE_MS before */
    bool mute;           /* it runs, but nothing answers at its address */
    const char *console; /* what it shows; borrowed; NULL: nothing */
    int64_t spot_micro;  /* it is a spot machine and costs so much an hour; 0: it is none */
};

struct fake_vm {
    struct cloud_machine seen;
    struct fake_vm_life life;
    char token[CLOUD_TOKEN_SIZE];
    uint8_t user_data[TEXT_SHA256_SIZE]; /* its digest */
    char type[64];
    char name[64];
    char cluster[64]; /* "": not ours */
    int64_t pool_id;
    int64_t host_id;     /* whom it was launched for; its tag may be lost */
    int64_t price_micro; /* an hour */
    int64_t memory_bytes;
    int64_t cpus_milli;
    int64_t launched_mono_ms;
    int64_t ended_mono_ms;   /* 0: it still costs */
    int64_t stopped_mono_ms; /* 0: it is not stopped */
    int64_t stopped_ms;      /* how long it was before that */
    uint32_t starts;
    bool late;                   /* launched after the answer was given */
    bool halting;                /* STOPPING: its disk stays */
    bool prepared;               /* its engine comes back when it starts */
    struct fake_machine *engine; /* NULL: it was not prepared */
    struct fake_vms *vms;
    struct clock_timer timer;
    struct list_node node;
};

struct fake_vms {
    struct list list; /* struct fake_vm, oldest first; those that ended, too */
    const struct clock_port *clock;
    struct fake_docker *docker;
    struct idmap groups; /* by pool: made by its first launch, until it is forgotten */
    int64_t next_id;
};

void fake_vm_init(struct fake_vms *vms, const struct clock_port *clock, struct fake_docker *docker);
void fake_vm_fini(struct fake_vms *vms);

/** fake_vm_launch() - one more, pending; the caller fills in whose it is. */
struct fake_vm *fake_vm_launch(struct fake_vms *vms, const struct fake_vm_life *life);
/** fake_vm_pool_set() - it is of that pool; the first makes a security group for the pool. */
void fake_vm_pool_set(struct fake_vm *vm, int64_t pool_id);
/** fake_vm_forget() - the pool's group goes, if none of its machines holds on to it.
 * @ret_forgotten: untouched when there is none
 * Return: 0, or -1 with FAULT_CLOUD_FAILED. */
int fake_vm_forget(struct fake_vms *vms, int64_t pool_id, char ret_forgotten[CLOUD_FORGOTTEN_SIZE],
                   struct fault *fault);
/** fake_vm_terminate() - it stops, and is terminated after life.stop_ms. */
void fake_vm_terminate(struct fake_vm *vm);
/** fake_vm_stop() - what it wrote stays, its address goes and its engine ends; stopped after
 * life.stop_ms. Return: false when it is pending. */
bool fake_vm_stop(struct fake_vm *vm);
/** fake_vm_start() - it boots within FAKE_VM_START_MS, with another address, and if it had an engine that
 * comes back there, empty of what ran. Return: false when it is stopping. */
bool fake_vm_start(struct fake_vm *vm);
/** fake_vm_vanish() - it is gone at once, as if it had been deleted by another. */
void fake_vm_vanish(struct fake_vm *vm);

/** fake_vm_next() - after @vm (NULL: the first); NULL at the end. */
struct fake_vm *fake_vm_next(const struct fake_vms *vms, const struct fake_vm *vm);
struct fake_vm *fake_vm_by_id(const struct fake_vms *vms, const char *id);
/** fake_vm_by_address() - a running one; NULL: nothing answers there. */
struct fake_vm *fake_vm_by_address(const struct fake_vms *vms, const char *address);

/** fake_vm_is_alive() - pending, running or stopping: it costs. */
bool fake_vm_is_alive(const struct fake_vm *vm);
/** fake_vm_is_listed() - a listing has it now; one that ended stays there for a while. */
bool fake_vm_is_listed(const struct fake_vm *vm);
/** fake_vm_cost_ms() - for how long it has cost, also while stopped. */
int64_t fake_vm_cost_ms(const struct fake_vm *vm);
/** fake_vm_run_micro() - what it cost while it was not stopped. */
int64_t fake_vm_run_micro(const struct fake_vm *vm);
/** fake_vm_cost_micro() - up to now; of an hour that it was stopped a FAKE_VM_DISK_SHARE-th. */
int64_t fake_vm_cost_micro(const struct fake_vm *vm);
/** fake_vm_engine_start() - what a playbook does in the end: an engine answers at the endpoint
 * tcp://ADDRESS:2376. Return: that endpoint's machine. */
struct fake_machine *fake_vm_engine_start(struct fake_vm *vm);
