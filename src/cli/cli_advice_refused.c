/* What a provider refuses, and what can be done about it. */

#include <string.h>

#include "berth/base/text.h"
#include "berth/cli/advice.h"
#include "berth/cli/format.h"

struct advice_call {
    const char *call;
    const char *what; /* behind "the provider" */
};

static const struct advice_call advice_calls[] = {
    { "launch", "launches no machine" },
    { "list", "does not tell which machines there are" },
    { "terminate", "takes no machine back, so it still costs" },
    { "stop", "stops no machine that is to be kept warm" },
    { "start", "starts no machine that is kept warm" },
};

/* '#' stands for the pool's name. */
struct advice_mend {
    const char *kind;
    const char *mend;
};

/* clang-format off */
static const struct advice_mend advice_mends[] = {
    { "cloud_no_capacity", "it may pass by itself; more machine_types, subnets (zones) or spot: false for pools.# in the "
      "configuration make it rarer" },
    { "cloud_limit", "have the account's quota raised (docs/EC2.md says which), or give machines of other uses back; until then: "
      "berth pool set # max_hosts=N" },
    { "cloud_throttled", "it passes by itself; what else asks with the same account?" },
    { "cloud_denied", "mend the keys or what their policy allows (docs/IAM.md); berthd --check-config says what lacks. Files and roles are "
      "read again by themselves; keys in berthd's environment need a restart" },
    { "cloud_refused", "mend image, machine_types, subnets, groups or template of pools.# in the configuration; try it: berthd "
      "--check-config; then: systemctl reload berthd" },
    { "cloud_failed", "it passes by itself when the provider is down; else look at region and endpoint of pools.#, and at the way "
      "there from berthd's machine" },
    { "cloud_unsure", "it passes by itself when the provider is slow; else look at the way there from berthd's machine. What was "
      "made all the same is found again" },
};
/* clang-format on */

static const char *
cli_advice_call(const char *call)
{
    for (size_t i = 0; i < ARRAY_LEN(advice_calls); i++) {
        if (strcmp(advice_calls[i].call, call) == 0)
            return advice_calls[i].what;
    }
    return "refuses what is asked";
}

static int64_t
cli_advice_time(const json_t *refused, const char *key)
{
    int64_t at_ms = 0;

    return text_time_parse(json_in_string(refused, key, ""), &at_ms) ? at_ms : 0;
}

static void
cli_advice_count(int64_t count, const char *noun, struct buf *out)
{
    if (count > 0) {
        buf_printf(out, "; %lld %s%s for it", (long long)count, noun,
                   count == 1 ? " waits" : "s wait");
    }
}

char *
cli_advice_refused(const json_t *refused, const char *pool, int64_t now_ms)
{
    int64_t since_ms = cli_advice_time(refused, "since");
    int64_t last_ms = cli_advice_time(refused, "last_at");
    int64_t next_ms = cli_advice_time(refused, "next_at");
    int64_t times = json_in_int(refused, "times", 0);
    struct buf out;
    char age[16];

    buf_init(&out, 0);
    buf_printf(&out, "pool %s: the provider %s", pool,
               cli_advice_call(json_in_string(refused, "call", "")));
    if (since_ms > 0)
        buf_printf(&out, ", for %s now", cli_format_age(now_ms - since_ms, age));
    if (times > 1) {
        buf_printf(&out, " (%lld times in a row, last %s ago)", (long long)times,
                   cli_format_age(now_ms - last_ms, age));
    }
    buf_printf(&out, ": %s: %s; ", json_in_string(refused, "title", "?"),
               json_in_string(refused, "text", ""));
    if (next_ms == 0) {
        buf_append_string(&out, "it is asked again when the pool is to grow");
    } else if (next_ms <= now_ms) {
        buf_append_string(&out, "it is being asked again now");
    } else {
        buf_printf(&out, "it is asked again in %s", cli_format_age(next_ms - now_ms, age));
    }
    cli_advice_count(json_in_int(refused, "hosts", 0), "host", &out);
    cli_advice_count(json_in_int(refused, "waiting", 0), "request", &out);
    return buf_take(&out);
}

char *
cli_advice_mend(const json_t *refused, const char *pool)
{
    const char *kind = json_in_string(refused, "kind", "");
    const char *mend = "berth events --kind pool.refused";
    struct buf out;

    for (size_t i = 0; i < ARRAY_LEN(advice_mends); i++) {
        if (strcmp(advice_mends[i].kind, kind) == 0)
            mend = advice_mends[i].mend;
    }
    buf_init(&out, 0);
    for (; *mend; mend++) {
        if (*mend == '#') {
            buf_append_string(&out, pool);
        } else {
            buf_append_char(&out, *mend);
        }
    }
    return buf_take(&out);
}
