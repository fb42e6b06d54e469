#include "query.h"

#include <limits.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/mem.h"
#include "berth/base/text.h"
#include "berth/domain/host.h"
#include "berth/domain/instance.h"
#include "berth/domain/operation.h"
#include "berth/engine/engine.h"
#include "berth/wire/request.h"

enum query_type {
    QUERY_INT,
    QUERY_BOOL,
    QUERY_TEXT,       /* up to max bytes */
    QUERY_WORD,       /* one of words */
    QUERY_TAIL_LINES, /* a number or "all" */
    QUERY_TIME,       /* RFC 3339, Unix seconds, or a duration that ended now */
};

struct query_rule {
    const char *name;
    enum query_type type;
    int64_t min;
    int64_t max;
    int64_t fallback;
    const char *const *words;
    schema_check_fn check;
    const char *doc;
};

/* In the order of the enums that they stand for. */
static const char *const query_instance_states[] = { "queued",   "starting", "running",
                                                     "stopping", "stopped",  "failed",
                                                     "live",     "ended",    NULL };
static const char *const query_host_states[] = { "spawned", "active", "inactive",
                                                 "removed", "live",   NULL };
static const char *const query_operation_states[] = { "running", "done", "failed", "cancelled",
                                                      NULL };
static const char *const query_orders[] = { "oldest", "newest", NULL };

_Static_assert(ARRAY_LEN(query_instance_states) == INSTANCE_STATE_COUNT + 3, "each state is there");
_Static_assert(ARRAY_LEN(query_host_states) == HOST_STATE_COUNT + 2, "each state is there");
_Static_assert(ARRAY_LEN(query_operation_states) == OPERATION_STATE_COUNT + 1,
               "each state is there");

static const char *
query_check_kind(const char *text)
{
    for (; *text; text++) {
        if (!(*text >= 'a' && *text <= 'z') && *text != '.' && *text != '_')
            return "must consist of a-z, '_' and '.'";
    }
    return NULL;
}

static const char *
query_check_name(const char *text)
{
    return text_is_name(text) || id_decode(ID_HOST, text, &(int64_t){ 0 }) ? NULL
                                                                           : "must be a name";
}

static const char *
query_check_instance(const char *text)
{
    return id_decode(ID_INSTANCE, text, &(int64_t){ 0 }) ? NULL : "must be an instance's id";
}

/* clang-format off */
static const struct query_rule query_rules[QUERY_COUNT] = {
    [QUERY_LIMIT]       = { "limit", QUERY_INT, .min = 1, .max = 1000, .fallback = 100, .doc = "Most items in the answer." },
    [QUERY_LIMIT_HOSTS] = { "limit", QUERY_INT, .min = 1, .max = 10000, .fallback = 100, .doc = "Most items in the answer." },
    [QUERY_CURSOR]      = { "cursor", QUERY_TEXT, .max = 64, .doc = "`next` of the page before." },
    [QUERY_STATE]       = { "state", QUERY_WORD, .words = query_instance_states, .fallback = -1, .doc = "Only those in this state; live: all but stopped and failed, ended: these." },
    [QUERY_HOST_STATE]  = { "state", QUERY_WORD, .words = query_host_states, .fallback = -1, .doc = "Only those in this state; live: all but removed." },
    [QUERY_OPERATION_STATE] = { "state", QUERY_WORD, .words = query_operation_states, .fallback = -1, .doc = "Only those in this state." },
    [QUERY_OWNER]       = { "owner", QUERY_TEXT, .max = 128, .check = wire_request_check_owner, .doc = "Only this owner's." },
    [QUERY_HOST]        = { "host", QUERY_TEXT, .max = 63, .check = query_check_name, .doc = "Only this host's, by id or name." },
    [QUERY_INSTANCE]    = { "instance", QUERY_TEXT, .max = 63, .check = query_check_instance, .doc = "Only this instance's, by id." },
    [QUERY_BLUEPRINT]   = { "blueprint", QUERY_TEXT, .max = 63, .check = query_check_name, .doc = "Only those started from this blueprint." },
    [QUERY_POOL]        = { "pool", QUERY_TEXT, .max = 63, .check = query_check_name, .doc = "Only this pool's." },
    [QUERY_NAME]        = { "name", QUERY_TEXT, .max = 63, .check = query_check_name, .doc = "Only those with this name." },
    [QUERY_KIND]        = { "kind", QUERY_TEXT, .max = 63, .check = query_check_kind, .doc = "Only this kind; one that ends in '.' stands for all that begin with it." },
    [QUERY_AFTER]       = { "after", QUERY_INT, .min = 0, .max = INT64_MAX, .doc = "Only events with a higher seq." },
    [QUERY_ORDER]       = { "order", QUERY_WORD, .words = query_orders, .doc = "Which come first." },
    [QUERY_FOLLOW]      = { "follow", QUERY_BOOL, .doc = "Go on until the container ends; wait for one that is not there yet." },
    [QUERY_TAIL]        = { "tail", QUERY_TAIL_LINES, .min = 0, .max = 1000000, .fallback = -1, .doc = "Only the last lines: a number, or all." },
    [QUERY_SINCE]       = { "since", QUERY_TIME, .doc = "Only what was written since: RFC 3339, Unix seconds, or how long ago (10m)." },
    [QUERY_TIMESTAMPS]  = { "timestamps", QUERY_BOOL, .doc = "Put the time before each line." },
    [QUERY_STREAM]      = { "stream", QUERY_BOOL, .doc = "Go on with a sample each second, a line each." },
    [QUERY_ROUNDS]      = { "rounds", QUERY_INT, .min = 1, .max = POOL_ROUNDS_MAX, .fallback = 5, .doc = "Most rounds in the answer." },
    [QUERY_FOLLOW_HOST] = { "follow", QUERY_BOOL, .doc = "As server-sent events (step, progress, end), until the host is prepared or given up." },
    [QUERY_RUN]         = { "run", QUERY_INT, .min = 0, .max = 1000000, .doc = "Only steps of this run; 0: of all." },
    [QUERY_FAILED]      = { "failed", QUERY_BOOL, .doc = "Only steps that failed." },
};
/* clang-format on */

