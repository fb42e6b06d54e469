#include "spawn.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "berth/base/digest.h"

#include "console.h"
#include "housekeeping.h"
#include "inventory.h"
#include "labels.h"
#include "lane.h"
#include "outlook.h"
#include "prepare.h"
#include "warm.h"

enum { SPAWN_TOKEN_MS = 3600000 /* a launch with one token is repeated for so long */ };

/* In order of time. */
static void spawn_launch(struct rental *rental);
static void spawn_on_launched(struct cloud_call *call, const struct fault *fault);
static void spawn_on_refused(struct rental *rental, const struct fault *fault);
static void spawn_up(struct rental *rental, const char *address);

/* --- The intent ----------------------------------------------------------------------------- */

static int64_t
spawn_name_number(const struct pool *pool, const char *name)
{
    size_t len = strlen(pool->name);
    int64_t number = 0;

    if (strncmp(name, pool->name, len) != 0 || name[len] != '-')
        return 0;
    for (name += len + 1; *name >= '0' && *name <= '9' && number < INT32_MAX; name++)
        number = number * 10 + (*name - '0');
    return *name ? 0 : number;
}

/* The pool's name and a number that none of its hosts had, as far as rows are kept. */
static char *
spawn_name(const struct engine *engine, const struct pool *pool)
{
    int64_t most = 0;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        int64_t number = host->pool == pool ? spawn_name_number(pool, host->name) : 0;

        if (number > most)
            most = number;
    }
    return mem_printf("%s-%" PRId64, pool->name, most + 1);
}

static void
spawn_type_set(struct host *host, const struct pool_machine *type)
{
    mem_free(host->machine->type);
    host->machine->type = mem_strdup(type->type);
    host->machine->price_micro = type->price_micro;
    host->total = (struct host_amount){
        .memory_bytes = type->memory_bytes,
        .cpus_milli = type->cpus_milli,
    };
    host->total.slots = host_slots(host);
}

struct host *
spawn_begin(struct engine *engine, struct pool *pool, size_t machine, const char *reason)
{
    static const struct schema_map none;
    const struct pool_machine *types = pool->machines.at;
    struct host *host;
    CLEANUP(mem_freep) char *name = spawn_name(engine, pool);
    int64_t now_ms = state_now_ms(engine);

    assert(machine < pool->machines.count);
    host = host_new(pool, name);
    host->id = state_id_next(engine);
    host->created_at_ms = now_ms;
    host->reason = mem_strdup(reason);
    host->labels = labels_merge(&none, &pool->policy.labels);
    host->machine = machine_new(types[machine].type);
    spawn_type_set(host, &types[machine]);
    if (pool->hosts == 0)
        mem_free(STEAL(pool->place.account)); /* the first one tells whose it is */
    model_host_add(engine->model, host, false);
    pool->grown_at_ms = now_ms;
    model_pool_save(engine->model, pool);
    mind_launch_add(mind_of(engine, pool), 0);
    rental_stage_set(rental_new(engine, host), MACHINE_INTENT, "machine");
    /* From here on it may cost: that is durable before the provider is asked. */
    host->machine->launched_at_ms = now_ms;
    rental_poke(rental_find(engine, host));
    return host;
}

void
spawn_poke(struct rental *rental)
{
    switch ((enum machine_stage)rental->host->machine->stage) {
    case MACHINE_INTENT:
        spawn_launch(rental);
        break;
    case MACHINE_BOOTING:
        inventory_await_boot(rental->mind);
        break;
    case MACHINE_UP:
        if (host_is_rented(rental->host)) {
            housekeeping_poke(rental->engine);
        } else {
            (void)prepare_order(rental->engine, rental->host, "it was given to its pool");
        }
        break;
    case MACHINE_PREPARING:
        prepare_start(rental);
        break;
    case MACHINE_PARKING:
    case MACHINE_WARM:
    case MACHINE_WAKING:
        warm_poke(rental);
        break;
    case MACHINE_READY:
    case MACHINE_RETURNING:
    case MACHINE_STAGE_COUNT:
        break;
    }
}

/* --- The launch ------------------------------------------------------------------------------- */

static void
spawn_token(const struct rental *rental, char ret_token[CLOUD_TOKEN_SIZE])
{
    const struct host *host = rental->host;
    uint8_t digest[TEXT_SHA256_SIZE];
    CLEANUP(mem_freep)
    char *text = mem_printf("%s %lld %lld %s", rental->engine->info.cluster_id, (long long)host->id,
                            (long long)host->machine->attempt, host->machine->type);

    text_sha256(text, strlen(text), digest);
    text_hex(digest, sizeof(digest), ret_token);
}

static void
spawn_user_data(struct rental *rental)
{
    const struct shell_port *shell = rental->engine->ports.shell;

    secret_free(rental->user_data);
    rental->user_data = shell ? shell->user_data(shell->self, rental->host) : NULL;
}

