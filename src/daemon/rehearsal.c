#include "rehearsal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/cloud/ec2_check.h"
#include "berth/loop/http.h"
#include "berth/loop/loop.h"
#include "berth/store/store.h"

#include "aws_env.h"

enum { REHEARSAL_MS = 300000, REHEARSAL_POOL = 1 };

/* One after the other. */
struct rehearsal {
    struct loop *loop;
    struct http *http;
    struct credentials *credentials;
    struct ec2 *ec2;
    struct ec2_defaults defaults;
    char cluster_id[STORE_CLUSTER_ID_SIZE];
    struct ec2_check check;
    const struct config_pool *section; /* of the pool that is checked */
    bool done;
    bool bad; /* one of the pools is */
};

static void
rehearsal_init(struct rehearsal *rehearsal, const struct config *config)
{
    *rehearsal = (struct rehearsal){
        .loop = loop_new(),
        .defaults = aws_env_defaults(),
        .cluster_id = "0000000000000000",
    };
    rehearsal->http = http_new(rehearsal->loop);
    http_proxy_from_env(rehearsal->http, aws_env_get);
    rehearsal->credentials = credentials_from_env(rehearsal->http, rehearsal->loop, aws_env_get);
    rehearsal->ec2 = ec2_new(rehearsal->http, rehearsal->loop, rehearsal->credentials);
    if (!store_cluster_id(config->data_dir, rehearsal->cluster_id)) {
        (void)fprintf(stderr,
                      "berthd: the cluster has no id before its first start: dry runs carry %s\n",
                      rehearsal->cluster_id);
    }
}

static void
rehearsal_fini(struct rehearsal *rehearsal)
{
    ec2_free(rehearsal->ec2);
    credentials_free(rehearsal->credentials);
    http_free(rehearsal->http);
    loop_free(rehearsal->loop);
}

static void
rehearsal_say(const struct rehearsal *rehearsal, const struct ec2_finding *finding)
{
    if (finding->verdict != EC2_GOOD) {
        (void)fprintf(stderr, "  /pools/%s: %s%s: %s\n", rehearsal->section->name,
                      finding->verdict == EC2_UNKNOWN ? "(not sure) " : "", finding->action,
                      finding->text);
    }
}

/* What else than the words says may be the cause: wrong settings look like wrong keys or a broken network. */
static const char *
rehearsal_hint(const struct fault *fault)
{
    switch (fault->kind) {
    case FAULT_CLOUD_DENIED:
        return strncmp(fault->text, "AuthFailure", strlen("AuthFailure")) != 0
                   ? ""
                   : "; is the access key known there, its secret right, and region that of the "
                     "endpoint?";
    case FAULT_UNREACHABLE:
    case FAULT_CLOUD_FAILED:
        return "; is region right, endpoint too if it is given, and can this machine reach it?";
    default:
        return "";
    }
}

static void
rehearsal_on_checked(struct ec2_check *check, const struct fault *fault)
{
    struct rehearsal *rehearsal = CONTAINER_OF(check, struct rehearsal, check);

    for (size_t i = 0; i < check->count; i++)
        rehearsal_say(rehearsal, &check->findings[i]);
    if (fault) {
        (void)fprintf(stderr, "  /pools/%s: cannot be checked: %s%s\n", rehearsal->section->name,
                      fault->text, rehearsal_hint(fault));
    }
    rehearsal->bad = rehearsal->bad || fault || check->bad;
    rehearsal->done = true;
}

static bool
rehearsal_is_done(void *cookie)
{
    return ((const struct rehearsal *)cookie)->done;
}

static void
rehearsal_pool(struct rehearsal *rehearsal, const struct config_pool *section)
{
    struct pool *pool = pool_new(section->name, section->provider);
    struct fault fault;

    pool->id = REHEARSAL_POOL;
    pool->machines = section->machines; /* lent */
    pool->policy.warm_hosts = section->policy.warm_hosts;
    rehearsal->section = section;
    if (ec2_pool_set(rehearsal->ec2, pool->id, &section->ec2, &rehearsal->defaults, &fault) < 0) {
        (void)fprintf(stderr, "  /pools/%s: %s\n", section->name, fault.text);
        rehearsal->bad = true;
    } else {
        rehearsal->done = false;
        rehearsal->check = (struct ec2_check){ .pool = pool,
                                               .cluster_id = rehearsal->cluster_id,
                                               .done = rehearsal_on_checked };
        ec2_check_start(rehearsal->ec2, &rehearsal->check);
        if (!loop_run_until(rehearsal->loop, rehearsal_is_done, rehearsal, REHEARSAL_MS)) {
            ec2_check_cancel(&rehearsal->check);
            (void)loop_run_until(rehearsal->loop, rehearsal_is_done, rehearsal, REHEARSAL_MS);
        }
    }
    pool->machines = (struct schema_array){ 0 };
    pool_free(pool);
}

int
rehearsal_run(const struct config *config)
{
    const struct config_pool *pools = config->pools.at;
    struct rehearsal rehearsal;
    size_t rented = 0;

    for (size_t i = 0; i < config->pools.count; i++)
        rented += pool_provider_rents(pools[i].provider);
    if (rented == 0)
        return 0;
    rehearsal_init(&rehearsal, config);
    for (size_t i = 0; i < config->pools.count; i++) {
        if (pool_provider_rents(pools[i].provider))
            rehearsal_pool(&rehearsal, &pools[i]);
    }
    rehearsal_fini(&rehearsal);
    return rehearsal.bad ? -1 : 0;
}
