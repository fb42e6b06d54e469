#include "ec2_listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ec2_machine.h"

enum {
    LISTING_PAGE_SIZE = 500,
    LISTING_PRICES_MS = 300000,      /* spot prices are asked for again after */
    LISTING_PRICES_AGAIN_MS = 60000, /* the same when one was not told */
};

/* In order of time. */
static void ec2_listing_ask(struct ec2_batch *batch);
static void ec2_listing_on_page(struct ec2_ask *ask, const struct fault *fault);
static void ec2_listing_prices(struct ec2_batch *batch);
static void ec2_listing_on_prices(struct ec2_ask *ask, const struct fault *fault);
static void ec2_listing_spot(struct ec2_batch *batch);
static void ec2_listing_on_spot(struct ec2_ask *ask, const struct fault *fault);
static void ec2_listing_end(struct ec2_batch *batch);

void
ec2_listing_begin(struct ec2_batch *batch)
{
    ec2_listing_ask(batch);
}

/* --- Instances -------------------------------------------------------------------------------------- */

/* What carries the cluster's tag and that of one of the pools. */
static void
ec2_listing_filter(const struct ec2_batch *batch, struct ec2_query *query)
{
    struct ec2_job *job = ec2_batch_first(batch);
    size_t number = 0;

    ec2_query_add_filter(query, 1, "tag:" EC2_TAG_CLUSTER, job->call->cluster_id);
    ec2_query_add(query, "tag:" EC2_TAG_POOL, "Filter.2.Name");
    for (; job; job = ec2_batch_after(batch, job))
        ec2_query_add(query, job->call->pool->name, "Filter.2.Value.%zu", ++number);
}

static void
ec2_listing_ask(struct ec2_batch *batch)
{
    struct ec2_query *query = ec2_batch_ask(batch, EC2_DESCRIBE_INSTANCES, ec2_listing_on_page);

    ec2_listing_filter(batch, query);
    ec2_query_add_number(query, "MaxResults", LISTING_PAGE_SIZE);
    ec2_pages_ask(&batch->pages, query);
    ec2_ask_start(&batch->ask);
}

/* @owner: the account that it is in */
static void
ec2_listing_add(struct ec2_job *job, struct ec2_node item, const char *owner)
{
    if (!ec2_machine_is_ours(item, job->call->cluster_id, job->call->pool->name))
        return;
    if (job->machine_count == job->machine_cap) {
        job->machine_cap = job->machine_cap ? 2 * job->machine_cap : 16;
        job->machines = mem_resize(job->machines, job->machine_cap, sizeof(*job->machines));
    }
    job->machine_count += ec2_machine_read(item, (enum ec2_address)job->pool->config.address,
                                           &job->machines[job->machine_count]);
    (void)snprintf(job->account, sizeof(job->account), "%s", owner);
}

static void
ec2_listing_read(struct ec2_batch *batch)
{
    struct ec2_node node = ec2_xml_find(ec2_xml_root(batch->ask.xml), "reservationSet/item");

    for (; node.xml; node = ec2_xml_next(node)) {
        struct ec2_node item = ec2_xml_find(node, "instancesSet/item");
        const char *owner = ec2_xml_text(node, "ownerId");

        for (; item.xml; item = ec2_xml_next(item)) {
            for (struct ec2_job *job = ec2_batch_first(batch); job;
                 job = ec2_batch_after(batch, job))
                ec2_listing_add(job, item, owner);
        }
    }
}

static int
ec2_listing_order(const void *a, const void *b)
{
    return strcmp(((const struct cloud_machine *)a)->id, ((const struct cloud_machine *)b)->id);
}

/* Pages that were asked for one after the other may show a machine twice. */
static void
ec2_listing_tidy(struct ec2_job *job)
{
    size_t kept = 0;

    if (job->machine_count == 0)
        return;
    qsort(job->machines, job->machine_count, sizeof(*job->machines), ec2_listing_order);
    for (size_t i = 1; i < job->machine_count; i++) {
        if (strcmp(job->machines[i].id, job->machines[kept].id) != 0)
            job->machines[++kept] = job->machines[i];
    }
    job->machine_count = kept + 1;
}

/* The types of the spot machines that cost. Return: whether there are any. */
static bool
ec2_listing_spot_types(const struct ec2_batch *batch, struct ec2_price_types *ret_types)
{
    bool any = false;

    ret_types->count = 0;
    for (struct ec2_job *job = ec2_batch_first(batch); job; job = ec2_batch_after(batch, job)) {
        for (size_t i = 0; i < job->machine_count; i++) {
            if (!job->machines[i].spot || job->machines[i].state >= CLOUD_STOPPING)
                continue;
            ec2_prices_type_add(ret_types, job->machines[i].type);
            any = true;
        }
    }
    return any;
}