static int
query_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool
query_unescape(char *text, bool plus)
{
    char *to = text;
    bool escaped = false;

    for (const char *from = text; *from; from++) {
        int high;
        int low;

        if (*from != '%') {
            *to++ = (char)(*from == '+' && plus ? ' ' : *from);
            continue;
        }
        high = query_hex(from[1]);
        low = high < 0 ? -1 : query_hex(from[2]);
        if (low < 0 || high + low == 0)
            return false;
        *to++ = (char)(high << 4 | low);
        from += 2;
        escaped = true;
    }
    *to = '\0';
    return !escaped || text_utf8_len(text, (size_t)(to - text)) == (size_t)(to - text);
}

static bool
query_int(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    int64_t value = 0;

    if (!*text || strlen(text) > 18)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (*text - '0');
    }
    if (value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

static bool
query_bool(const char *text, int64_t *ret_value)
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || !*text;

    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
        return false;
    *ret_value = yes;
    return true;
}

static bool
query_time(const char *text, int64_t now_ms, int64_t *ret_at_ms)
{
    int64_t seconds;

    if (text_time_parse(text, ret_at_ms))
        return *ret_at_ms >= 0;
    if (query_int(text, 0, INT64_MAX / 1000, &seconds)) {
        *ret_at_ms = seconds * 1000;
        return true;
    }
    if (!text_duration_parse(text, &seconds) || seconds < 0 || seconds > now_ms / 1000)
        return false;
    *ret_at_ms = now_ms - seconds * 1000;
    return true;
}