/* The daemon was down since, or the clock was set: the provider remembers a token for a day only. */
static bool
spawn_is_old(const struct rental *rental)
{
    int64_t age_ms = state_now_ms(rental->engine) - rental->host->machine->launched_at_ms;

    return age_ms >= SPAWN_TOKEN_MS || age_ms <= -SPAWN_TOKEN_MS;
}

static void
spawn_launch(struct rental *rental)
{
    struct host *host = rental->host;
    int64_t held_ms = mind_held_ms(rental->mind);

    if (held_ms > 0) {
        rental_poke_in(rental, held_ms);
        return;
    }
    if (host->machine->launched_at_ms == 0) {
        host->machine->launched_at_ms = state_now_ms(rental->engine);
        model_host_touch(rental->engine->model, host, host->machine->launched_at_ms);
        rental_changed(rental);
        rental_poke(rental);
        return;
    }
    if (spawn_is_old(rental)) {
        spawn_give_up(rental,
                      "it was asked for so long ago that asking again may make a second one");
        return;
    }
    spawn_token(rental, rental->token);
    spawn_user_data(rental);
    rental->call = (struct cloud_call){
        .verb = CLOUD_LAUNCH,
        .in.launch = { .token = rental->token,
                       .type = host->machine->type,
                       .host_name = host->name,
                       .host_id = host->id,
                       .attempt = host->machine->attempt,
                       .user_data = rental->user_data ? secret_bytes(rental->user_data) : NULL },
    };
    rental_call(rental, spawn_on_launched);
}

/* The provider said no, and nothing can have been made. */
static bool
spawn_is_definite(enum fault_kind kind)
{
    return kind == FAULT_CLOUD_CAPACITY || kind == FAULT_CLOUD_LIMIT ||
           kind == FAULT_CLOUD_THROTTLED || kind == FAULT_CLOUD_DENIED ||
           kind == FAULT_CLOUD_REFUSED || kind == FAULT_MACHINE_GONE;
}

static void
spawn_on_launched(struct cloud_call *call, const struct fault *fault)
{
    struct rental *rental = rental_called(call);
    struct host *host;

    secret_free(STEAL(CONTAINER_OF(call, struct rental, call)->user_data));
    if (!rental)
        return;
    host = rental->host;
    if (!fault && call->out.machine.state < CLOUD_STOPPING) {
        mind_accepted(rental->mind);
        spawn_seen(rental, &call->out.machine);
    } else if (host->machine->stage == MACHINE_INTENT && host->state == HOST_SPAWNED) {
        struct fault ended;

        fault_set(&ended, FAULT_MACHINE_GONE, "spawn", "the machine ended at once");
        spawn_on_refused(rental, fault ? fault : &ended);
    } else if (!fault || !spawn_is_definite(fault->kind)) {
        rental->unsure = true;
    }
    rental_settle(rental);
}

static bool
spawn_type_will_do(const struct rental *rental, const struct pool_machine *type)
{
    const struct host_amount *had = &rental->host->total;
    struct policy_demand demand;

    outlook_demand(rental->engine, rental->host->pool, &demand);
    return (type->memory_bytes >= had->memory_bytes ||
            type->memory_bytes >= demand.largest.memory_bytes) &&
           (type->cpus_milli >= had->cpus_milli || type->cpus_milli >= demand.largest.cpus_milli) &&
           outlook_affords(rental->engine, rental->host, type->price_micro);
}

/* The type after the one that was refused. Return: whether one is left to try. */
static bool
spawn_type_next(struct rental *rental)
{
    const struct schema_array *types = &rental->host->pool->machines;
    const struct pool_machine *at = types->at;
    size_t last = outlook_machine_index(rental->host);

    while (++rental->tried < types->count) {
        last = (last + 1) % types->count;
        if (spawn_type_will_do(rental, &at[last])) {
            spawn_type_set(rental->host, &at[last]);
            return true;
        }
    }
    rental->tried = 0;
    return false;
}

/* A new attempt has a new token: only when none of the old one can be left. */
static void
spawn_attempt_next(struct rental *rental)
{
    const struct pool_machine *types = rental->host->pool->machines.at;
    struct host *host = rental->host;
    size_t type = outlook_machine_index(host);

    /* The last one may have been a spot machine. */
    if (type < host->pool->machines.count)
        spawn_type_set(host, &types[type]);
    host->machine->attempt++;
    host->machine->launched_at_ms = 0;
    rental->unsure = false;
    model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
}

