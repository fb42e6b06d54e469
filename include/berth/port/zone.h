#pragma once

/* Time zones by name, as a port: the system's files in the daemon, a table in tests. */

#include "berth/domain/zone.h"

struct zone_port {
    void *self;
    /** find() - borrowed as long as the port lives; NULL: there is none of that name, or it is not
     * well formed. */
    const struct zone *(*find)(void *self, const char *name);
};
