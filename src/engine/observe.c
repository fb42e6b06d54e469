#include "observe.h"

#include <string.h>

enum { OBSERVE_KILLED = 137 }; /* 128 + SIGKILL */

bool
observe_is_alive(const struct docker_container *container)
{
    return container->state == DOCKER_RUNNING || container->state == DOCKER_PAUSED ||
           container->state == DOCKER_RESTARTING;
}

static bool
observe_ports_differ(const struct instance *instance, const struct docker_container *container)
{
    if (instance->port_count != container->port_count)
        return true;
    for (size_t i = 0; i < container->port_count; i++) {
        const struct instance_port *have = &instance->ports[i];

        if (have->container != container->ports[i].container ||
            have->host != container->ports[i].host ||
            have->protocol != container->ports[i].protocol)
            return true;
    }
    return false;
}

static void
observe_ports(struct instance *instance, const struct docker_container *container)
{
    struct instance_port *ports = instance_ports_new(instance, (uint8_t)container->port_count);

    for (size_t i = 0; i < container->port_count; i++) {
        ports[i] = (struct instance_port){
            .container = container->ports[i].container,
            .host = container->ports[i].host,
            .protocol = container->ports[i].protocol,
        };
    }
}

void
observe_container(struct engine *engine, struct instance *instance,
                  const struct docker_container *container)
{
    uint8_t id[INSTANCE_CONTAINER_ID_SIZE];
    bool changed = false;

    if (text_hex_parse(container->id, id, sizeof(id)) &&
        memcmp(id, instance->container_id, sizeof(id)) != 0) {
        memcpy(instance->container_id, id, sizeof(id));
        changed = true;
    }
    if (container->state == DOCKER_RUNNING && observe_ports_differ(instance, container)) {
        observe_ports(instance, container);
        changed = true;
    }
    if (changed)
        model_instance_touch(engine->model, instance);
}

bool
observe_may_be_told_more(const struct instance *instance, const struct docker_container *container)
{
    return container->exit_code == OBSERVE_KILLED && !container->oom_killed && !instance->oom_told;
}

/* What exit codes of 126 and more usually mean. */
static const char *
observe_code_text(int32_t code)
{
    switch (code) {
    case 126:
        return " (its command is not executable)";
    case 127:
        return " (its command was not found)";
    case 130:
        return " (interrupted)";
    case 134:
        return " (aborted)";
    case 139:
        return " (segmentation fault)";
    case 143:
        return " (terminated)";
    default:
        return "";
    }
}

void
observe_exit_text(const struct instance *instance, const struct docker_container *container,
                  struct fault *ret_fault)
{
    char size[24];

    if (container->oom_killed || (instance->oom_told && container->exit_code == OBSERVE_KILLED)) {
        fault_set(ret_fault, FAULT_EXITED, "observe",
                  "killed because it needed more memory than its limit of %s",
                  text_size((uint64_t)instance->blueprint->spec.memory_bytes, size));
    } else if (container->error[0]) {
        fault_set(ret_fault, FAULT_EXITED, "observe", "could not run: %s", container->error);
    } else if (container->exit_code == OBSERVE_KILLED) {
        /* A busy engine may lose the kernel's word about it (seen with 20.10). */
        fault_set(ret_fault, FAULT_EXITED, "observe",
                  "ended with exit code %d (killed, perhaps because it needed more memory than its "
                  "limit of %s)",
                  container->exit_code,
                  text_size((uint64_t)instance->blueprint->spec.memory_bytes, size));
    } else {
        fault_set(ret_fault, FAULT_EXITED, "observe", "ended with exit code %d%s",
                  container->exit_code, observe_code_text(container->exit_code));
    }
}
