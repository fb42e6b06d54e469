/* Jansson's memory, which may hold what was read of keys, tokens and passwords. */

#include <stdlib.h>

#include "berth/base/json.h"
#include "berth/base/secret.h"

void
json_wipe_install(void)
{
    json_set_alloc_funcs(malloc, secret_block_free);
}