static void
ec2_listing_on_page(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_batch *batch = ec2_batch_answered(ask);
    struct ec2_price_types types;

    if (fault && (batch->pages.count == 0 || fault->kind == FAULT_CANCELLED)) {
        ec2_batch_end(batch, fault);
        return;
    }
    if (fault) {
        batch->incomplete = true;
        mem_free(STEAL(batch->pages.next));
    } else {
        ec2_listing_read(batch);
        batch->incomplete = !ec2_pages_read(&batch->pages, ask->xml);
    }
    if (batch->pages.next) {
        ec2_listing_ask(batch);
        return;
    }
    for (struct ec2_job *job = ec2_batch_first(batch); job; job = ec2_batch_after(batch, job))
        ec2_listing_tidy(job);
    ec2_pages_fini(&batch->pages);
    if (!batch->incomplete && ec2_listing_spot_types(batch, &types)) {
        ec2_listing_prices(batch);
    } else {
        ec2_listing_end(batch);
    }
}

/* --- Spot machines ---------------------------------------------------------------------------------- */

static int64_t
ec2_listing_mono_ms(const struct ec2_batch *batch)
{
    return batch->region->account.clock->mono_ms(batch->region->account.clock->self);
}

static void
ec2_listing_prices(struct ec2_batch *batch)
{
    const struct clock_port *clock = batch->region->account.clock;
    struct ec2_price_types types;
    struct ec2_query *query;

    if (ec2_listing_mono_ms(batch) < batch->region->prices.until_mono_ms) {
        ec2_listing_spot(batch);
        return;
    }
    (void)ec2_listing_spot_types(batch, &types);
    query = ec2_batch_ask(batch, EC2_DESCRIBE_PRICES, ec2_listing_on_prices);
    ec2_prices_encode(&types, clock->now_ms(clock->self), query);
    ec2_pages_ask(&batch->pages, query);
    ec2_ask_start(&batch->ask);
}

static void
ec2_listing_on_prices(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_batch *batch = ec2_batch_answered(ask);
    struct ec2_prices *prices = &batch->region->prices;
    bool all;

    if (fault && fault->kind == FAULT_CANCELLED) {
        ec2_batch_end(batch, fault);
        return;
    }
    if (!fault) {
        ec2_prices_read(prices, ec2_xml_root(ask->xml));
        all = ec2_pages_read(&batch->pages, ask->xml);
        if (all && batch->pages.next) {
            ec2_listing_prices(batch);
            return;
        }
    }
    ec2_pages_fini(&batch->pages);
    prices->until_mono_ms =
        ec2_listing_mono_ms(batch) + (fault ? LISTING_PRICES_AGAIN_MS : LISTING_PRICES_MS);
    ec2_listing_spot(batch);
}

/* Which of them are about to be taken back. */
static void
ec2_listing_spot(struct ec2_batch *batch)
{
    struct ec2_query *query = ec2_batch_ask(batch, EC2_DESCRIBE_SPOT, ec2_listing_on_spot);

    ec2_listing_filter(batch, query);
    ec2_query_add_filter(query, 3, "status-code", "marked-for-termination");
    ec2_pages_ask(&batch->pages, query);
    ec2_ask_start(&batch->ask);
}

static void
ec2_listing_notice(struct ec2_batch *batch, const char *id)
{
    for (struct ec2_job *job = ec2_batch_first(batch); job; job = ec2_batch_after(batch, job)) {
        for (size_t i = 0; i < job->machine_count; i++)
            job->machines[i].notice |= strcmp(job->machines[i].id, id) == 0;
    }
}

static void
ec2_listing_on_spot(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_batch *batch = ec2_batch_answered(ask);
    struct ec2_node item;

    if (fault && fault->kind == FAULT_CANCELLED) {
        ec2_batch_end(batch, fault);
        return;
    }
    if (!fault) {
        item = ec2_xml_find(ec2_xml_root(ask->xml), "spotInstanceRequestSet/item");
        for (; item.xml; item = ec2_xml_next(item))
            ec2_listing_notice(batch, ec2_xml_text(item, "instanceId"));
        if (ec2_pages_read(&batch->pages, ask->xml) && batch->pages.next) {
            ec2_listing_spot(batch);
            return;
        }
    }
    ec2_listing_end(batch);
}

/* --- The end ---------------------------------------------------------------------------------------- */

/* A spot machine that is new to the table brings the next question forward. */
static void
ec2_listing_price(struct ec2_batch *batch, struct cloud_machine *machine)
{
    struct ec2_prices *prices = &batch->region->prices;
    int64_t again_mono_ms = ec2_listing_mono_ms(batch) + LISTING_PRICES_AGAIN_MS;

    machine->price_micro = ec2_prices_find(prices, machine->type, machine->zone);
    if (machine->price_micro == 0 && machine->state < CLOUD_STOPPING &&
        prices->until_mono_ms > again_mono_ms)
        prices->until_mono_ms = again_mono_ms;
}

static void
ec2_listing_end(struct ec2_batch *batch)
{
    for (struct ec2_job *job = ec2_batch_first(batch); job; job = ec2_batch_after(batch, job)) {
        for (size_t i = 0; i < job->machine_count; i++) {
            if (job->machines[i].spot)
                ec2_listing_price(batch, &job->machines[i]);
        }
        job->call->out.list = (struct cloud_list){
            .at = job->machines,
            .count = job->machine_count,
            .complete = !batch->incomplete,
        };
        memcpy(job->call->out.list.account, job->account, sizeof(job->account));
    }
    ec2_batch_end(batch, NULL);
}
