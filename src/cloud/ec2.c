/* Pools by id, and a job for each call. */

#include "berth/cloud/ec2.h"

#include <assert.h>
#include <string.h>

#include "berth/base/idmap.h"
#include "berth/base/log.h"

#include "cloud_ca.h"
#include "ec2_job.h"

struct ec2 {
    struct cloud_port port;
    struct http *http;
    struct loop *loop;
    struct credentials *credentials;
    struct idmap pools;  /* struct ec2_pool, a reference each */
    struct list regions; /* struct ec2_region: of those pools, and of calls under way */
    struct cloud_tally tally[EC2_ACTION_COUNT];
};

static void ec2_start(void *self, struct cloud_call *call);
static void ec2_cancel(void *self, struct cloud_call *call);
static const struct cloud_tally *ec2_tally(void *self, size_t *ret_count);

struct ec2 *
ec2_new(struct http *http, struct loop *loop, struct credentials *credentials)
{
    struct ec2 *ec2 = mem_new0(sizeof(*ec2));

    ec2->port = (struct cloud_port){
        .self = ec2,
        .start = ec2_start,
        .cancel = ec2_cancel,
        .tally = ec2_tally,
    };
    list_init(&ec2->regions);
    ec2_ask_tally_init(ec2->tally);
    ec2->http = http;
    ec2->loop = loop;
    ec2->credentials = credentials;
    return ec2;
}

struct ec2_pool *
ec2_pool_ref(struct ec2 *ec2, int64_t pool_id)
{
    struct ec2_pool *pool = idmap_find(&ec2->pools, pool_id);

    assert(pool);
    pool->refs++;
    return pool;
}

void
ec2_pool_unref(struct ec2_pool *pool)
{
    if (!pool || --pool->refs > 0)
        return;
    ec2_ready_fini(&pool->ready);
    schema_free(&ec2_config_schema, &pool->config);
    mem_free(pool->login_key);
    ec2_region_unref(pool->region);
    mem_free(pool);
}

struct ec2_account *
ec2_pool_account(const struct ec2_pool *pool)
{
    return &pool->region->account;
}

void
ec2_free(struct ec2 *ec2)
{
    if (!ec2)
        return;
    IDMAP_EACH(&ec2->pools, struct ec2_pool, pool)
    {
        assert(pool->refs == 1);
        ec2_pool_unref(pool);
    }
    idmap_fini(&ec2->pools);
    assert(ec2->regions.count == 0);
    mem_free(ec2);
}

const struct cloud_port *
ec2_port(struct ec2 *ec2)
{
    return &ec2->port;
}

static char *
ec2_pool_url(const struct ec2_config *config, const struct ec2_defaults *defaults,
             const char *region)
{
    const char *endpoint = config->endpoint ? config->endpoint : defaults->endpoint;
    bool china = strncmp(region, "cn-", 3) == 0;

    if (endpoint)
        return ec2_sign_root(endpoint);
    return mem_printf("https://ec2.%s.amazonaws.com%s/", region, china ? ".cn" : "");
}

/* The URL of what is asked, owned; NULL with a fault. */
static char *
ec2_pool_root(const struct ec2_config *config, const struct ec2_defaults *defaults,
              const char **ret_region, char ret_host[EC2_HOST_SIZE], struct fault *fault)
{
    const char *region = config->region ? config->region : defaults->region;
    char *url;

    if (!region) {
        (void)fault_set(fault, FAULT_INVALID, "ec2", "no region: set region or AWS_REGION");
        return NULL;
    }
    url = ec2_pool_url(config, defaults, region);
    if (!url || !ec2_sign_host(url, ret_host, EC2_HOST_SIZE)) {
        (void)fault_set(fault, FAULT_INVALID, "ec2",
                        "the endpoint must be https:// or http://, a name and perhaps a port");
        mem_free(url);
        return NULL;
    }
    *ret_region = region;
    return url;
}

/* AWS itself, by whichever of its names. */
static bool
ec2_pool_is_aws(const char *host)
{
    static const char *const ends[] = { ".amazonaws.com", ".amazonaws.com.cn", ".api.aws" };
    size_t len = strlen(host);

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (len > strlen(ends[i]) && strcmp(host + len - strlen(ends[i]), ends[i]) == 0)
            return true;
    }
    return false;
}

int
ec2_place(const struct ec2_config *config, const struct ec2_defaults *defaults,
          struct pool_place *ret_place, struct fault *fault)
{
    char host[EC2_HOST_SIZE];
    const char *region = NULL;
    CLEANUP(mem_freep) char *url = ec2_pool_root(config, defaults, &region, host, fault);

    if (!url)
        return -1;
    *ret_place = (struct pool_place){
        .region = mem_strdup(region),
        .endpoint = ec2_pool_is_aws(host) ? NULL : STEAL(url),
    };
    return 0;
}

static bool
ec2_pool_is_seen(const char *url)
{
    return strncmp(url, "http://", 7) == 0 && strncmp(url, "http://127.", 11) != 0 &&
           strncmp(url, "http://localhost", 16) != 0;
}

int
ec2_pool_set(struct ec2 *ec2, int64_t pool_id, const struct ec2_config *config,
             const struct ec2_defaults *defaults, struct fault *fault)
{
    char host[EC2_HOST_SIZE];
    struct ec2_account account;
    struct ec2_pool *pool;
    const char *region = NULL;
    CLEANUP(mem_freep) char *url = ec2_pool_root(config, defaults, &region, host, fault);

    if (!url)
        return -1;
    if (ec2_pool_is_seen(url))
        log_warn("ec2", "%s is used without TLS: who is on the way sees session tokens", host);
    account = (struct ec2_account){
        .http = ec2->http,
        .clock = loop_clock(ec2->loop),
        .random = loop_random(ec2->loop),
        .credentials = ec2->credentials,
        .peer = { .key = pool_id,
                  .proxied = true,
                  .ca = defaults->ca ? defaults->ca : CLOUD_SYSTEM_CA },
        .url = url,
        .region = region,
        .tally = ec2->tally,
    };
    memcpy(account.host, host, sizeof(host));
    pool = mem_new0(sizeof(*pool));
    pool->refs = 1;
    schema_copy(&ec2_config_schema, config, &pool->config);
    pool->login_key = defaults->login_key ? mem_strdup(defaults->login_key) : NULL;
    ec2_ready_init(&pool->ready, pool);
    pool->region = ec2_region_get(&ec2->regions, &account);
    ec2_pool_unref(idmap_remove(&ec2->pools, pool_id));
    idmap_insert(&ec2->pools, pool_id, pool);
    return 0;
}

static void
ec2_start(void *self, struct cloud_call *call)
{
    struct ec2 *ec2 = self;
    struct ec2_pool *pool = idmap_find(&ec2->pools, call->pool->id);

    assert(pool && call->done && call->cluster_id && call->cluster_id[0]);
    ec2_job_start(pool, call);
}

static void
ec2_cancel(void *self, struct cloud_call *call)
{
    (void)self;
    if (call->adapter)
        ec2_job_cancel(call->adapter);
}

static const struct cloud_tally *
ec2_tally(void *self, size_t *ret_count)
{
    struct ec2 *ec2 = self;

    *ret_count = EC2_ACTION_COUNT;
    return ec2->tally;
}
