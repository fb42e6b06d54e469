#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/id.h"

struct check_guilty {
    struct list_node node;
    const struct fake_machine *machine;
};

static struct check *
check_of(struct world *world)
{
    return world->check;
}

static struct fake_container *
check_container_next(const struct fake_machine *machine, const struct fake_container *container)
{
    struct list_node *node = container ? list_next(&machine->containers, &container->node)
                                       : list_first(&machine->containers);

    return node ? CONTAINER_OF(node, struct fake_container, node) : NULL;
}

static bool
check_is_ours(const struct check *check, const struct fake_container *container)
{
    return strcmp(container->cluster, engine_cluster_id(check->world->engine)) == 0;
}

static struct fake_machine *
check_machine(const struct check *check, const struct host *host)
{
    return fake_docker_machine(check->world->docker, host->endpoint.engine);
}

static bool
check_answers(const struct fake_machine *machine)
{
    return !machine->unreachable && !machine->hung;
}

/* --- Guilt ---------------------------------------------------------------------------------- */

static bool
check_is_guilty(const struct check *check, const struct fake_machine *machine)
{
    for (struct list_node *node = list_first(&check->guilty); node;
         node = list_next(&check->guilty, node)) {
        if (CONTAINER_OF(node, struct check_guilty, node)->machine == machine)
            return true;
    }
    return false;
}

void
check_blame(struct check *check, const struct fake_machine *machine)
{
    struct check_guilty *guilty;

    if (check_is_guilty(check, machine))
        return;
    guilty = mem_new0(sizeof(*guilty));
    guilty->machine = machine;
    list_push(&check->guilty, &guilty->node);
}

/* --- Calls ---------------------------------------------------------------------------------- */

/* A canary runs on hosts only of which the disk says that they are suspended. */
static void
check_rests_on_trial(const struct check *check, const struct docker_call *call)
{
    const struct fake_row *row = fake_store_row(check->world->store, ROW_HOST, call->host_id);

    if (!row || !row->as.host.trial || row->as.host.trial->state != TRIAL_SUSPENDED) {
        fail_msg("%s of %s on a host that is not suspended", docker_verb_name(call->verb),
                 call->name);
    }
}

/* A container may be made and started only for a row that is on the disk. */
static void
check_rests_on_row(const struct check *check, const struct docker_call *call)
{
    const struct fake_row *row;
    uint32_t generation;
    int64_t id;

    if (strncmp(call->name, "berth-canary-", strlen("berth-canary-")) == 0) {
        check_rests_on_trial(check, call);
        return;
    }
    if (!instance_container_name_parse(call->name, &id, &generation))
        fail_msg("%s names %s", docker_verb_name(call->verb), call->name);
    row = fake_store_row(check->world->store, ROW_INSTANCE, id);
    if (!row || row->host_id != call->host_id || row->as.instance.generation != generation ||
        row->as.instance.state != INSTANCE_STARTING) {
        fail_msg("turn %llu: %s of %s rests on no durable row",
                 (unsigned long long)check->world->turns, docker_verb_name(call->verb), call->name);
    }
}

/* What lives and is wanted, as far as the disk knows, must not be ended. */
static void
check_may_end(const struct check *check, const struct docker_call *call,
              const struct fake_container *container)
{
    const struct fake_row *row;
    const struct fake_row *host;
    int64_t id;

    if (!container || container->seen.state != DOCKER_RUNNING ||
        !id_decode(ID_INSTANCE, container->seen.label_instance, &id))
        return;
    row = fake_store_row(check->world->store, ROW_INSTANCE, id);
    host = fake_store_row(check->world->store, ROW_HOST, call->host_id);
    if (row && row->host_id == call->host_id && host->as.host.state == HOST_ACTIVE &&
        row->as.instance.generation == container->seen.label_generation &&
        row->as.instance.state == INSTANCE_RUNNING &&
        row->as.instance.desired == INSTANCE_RUNNING) {
        fail_msg("turn %llu: %s of %s, which is wanted", (unsigned long long)check->world->turns,
                 docker_verb_name(call->verb), call->name);
    }
}

