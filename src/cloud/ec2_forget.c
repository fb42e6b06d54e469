#include "ec2_forget.h"

#include <stdio.h>
#include <string.h>

#include "ec2_group.h"
#include "ec2_keypair.h"

struct ec2_forget {
    struct ec2_job *job;
    struct ec2_keypair keypair;
    struct ec2_group group;
    struct fault fault; /* of the key pair; kind FAULT_NONE: none */
    bool grouping;      /* the group is under way, not the key pair */
};

/* In order of time. */
static void ec2_forget_on_keypair(struct ec2_keypair *keypair, const struct fault *fault);
static void ec2_forget_group(struct ec2_forget *forget);
static void ec2_forget_on_group(struct ec2_group *group, const struct fault *fault);
static void ec2_forget_end(struct ec2_forget *forget, const struct fault *fault);

void
ec2_forget_begin(struct ec2_job *job)
{
    struct ec2_forget *forget = mem_new0(sizeof(*forget));

    forget->job = job;
    job->forget = forget;
    forget->keypair = (struct ec2_keypair){
        .account = ec2_pool_account(job->pool),
        .cluster_id = job->call->cluster_id,
        .pool_name = job->call->pool->name,
        .deadline_mono_ms = job->deadline_mono_ms,
        .end = true,
        .done = ec2_forget_on_keypair,
    };
    ec2_keypair_start(&forget->keypair);
}

void
ec2_forget_cancel(struct ec2_job *job)
{
    struct ec2_forget *forget = job->forget;

    if (forget->grouping) {
        ec2_group_cancel(&forget->group);
    } else {
        ec2_keypair_cancel(&forget->keypair);
    }
}

static void
ec2_forget_note(struct ec2_forget *forget, const char *kind, const char *gone)
{
    char *text = forget->job->call->out.forgotten;
    size_t len = strlen(text);

    if (!gone[0])
        return;
    ec2_ready_ended(&forget->job->pool->ready);
    (void)snprintf(text + len, CLOUD_FORGOTTEN_SIZE - len, "%s%s %s", len > 0 ? ", " : "", kind,
                   gone);
}

/* Who may not even look for it has none, unless one is configured. */
static bool
ec2_forget_is_none(const struct fault *fault, bool looked, bool configured)
{
    return !fault || (fault->kind == FAULT_CLOUD_DENIED && !looked && !configured);
}

/* Whatever became of it, the group is to go, too. */
static void
ec2_forget_on_keypair(struct ec2_keypair *keypair, const struct fault *fault)
{
    struct ec2_forget *forget = CONTAINER_OF(keypair, struct ec2_forget, keypair);
    const struct ec2_config *config = &forget->job->pool->config;

    ec2_forget_note(forget, "key pair", keypair->gone);
    if (!ec2_forget_is_none(fault, keypair->step != EC2_KEYPAIR_FIND, config->key_pair.create))
        forget->fault = *fault;
    if (forget->fault.kind == FAULT_CANCELLED) {
        ec2_forget_end(forget, &forget->fault);
    } else {
        ec2_forget_group(forget);
    }
}

static void
ec2_forget_group(struct ec2_forget *forget)
{
    const struct ec2_job *job = forget->job;

    forget->grouping = true;
    forget->group = (struct ec2_group){
        .account = ec2_pool_account(job->pool),
        .managed = &job->pool->config.security_group,
        .cluster_id = job->call->cluster_id,
        .pool_name = job->call->pool->name,
        .deadline_mono_ms = job->deadline_mono_ms,
        .end = true,
        .done = ec2_forget_on_group,
    };
    ec2_group_start(&forget->group);
}

static void
ec2_forget_on_group(struct ec2_group *group, const struct fault *fault)
{
    struct ec2_forget *forget = CONTAINER_OF(group, struct ec2_forget, group);
    bool looked = group->step != EC2_GROUP_FIND;

    ec2_forget_note(forget, "security group", group->gone);
    if (!ec2_forget_is_none(fault, looked, group->managed->create)) {
        ec2_forget_end(forget, fault);
    } else {
        ec2_forget_end(forget, forget->fault.kind != FAULT_NONE ? &forget->fault : NULL);
    }
}

static void
ec2_forget_end(struct ec2_forget *forget, const struct fault *fault)
{
    struct ec2_job *job = forget->job;
    struct fault ended = { 0 };

    if (fault)
        ended = *fault;
    job->forget = NULL;
    mem_free(forget);
    ec2_job_end(job, fault ? &ended : NULL);
}
