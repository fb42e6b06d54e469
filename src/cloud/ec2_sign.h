#pragma once

/*
 * AWS Signature Version 4 of a POST to "/" without a query: all that the query API needs.  libcurl
 * could sign, too, but only with the machine's own clock, and older ones leave the session token out
 * (docs/adr/0009).  Source: "AWS Signature Version 4 for API requests" of the IAM guide.
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/base/buf.h"

struct ec2_sign_key {
    const char *id;
    const char *secret;
    const char *token; /* of a session; NULL: none */
};

struct ec2_sign_request {
    const char *host; /* as the Host header has it */
    const char *region;
    const char *service;
    const char *content_type; /* NULL: none is sent */
    const char *body;
    size_t body_len;
    int64_t at_ms; /* Unix epoch */
};

enum {
    EC2_SIGN_DATE_SIZE = 17,    /* "20150830T123600Z" and NUL */
    EC2_SIGN_HEADER_MAX = 1024, /* of the Authorization header */
};

struct ec2_signature {
    char date[EC2_SIGN_DATE_SIZE];           /* of the header X-Amz-Date */
    char authorization[EC2_SIGN_HEADER_MAX]; /* of the header Authorization */
};

/** ec2_sign() - sign @request with @key. */
void ec2_sign(const struct ec2_sign_request *request, const struct ec2_sign_key *key,
              struct ec2_signature *ret_signature);
/** ec2_sign_host() - what a client sends as Host for @url: its name, and its port unless that is the
 * scheme's own. Return: false when @url has no host, or one that does not fit. */
bool ec2_sign_host(const char *url, char *ret_host, size_t size);
/** ec2_sign_root() - @url with one '/' at its end, owned; NULL when it is no URL of a service's root:
 * a path would have to be signed, too. */
char *ec2_sign_root(const char *url) MUST_USE;
