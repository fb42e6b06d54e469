#include <string.h>

#include "lane.h"
#include "state.h"

enum { CALLS_MAX = 4096 }; /* under way at once for all requests */

static void
calls_on_done(struct docker_call *call, const struct fault *fault)
{
    struct engine_call *wrapped = CONTAINER_OF(call, struct engine_call, call);

    list_remove(&wrapped->engine->calls, &wrapped->node);
    wrapped->done(wrapped, fault);
}

static int
calls_start(struct engine *engine, const struct host *host, struct engine_call *call,
            struct fault *fault)
{
    const struct docker_port *docker = engine->ports.docker;

    if (engine->health == ENGINE_STOPPING || engine->reloading)
        return fault_set(fault, FAULT_SHUTTING_DOWN, "calls", "not possible just now");
    if (!host->lane || host->lane->state == LANE_BROKEN)
        return fault_set(fault, FAULT_UNREACHABLE, "calls", "host %s does not answer", host->name);
    if (engine->calls.count >= CALLS_MAX) {
        return fault_set(fault, FAULT_RATE_LIMITED, "calls",
                         "%d calls to hosts are under way already", CALLS_MAX);
    }
    call->engine = engine;
    call->call.host_id = host->id;
    call->call.done = calls_on_done;
    list_push(&engine->calls, &call->node);
    docker->call_start(docker->self, &call->call);
    return 0;
}

int
engine_instance_call(struct engine *engine, const struct instance *instance,
                     struct engine_call *call, struct fault *fault)
{
    static const uint8_t none[INSTANCE_CONTAINER_ID_SIZE];

    if (!instance->host || instance->generation == 0) {
        return fault_set(fault, FAULT_CONFLICT, "calls", "it is %s and has no container",
                         instance_state_name((enum instance_state)instance->state));
    }
    /* The engine would only know that there is no such container. */
    if (instance->state == INSTANCE_STARTING &&
        memcmp(instance->container_id, none, sizeof(none)) == 0) {
        return fault_set(fault, FAULT_CONFLICT, "calls",
                         "it is starting and has no container yet; try again in a moment");
    }
    call->call.name = instance_container_name(instance, call->name);
    return calls_start(engine, instance->host, call, fault);
}

int
engine_host_call(struct engine *engine, const struct host *host, struct engine_call *call,
                 struct fault *fault)
{
    return calls_start(engine, host, call, fault);
}

void
engine_call_cancel(struct engine *engine, struct engine_call *call)
{
    engine->ports.docker->call_cancel(engine->ports.docker->self, &call->call);
}

void
engine_call_pause(struct engine *engine, struct engine_call *call, bool paused)
{
    engine->ports.docker->call_pause(engine->ports.docker->self, &call->call, paused);
}
