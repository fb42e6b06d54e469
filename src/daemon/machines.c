#include "machines.h"

#include <assert.h>

#include "berth/base/idmap.h"
#include "berth/base/log.h"
#include "berth/cloud/credentials.h"
#include "berth/cloud/ec2.h"
#include "berth/loop/http.h"
#include "berth/loop/loop.h"
#include "berth/shell/shell.h"

#include "aws_env.h"

enum { MACHINES_STRANGERS_MAX = 32 /* looked at: each costs a key */ };

struct machines {
    struct cloud_port port;
    struct loop *loop;
    const struct config *config; /* borrowed */
    struct credentials *credentials;
    struct ec2 *ec2;
    struct shell *shell;
    struct ec2_defaults defaults;
    struct idmap known;  /* ids of pools that ec2 knows by the configuration of now */
    struct list refused; /* struct machines_refusal */
};

/* A call that has no provider: its end comes from the loop, as each does. */
struct machines_refusal {
    struct cloud_call *call;
    struct fault fault;
    struct clock_timer timer;
    struct machines *machines;
    struct list_node node;
};

static void machines_start(void *self, struct cloud_call *call);
static void machines_cancel(void *self, struct cloud_call *call);
static const struct cloud_tally *machines_tally(void *self, size_t *ret_count);
static void machines_on_refusal(struct clock_timer *timer);

int
machines_place(const struct config_pool *section, struct pool_place *ret_place, struct fault *fault)
{
    const struct ec2_defaults defaults = aws_env_defaults();

    return ec2_place(&section->ec2, &defaults, ret_place, fault);
}

int
machines_new(const struct machines_options *options, struct machines **ret_machines,
             struct fault *fault)
{
    const struct shell_options shell = { .data_dir = options->data_dir,
                                         .cluster_id = options->cluster_id,
                                         .cookie = options->cookie };
    struct machines *machines = mem_new0(sizeof(*machines));

    machines->port = (struct cloud_port){ .self = machines,
                                          .start = machines_start,
                                          .cancel = machines_cancel,
                                          .tally = machines_tally };
    machines->loop = options->loop;
    machines->defaults = aws_env_defaults();
    http_proxy_from_env(options->http, aws_env_get);
    machines->credentials = credentials_from_env(options->http, options->loop, aws_env_get);
    machines->ec2 = ec2_new(options->http, options->loop, machines->credentials);
    list_init(&machines->refused);
    if (shell_new(options->loop, &shell, &machines->shell, fault) < 0) {
        machines_free(machines);
        return -1;
    }
    *ret_machines = machines;
    return 0;
}

void
machines_free(struct machines *machines)
{
    if (!machines)
        return;
    assert(machines->refused.count == 0);
    shell_free(machines->shell);
    ec2_free(machines->ec2);
    credentials_free(machines->credentials);
    idmap_fini(&machines->known);
    mem_free(machines);
}

const struct cloud_port *
machines_cloud(struct machines *machines)
{
    return &machines->port;
}

const struct shell_port *
machines_shell(struct machines *machines)
{
    return shell_port(machines->shell);
}

/* --- The configuration -------------------------------------------------------------------------- */

int
machines_apply(struct machines *machines, const struct config *config, struct fault *fault)
{
    const struct config_pool *pools = config->pools.at;
    CLEANUP(mem_freep) const char **names = mem_new0((config->pools.count + 1) * sizeof(*names));
    size_t count = 0;
    int result = 0;

    machines->config = config;
    idmap_fini(&machines->known); /* ec2 is told again when it is next asked */
    for (size_t i = 0; i < config->pools.count; i++) {
        struct fault why;

        /* One of given machines needs a playbook only when one is named: without it, none can be added by SSH. */
        bool needs = pool_provider_rents(pools[i].provider) || pools[i].shell.playbook;

        if (pools[i].provider == PROVIDER_LOCAL)
            continue;
        names[count++] = pools[i].name;
        if (shell_pool_set(machines->shell, pools[i].name, &pools[i].shell, &why) < 0 && needs &&
            result == 0) {
            result = fault_set(fault, why.kind, why.where, "pool %s: %s", pools[i].name, why.text);
        }
    }
    shell_pools_keep(machines->shell, names, count);
    return result;
}

