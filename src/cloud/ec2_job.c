#include "ec2_job.h"

#include <assert.h>
#include <string.h>

#include "ec2_ending.h"
#include "ec2_forget.h"
#include "ec2_listing.h"
#include "ec2_machine.h"
#include "ec2_single.h"

enum {
    JOB_LAUNCH_MS = 50000, /* less than the engine waits, so that it hears why */
    JOB_LIST_MS = 25000,
    JOB_CHANGE_MS = 50000,
};

/* In order of time. */
static void ec2_job_on_owner(struct ec2_owner_wait *wait);
static void ec2_job_begin(struct ec2_job *job);
static void ec2_job_launch(struct ec2_job *job);
static void ec2_job_on_ready(struct ec2_ready_wait *wait, const struct fault *fault);
static void ec2_job_run(struct ec2_job *job);
static void ec2_job_on_run(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_by_token(struct ec2_job *job);
static void ec2_job_on_found(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_list(struct ec2_job *job);
static void ec2_job_terminate(struct ec2_job *job);
static void ec2_job_on_timer(struct clock_timer *timer);

static int64_t
ec2_job_mono_ms(const struct ec2_job *job)
{
    const struct clock_port *clock = job->pool->region->account.clock;

    return clock->mono_ms(clock->self);
}

static const struct {
    void (*begin)(struct ec2_job *job);
    int64_t within_ms;
} ec2_job_verbs[CLOUD_VERB_COUNT] = {
    [CLOUD_LAUNCH] = { ec2_job_launch, JOB_LAUNCH_MS },
    [CLOUD_LIST] = { ec2_job_list, JOB_LIST_MS },
    [CLOUD_TERMINATE] = { ec2_job_terminate, JOB_CHANGE_MS },
    [CLOUD_CONSOLE] = { ec2_single_begin, JOB_LIST_MS },
    [CLOUD_STOP] = { ec2_single_begin, JOB_CHANGE_MS },
    [CLOUD_START] = { ec2_single_begin, JOB_CHANGE_MS },
    [CLOUD_FORGET] = { ec2_forget_begin, JOB_CHANGE_MS },
};

/* Machines that are there are in an account: other keys find nothing, which proves nothing. */
static bool
ec2_job_is_bound(const struct ec2_job *job)
{
    return job->call->pool->place.account && job->call->pool->hosts > 0;
}

void
ec2_job_start(struct ec2_pool *pool, struct cloud_call *call)
{
    struct ec2_job *job = mem_new0(sizeof(*job));

    assert((int)call->verb >= 0 && call->verb < CLOUD_VERB_COUNT);
    job->pool = pool;
    pool->refs++;
    job->call = call;
    job->timer.fire = ec2_job_on_timer;
    job->deadline_mono_ms = ec2_job_mono_ms(job) + ec2_job_verbs[call->verb].within_ms;
    call->adapter = job;
    memset(&call->out, 0, sizeof(call->out));
    if (ec2_job_is_bound(job) && !ec2_owner_is_known(pool->region)) {
        job->checking = true;
        job->owner_wait.done = ec2_job_on_owner;
        ec2_owner_wait(pool->region, &job->owner_wait);
    } else {
        ec2_job_begin(job);
    }
}

static void
ec2_job_on_owner(struct ec2_owner_wait *wait)
{
    struct ec2_job *job = CONTAINER_OF(wait, struct ec2_job, owner_wait);

    job->checking = false;
    if (job->cancelled) {
        ec2_job_end_soon(job);
    } else {
        ec2_job_begin(job);
    }
}

static void
ec2_job_begin(struct ec2_job *job)
{
    const struct pool *pool = job->call->pool;
    const char *account = job->pool->region->owner.account;

    if (ec2_job_is_bound(job) && account[0] && strcmp(account, pool->place.account) != 0) {
        (void)fault_set(
            &job->fault, FAULT_CLOUD_DENIED, "ec2",
            "the machines of pool %s are in account %s, and the keys are of account %s: "
            "use keys of the former until it is shut down",
            pool->name, pool->place.account, account);
        ec2_job_end_soon(job);
        return;
    }
    ec2_job_verbs[job->call->verb].begin(job);
}

void
ec2_job_cancel(struct ec2_job *job)
{
    if (job->cancelled)
        return;
    job->cancelled = true;
    if (job->checking) {
        ec2_owner_leave(job->pool->region);
    } else if (job->forget) {
        ec2_forget_cancel(job);
    } else if (job->asking) {
        ec2_ask_cancel(&job->ask);
    } else if (job->batch) {
        ec2_batch_leave(job);
    } else if (job->waiting) {
        job->waiting = false;
        if (ec2_ready_leave(&job->pool->ready, &job->wait))
            ec2_job_end_soon(job);
    }
}

/* --- Questions ---------------------------------------------------------------------------------- */

struct ec2_query *
ec2_job_ask(struct ec2_job *job, enum ec2_action action,
            void (*done)(struct ec2_ask *ask, const struct fault *fault))
{
    ec2_ask_init(&job->ask, &job->pool->region->account, action);
    job->ask.deadline_mono_ms = job->deadline_mono_ms;
    job->ask.done = done;
    job->asking = true;
    return &job->ask.query;
}

static bool
ec2_job_read(const struct ec2_job *job, struct ec2_node item, struct cloud_machine *ret_machine)
{
    return ec2_machine_read(item, (enum ec2_address)job->pool->config.address, ret_machine);
}

struct ec2_job *
ec2_job_answered(struct ec2_ask *ask)
{
    struct ec2_job *job = CONTAINER_OF(ask, struct ec2_job, ask);

    job->asking = false;
    return job;
}

/* --- Launch --------------------------------------------------------------------------------------- */

static void
ec2_job_launch(struct ec2_job *job)
{
    if (ec2_ready_is(&job->pool->ready)) {
        ec2_job_run(job);
        return;
    }
    job->waiting = true;
    job->wait.done = ec2_job_on_ready;
    ec2_ready_wait(&job->pool->ready, job->call, &job->wait);
}

static void
ec2_job_on_ready(struct ec2_ready_wait *wait, const struct fault *fault)
{
    struct ec2_job *job = CONTAINER_OF(wait, struct ec2_job, wait);

    job->waiting = false;
    if (fault) {
        ec2_job_end(job, fault);
    } else {
        ec2_job_run(job);
    }
}

static void
ec2_job_run(struct ec2_job *job)
{
    ec2_launch_encode(job->call, &job->pool->config, &job->pool->ready.known,
                      ec2_job_ask(job, EC2_RUN_INSTANCES, ec2_job_on_run));
    ec2_ask_start(&job->ask);
}

static bool
ec2_job_is(const struct ec2_job *job, const char *code)
{
    return strcmp(job->ask.error.code, code) == 0;
}

static void
ec2_job_launched(struct ec2_job *job, const struct cloud_machine *machine)
{
    const struct ec2_prices *prices = &job->pool->region->prices;

    job->call->out.machine = *machine;
    if (machine->spot)
        job->call->out.machine.price_micro = ec2_prices_find(prices, machine->type, machine->zone);
    if (machine->host_id == 0)
        job->call->out.machine.host_id = job->call->in.launch.host_id;
    ec2_job_end(job, NULL);
}

/* What was known may be old by now: the image was deleted, or the group; or it is not known everywhere
 * yet. Then the same launch may go well in a moment. */
static void
ec2_job_refused(struct ec2_job *job, const struct fault *fault)
{
    bool no_image = strncmp(job->ask.error.code, "InvalidAMIID", strlen("InvalidAMIID")) == 0;
    bool no_group = job->pool->ready.known.group[0] && ec2_job_is(job, "InvalidGroup.NotFound");
    bool no_key = job->pool->ready.known.key[0] && ec2_job_is(job, "InvalidKeyPair.NotFound");
    struct fault failed = *fault;

    if (no_image || no_group || no_key)
        ec2_ready_forget(&job->pool->ready);
    if (no_group || no_key)
        failed.kind = FAULT_CLOUD_FAILED;
    ec2_job_end(job, &failed);
}

static void
ec2_job_on_run(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_job *job = ec2_job_answered(ask);
    struct cloud_machine machine;
    struct fault unsure;

    if (fault && ec2_job_is(job, "IdempotentParameterMismatch") && !job->cancelled) {
        job->fault = *fault;
        ec2_ask_fini(ask);
        ec2_job_by_token(job);
        return;
    }
    if (fault) {
        ec2_job_refused(job, fault);
    } else if (ec2_job_read(job, ec2_xml_find(ec2_xml_root(ask->xml), "instancesSet/item"),
                            &machine)) {
        ec2_job_launched(job, &machine);
    } else {
        (void)fault_set(&unsure, FAULT_CLOUD_UNSURE, "ec2.launch", "the answer names no machine");
        ec2_job_end(job, &unsure);
    }
}

/* The token was used with other parameters: the configuration changed, or a newer image came, between
 * two repeats.  The machine of the first is the one. */
static void
ec2_job_by_token(struct ec2_job *job)
{
    struct ec2_query *query = ec2_job_ask(job, EC2_DESCRIBE_INSTANCES, ec2_job_on_found);

    ec2_query_add_filter(query, 1, "client-token", job->call->in.launch.token);
    ec2_query_add_filter(query, 2, "tag:" EC2_TAG_CLUSTER, job->call->cluster_id);
    ec2_ask_start(&job->ask);
}

static void
ec2_job_on_found(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_job *job = ec2_job_answered(ask);
    struct cloud_machine machine;
    struct ec2_node item;
    struct fault gone;

    if (fault) {
        ec2_job_end(job, job->cancelled ? fault : &job->fault);
        return;
    }
    item = ec2_xml_find(ec2_xml_root(ask->xml), "reservationSet/item/instancesSet/item");
    if (!ec2_machine_is_ours(item, job->call->cluster_id, job->call->pool->name) ||
        !ec2_job_read(job, item, &machine)) {
        ec2_job_end(job, &job->fault); /* not shown yet: it is asked again */
    } else if (machine.state >= CLOUD_STOPPING) {
        (void)fault_set(&gone, FAULT_MACHINE_GONE, "ec2.launch", "machine %s has ended",
                        machine.id);
        ec2_job_end(job, &gone);
    } else {
        ec2_job_launched(job, &machine);
    }
}

/* --- What is asked for together --------------------------------------------------------------------- */

static void
ec2_job_list(struct ec2_job *job)
{
    ec2_batch_join(job, &job->pool->region->listing, ec2_listing_begin);
}

static void
ec2_job_terminate(struct ec2_job *job)
{
    assert(job->call->in.id && job->call->in.id[0]);
    ec2_batch_join(job, &job->pool->region->ending, ec2_ending_begin);
}

/* --- The end -------------------------------------------------------------------------------------- */

static void
ec2_job_on_timer(struct clock_timer *timer)
{
    struct ec2_job *job = CONTAINER_OF(timer, struct ec2_job, timer);
    struct fault fault;

    (void)fault_set(&fault, FAULT_CANCELLED, "ec2", "cancelled");
    ec2_job_end(job, job->fault.kind != FAULT_NONE && !job->cancelled ? &job->fault : &fault);
}

void
ec2_job_end_soon(struct ec2_job *job)
{
    const struct clock_port *clock = job->pool->region->account.clock;

    clock->timer_set(clock->self, &job->timer, ec2_job_mono_ms(job));
}

void
ec2_job_end(struct ec2_job *job, const struct fault *fault)
{
    struct cloud_call *call = job->call;
    struct cloud_machine *machines = job->machines;
    char *console = job->console;
    struct fault ended = { 0 };

    if (fault)
        ended = *fault;
    if (job->ask.account)
        ec2_ask_fini(&job->ask);
    ec2_pool_unref(job->pool);
    mem_free(job);
    call->adapter = NULL;
    call->done(call, fault ? &ended : NULL);
    mem_free(machines);
    mem_free(console);
}