/* Whoever looks at the host sees why it has no machine yet. */
static void
spawn_tell_why(struct rental *rental, const struct fault *fault)
{
    struct host *host = rental->host;
    bool silent = fault->kind == FAULT_CANCELLED;

    mem_free(host->waiting_for);
    host->waiting_for =
        mem_printf("machine: %s", silent ? "the provider did not answer in time" : fault->text);
    model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
}

static void
spawn_on_refused(struct rental *rental, const struct fault *fault)
{
    struct host *host = rental->host;
    bool other = fault->kind == FAULT_CLOUD_CAPACITY || fault->kind == FAULT_CLOUD_REFUSED;

    spawn_tell_why(rental, fault);
    if (!spawn_is_definite(fault->kind)) {
        rental->unsure = true;
        mind_unanswered(rental->mind, fault);
        rental_poke_in(rental, rental_delay_next(rental));
        return;
    }
    if (fault->kind == FAULT_MACHINE_GONE) {
        spawn_attempt_next(rental);
        rental_poke_in(rental, rental_delay_next(rental));
        return;
    }
    if (rental->unsure) {
        /* An earlier request with this token may still be on its way: no other one. */
        mind_refused(rental->mind, fault);
    } else {
        state_event(rental->engine, "host.refused", host, NULL, "%s: %s", host->machine->type,
                    fault->text);
        spawn_attempt_next(rental);
        if (!other || !spawn_type_next(rental))
            mind_refused(rental->mind, fault);
    }
    rental_poke(rental);
}

void
spawn_seen(struct rental *rental, const struct cloud_machine *seen)
{
    struct host *host = rental->host;
    struct machine *machine = host->machine;

    /* Of a host that serves it stays: what it cost so far was counted with it. */
    if (!machine->id || host->state == HOST_SPAWNED)
        rental_price_set(rental, seen);
    if (!machine->id) {
        machine->id = mem_strdup(seen->id);
        machine->spot = seen->spot;
        if (seen->zone[0] && !machine->zone)
            machine->zone = mem_strdup(seen->zone);
        model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
        state_event(rental->engine, "host.launched", host, NULL, "machine %s of type %s",
                    machine->id, machine->type);
    }
    if (host->state != HOST_SPAWNED)
        return;
    if (machine->stage == MACHINE_INTENT)
        rental_stage_set(rental, MACHINE_BOOTING, "boot");
    if (machine->stage == MACHINE_BOOTING && seen->state == CLOUD_RUNNING && seen->address[0])
        spawn_up(rental, seen->address);
    rental_poke(rental);
}

/* --- The preparation -------------------------------------------------------------------------- */

static void
spawn_up(struct rental *rental, const char *address)
{
    struct host *host = rental->host;

    mem_free(host->address);
    host->address = mem_strdup(address);
    rental_stage_set(rental, MACHINE_UP, "preparation");
}

/* --- The end of what did not become a host ------------------------------------------------------ */

void
spawn_on_deadline(struct rental *rental)
{
    static const char *const whys[MACHINE_STAGE_COUNT] = {
        [MACHINE_INTENT] = "the provider launched no machine for it in time",
        [MACHINE_BOOTING] = "its machine did not boot in time",
        [MACHINE_UP] = "nobody prepared its machine in time",
        [MACHINE_PREPARING] = "its preparation took too long",
        [MACHINE_READY] = "its engine did not answer in time after its preparation",
        [MACHINE_PARKING] = "its machine did not stop in time",
        [MACHINE_WAKING] = "its machine did not start in time",
    };

    const struct host *host = rental->host;
    enum machine_stage stage = (enum machine_stage)host->machine->stage;
    bool at_step = (stage == MACHINE_UP || stage == MACHINE_PREPARING) && host->waiting_for;
    CLEANUP(mem_freep)
    char *why = mem_printf("%s%s%s%s", whys[stage], at_step ? " (" : "",
                           at_step ? host->waiting_for : "", at_step ? ")" : "");

    if (host_is_rented(host)) {
        spawn_give_up(rental, why);
    } else if (rental->preparing) {
        prepare_late(rental);
    }
}

void
spawn_give_up(struct rental *rental, const char *why)
{
    struct engine *engine = rental->engine;
    const struct shell_port *shell = engine->ports.shell;
    struct host *host = rental->host;

    if (shell && rental->preparing)
        shell->prepare_cancel(shell->self, &rental->prepare);
    /* Where nothing was launched nothing failed: what the provider refuses is waited for elsewhere. */
    if (host->machine->stage != MACHINE_INTENT && host->machine->stage != MACHINE_PARKING)
        mind_host_failed(rental->mind, host, why);
    console_look(engine, host);
    mem_free(STEAL(host->waiting_for));
    host->cause = CAUSE_GAVE_UP;
    model_host_move(engine->model, host, HOST_EV_GAVE_UP, why, state_now_ms(engine));
    state_timer_clear(engine, &rental->stage_timer);
    housekeeping_poke(engine);
}
