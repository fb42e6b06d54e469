#pragma once

/*
 * How to reach an engine, as it stands in rows and configuration, made ready
 * for requests.  Counted: calls under way keep theirs when it changes.
 */

#include "berth/domain/host.h"
#include "berth/loop/http.h"

struct docker_endpoint {
    int refs;
    char *base;    /* "http://localhost", "https://10.0.0.5:2376" */
    char *address; /* of the machine, as a name or number: where ports are published */
    char *number;  /* the address as a number; NULL: a name that must be looked up (again) */
    char *unix_path;
    char *ca;
    char *cert;
    char *key;
    char *cluster_id;
};

/**
 * docker_endpoint_new() - copies
 *
 * Return: 0, or -1 with FAULT_INVALID: not unix:///path or tcp://host:port, or tcp without
 * certificates that was not asked for as plain.
 */
int docker_endpoint_new(const struct host_endpoint *from, const char *cluster_id,
                        struct docker_endpoint **ret_endpoint, struct fault *fault);
struct docker_endpoint *docker_endpoint_ref(struct docker_endpoint *endpoint);
/** docker_endpoint_unref() - NULL is fine. */
void docker_endpoint_unref(struct docker_endpoint *endpoint);
MEM_DEFINE_FREEP(struct docker_endpoint, docker_endpoint_unref);

/** docker_endpoint_peer() - for http; borrowed strings. */
struct http_peer docker_endpoint_peer(const struct docker_endpoint *endpoint, int64_t host_id);