static bool
query_word(const char *const *words, const char *text, int64_t *ret_value)
{
    for (int64_t i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

static const char *
query_text(const struct query_rule *rule, const char *text)
{
    if (!*text || strlen(text) > (size_t)rule->max)
        return "is empty or too long";
    return rule->check ? rule->check(text) : NULL;
}

/* NULL when @text is a good value, else what is wrong. */
static const char *
query_value(const struct query_rule *rule, const char *text, int64_t now_ms, int64_t *ret_value)
{
    switch (rule->type) {
    case QUERY_INT:
        return query_int(text, rule->min, rule->max, ret_value) ? NULL : "must be a number";
    case QUERY_BOOL:
        return query_bool(text, ret_value) ? NULL : "must be true or false";
    case QUERY_WORD:
        return query_word(rule->words, text, ret_value) ? NULL : "must be one of";
    case QUERY_TAIL_LINES:
        return strcmp(text, "all") == 0 || query_int(text, rule->min, rule->max, ret_value)
                   ? NULL
                   : "must be a number of lines, or all";
    case QUERY_TIME:
        return query_time(text, now_ms, ret_value)
                   ? NULL
                   : "must be a time as in RFC 3339, Unix seconds, or a duration";
    case QUERY_TEXT:
        break;
    }
    return query_text(rule, text);
}

static int
query_find(const char *name, uint32_t allowed)
{
    for (int i = 0; i < QUERY_COUNT; i++) {
        if (allowed & QUERY_BIT(i) && strcmp(query_rules[i].name, name) == 0)
            return i;
    }
    return -1;
}

static void
query_refuse(const struct query_rule *rule, const char *pointer, const char *wrong,
             struct problems *problems)
{
    struct buf words;

    buf_init(&words, 0);
    if (rule->type == QUERY_WORD) {
        for (const char *const *word = rule->words; *word; word++)
            buf_printf(&words, "%s %s", word == rule->words ? ":" : ",", *word);
    }
    if (rule->type == QUERY_INT && rule->max < INT64_MAX)
        buf_printf(&words, " from %lld to %lld", (long long)rule->min, (long long)rule->max);
    problems_add(problems, pointer, "format", "%s%s", wrong, buf_text(&words));
    buf_fini(&words);
}

static void
query_pair(char *pair, uint32_t allowed, int64_t now_ms, struct query *query,
           struct problems *problems)
{
    char *value = strchr(pair, '=');
    char pointer[80] = "?";
    const char *wrong;
    int name;

    if (value) {
        *value++ = '\0';
    } else {
        value = pair + strlen(pair);
    }
    if (!query_unescape(pair, true) || !query_unescape(value, true)) {
        problems_add(problems, "?", "format", "a parameter is badly escaped");
        return;
    }
    name = query_find(pair, allowed);
    strncat(pointer, pair, sizeof(pointer) - 2);
    if (name < 0) {
        problems_add(problems, pointer, "unknown_field", "there is no such parameter here");
        return;
    }
    if (query_has(query, (enum query_name)name)) {
        problems_add(problems, pointer, "duplicate", "is given twice");
        return;
    }
    query->set |= QUERY_BIT(name);
    query->text[name] = value;
    wrong = query_value(&query_rules[name], value, now_ms, &query->number[name]);
    if (wrong)
        query_refuse(&query_rules[name], pointer, wrong, problems);
}

int
query_decode(char *text, uint32_t allowed, int64_t now_ms, struct query *ret_query,
             struct problems *problems)
{
    size_t before = problems->count + problems->dropped;

    ret_query->set = 0;
    for (int i = 0; i < QUERY_COUNT; i++) {
        if (!(allowed & QUERY_BIT(i)))
            continue;
        ret_query->text[i] = NULL;
        ret_query->number[i] = query_rules[i].fallback;
    }
    while (text && *text) {
        char *next = strchr(text, '&');

        if (next)
            *next++ = '\0';
        if (*text)
            query_pair(text, allowed, now_ms, ret_query, problems);
        text = next;
    }
    return problems->count + problems->dropped == before ? 0 : -1;
}

static void
query_describe_type(const struct query_rule *rule, struct json_out *out)
{
    static const char *const types[] = {
        [QUERY_INT] = "integer", [QUERY_BOOL] = "boolean",      [QUERY_TEXT] = "string",
        [QUERY_WORD] = "string", [QUERY_TAIL_LINES] = "string", [QUERY_TIME] = "string",
    };

    json_out_object(out);
    json_out_kv_string(out, "type", types[rule->type]);
    if (rule->type == QUERY_INT) {
        json_out_kv_int(out, "minimum", rule->min);
        if (rule->max < INT64_MAX)
            json_out_kv_int(out, "maximum", rule->max);
        json_out_kv_int(out, "default", rule->fallback);
    }
    if (rule->type == QUERY_TEXT)
        json_out_kv_int(out, "maxLength", rule->max);
    if (rule->type == QUERY_WORD) {
        json_out_key(out, "enum");
        json_out_array(out);
        for (const char *const *word = rule->words; *word; word++)
            json_out_string(out, *word);
        json_out_array_end(out);
    }
    json_out_object_end(out);
}

void
query_describe(uint32_t allowed, struct json_out *out)
{
    for (int i = 0; i < QUERY_COUNT; i++) {
        if (!(allowed & QUERY_BIT(i)))
            continue;
        json_out_object(out);
        json_out_kv_string(out, "name", query_rules[i].name);
        json_out_kv_string(out, "in", "query");
        json_out_kv_string(out, "description", query_rules[i].doc);
        json_out_key(out, "schema");
        query_describe_type(&query_rules[i], out);
        json_out_object_end(out);
    }
}
