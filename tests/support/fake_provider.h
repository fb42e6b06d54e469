#pragma once

/* What the provider of fake_cloud.h makes of a call. */

#include "support/fake_cloud.h"

/* What a call asked for; it may outlive the call. */
struct fake_cloud_ask {
    enum cloud_verb verb;
    int64_t host_id;
    char token[CLOUD_TOKEN_SIZE];
    uint8_t user_data[TEXT_SHA256_SIZE];
    char type[64];
    char name[64]; /* of the host, or the machine's id */
    char cluster[64];
    int64_t pool_id;
    struct pool_machine machine; /* of the pool's types; its name is not used */
    bool known;                  /* the pool has that type */
};

struct fake_provider {
    const struct clock_port *clock;
    struct fake_vms vms;
    struct fake_quota quota;
    uint64_t aliens_touched; /* changes that named a machine that is not ours */
};

/** fake_provider_do() - @out: zero; of a listing the caller frees out.list.at. */
int fake_provider_do(struct fake_provider *provider, const struct fake_cloud_ask *ask,
                     const struct fake_cloud_fate *fate, struct cloud_call *out,
                     struct fault *fault);
