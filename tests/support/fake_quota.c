/* Counted over the machines that are there. */

#include "support/fake_quota.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void
fake_quota_init(struct fake_quota *quota, const struct clock_port *clock)
{
    *quota = (struct fake_quota){ .clock = clock, .limit = -1 };
}

static struct fake_quota_room *
fake_quota_room_find(struct fake_quota *quota, const char *type)
{
    for (size_t i = 0; i < quota->room_count; i++) {
        if (strcmp(quota->rooms[i].type, type) == 0)
            return &quota->rooms[i];
    }
    return NULL;
}

void
fake_quota_room_set(struct fake_quota *quota, const char *type, int64_t room)
{
    struct fake_quota_room *found = fake_quota_room_find(quota, type);

    if (!found) {
        assert(quota->room_count < FAKE_QUOTA_ROOMS_MAX);
        found = &quota->rooms[quota->room_count++];
        (void)snprintf(found->type, sizeof(found->type), "%s", type);
    }
    found->room = room;
}

void
fake_quota_limit_set(struct fake_quota *quota, int64_t limit)
{
    quota->limit = limit;
}

void
fake_quota_throttle_set(struct fake_quota *quota, int64_t every_ms, int64_t burst)
{
    quota->every_ms = every_ms;
    quota->burst = burst;
    quota->bucket_ms = every_ms * burst;
    quota->bucket_mono_ms = quota->clock->mono_ms(quota->clock->self);
}

bool
fake_quota_is_throttled(struct fake_quota *quota)
{
    int64_t now = quota->clock->mono_ms(quota->clock->self);
    int64_t full = quota->every_ms * quota->burst;

    if (quota->every_ms == 0)
        return false;
    quota->bucket_ms += now - quota->bucket_mono_ms;
    quota->bucket_mono_ms = now;
    if (quota->bucket_ms > full)
        quota->bucket_ms = full;
    if (quota->bucket_ms < quota->every_ms)
        return true;
    quota->bucket_ms -= quota->every_ms;
    return false;
}

int
fake_quota_check(struct fake_quota *quota, const struct fake_vms *vms, const char *type,
                 struct fault *fault)
{
    const struct fake_quota_room *room = fake_quota_room_find(quota, type);
    const struct fake_vm *vm = NULL;
    int64_t of_type = 0;
    int64_t all = 0;

    while ((vm = fake_vm_next(vms, vm))) {
        all += fake_vm_is_alive(vm);
        of_type += fake_vm_is_alive(vm) && strcmp(vm->type, type) == 0;
    }
    if (quota->limit >= 0 && all >= quota->limit)
        return fault_set(fault, FAULT_CLOUD_LIMIT, "fake.cloud", "InstanceLimitExceeded");
    if (room && room->room >= 0 && of_type >= room->room) {
        return fault_set(fault, FAULT_CLOUD_CAPACITY, "fake.cloud",
                         "InsufficientInstanceCapacity: %s", type);
    }
    return 0;
}