static void
check_is_named_rightly(const struct check *check, const struct docker_call *call)
{
    struct fake_machine *machine = fake_docker_machine_of(check->world->docker, call->host_id);
    struct fake_container *container = fake_machine_find(machine, call->name);

    if (container && !check_is_ours(check, container))
        fail_msg("%s of %s, which is not ours", docker_verb_name(call->verb), call->name);
    check_may_end(check, call, container);
}

static void
check_call(struct world *world, const struct docker_call *call, const struct fake_fate *fate)
{
    struct check *check = check_of(world);

    if (fate->kind != FAULT_NONE && fault_rule(fate->kind)->blame == BLAME_HOST)
        check_blame(check, fake_docker_machine_of(world->docker, call->host_id));
    if (call->verb == DOCKER_CREATE || call->verb == DOCKER_START) {
        check_rests_on_row(check, call);
    } else if (call->verb == DOCKER_STOP || call->verb == DOCKER_REMOVE) {
        check_is_named_rightly(check, call);
    }
}

/* --- Turns ---------------------------------------------------------------------------------- */

static void
check_host(struct check *check, const struct host *host)
{
    struct host_amount sum = { 0 };
    uint32_t count = 0;

    for (struct list_node *node = list_first(&host->instances); node;
         node = list_next(&host->instances, node)) {
        const struct instance *instance = CONTAINER_OF(node, struct instance, node);
        struct host_amount one = instance_amount(instance);

        assert_ptr_equal(instance->host, host);
        sum.memory_bytes += one.memory_bytes;
        sum.cpus_milli += one.cpus_milli;
        count++;
    }
    assert_int_equal(sum.memory_bytes, host->reserved.memory_bytes);
    assert_int_equal(sum.cpus_milli, host->reserved.cpus_milli);
    assert_int_equal(count, host->instance_count);
    if (!check->overfull && host->total.memory_bytes > 0 && host->state != HOST_REMOVED)
        assert_true(sum.memory_bytes <= host->capacity.memory_bytes);
    if (host->state == HOST_REMOVED)
        assert_int_equal(count, 0);
    if (!check_answers(check_machine(check, host)))
        check_blame(check, check_machine(check, host));
    if (host->score.milli > 0 && !check_is_guilty(check, check_machine(check, host)))
        fail_msg("host %s has a score for nothing", host->name);
}

static void
check_instance(const struct instance *instance)
{
    bool placed = instance->state == INSTANCE_STARTING || instance->state == INSTANCE_RUNNING ||
                  instance->state == INSTANCE_STOPPING;

    assert_int_equal(placed, instance->host != NULL);
    assert_true(!placed || instance->generation > 0);
    assert_true(!placed || (instance->host && instance->host->state != HOST_REMOVED));
    assert_int_equal(list_is_in(&instance->node), placed || instance->state == INSTANCE_QUEUED);
    if (instance_state_is_final((enum instance_state)instance->state)) {
        assert_null(instance->work);
        assert_true(instance->ended_at_ms > 0);
    }
}

/* Whether another machine, or a later container of this one, runs the same generation. */
static bool
check_is_doubled(const struct check *check, const struct fake_machine *machine,
                 const struct fake_container *container)
{
    IDMAP_EACH(&engine_model(check->world->engine)->hosts, struct host, host)
    {
        const struct fake_machine *other = check_machine(check, host);
        struct fake_container *c = NULL;

        if (other == machine)
            continue;
        while ((c = check_container_next(other, c))) {
            if (c->seen.state == DOCKER_RUNNING &&
                strcmp(c->seen.label_instance, container->seen.label_instance) == 0 &&
                c->seen.label_generation == container->seen.label_generation)
                return true;
        }
    }
    return false;
}

