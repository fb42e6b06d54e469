/* A growing array of what was asked. */

#include "support/fake_record.h"

#include <stdio.h>

void
fake_record_add(struct fake_records *records, const struct docker_call *call)
{
    struct fake_record *record;

    if (records->count == records->cap) {
        records->cap = records->cap ? records->cap * 2 : 256;
        records->at = mem_resize(records->at, records->cap, sizeof(*records->at));
    }
    record = &records->at[records->count++];
    record->verb = call->verb;
    record->host_id = call->host_id;
    (void)snprintf(record->name, sizeof(record->name), "%s", call->name ? call->name : "");
}

size_t
fake_record_count(const struct fake_records *records, enum docker_verb verb)
{
    size_t count = 0;

    for (size_t i = 0; i < records->count; i++)
        count += records->at[i].verb == verb;
    return count;
}

void
fake_record_free(struct fake_records *records)
{
    mem_free(records->at);
    *records = (struct fake_records){ 0 };
}
