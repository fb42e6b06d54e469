/* A Docker engine without containers: only what it would remember of them. */

#include "support/fake_machine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void fake_machine_copy(char *ret_text, size_t size, const char *text);
static struct fake_container *fake_machine_next(const struct fake_machine *machine,
                                                const struct fake_container *container);

struct fake_machine *
fake_machine_new(const char *engine)
{
    struct fake_machine *machine = mem_new0(sizeof(*machine));

    list_init(&machine->containers);
    fake_machine_copy(machine->engine, sizeof(machine->engine), engine);
    machine->info = (struct docker_info){
        .engine_version = "20.10.24",
        .engine_api = "1.41",
        .memory_bytes = INT64_C(8) << 30,
        .cpus_milli = 4000,
        .memory_limit = true,
        .swap_limit = true,
        .storage_driver = "overlay2",
        .os = "Debian GNU/Linux 12 (bookworm)",
        .architecture = "x86_64",
    };
    fake_machine_copy(machine->info.engine_id, sizeof(machine->info.engine_id), engine);
    machine->next_port = 32768;
    machine->exec_output = "";
    return machine;
}

void
fake_machine_free(struct fake_machine *machine)
{
    struct list_node *node;

    if (!machine)
        return;
    while ((node = list_pop(&machine->containers)))
        mem_free(CONTAINER_OF(node, struct fake_container, node));
    mem_free(machine);
}

static void
fake_machine_copy(char *ret_text, size_t size, const char *text)
{
    (void)snprintf(ret_text, size, "%s", text ? text : "");
}

/* The container after @container (NULL: the first). */
static struct fake_container *
fake_machine_next(const struct fake_machine *machine, const struct fake_container *container)
{
    struct list_node *node = container ? list_next(&machine->containers, &container->node)
                                       : list_first(&machine->containers);

    return node ? CONTAINER_OF(node, struct fake_container, node) : NULL;
}

struct fake_container *
fake_machine_find(struct fake_machine *machine, const char *name)
{
    struct fake_container *c = NULL;

    while ((c = fake_machine_next(machine, c))) {
        if (strcmp(c->seen.name, name) == 0 || strcmp(c->seen.id, name) == 0)
            return c;
    }
    return NULL;
}

struct fake_container *
fake_machine_add(struct fake_machine *machine, const char *name, const char *cluster)
{
    struct fake_container *c = mem_new0(sizeof(*c));

    (void)snprintf(c->seen.id, sizeof(c->seen.id), "%064" PRIx64, (uint64_t)++machine->next_id);
    fake_machine_copy(c->seen.name, sizeof(c->seen.name), name);
    fake_machine_copy(c->cluster, sizeof(c->cluster), cluster);
    c->seen.state = DOCKER_CREATED;
    c->ready = true;
    list_push(&machine->containers, &c->node);
    return c;
}

struct fake_container *
fake_machine_oldest(struct fake_machine *machine)
{
    struct list_node *node = list_first(&machine->containers);

    assert(node);
    return CONTAINER_OF(node, struct fake_container, node);
}

void
fake_machine_image_add(struct fake_machine *machine, const char *reference)
{
    for (size_t i = 0; i < machine->image_count; i++) {
        if (strcmp(machine->images[i], reference) == 0)
            return;
    }
    assert(machine->image_count < FAKE_IMAGES_MAX);
    fake_machine_copy(machine->images[machine->image_count++], FAKE_NAME_SIZE, reference);
}

static bool
fake_machine_has_image(const struct fake_machine *machine, const char *reference)
{
    for (size_t i = 0; i < machine->image_count; i++) {
        if (strcmp(machine->images[i], reference) == 0)
            return true;
    }
    return machine->any_image;
}

void
fake_machine_end(struct fake_machine *machine, struct fake_container *container, int32_t exit_code,
                 bool oom_killed)
{
    assert(container->seen.state == DOCKER_RUNNING);
    container->seen.state = DOCKER_EXITED;
    container->seen.exit_code = exit_code;
    container->seen.oom_killed = oom_killed;
    container->seen.finished_at_ms = machine->now_ms;
    container->seen.port_count = 0;
}

void
fake_machine_reboot(struct fake_machine *machine)
{
    struct fake_container *c = NULL;

    while ((c = fake_machine_next(machine, c))) {
        if (c->seen.state == DOCKER_RUNNING)
            fake_machine_end(machine, c, 137, false);
    }
}

static int
fake_machine_missing(const char *name, struct fault *fault)
{
    return fault_set(fault, FAULT_ENGINE_MISSING, "fake.docker", "No such container: %s", name);
}

