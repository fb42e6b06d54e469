#pragma once

/*
 * Errors as the API shows them: application/problem+json (RFC 9457).
 */

#include "berth/base/fault.h"
#include "berth/base/json.h"
#include "berth/base/schema.h"

struct wire_problem {
    enum fault_kind kind;
    const char *detail;              /* NULL: none */
    const char *instance;            /* path of the request; NULL: none */
    const char *request_id;          /* NULL: none */
    const struct problems *problems; /* the fields that are wrong; NULL: none */
};

/** wire_problem_encode() - the whole document. */
void wire_problem_encode(struct json_out *out, const struct wire_problem *problem);

/** wire_problem_decode() - kind and text of a document that a daemon sent; anything else gives
 * FAULT_BUG with @status. */
void wire_problem_decode(const json_t *json, int status, struct fault *ret_fault);
