#include "ec2_job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ec2_machine.h"

enum {
    JOB_LAUNCH_MS = 50000, /* less than the engine waits, so that it hears why */
    JOB_LIST_MS = 25000,
    JOB_TERMINATE_MS = 50000,
    JOB_IMAGE_MS = 3600000, /* an image that was looked up is used for so long */
    JOB_PAGES_MAX = 200,
    JOB_PAGE_SIZE = 500,
    JOB_PAGE_TOKEN_MAX = 4096,
};

/* In order of time. */
static void ec2_job_launch(struct ec2_job *job);
static void ec2_job_image(struct ec2_job *job);
static void ec2_job_on_image(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_run(struct ec2_job *job);
static void ec2_job_on_run(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_by_token(struct ec2_job *job);
static void ec2_job_on_found(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_list(struct ec2_job *job);
static void ec2_job_on_page(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_spot(struct ec2_job *job);
static void ec2_job_on_spot(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_listed(struct ec2_job *job);
static void ec2_job_terminate(struct ec2_job *job);
static void ec2_job_on_terminated(struct ec2_ask *ask, const struct fault *fault);
static void ec2_job_on_timer(struct clock_timer *timer);
static void ec2_job_end(struct ec2_job *job, const struct fault *fault);

static int64_t
ec2_job_mono_ms(const struct ec2_job *job)
{
    const struct clock_port *clock = job->pool->account.clock;

    return clock->mono_ms(clock->self);
}

void
ec2_job_start(struct ec2_pool *pool, struct cloud_call *call)
{
    static const struct {
        void (*begin)(struct ec2_job *job);
        int64_t within_ms;
    } verbs[CLOUD_VERB_COUNT] = {
        [CLOUD_LAUNCH] = { ec2_job_launch, JOB_LAUNCH_MS },
        [CLOUD_LIST] = { ec2_job_list, JOB_LIST_MS },
        [CLOUD_TERMINATE] = { ec2_job_terminate, JOB_TERMINATE_MS },
    };
    struct ec2_job *job = mem_new0(sizeof(*job));

    assert((int)call->verb >= 0 && call->verb < CLOUD_VERB_COUNT);
    job->pool = pool;
    pool->refs++;
    job->call = call;
    job->timer.fire = ec2_job_on_timer;
    job->deadline_mono_ms = ec2_job_mono_ms(job) + verbs[call->verb].within_ms;
    call->adapter = job;
    memset(&call->out, 0, sizeof(call->out));
    verbs[call->verb].begin(job);
}

void
ec2_job_cancel(struct ec2_job *job)
{
    const struct clock_port *clock = job->pool->account.clock;

    job->cancelled = true;
    if (job->asking) {
        ec2_ask_cancel(&job->ask);
    } else if (list_is_in(&job->waiting)) {
        list_remove(&job->pool->image_waiting, &job->waiting);
        clock->timer_set(clock->self, &job->timer, ec2_job_mono_ms(job));
    }
}

/* --- Questions ---------------------------------------------------------------------------------- */

static struct ec2_query *
ec2_job_ask(struct ec2_job *job, enum ec2_action action,
            void (*done)(struct ec2_ask *ask, const struct fault *fault))
{
    ec2_ask_init(&job->ask, &job->pool->account, action);
    job->ask.deadline_mono_ms = job->deadline_mono_ms;
    job->ask.done = done;
    job->asking = true;
    return &job->ask.query;
}

static struct ec2_job *
ec2_job_answered(struct ec2_ask *ask)
{
    struct ec2_job *job = CONTAINER_OF(ask, struct ec2_job, ask);

    job->asking = false;
    return job;
}

/* What the next page is asked with, if there is one. Return: false when the pages go on in a way that
 * has no end. */
static bool
ec2_job_page_next(struct ec2_job *job)
{
    const char *next = ec2_xml_text(ec2_xml_root(job->ask.xml), "nextToken");
    bool endless = ++job->pages >= JOB_PAGES_MAX || strlen(next) > JOB_PAGE_TOKEN_MAX ||
                   (job->page && strcmp(job->page, next) == 0);

    mem_free(STEAL(job->page));
    if (!*next)
        return true;
    if (!endless)
        job->page = mem_strdup(next);
    return !endless;
}

/* --- Launch: the image ---------------------------------------------------------------------------- */

static void
ec2_job_launch(struct ec2_job *job)
{
    struct ec2_pool *pool = job->pool;

    if (pool->image.id[0] && ec2_job_mono_ms(job) < pool->image_until_mono_ms) {
        ec2_job_run(job);
    } else if (pool->image_asked) {
        list_push(&pool->image_waiting, &job->waiting);
    } else {
        pool->image_asked = true;
        ec2_job_image(job);
    }
}

static void
ec2_job_image(struct ec2_job *job)
{
    struct ec2_query *query = ec2_job_ask(job, EC2_DESCRIBE_IMAGES, ec2_job_on_image);

    ec2_launch_image_encode(&job->pool->config, query);
    ec2_query_add(query, job->page, "NextToken");
    ec2_ask_start(&job->ask);
}

/* The others go on with the image, or end as this one does; when it was cancelled, one of them asks. */
static void
ec2_job_image_release(struct ec2_pool *pool, const struct fault *fault)
{
    for (size_t count = pool->image_waiting.count; count > 0; count--) {
        struct list_node *node = list_pop(&pool->image_waiting);
        struct ec2_job *job = node ? CONTAINER_OF(node, struct ec2_job, waiting) : NULL;

        if (!job)
            break; /* cancelled by the done of another */
        if (fault) {
            ec2_job_end(job, fault);
        } else {
            ec2_job_launch(job);
        }
    }
}

static void
ec2_job_image_end(struct ec2_job *job, const struct fault *fault)
{
    struct ec2_pool *pool = job->pool;

    pool->image_asked = false;
    if (!fault) {
        pool->image = job->image;
        pool->image_until_mono_ms = ec2_job_mono_ms(job) + JOB_IMAGE_MS;
        ec2_ask_fini(&job->ask);
        ec2_job_launch(job);
        ec2_job_image_release(pool, NULL);
        return;
    }
    pool->refs++;
    ec2_job_image_release(pool, job->cancelled ? NULL : fault);
    ec2_job_end(job, fault);
    ec2_pool_unref(pool);
}

static void
ec2_job_on_image(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_job *job = ec2_job_answered(ask);
    const struct ec2_image *image = &job->pool->config.image;
    struct fault none;

    if (fault) {
        ec2_job_image_end(job, fault);
        return;
    }
    ec2_launch_image_read(ec2_xml_root(ask->xml), &job->image);
    if (ec2_job_page_next(job) && job->page) {
        ec2_ask_fini(&job->ask);
        ec2_job_image(job);
        return;
    }
    if (job->image.id[0]) {
        ec2_job_image_end(job, NULL);
        return;
    }
    (void)fault_set(&none, FAULT_CLOUD_REFUSED, "ec2.image", "there is no image %s%s%s",
                    image->id ? image->id : image->name, image->id ? "" : " of ",
                    image->id ? "" : image->owner);
    ec2_job_image_end(job, &none);
}

/* --- Launch: the machine -------------------------------------------------------------------------- */

static void
ec2_job_run(struct ec2_job *job)
{
    ec2_launch_encode(job->call, &job->pool->config, &job->pool->image,
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
    job->call->out.machine = *machine;
    if (machine->host_id == 0)
        job->call->out.machine.host_id = job->call->in.launch.host_id;
    ec2_job_end(job, NULL);
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
        if (strncmp(ask->error.code, "InvalidAMIID", strlen("InvalidAMIID")) == 0)
            job->pool->image.id[0] = '\0'; /* it is looked up again */
        ec2_job_end(job, fault);
    } else if (ec2_machine_read(ec2_xml_find(ec2_xml_root(ask->xml), "instancesSet/item"),
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
        !ec2_machine_read(item, &machine)) {
        ec2_job_end(job, &job->fault); /* not shown yet: it is asked again */
    } else if (machine.state >= CLOUD_STOPPING) {
        (void)fault_set(&gone, FAULT_MACHINE_GONE, "ec2.launch", "machine %s has ended",
                        machine.id);
        ec2_job_end(job, &gone);
    } else {
        ec2_job_launched(job, &machine);
    }
}

/* --- List ----------------------------------------------------------------------------------------- */

static void
ec2_job_list(struct ec2_job *job)
{
    struct ec2_query *query = ec2_job_ask(job, EC2_DESCRIBE_INSTANCES, ec2_job_on_page);

    ec2_query_add_filter(query, 1, "tag:" EC2_TAG_CLUSTER, job->call->cluster_id);
    ec2_query_add_filter(query, 2, "tag:" EC2_TAG_POOL, job->call->pool->name);
    ec2_query_add_number(query, "MaxResults", JOB_PAGE_SIZE);
    ec2_query_add(query, job->page, "NextToken");
    ec2_ask_start(&job->ask);
}

static void
ec2_job_machine_add(struct ec2_job *job, struct ec2_node item)
{
    if (!ec2_machine_is_ours(item, job->call->cluster_id, job->call->pool->name))
        return;
    if (job->machine_count == job->machine_cap) {
        job->machine_cap = job->machine_cap ? 2 * job->machine_cap : 16;
        job->machines = mem_resize(job->machines, job->machine_cap, sizeof(*job->machines));
    }
    job->machine_count += ec2_machine_read(item, &job->machines[job->machine_count]);
}

static int
ec2_job_machine_order(const void *a, const void *b)
{
    return strcmp(((const struct cloud_machine *)a)->id, ((const struct cloud_machine *)b)->id);
}

/* Pages that were asked for one after the other may show a machine twice. */
static void
ec2_job_machines_tidy(struct ec2_job *job)
{
    size_t kept = 0;

    if (job->machine_count == 0)
        return;
    qsort(job->machines, job->machine_count, sizeof(*job->machines), ec2_job_machine_order);
    for (size_t i = 1; i < job->machine_count; i++) {
        if (strcmp(job->machines[i].id, job->machines[kept].id) != 0)
            job->machines[++kept] = job->machines[i];
    }
    job->machine_count = kept + 1;
}

static bool
ec2_job_has_spot(const struct ec2_job *job)
{
    for (size_t i = 0; i < job->machine_count; i++) {
        if (job->machines[i].spot && job->machines[i].state < CLOUD_STOPPING)
            return true;
    }
    return false;
}

static void
ec2_job_on_page(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_job *job = ec2_job_answered(ask);
    struct cloud_list *list = &job->call->out.list;
    struct ec2_node node;

    if (fault && (job->pages == 0 || job->cancelled)) {
        ec2_job_end(job, fault);
        return;
    }
    if (!fault) {
        node = ec2_xml_find(ec2_xml_root(ask->xml), "reservationSet/item");
        for (; node.xml; node = ec2_xml_next(node)) {
            struct ec2_node item = ec2_xml_find(node, "instancesSet/item");

            for (; item.xml; item = ec2_xml_next(item))
                ec2_job_machine_add(job, item);
        }
        list->complete = ec2_job_page_next(job);
        if (job->page) {
            ec2_ask_fini(ask);
            ec2_job_list(job);
            return;
        }
    } else {
        list->complete = false;
    }
    ec2_job_machines_tidy(job);
    if (list->complete && ec2_job_has_spot(job)) {
        ec2_ask_fini(ask);
        ec2_job_spot(job);
    } else {
        ec2_job_listed(job);
    }
}

/* Which spot machines are about to be taken back.  That is a hint: without it the listing holds. */
static void
ec2_job_spot(struct ec2_job *job)
{
    struct ec2_query *query = ec2_job_ask(job, EC2_DESCRIBE_SPOT, ec2_job_on_spot);

    ec2_query_add_filter(query, 1, "tag:" EC2_TAG_CLUSTER, job->call->cluster_id);
    ec2_query_add_filter(query, 2, "tag:" EC2_TAG_POOL, job->call->pool->name);
    ec2_query_add_filter(query, 3, "status-code", "marked-for-termination");
    ec2_ask_start(&job->ask);
}

static void
ec2_job_on_spot(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_job *job = ec2_job_answered(ask);
    struct ec2_node item = { 0 };

    if (job->cancelled && fault) {
        ec2_job_end(job, fault);
        return;
    }
    if (!fault)
        item = ec2_xml_find(ec2_xml_root(ask->xml), "spotInstanceRequestSet/item");
    for (; item.xml; item = ec2_xml_next(item)) {
        const char *id = ec2_xml_text(item, "instanceId");

        for (size_t i = 0; i < job->machine_count; i++) {
            if (strcmp(job->machines[i].id, id) == 0)
                job->machines[i].notice = true;
        }
    }
    ec2_job_listed(job);
}

static void
ec2_job_listed(struct ec2_job *job)
{
    job->call->out.list.at = job->machines;
    job->call->out.list.count = job->machine_count;
    ec2_job_end(job, NULL);
}

/* --- Terminate ------------------------------------------------------------------------------------ */

static void
ec2_job_terminate(struct ec2_job *job)
{
    struct ec2_query *query = ec2_job_ask(job, EC2_TERMINATE_INSTANCES, ec2_job_on_terminated);

    assert(job->call->in.id && job->call->in.id[0]);
    ec2_query_add(query, job->call->in.id, "InstanceId.1");
    ec2_ask_start(&job->ask);
}

static void
ec2_job_on_terminated(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_job *job = ec2_job_answered(ask);

    ec2_job_end(job, fault && fault->kind == FAULT_MACHINE_GONE ? NULL : fault);
}

/* --- The end -------------------------------------------------------------------------------------- */

static void
ec2_job_on_timer(struct clock_timer *timer)
{
    struct ec2_job *job = CONTAINER_OF(timer, struct ec2_job, timer);
    struct fault fault;

    (void)fault_set(&fault, FAULT_CANCELLED, "ec2", "cancelled");
    ec2_job_end(job, &fault);
}

static void
ec2_job_end(struct ec2_job *job, const struct fault *fault)
{
    struct cloud_call *call = job->call;
    struct cloud_machine *machines = job->machines;
    struct fault ended = { 0 };

    if (fault)
        ended = *fault;
    if (job->ask.account)
        ec2_ask_fini(&job->ask);
    mem_free(job->page);
    ec2_pool_unref(job->pool);
    mem_free(job);
    call->adapter = NULL;
    call->done(call, fault ? &ended : NULL);
    mem_free(machines);
}