static int
fake_machine_create(struct fake_machine *machine, struct docker_call *call, struct fault *fault)
{
    const struct docker_spec *spec = &call->in.create;
    const struct blueprint_port *ports = spec->blueprint->ports.at;
    struct fake_container *c;

    if (!fake_machine_has_image(machine, spec->blueprint->image)) {
        return fault_set(fault, FAULT_ENGINE_MISSING, "fake.docker", "No such image: %s",
                         spec->blueprint->image);
    }
    if (fake_machine_find(machine, call->name)) {
        return fault_set(fault, FAULT_ENGINE_CONFLICT, "fake.docker",
                         "The container name \"/%s\" is already in use", call->name);
    }
    c = fake_machine_add(machine, call->name, spec->cluster_id);
    fake_machine_copy(c->seen.image, sizeof(c->seen.image), spec->blueprint->image);
    fake_machine_copy(c->seen.label_instance, sizeof(c->seen.label_instance), spec->instance_id);
    fake_machine_copy(c->seen.label_blueprint, sizeof(c->seen.label_blueprint),
                      spec->blueprint->name);
    fake_machine_copy(c->seen.label_owner, sizeof(c->seen.label_owner), spec->owner);
    c->seen.canary = spec->canary;
    c->seen.label_generation = spec->generation;
    c->seen.label_blueprint_version = spec->blueprint_version;
    c->seen.memory_bytes = spec->blueprint->memory_bytes;
    assert(spec->blueprint->ports.count <= DOCKER_PORTS_MAX);
    for (size_t i = 0; i < spec->blueprint->ports.count; i++) {
        c->wanted[c->wanted_count++] = (struct instance_port_binding){
            .container = (uint16_t)ports[i].container,
            .host = (uint16_t)ports[i].host,
            .protocol = (uint8_t)ports[i].protocol,
        };
    }
    fake_machine_copy(call->out.container_id, sizeof(call->out.container_id), c->seen.id);
    return 0;
}

/* The running container that publishes @port of the host; NULL when it is free. */
static struct fake_container *
fake_machine_publisher(struct fake_machine *machine, uint16_t port, uint8_t protocol)
{
    struct fake_container *c = NULL;

    while ((c = fake_machine_next(machine, c))) {
        for (size_t i = 0; i < c->seen.port_count; i++) {
            if (c->seen.ports[i].host == port && c->seen.ports[i].protocol == protocol)
                return c;
        }
    }
    return NULL;
}

static int
fake_machine_publish(struct fake_machine *machine, struct fake_container *c, struct fault *fault)
{
    for (size_t i = 0; i < c->wanted_count; i++) {
        struct instance_port_binding port = c->wanted[i];

        if (port.host && fake_machine_publisher(machine, port.host, port.protocol)) {
            c->seen.port_count = 0;
            return fault_set(fault, FAULT_PORT_TAKEN, "fake.docker", "port %u is already allocated",
                             port.host);
        }
        while (port.host == 0 || fake_machine_publisher(machine, port.host, port.protocol)) {
            port.host = machine->next_port++;
            if (machine->next_port < 32768)
                machine->next_port = 32768;
        }
        c->seen.ports[c->seen.port_count++] = port;
    }
    return 0;
}

static int
fake_machine_start(struct fake_machine *machine, struct fake_container *c, struct fault *fault)
{
    if (c->seen.state == DOCKER_RUNNING)
        return 0;
    if (fake_machine_publish(machine, c, fault) < 0)
        return -1;
    c->seen.state = DOCKER_RUNNING;
    c->seen.started_at_ms = machine->now_ms;
    c->seen.finished_at_ms = 0;
    c->seen.exit_code = 0;
    c->seen.oom_killed = false;
    if (c->seen.canary && !machine->canary_stays)
        fake_machine_end(machine, c, machine->canary_code, false);
    return 0;
}

static void
fake_machine_remove(struct fake_machine *machine, struct fake_container *c)
{
    list_remove(&machine->containers, &c->node);
    mem_free(c);
}

static int
fake_machine_list(struct fake_machine *machine, const char *cluster, struct docker_call *call)
{
    struct fake_container *c = NULL;

    if (machine->containers.count == 0)
        return 0;
    call->out.list.at = mem_resize(NULL, machine->containers.count, sizeof(*call->out.list.at));
    while ((c = fake_machine_next(machine, c))) {
        struct docker_container *out = &call->out.list.at[call->out.list.count];

        if (strcmp(c->cluster, cluster) != 0)
            continue;
        *out = c->seen;
        /* A list does not tell these. */
        out->exit_code = 0;
        out->oom_killed = false;
        out->started_at_ms = out->finished_at_ms = out->memory_bytes = 0;
        out->error[0] = '\0';
        call->out.list.count++;
    }
    return 0;
}

static int
fake_machine_images(struct fake_machine *machine, struct docker_call *call)
{
    if (machine->image_count == 0)
        return 0;
    call->out.images.at = mem_new0(machine->image_count * sizeof(*call->out.images.at));
    for (size_t i = 0; i < machine->image_count; i++) {
        struct docker_image *image = &call->out.images.at[i];

        (void)snprintf(image->id, sizeof(image->id), "sha256:%064zx", i + 1);
        fake_machine_copy(image->reference, sizeof(image->reference), machine->images[i]);
        image->size_bytes = 1 << 20;
    }
    call->out.images.count = machine->image_count;
    return 0;
}

