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
    { "failing",   "one is tried again by itself; why they fail: berth events --kind host.prepare_failed, and berth host log ID "
      "--failed with the ids there; once it is mended, this tries at once: berth pool set ", " prepare_attempts=N" },
};
/* clang-format on */

/* '@' in a text stands for the first name, '#' for the pool's. */
struct advice_wrong {
    const char *kind;
    const char *one;  /* behind "host rack1 of pool default" */
    const char *many; /* behind "3 hosts of pool default" */
    const char *todo;
};

/* clang-format off */
static const struct advice_wrong advice_wrongs[] = {
    { "host_other_engine", "is another machine now", "are other machines now",
      "put its address right, or accept the new engine: berth host activate @" },
    { "host_unreachable", "can't be reached", "can't be reached",
      "look at the machine and its engine; berth host show @" },
    { "host_missing", "is not listed by its provider", "are not listed by their provider",
      "it is given up and replaced when that stays so; berth host show @" },
    { "host_suspended", "gets no work: it failed too often", "get no work: they failed too often",
      "berth host show @; once it is mended: berth host activate @" },
    { "host_probation", "gets little work until it is trusted again", "get little work until they are trusted again",
      "it ends by itself; berth host show @" },
    { "host_preparation", "could not be prepared and is tried again", "could not be prepared and are tried again",
      "berth host log @ --failed" },
    { "host_waiting", "is not ready", "are not ready",
      "berth host show @; berth host log @" },
    { "host_out", "is out of service", "are out of service",
      "berth host activate @, or berth host rm @" },
    { "host_certificate", "has a certificate that ends soon, and it could not be renewed", "have certificates that end soon, and they could not be renewed",
      "berth host log @; berth events --kind host.certificate_failed" },
    { "machine_stray", "has a machine without a host", "has machines without a host, too many to be given back by themselves",
      "berth pool orphans #; is this the right database? If it is: berth pool orphans # --all" },
    { "pool_left", "rents machines, and the daemon's configuration names it no more", "",
      "they cost, and none is added: berth pool shutdown #, or put its section back" },
    { "no_host", "has no host", "has no host",
      "berth host add NAME --engine URL --pool #, or pools in the daemon's configuration" },
    { "queue_misfit", "waits, and no host could ever hold it", "wait, and no host could ever hold them",
      "berth blueprint show @: less memory, or larger machines for pool #" },
    { "blueprint_held", "fails wherever it is tried: nothing of it is started for now", "fail wherever they are tried",
      "berth blueprint show @; once it is mended: berth blueprint apply -f FILE" },
};
/* clang-format on */

static const struct advice_wrong *
cli_advice_find(const json_t *wrong)
{
    static const struct advice_wrong unknown = { "", "needs a look", "need a look",
                                                 "berth status -o json" };
    const char *kind = json_in_string(wrong, "kind", "");

    for (size_t i = 0; i < ARRAY_LEN(advice_wrongs); i++) {
        if (strcmp(advice_wrongs[i].kind, kind) == 0)
            return &advice_wrongs[i];
    }
    return &unknown;
}

static const char *
cli_advice_name(const json_t *wrong, size_t index)
{
    const json_t *name = json_array_get(json_object_get(wrong, "names"), index);

    return json_is_string(name) ? json_string_value(name) : NULL;
}

/* "host rack1", "3 hosts", "instance of huge", "blueprint bad", "pool default" */
static void
cli_advice_subject(const json_t *wrong, struct buf *out)
{
    const char *kind = json_in_string(wrong, "kind", "");
    const char *pool = json_in_string(wrong, "pool", NULL);
    const char *name = cli_advice_name(wrong, 0);
    int64_t count = json_in_int(wrong, "count", 0);
    bool waits = strncmp(kind, "queue", 5) == 0;
    const char *noun = strncmp(kind, "blueprint", 9) == 0 ? "blueprint" : "host";

    if (!name) {
        buf_printf(out, "pool %s", pool ? pool : "?");
        return;
    }
    if (waits) {
        buf_printf(out, "%lld instance%s of blueprint %s", (long long)count, count == 1 ? "" : "s",
                   name);
    } else if (count == 1) {
        buf_printf(out, "%s %s", noun, name);
    } else {
        buf_printf(out, "%lld %ss", (long long)count, noun);
    }
    if (pool)
        buf_printf(out, " of pool %s", pool);
}

char *
cli_advice_what(const json_t *wrong)
{
    const struct advice_wrong *advice = cli_advice_find(wrong);
    const char *text = json_in_string(wrong, "text", NULL);
    int64_t count = json_in_int(wrong, "count", 0);
    const char *name;
    struct buf out;

    buf_init(&out, 0);
    cli_advice_subject(wrong, &out);
    buf_printf(&out, " %s", count > 1 ? advice->many : advice->one);
    for (size_t i = 0; count > 1 && (name = cli_advice_name(wrong, i)); i++)
        buf_printf(&out, "%s%s", i == 0 ? ": " : ", ", name);
    if (cli_advice_name(wrong, 0) && count > 1 &&
        count > (int64_t)json_array_size(json_object_get(wrong, "names")))
        buf_append_string(&out, ", ...");
    if (text)
        buf_printf(&out, " (%s)", text);
    return buf_take(&out);
}

char *
cli_advice_todo(const json_t *wrong)
{
    const char *name = cli_advice_name(wrong, 0);
    const char *pool = json_in_string(wrong, "pool", "default");
    struct buf out;

    buf_init(&out, 0);
    for (const char *at = cli_advice_find(wrong)->todo; *at; at++) {
        if (*at == '@') {
            buf_append_string(&out, name ? name : "?");
        } else if (*at == '#') {
            buf_append_string(&out, pool);
        } else {
            buf_append_char(&out, *at);
        }
    }
    return buf_take(&out);
}

char *
cli_advice_hold(const json_t *held, const char *pool)
{
    const char *hold = json_in_string(held, "hold", "");

    for (size_t i = 0; i < ARRAY_LEN(advice_holds); i++) {
        const struct advice *advice = &advice_holds[i];

        if (strcmp(advice->kind, hold) == 0) {
            return mem_printf("%s%s%s", advice->before, advice->after ? pool : "",
                              advice->after ? advice->after : "");
        }
    }
    return mem_printf("berth pool plan %s", pool);
}
