#pragma once

/*
 * A small HTTP server with scripted answers, on threads of its own: loopback or
 * a unix socket, plain or TLS.  It is as rude as it is told to be.
 */

#include <stdbool.h>
#include <stddef.h>

/* What happens to the connection after an answer. */
enum fake_http_then {
    FAKE_HTTP_KEEP,  /* wait for the next request */
    FAKE_HTTP_CLOSE, /* in order */
    FAKE_HTTP_RESET,
    FAKE_HTTP_STALL, /* silence until the client goes away */
};

/* The answer to one path.  The first row that fits and is not used up counts. */
struct fake_http_rule {
    const char *path;
    const char *reply; /* sent as it is; NULL: nothing */
    size_t padding;    /* so many 'x' follow it */
    int pace_ms;       /* wait so long before each 'x' */
    enum fake_http_then then;
    bool skip_body;   /* do not read the request's body first */
    int only_first;   /* valid for so many requests; 0: for all */
    size_t reply_len; /* of a reply with NUL bytes; 0: up to its NUL */
};

struct fake_http_config {
    const char *unix_path;   /* NULL: 127.0.0.1 and a free port */
    const char *certificate; /* PEM files; NULL: no TLS */
    const char *key;
    const char *client_ca;              /* demand a certificate from it */
    bool tls12;                         /* at most TLS 1.2 */
    bool silent;                        /* accept connections and say nothing, not even TLS */
    bool hang_up;                       /* accept connections and close them */
    const struct fake_http_rule *rules; /* ends with path NULL; borrowed */
};

struct fake_http;

struct fake_http *fake_http_new(const struct fake_http_config *config);
void fake_http_free(struct fake_http *fake);

/** fake_http_port() - 0 with a unix socket. */
int fake_http_port(const struct fake_http *fake);
/** fake_http_connections() - accepted so far. */
int fake_http_connections(struct fake_http *fake);
/** fake_http_open() - connections that have not ended. */
int fake_http_open(struct fake_http *fake);
/** fake_http_requests() - whose head has come, with this path (NULL: any). */
int fake_http_requests(struct fake_http *fake, const char *path);
/** fake_http_last() - head and body of the last request, cut at 4 KiB; owned by the caller. */
char *fake_http_last(struct fake_http *fake);
/** fake_http_body_bytes() - of all requests' bodies that were read. */
size_t fake_http_body_bytes(struct fake_http *fake);