static void
check_doubles(struct check *check)
{
    IDMAP_EACH(&engine_model(check->world->engine)->hosts, struct host, host)
    {
        const struct fake_machine *machine = check_machine(check, host);
        struct fake_container *c = NULL;

        while ((c = check_container_next(machine, c))) {
            if (c->seen.state == DOCKER_RUNNING && check_is_ours(check, c) &&
                check_is_doubled(check, machine, c))
                fail_msg("%s runs twice", c->seen.name);
        }
    }
}

static void
check_promises(struct check *check)
{
    const struct model *model = engine_model(check->world->engine);

    for (struct list_node *node = list_first(&check->promises); node;
         node = list_next(&check->promises, node)) {
        const struct check_promise *promise = CONTAINER_OF(node, struct check_promise, node);
        const struct instance *instance = idmap_find(&model->instances, promise->instance_id);

        if (!promise->kept)
            continue;
        if (!instance) {
            fail_msg("turn %llu: an instance that was promised is forgotten",
                     (unsigned long long)check->world->turns);
        } else if (promise->stop) {
            assert_int_equal(instance->desired, INSTANCE_STOPPED);
        }
    }
}

static void
check_turn(struct world *world)
{
    struct check *check = check_of(world);
    const struct model *model = engine_model(world->engine);

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        check_host(check, host);
    }
    IDMAP_EACH(&model->instances, struct instance, instance)
    {
        check_instance(instance);
    }
    check_doubles(check);
    check_promises(check);
}

void
check_init(struct check *check, struct world *world)
{
    *check = (struct check){ .world = world };
    list_init(&check->promises);
    list_init(&check->guilty);
    world->check = check;
    world->on_turn = check_turn;
    world->on_call = check_call;
}

/* Whether a promise of the engine that runs is open: it knows where that is. */
static bool
check_is_owed(const struct check *check)
{
    for (struct list_node *node = list_first(&check->promises); node;
         node = list_next(&check->promises, node)) {
        const struct check_promise *promise = CONTAINER_OF(node, struct check_promise, node);

        if (!promise->kept && !promise->failed && promise->engine == check->world->engine)
            return true;
    }
    return false;
}

void
check_fini(struct check *check)
{
    struct list_node *node;

    check->world->on_turn = NULL;
    check->world->on_call = NULL;
    if (check_is_owed(check))
        world_stop(check->world); /* which answers all that waits */
    while ((node = list_pop(&check->promises)))
        mem_free(CONTAINER_OF(node, struct check_promise, node));
    while ((node = list_pop(&check->guilty)))
        mem_free(CONTAINER_OF(node, struct check_guilty, node));
}

/* --- Promises ------------------------------------------------------------------------------- */

static void
check_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct check_promise *promise = CONTAINER_OF(wait, struct check_promise, wait);

    assert_false(promise->kept || promise->failed); /* exactly one answer */
    promise->kept = fault == NULL;
    promise->failed = fault != NULL;
}

static void
check_promise(struct check *check, int64_t instance_id, bool stop)
{
    struct check_promise *promise = mem_new0(sizeof(*promise));

    promise->engine = check->world->engine;
    promise->instance_id = instance_id;
    promise->stop = stop;
    promise->wait.done = check_on_durable;
    list_push(&check->promises, &promise->node);
    engine_wait_durable(check->world->engine, &promise->wait);
}

int64_t
check_launch(struct check *check, const char *blueprint, const char *owner)
{
    const struct instance_request request = { .blueprint = blueprint, .owner = owner, .count = 1 };
    struct instance *instance;

    if (engine_instances_create(check->world->engine, &request, &instance, &check->refusal) < 0)
        return 0;
    check_promise(check, instance->id, false);
    return instance->id;
}

bool
check_stop(struct check *check, int64_t id)
{
    struct instance *instance = world_instance(check->world, id);
    struct fault fault;

    if (!instance || engine_instance_stop(check->world->engine, instance, "asked to", &fault) < 0)
        return false;
    check_promise(check, id, true);
    return true;
}

/* --- When all is quiet ---------------------------------------------------------------------- */

