#pragma once

#include "berth/base/schema.h"

/** schema_suggest() - the name of the field of @schema that is nearest to @text: at most two slips
 * away, or @text without its unit; NULL when there is none. Static. */
const char *schema_suggest(const struct schema *schema, const char *text);
