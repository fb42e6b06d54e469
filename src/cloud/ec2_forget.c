/* What is left of a pool at the provider's when its machines are gone. */

#include <assert.h>

#include "ec2_group.h"
#include "ec2_job.h"

enum { FORGET_MS = 60000 };

struct ec2_forgetting {
    struct ec2_forget *forget;
    struct ec2_pool *pool; /* a reference */
    struct ec2_group group;
};

static void ec2_forget_on_group(struct ec2_group *group, const struct fault *fault);

void
ec2_forget_start(struct ec2 *ec2, struct ec2_forget *forget)
{
    struct ec2_forgetting *forgetting = mem_new0(sizeof(*forgetting));
    const struct clock_port *clock;

    assert(forget->pool && forget->cluster_id && forget->done);
    forgetting->forget = forget;
    forgetting->pool = ec2_pool_ref(ec2, forget->pool->id);
    forget->own = forgetting;
    clock = ec2_pool_account(forgetting->pool)->clock;
    forgetting->group = (struct ec2_group){
        .account = ec2_pool_account(forgetting->pool),
        .managed = &forgetting->pool->config.security_group,
        .cluster_id = forget->cluster_id,
        .pool_name = forget->pool->name,
        .deadline_mono_ms = clock->mono_ms(clock->self) + FORGET_MS,
        .end = true,
        .done = ec2_forget_on_group,
    };
    ec2_group_start(&forgetting->group);
}

void
ec2_forget_cancel(struct ec2_forget *forget)
{
    struct ec2_forgetting *forgetting = forget->own;

    if (forgetting)
        ec2_group_cancel(&forgetting->group);
}

static void
ec2_forget_on_group(struct ec2_group *group, const struct fault *fault)
{
    struct ec2_forgetting *forgetting = CONTAINER_OF(group, struct ec2_forgetting, group);
    struct ec2_forget *forget = forgetting->forget;

    ec2_pool_unref(forgetting->pool);
    mem_free(forgetting);
    forget->own = NULL;
    forget->done(forget, fault);
}
