/* getaddrinfo(3) cannot be interrupted, so that a look-up outlives the job that asked for it. */

#include "docker_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include "berth/loop/worker.h"

#include "docker_ready.h"

struct docker_lookup {
    struct worker_job job;
    struct docker_job *asker;         /* NULL: dropped */
    struct docker_endpoint *endpoint; /* counted */
    char *address;                    /* a copy: the thread reads it */
    char *found;                      /* owned; NULL: there is none */
};

static void docker_lookup_run(struct worker_job *job);
static void docker_lookup_done(struct worker_job *job);

struct docker_lookup *
docker_lookup_start(struct docker_job *job)
{
    struct docker_common *common = job->common;
    struct docker_lookup *lookup = mem_new0(sizeof(*lookup));

    if (!common->resolver)
        common->resolver = worker_new(common->loop, "lookup");
    lookup->job.run = docker_lookup_run;
    lookup->job.done = docker_lookup_done;
    lookup->asker = job;
    lookup->endpoint = docker_endpoint_ref(job->endpoint);
    lookup->address = mem_strdup(job->endpoint->address);
    worker_post(common->resolver, &lookup->job);
    return lookup;
}

void
docker_lookup_drop(struct docker_lookup *lookup)
{
    if (lookup)
        lookup->asker = NULL;
}

static void
docker_lookup_run(struct worker_job *job)
{
    struct docker_lookup *lookup = CONTAINER_OF(job, struct docker_lookup, job);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *found = NULL;
    char text[NI_MAXHOST];

    if (getaddrinfo(lookup->address, NULL, &hints, &found) != 0)
        return;
    if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
                    NI_NUMERICHOST) == 0)
        lookup->found = mem_strdup(text);
    freeaddrinfo(found);
}

static void
docker_lookup_done(struct worker_job *job)
{
    struct docker_lookup *lookup = CONTAINER_OF(job, struct docker_lookup, job);
    struct docker_job *asker = lookup->asker;

    if (lookup->found) {
        mem_free(lookup->endpoint->number);
        lookup->endpoint->number = STEAL(lookup->found);
    }
    docker_endpoint_unref(lookup->endpoint);
    mem_free(lookup->address);
    mem_free(lookup);
    if (asker)
        docker_ready_resolved(asker);
}
