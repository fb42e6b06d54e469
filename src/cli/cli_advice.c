#include <string.h>

#include "berth/base/text.h"
#include "berth/cli/advice.h"

struct advice {
    const char *kind;
    const char *before; /* the pool's name comes between the two */
    const char *after;  /* NULL: no name */
};

/* clang-format off */
static const struct advice advice_holds[] = {
    { "max_hosts", "berth pool set ", " max_hosts=N" },
    { "launches",  "ends as the hour passes, or: berth pool set ", " launches_per_hour=N" },
    { "budget",    "ends with the month, or: berth pool set ", " budget_per_month=N" },
    { "no_type",   "a larger type in machine_types of the configuration, or a smaller blueprint", NULL },
    { "by_hand",   "berth host add NAME --engine URL --pool ", "" },
    { "shutdown",  "berth pool set ", " shutdown=false" },
    { "cloud",     "the provider is asked again soon; what it said: berth events --kind pool.refused", NULL },
};
/* clang-format on */

char *
cli_advice_hold(const char *hold, const char *pool)
{
    for (size_t i = 0; i < ARRAY_LEN(advice_holds); i++) {
        const struct advice *advice = &advice_holds[i];

        if (strcmp(advice->kind, hold) == 0)
            return mem_printf("%s%s%s", advice->before, advice->after ? pool : "",
                              advice->after ? advice->after : "");
    }
    return mem_printf("berth pool plan %s", pool);
}
