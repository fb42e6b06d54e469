/* Bodies of requests: the first byte picks the table they are decoded by. */

#include <stddef.h>
#include <stdint.h>

#include "berth/domain/blueprint.h"
#include "berth/domain/pool.h"
#include "berth/wire/problem.h"
#include "berth/wire/request.h"

static const struct schema *const schemas[] = {
    &wire_request_instance_schema, &wire_request_extend_schema, &wire_request_exec_schema,
    &wire_request_host_schema,     &wire_request_drain_schema,  &wire_request_remove_schema,
    &wire_request_token_schema,    &wire_request_pull_schema,   &blueprint_schema,
    &pool_policy_schema,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct schema *schema;
    struct problems problems = { 0 };
    CLEANUP(json_freep) json_t *json = NULL;
    CLEANUP(mem_freep) void *out = NULL;
    struct fault fault;

    if (size == 0 || json_in_parse((const char *)data + 1, size - 1, &json, NULL) < 0)
        return 0;
    schema = schemas[data[0] % ARRAY_LEN(schemas)];
    out = mem_new0(schema->size);
    schema_defaults(schema, out);
    if (schema_decode(schema, json, out, "", &problems) == 0 && schema == &blueprint_schema)
        (void)blueprint_check(out, &problems);
    schema_free(schema, out);
    wire_problem_decode(json, 400, &fault);
    return 0;
}
