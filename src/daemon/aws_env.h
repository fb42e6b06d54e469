#pragma once

/*
 * What AWS' own tools read of the environment, proxies included.  Nobody changes it while the daemon runs.
 */

#include "berth/cloud/ec2.h"

/** aws_env_get() - the variable @name, borrowed from the environment; NULL when it is not set or empty. */
const char *aws_env_get(const char *name);

/** aws_env_defaults() - what holds where a pool says nothing, without a key; texts are borrowed from the
 * environment. */
struct ec2_defaults aws_env_defaults(void);
