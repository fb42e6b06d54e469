#include "ec2_forget.h"

#include <stdio.h>

#include "ec2_group.h"

struct ec2_forget {
    struct ec2_job *job;
    struct ec2_group group;
};

static void ec2_forget_on_group(struct ec2_group *group, const struct fault *fault);
static void ec2_forget_end(struct ec2_forget *forget, const struct fault *fault);

void
ec2_forget_begin(struct ec2_job *job)
{
    struct ec2_forget *forget = mem_new0(sizeof(*forget));

    forget->job = job;
    job->forget = forget;
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

void
ec2_forget_cancel(struct ec2_job *job)
{
    ec2_group_cancel(&job->forget->group);
}

/* Who may not even look for it has none, unless one is configured. */
static bool
ec2_forget_is_none(const struct ec2_forget *forget, const struct fault *fault)
{
    return fault && fault->kind == FAULT_CLOUD_DENIED && forget->group.step == EC2_GROUP_FIND &&
           !forget->group.managed->create;
}

static void
ec2_forget_on_group(struct ec2_group *group, const struct fault *fault)
{
    struct ec2_forget *forget = CONTAINER_OF(group, struct ec2_forget, group);
    struct cloud_call *call = forget->job->call;

    if (group->gone[0]) {
        ec2_ready_ended(&forget->job->pool->ready);
        (void)snprintf(call->out.forgotten, sizeof(call->out.forgotten), "security group %s",
                       group->gone);
    }
    ec2_forget_end(forget, ec2_forget_is_none(forget, fault) ? NULL : fault);
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
