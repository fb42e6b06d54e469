/* JSON in and out: what is accepted is within the limits and comes back the same; and any bytes make a
 * JSON string. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the writer says of @value, parsed again. */
static json_t *
fuzz_again(const json_t *value)
{
    json_t *back = NULL;
    struct buf buf;
    struct json_out out;

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_json(&out, value);
    if (json_in_parse(buf.data, buf.len, &back, NULL) != 0)
        abort();
    buf_fini(&buf);
    return back;
}

static void
fuzz_string(const char *data, size_t size)
{
    CLEANUP(json_freep) json_t *back = NULL;
    struct buf buf;
    struct json_out out;

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_string_n(&out, data, size);
    back = json_loadb(buf.data, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!json_is_string(back))
        abort();
    buf_fini(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) json_t *json = NULL;
    CLEANUP(json_freep) json_t *back = NULL;
    struct fault fault = { 0 };

    fuzz_string((const char *)data, size);
    if (json_in_parse((const char *)data, size, &json, &fault) != 0) {
        assert(fault.kind == FAULT_INVALID && fault.text[0]);
        return 0;
    }
    back = fuzz_again(json);
    if (!json_equal(json, back))
        abort();
    return 0;
}
