#include "ec2_ending.h"

#include <string.h>

#include "berth/base/text.h"

static void ec2_ending_ask(struct ec2_batch *batch);
static void ec2_ending_on_answer(struct ec2_ask *ask, const struct fault *fault);

/* Refusals of some of the machines that were named. */
static const char *const ec2_ending_partial[] = {
    "InvalidInstanceID.NotFound",
    "InvalidInstanceID.Malformed",
    "InvalidInstanceID",
    "OperationNotPermitted",
    "UnsupportedOperation",
    "IncorrectInstanceState",
    "IncorrectState",
};

void
ec2_ending_begin(struct ec2_batch *batch)
{
    batch->group = batch->jobs.count;
    ec2_ending_ask(batch);
}

static void
ec2_ending_ask(struct ec2_batch *batch)
{
    struct ec2_query *query = ec2_batch_ask(batch, EC2_TERMINATE_INSTANCES, ec2_ending_on_answer);
    size_t number = 0;

    for (struct ec2_job *job = ec2_batch_first(batch); job; job = ec2_batch_after(batch, job)) {
        job->asked = number < batch->group;
        if (job->asked)
            ec2_query_add(query, job->call->in.id, "InstanceId.%zu", ++number);
    }
    batch->group = number;
    ec2_ask_start(&batch->ask);
}

static bool
ec2_ending_is_id(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
}

bool
ec2_ending_is_named(const char *words, const char *id)
{
    size_t len = strlen(id);

    for (const char *at = strstr(words, id); at; at = strstr(at + 1, id)) {
        if ((at == words || !ec2_ending_is_id(at[-1])) && !ec2_ending_is_id(at[len]))
            return true;
    }
    return false;
}

static struct ec2_job *
ec2_ending_asked(const struct ec2_batch *batch)
{
    struct ec2_job *job = ec2_batch_first(batch);

    while (job && !job->asked)
        job = ec2_batch_after(batch, job);
    return job;
}

/* Those that were asked for and, unless @words is NULL, are named in it. A done may cancel others.
 * Return: how many. */
static size_t
ec2_ending_tell(struct ec2_batch *batch, const char *words, const struct fault *fault)
{
    struct ec2_job *job = ec2_batch_first(batch);
    size_t told = 0;

    for (; job; job = ec2_batch_after(batch, job))
        job->asked = job->asked && (!words || ec2_ending_is_named(words, job->call->in.id));
    while ((job = ec2_ending_asked(batch))) {
        ec2_batch_tell(batch, job, fault && fault->kind == FAULT_MACHINE_GONE ? NULL : fault);
        told++;
    }
    return told;
}

static bool
ec2_ending_is_partial(const struct ec2_error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(ec2_ending_partial); i++) {
        if (strcmp(error->code, ec2_ending_partial[i]) == 0)
            return true;
    }
    return false;
}

static void
ec2_ending_on_answer(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_batch *batch = ec2_batch_answered(ask);
    struct fault ended = { 0 };

    if (fault)
        ended = *fault;
    if (!fault) {
        (void)ec2_ending_tell(batch, NULL, NULL);
        batch->group *= 2;
    } else if (ended.kind == FAULT_CLOUD_THROTTLED && batch->group > 1) {
        batch->group /=
            2; /* EC2 counts machines, too: so many may be more than it ever lets through */
    } else if (!ec2_ending_is_partial(&ask->error)) {
        ec2_batch_end(batch, &ended);
        return;
    } else if (batch->group == 1) {
        (void)ec2_ending_tell(batch, NULL, &ended);
    } else if (ec2_ending_tell(batch, ask->error.message, &ended) == 0) {
        batch->group = (batch->group + 1) / 2;
    }
    if (batch->jobs.count > 0) {
        ec2_ending_ask(batch);
    } else {
        ec2_batch_end(batch, NULL);
    }
}
