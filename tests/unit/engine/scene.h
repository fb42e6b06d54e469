#pragma once

/*
 * A checked world with a pool `default`, and short words for what tests do in it.
 */

#include "check.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)

struct scene {
    struct world world;
    struct check check;
    int64_t watched;             /* instance that scene_until_state() waits for */
    enum instance_state awaited; /* ... to get into this state */
    int64_t watched_host;
    enum host_state awaited_host;
};

/** scene_begin() - @hosts (at most 9) hosts h1, h2, ... of 4 GiB and 4 processors, joined. */
void scene_begin(struct scene *scene, int hosts);
/** scene_settle() - long enough for all to come to rest; all must be well then. */
void scene_settle(struct scene *scene);
/** scene_end() - settle and go. */
void scene_end(struct scene *scene);

/** scene_blueprint() - @json with single quotes for double ones. */
void scene_blueprint(struct scene *scene, const char *json);
/** scene_launch() - must be accepted. Return: its id. */
int64_t scene_launch(struct scene *scene, const char *blueprint);
/** scene_until() - until @id is in @state, at most @ms; fails when it does not get there. */
void scene_until(struct scene *scene, int64_t id, enum instance_state state, int64_t ms);
/** scene_run_one() - launch and wait until it runs. Return: its id. */
int64_t scene_run_one(struct scene *scene, const char *blueprint);
void scene_until_host(struct scene *scene, const char *name, enum host_state state, int64_t ms);
const struct instance *scene_instance(struct scene *scene, int64_t id);
/** scene_host() - of the pool `default`, not removed; NULL when there is none. */
struct host *scene_host(struct scene *scene, const char *name);
/** scene_host_name() - where @id is, or was last. */
const char *scene_host_name(struct scene *scene, int64_t id);
/** scene_container() - of @id's present generation on its host; NULL when there is none. */
struct fake_container *scene_container(struct scene *scene, int64_t id);
/** scene_crash() - @id's container ends with @exit_code. */
void scene_crash(struct scene *scene, int64_t id, int32_t exit_code, bool oom_killed);
/** scene_events() - durable events of @kind about @id (an instance or a host; 0: any). */
size_t scene_events(struct scene *scene, const char *kind, int64_t id);
/** scene_operation() - the durable state of the operation @id. */
enum operation_state scene_operation(struct scene *scene, int64_t id);
/** scene_fault() - the next @nth (0: each) call of @verb on @host (NULL: any) has @kind. */
void scene_fault(struct scene *scene, enum docker_verb verb, const char *host, int nth,
                 struct fake_fate fate);
