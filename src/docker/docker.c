/* The port: hosts by id, and a job for each call. */

#include "berth/docker/docker.h"

#include <assert.h>
#include <string.h>

#include "berth/base/idmap.h"
#include "berth/base/log.h"

#include "docker_job.h"

struct docker {
    struct docker_port port;
    struct docker_common common;
    struct idmap hosts; /* struct docker_host, owned */
};

static int docker_host_set(void *self, int64_t host_id, const struct host_endpoint *from,
                           const char *cluster_id, struct fault *fault);
static void docker_host_forget(void *self, int64_t host_id);
static void docker_call_start(void *self, struct docker_call *call);
static void docker_call_cancel(void *self, struct docker_call *call);
static void docker_call_pause(void *self, struct docker_call *call, bool paused);
static void docker_on_reap(struct clock_timer *timer);

struct docker *
docker_new(struct http *http, struct loop *loop)
{
    struct docker *docker = mem_new0(sizeof(*docker));

    docker->port = (struct docker_port){
        .self = docker,
        .host_set = docker_host_set,
        .host_forget = docker_host_forget,
        .call_start = docker_call_start,
        .call_cancel = docker_call_cancel,
        .call_pause = docker_call_pause,
    };
    docker->common = (struct docker_common){
        .http = http,
        .loop = loop,
        .clock = loop_clock(loop),
        .reap = { .fire = docker_on_reap },
    };
    list_init(&docker->common.dead);
    return docker;
}

static void
docker_host_free(struct docker_host *host)
{
    assert(host->jobs.count == 0);
    docker_endpoint_unref(host->endpoint);
    mem_free(host);
}

void
docker_free(struct docker *docker)
{
    const struct clock_port *clock;

    if (!docker)
        return;
    clock = docker->common.clock;
    worker_free(docker->common.resolver);
    clock->timer_clear(clock->self, &docker->common.reap);
    docker_job_reap(&docker->common);
    IDMAP_EACH(&docker->hosts, struct docker_host, host)
    docker_host_free(host);
    idmap_fini(&docker->hosts);
    mem_free(docker);
}

const struct docker_port *
docker_port(struct docker *docker)
{
    return &docker->port;
}

static int
docker_host_set(void *self, int64_t host_id, const struct host_endpoint *from,
                const char *cluster_id, struct fault *fault)
{
    struct docker *docker = self;
    struct docker_host *host = idmap_find(&docker->hosts, host_id);
    struct docker_endpoint *endpoint;

    if (docker_endpoint_new(from, cluster_id, &endpoint, fault) < 0)
        return -1;
    if (strncmp(endpoint->base, "http:", 5) == 0 && !endpoint->unix_path) {
        log_warn("docker", "%s is used without TLS: everyone who reaches it is root there",
                 from->engine);
    }
    if (!host) {
        host = mem_new0(sizeof(*host));
        host->id = host_id;
        host->common = &docker->common;
        list_init(&host->jobs);
        list_init(&host->waiting);
        idmap_insert(&docker->hosts, host_id, host);
    } else {
        http_peer_close(docker->common.http, host_id);
    }
    docker_endpoint_unref(host->endpoint);
    host->endpoint = endpoint;
    host->version = (struct docker_version){ 0 };
    host->close_us = DOCKER_HOST_CLOSE_US;
    return 0;
}

static void
docker_host_forget(void *self, int64_t host_id)
{
    struct docker *docker = self;
    struct docker_host *host = idmap_remove(&docker->hosts, host_id);

    if (!host)
        return;
    http_peer_close(docker->common.http, host_id);
    docker_host_free(host);
}

static void
docker_call_start(void *self, struct docker_call *call)
{
    struct docker *docker = self;
    struct docker_host *host = idmap_find(&docker->hosts, call->host_id);

    assert(host && call->done);
    docker_job_start(host, call);
}

static void
docker_call_cancel(void *self, struct docker_call *call)
{
    (void)self;
    if (call->adapter)
        docker_job_cancel(call->adapter);
}

static void
docker_call_pause(void *self, struct docker_call *call, bool paused)
{
    (void)self;
    if (call->adapter)
        docker_job_pause(call->adapter, paused);
}

static void
docker_on_reap(struct clock_timer *timer)
{
    docker_job_reap(CONTAINER_OF(timer, struct docker_common, reap));
}
