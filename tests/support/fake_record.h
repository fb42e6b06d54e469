#pragma once

/* The calls there were, oldest first. */

#include "berth/port/docker.h"

#include "support/fake_machine.h"

/* One call as it was started. */
struct fake_record {
    enum docker_verb verb;
    int64_t host_id;
    char name[FAKE_NAME_SIZE];
};

struct fake_records {
    struct fake_record *at; /* owned */
    size_t count;
    size_t cap;
};

void fake_record_add(struct fake_records *records, const struct docker_call *call);
size_t fake_record_count(const struct fake_records *records, enum docker_verb verb);
void fake_record_free(struct fake_records *records);
