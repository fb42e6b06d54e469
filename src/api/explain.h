#pragma once

/* Why an instance is where it is: the decision that was kept, and how things stand now. */

#include "request.h"

/** explain_start() - answers @request. */
void explain_start(struct request *request, const struct instance *instance);
