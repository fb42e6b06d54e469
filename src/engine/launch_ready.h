#pragma once

/*
 * From a started container to one that answers.
 */

#include "launch.h"

/** launch_ready_start() - the flow's last step: learn the ports, then ask until it is ready. */
void launch_ready_start(struct flow *flow);