static void
check_settled_row(const struct check *check, const struct instance *instance)
{
    const struct fake_row *row = fake_store_row(check->world->store, ROW_INSTANCE, instance->id);

    assert_non_null(row);
    assert_int_equal(row->as.instance.state, instance->state);
    assert_int_equal(row->as.instance.desired, instance->desired);
    assert_int_equal(row->as.instance.generation, instance->generation);
    assert_int_equal(row->as.instance.exit_code, instance->exit_code);
    assert_int_equal(row->as.instance.attempts, instance->attempts);
    assert_int_equal(row->as.instance.restarts, instance->restarts);
    assert_int_equal(row->host_id, instance->host ? instance->host->id : 0);
}

static void
check_settled_instance(const struct check *check, const struct instance *instance)
{
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    const struct fake_machine *machine;
    const struct fake_container *container;

    check_settled_row(check, instance);
    if (instance_state_is_final((enum instance_state)instance->state))
        assert_non_null(instance->reason);
    if (!instance->host)
        return;
    machine = check_machine(check, instance->host);
    if (!check_answers(machine))
        return;
    (void)instance_container_name(instance, name);
    if (instance->state != INSTANCE_RUNNING) {
        fail_msg("%s is still %s: %s", name,
                 instance_state_name((enum instance_state)instance->state),
                 instance->reason ? instance->reason : "");
    }
    container = fake_machine_find(check_machine(check, instance->host), name);
    if (!container || container->seen.state != DOCKER_RUNNING)
        fail_msg("%s should run on %s", name, instance->host->name);
}

static void
check_settled_machine(const struct check *check, const struct host *host)
{
    const struct fake_machine *machine = check_machine(check, host);
    struct fake_container *c = NULL;

    if (!check_answers(machine) || check->loose)
        return;
    while ((c = check_container_next(machine, c))) {
        const struct instance *instance = NULL;
        int64_t id;

        if (!check_is_ours(check, c) || c->seen.canary)
            continue; /* on its way out */
        if (id_decode(ID_INSTANCE, c->seen.label_instance, &id))
            instance = world_instance(check->world, id);
        if (!instance || instance->host != host ||
            (int64_t)instance->generation != c->seen.label_generation)
            fail_msg("%s is an orphan on %s", c->seen.name, host->name);
    }
}

static void
check_doctor(const struct check *check)
{
    struct json_out out;
    struct buf buf;
    size_t failed;

    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    failed = engine_doctor(check->world->engine, &out);
    if (failed > 0)
        fail_msg("%s", buf_text(&buf));
    buf_fini(&buf);
}

/* Whoever asked has got an answer, unless the daemon that was asked has died. */
static void
check_answered(const struct check *check)
{
    for (struct list_node *node = list_first(&check->promises); node;
         node = list_next(&check->promises, node)) {
        const struct check_promise *promise = CONTAINER_OF(node, struct check_promise, node);

        if (promise->engine == check->world->engine)
            assert_true(promise->kept || promise->failed);
    }
}

void
check_settled(struct check *check)
{
    const struct model *model = engine_model(check->world->engine);
    bool all_answer = true;

    assert_int_equal(engine_health(check->world->engine, NULL), ENGINE_SERVING);
    assert_int_equal(fake_store_pending(check->world->store), 0);
    check_answered(check);
    assert_int_equal(fake_store_count(check->world->store, ROW_INSTANCE), model->instances.live);
    IDMAP_EACH(&model->instances, struct instance, instance)
    {
        check_settled_instance(check, instance);
    }
    IDMAP_EACH(&model->hosts, struct host, host)
    {
        if (host->state == HOST_REMOVED)
            continue;
        check_settled_machine(check, host);
        all_answer = all_answer && check_answers(check_machine(check, host));
    }
    if (all_answer)
        check_doctor(check);
}

size_t
check_containers(struct check *check, const struct fake_machine *machine, bool running)
{
    struct fake_container *c = NULL;
    size_t count = 0;

    while ((c = check_container_next(machine, c)))
        count += check_is_ours(check, c) && (!running || c->seen.state == DOCKER_RUNNING);
    return count;
}
