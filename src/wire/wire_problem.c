#include "berth/wire/problem.h"

static void
wire_problem_errors(struct json_out *out, const struct problems *problems)
{
    json_out_key(out, "errors");
    json_out_array(out);
    for (size_t i = 0; i < problems->count; i++) {
        json_out_object(out);
        json_out_kv_string(out, "pointer", problems->at[i].pointer);
        json_out_kv_string(out, "code", problems->at[i].code);
        json_out_kv_string(out, "detail", problems->at[i].detail);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

void
wire_problem_encode(struct json_out *out, const struct wire_problem *problem)
{
    const struct fault_rule *rule = fault_rule(problem->kind);
    char type[64] = "/problems/";
    struct buf text = { .data = type,
                        .len = sizeof("/problems/") - 1,
                        .cap = sizeof(type),
                        .limit = sizeof(type) - 1 };

    buf_append_string(&text, rule->code);
    json_out_object(out);
    json_out_kv_string(out, "type", type);
    json_out_kv_string(out, "title", rule->title);
    json_out_kv_int(out, "status", rule->http_status);
    json_out_kv_string(out, "detail", problem->detail);
    json_out_kv_string(out, "instance", problem->instance);
    json_out_kv_string(out, "code", rule->code);
    if (problem->problems && problem->problems->count > 0)
        wire_problem_errors(out, problem->problems);
    json_out_kv_string(out, "request_id", problem->request_id);
    json_out_object_end(out);
}

void
wire_problem_decode(const json_t *json, int status, struct fault *ret_fault)
{
    const char *code = json_in_string(json, "code", NULL);
    const char *detail = json_in_string(json, "detail", NULL);
    const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
    const char *pointer = json_in_string(first, "pointer", NULL);

    if (!code) {
        (void)fault_set(ret_fault, FAULT_BUG, "api", "the daemon answered %d without saying why",
                        status);
    } else {
        if (!detail)
            detail = json_in_string(json, "title", "");
        (void)fault_set(ret_fault, fault_kind_from_code(code), "api", "%s%s%s%s%s", detail,
                        pointer ? ": " : "", pointer ? pointer : "", pointer ? " " : "",
                        json_in_string(first, "detail", ""));
    }
    ret_fault->remote_code = status;
}
