/* unix:///run/docker.sock or tcp://address:port. */

#include "docker_endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#define WHERE "docker.endpoint"

static bool
docker_endpoint_is_number(const char *address)
{
    struct in6_addr any;

    return inet_pton(AF_INET, address, &any) == 1 || inet_pton(AF_INET6, address, &any) == 1;
}

static int
docker_endpoint_tcp(const struct host_endpoint *from, const char *where,
                    struct docker_endpoint *endpoint, struct fault *fault)
{
    bool tls = from->ca && from->cert && from->key;
    const char *colon = strrchr(where, ':');
    size_t len = colon ? (size_t)(colon - where) : 0;

    if (len == 0 || strspn(colon + 1, "0123456789") == 0 ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0' || strpbrk(where, "/?#@ ")) {
        return fault_set(fault, FAULT_INVALID, WHERE, "\"%s\" must be tcp://address:port",
                         from->engine);
    }
    if (!tls && (from->ca || from->cert || from->key)) {
        return fault_set(fault, FAULT_INVALID, WHERE, "%s: ca, cert and key belong together",
                         from->engine);
    }
    if (!tls && !from->plain) {
        return fault_set(fault, FAULT_INVALID, WHERE,
                         "%s needs ca, cert and key: without TLS everyone who reaches it is root",
                         from->engine);
    }
    endpoint->base = mem_printf("%s://%s", tls ? "https" : "http", where);
    if (where[0] == '[' && where[len - 1] == ']') {
        endpoint->address = mem_printf("%.*s", (int)len - 2, where + 1);
    } else {
        endpoint->address = mem_printf("%.*s", (int)len, where);
    }
    return 0;
}

int
docker_endpoint_new(const struct host_endpoint *from, const char *cluster_id,
                    struct docker_endpoint **ret_endpoint, struct fault *fault)
{
    CLEANUP(docker_endpoint_unrefp) struct docker_endpoint *e = mem_new0(sizeof(*e));
    const char *engine = from->engine ? from->engine : "";

    e->refs = 1;
    if (strncmp(engine, "unix:///", 8) == 0) {
        e->unix_path = mem_strdup(engine + strlen("unix://"));
        e->base = mem_strdup("http://localhost");
        e->address = mem_strdup("127.0.0.1");
    } else if (strncmp(engine, "tcp://", 6) != 0) {
        return fault_set(fault, FAULT_INVALID, WHERE,
                         "\"%s\" must be unix:///path or tcp://address:port", engine);
    } else if (docker_endpoint_tcp(from, engine + strlen("tcp://"), e, fault) < 0) {
        return -1;
    }
    if (docker_endpoint_is_number(e->address))
        e->number = mem_strdup(e->address);
    e->ca = mem_strdup(from->ca);
    e->cert = mem_strdup(from->cert);
    e->key = mem_strdup(from->key);
    e->cluster_id = mem_strdup(cluster_id);
    *ret_endpoint = STEAL(e);
    return 0;
}

struct docker_endpoint *
docker_endpoint_ref(struct docker_endpoint *endpoint)
{
    endpoint->refs++;
    return endpoint;
}

void
docker_endpoint_unref(struct docker_endpoint *endpoint)
{
    if (!endpoint)
        return;
    assert(endpoint->refs > 0);
    if (--endpoint->refs > 0)
        return;
    mem_free(endpoint->base);
    mem_free(endpoint->address);
    mem_free(endpoint->number);
    mem_free(endpoint->unix_path);
    mem_free(endpoint->ca);
    mem_free(endpoint->cert);
    mem_free(endpoint->key);
    mem_free(endpoint->cluster_id);
    mem_free(endpoint);
}

struct http_peer
docker_endpoint_peer(const struct docker_endpoint *endpoint, int64_t host_id)
{
    return (struct http_peer){
        .key = host_id,
        .unix_path = endpoint->unix_path,
        .ca = endpoint->ca,
        .cert = endpoint->cert,
        .tls_key = endpoint->key,
    };
}
