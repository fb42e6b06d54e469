#pragma once

#include <stddef.h>
#include <stdint.h>

/* Randomness, as a port: secure in the daemon, seeded in tests. */
struct random_port {
    void *self;
    void (*fill)(void *self, void *ret_data, size_t len);
};

static inline uint32_t
random_u32(const struct random_port *random)
{
    uint32_t value;

    random->fill(random->self, &value, sizeof(value));
    return value;
}
