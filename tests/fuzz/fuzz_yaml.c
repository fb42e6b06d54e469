/* YAML in and out: what is accepted comes back the same after it was written in block style. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) json_t *json = NULL;
    CLEANUP(json_freep) json_t *back = NULL;
    struct fault fault = { 0 };
    struct buf buf;

    if (yaml_parse("fuzz", (const char *)data, size, &json, &fault) != 0) {
        assert(fault.kind == FAULT_INVALID && fault.text[0]);
        return 0;
    }
    buf_init(&buf, 0);
    yaml_encode(json, &buf);
    if (yaml_parse("again", buf_text(&buf), buf.len, &back, &fault) != 0 || !json_equal(json, back))
        abort();
    buf_fini(&buf);
    return 0;
}