static int
fake_machine_image(struct fake_machine *machine, struct docker_call *call, struct fault *fault)
{
    if (!fake_machine_has_image(machine, call->name)) {
        return fault_set(fault, FAULT_ENGINE_MISSING, "fake.docker", "No such image: %s",
                         call->name);
    }
    fake_machine_copy(call->out.container_id, sizeof(call->out.container_id), "sha256:0001");
    return 0;
}

/* What arrives as an image: by name from a registry, by the path's last part from a file, by the
 * call's name from memory. */
static int
fake_machine_fetch(struct fake_machine *machine, struct docker_call *call)
{
    const char *reference = call->name;

    if (call->verb == DOCKER_LOAD && call->in.load.path) {
        const char *slash = strrchr(call->in.load.path, '/');

        reference = slash ? slash + 1 : call->in.load.path;
    }
    if (call->on_progress)
        call->on_progress(call, 1, 1, reference);
    fake_machine_image_add(machine, reference);
    if (call->verb == DOCKER_LOAD)
        fake_machine_copy(call->out.text, sizeof(call->out.text), reference);
    return 0;
}

static int
fake_machine_ready(struct fake_machine *machine, const struct docker_call *call,
                   struct fault *fault)
{
    const struct fake_container *c =
        fake_machine_publisher(machine, call->in.ready.host_port, PROTOCOL_TCP);

    if (!c || !c->ready) {
        return fault_set(fault, FAULT_NOT_READY, "fake.docker", "nothing answers at port %u",
                         call->in.ready.host_port);
    }
    return 0;
}

static int
fake_machine_exec(const struct fake_machine *machine, const struct fake_container *c,
                  struct docker_call *call, struct fault *fault)
{
    if (c->seen.state != DOCKER_RUNNING) {
        return fault_set(fault, FAULT_ENGINE_CONFLICT, "fake.docker", "Container %s is not running",
                         c->seen.name);
    }
    if (call->on_data && machine->exec_output[0])
        call->on_data(call, 1, machine->exec_output, strlen(machine->exec_output));
    call->out.exit_code = machine->exec_code;
    return 0;
}

/* Verbs about one container that is there. */
static int
fake_machine_container(struct fake_machine *machine, struct fake_container *c,
                       struct docker_call *call, struct fault *fault)
{
    bool running = c->seen.state == DOCKER_RUNNING;

    switch (call->verb) {
    case DOCKER_START:
        return fake_machine_start(machine, c, fault);
    case DOCKER_STOP:
        if (running)
            fake_machine_end(machine, c, 143, false);
        return 0;
    case DOCKER_REMOVE:
        fake_machine_remove(machine, c);
        return 0;
    case DOCKER_INSPECT:
        call->out.container = c->seen;
        return 0;
    case DOCKER_LOGS:
        if (call->on_data && c->logs[0])
            call->on_data(call, 1, c->logs, strlen(c->logs));
        return 0;
    case DOCKER_STATS:
        call->out.stats = (struct docker_stats){ .at_ms = running ? machine->now_ms : 0,
                                                 .memory_bytes = running ? 1 << 20 : 0,
                                                 .memory_limit_bytes = c->seen.memory_bytes };
        return 0;
    default:
        assert(call->verb == DOCKER_EXEC);
        return fake_machine_exec(machine, c, call, fault);
    }
}

int
fake_machine_do(struct fake_machine *machine, const char *cluster, struct docker_call *call,
                struct fault *fault)
{
    struct fake_container *c;

    memset(&call->out, 0, sizeof(call->out));
    switch (call->verb) {
    case DOCKER_PING:
    case DOCKER_EVENTS:
        return 0;
    case DOCKER_INFO:
        call->out.info = machine->info;
        return 0;
    case DOCKER_LIST:
        return fake_machine_list(machine, cluster, call);
    case DOCKER_CREATE:
        return fake_machine_create(machine, call, fault);
    case DOCKER_IMAGE_INSPECT:
        return fake_machine_image(machine, call, fault);
    case DOCKER_IMAGE_LIST:
        return fake_machine_images(machine, call);
    case DOCKER_PULL:
    case DOCKER_LOAD:
        return fake_machine_fetch(machine, call);
    case DOCKER_READY:
        return fake_machine_ready(machine, call, fault);
    default:
        c = fake_machine_find(machine, call->name);
        if (c)
            return fake_machine_container(machine, c, call, fault);
        return call->verb == DOCKER_REMOVE ? 0 : fake_machine_missing(call->name, fault);
    }
}

void
fake_machine_done(struct docker_call *call)
{
    if (call->verb == DOCKER_LIST)
        mem_free(call->out.list.at);
    if (call->verb == DOCKER_IMAGE_LIST)
        mem_free(call->out.images.at);
}