/* One that is ours is enough: single hosts may be of keys that were lost long ago. */
int
machines_check(const struct machines *machines, const struct model *model, struct fault *fault)
{
    int strangers = 0;

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        enum shell_kin kin =
            host->state == HOST_REMOVED ? SHELL_KIN_UNKNOWN : shell_kin(machines->shell, host);

        if (kin == SHELL_KIN_OURS)
            return 0;
        strangers += kin == SHELL_KIN_STRANGER;
        if (strangers == MACHINES_STRANGERS_MAX)
            break;
    }
    if (strangers == 0)
        return 0;
    return fault_set(fault, FAULT_STORAGE, "keys",
                     "%s/keys are not the keys that the hosts in the database were made with",
                     machines->config->data_dir);
}

/* --- The port ----------------------------------------------------------------------------------- */

/* A pool that the configuration names no more: what is there is still listed and given back. */
static int
machines_keep(struct machines *machines, const struct cloud_call *call, struct fault *fault)
{
    const struct pool *pool = call->pool;
    struct ec2_config left = { 0 };
    int result;

    if (call->verb == CLOUD_LAUNCH || !pool->place.region) {
        return fault_set(fault, FAULT_CLOUD_REFUSED, "machines",
                         "the configuration has no section for pool %s with provider ec2",
                         pool->name);
    }
    if (idmap_find(&machines->known, pool->id))
        return 0;
    left.region = pool->place.region; /* lent */
    left.endpoint = pool->place.endpoint;
    result = ec2_pool_set(machines->ec2, pool->id, &left, &machines->defaults, fault);
    if (result == 0)
        idmap_insert(&machines->known, pool->id, machines);
    return result;
}

/* The provider has to know the pool as the configuration has it now. */
static int
machines_introduce(struct machines *machines, const struct cloud_call *call, struct fault *fault)
{
    const struct pool *pool = call->pool;
    const struct config_pool *section =
        machines->config ? config_rented_find(machines->config, pool->name) : NULL;
    const struct shell_port *shell = shell_port(machines->shell);

    if (!section)
        return machines_keep(machines, call, fault);
    if (idmap_find(&machines->known, pool->id))
        return 0;
    machines->defaults.login_key = shell->public_key(shell->self);
    if (ec2_pool_set(machines->ec2, pool->id, &section->ec2, &machines->defaults, fault) < 0) {
        fault->kind = FAULT_CLOUD_REFUSED;
        return -1;
    }
    idmap_insert(&machines->known, pool->id, machines);
    return 0;
}

static void
machines_start(void *self, struct cloud_call *call)
{
    const struct clock_port *clock;
    struct machines *machines = self;
    struct machines_refusal *refusal;
    struct fault fault;

    if (machines_introduce(machines, call, &fault) == 0) {
        ec2_port(machines->ec2)->start(ec2_port(machines->ec2)->self, call);
        return;
    }
    clock = loop_clock(machines->loop);
    refusal = mem_new0(sizeof(*refusal));
    refusal->machines = machines;
    refusal->call = call;
    refusal->fault = fault;
    refusal->timer.fire = machines_on_refusal;
    list_push(&machines->refused, &refusal->node);
    clock->timer_set(clock->self, &refusal->timer, clock->mono_ms(clock->self));
}

static void
machines_on_refusal(struct clock_timer *timer)
{
    struct machines_refusal *refusal = CONTAINER_OF(timer, struct machines_refusal, timer);
    struct cloud_call *call = refusal->call;
    const struct fault fault = refusal->fault;

    list_remove(&refusal->machines->refused, &refusal->node);
    mem_free(refusal);
    call->done(call, &fault);
}

static const struct cloud_tally *
machines_tally(void *self, size_t *ret_count)
{
    const struct machines *machines = self;
    const struct cloud_port *ec2 = ec2_port(machines->ec2);

    return ec2->tally(ec2->self, ret_count);
}

static void
machines_cancel(void *self, struct cloud_call *call)
{
    struct machines *machines = self;

    for (struct list_node *node = list_first(&machines->refused); node;
         node = list_next(&machines->refused, node)) {
        if (CONTAINER_OF(node, struct machines_refusal, node)->call == call)
            return; /* its end is on its way */
    }
    ec2_port(machines->ec2)->cancel(ec2_port(machines->ec2)->self, call);
}
