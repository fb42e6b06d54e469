/* Decisions in plain words with their figures. */

#include <inttypes.h>
#include <string.h>

#include "berth/base/text.h"

#include "policy_round.h"

enum { POLICY_CENT_MICRO = 10000, POLICY_CENTS = 100, POLICY_MILLI = 1000 };

void
policy_say(char ret_text[POLICY_REASON_SIZE], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_line_vprintf(ret_text, POLICY_REASON_SIZE, format, args);
    va_end(args);
}

static void PRINTF_LIKE(2, 3)
    policy_words_print(struct policy_words *words, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_line_vprintf(words->text, sizeof(words->text), format, args);
    va_end(args);
}

/* To the minute: "2026-11-22 10:05 UTC". */
struct policy_words
policy_words_time(int64_t at_ms)
{
    struct policy_words words = { "" };
    char text[TEXT_TIME_SIZE];

    (void)text_time(at_ms, text);
    text[strlen("2026-11-22")] = ' ';
    policy_words_print(&words, "%.16s UTC", text);
    return words;
}

/* Hundredths, rounded up: what is told is never less than what it costs. */
struct policy_words
policy_words_money(int64_t micro)
{
    struct policy_words words = { "" };
    int64_t cents = micro / POLICY_CENT_MICRO + (micro % POLICY_CENT_MICRO > 0);

    policy_words_print(&words, "%" PRId64 ".%02" PRId64, cents / POLICY_CENTS,
                       cents % POLICY_CENTS);
    return words;
}

struct policy_words
policy_words_size(int64_t bytes)
{
    struct policy_words words = { "" };
    char text[24];

    policy_words_print(&words, "%s", text_size((uint64_t)(bytes > 0 ? bytes : 0), text));
    return words;
}

struct policy_words
policy_words_span(int64_t ms)
{
    struct policy_words words = { "" };
    char text[32];

    policy_words_print(&words, "%s", text_duration(ms, text));
    return words;
}

static struct policy_words
policy_words_cpus(int64_t milli)
{
    struct policy_words words = { "" };

    policy_words_print(&words, "%" PRId64 ".%02" PRId64, milli / POLICY_MILLI,
                       milli % POLICY_MILLI / 10);
    return words;
}

static void
policy_words_queue(const struct policy_round *round, char ret_text[POLICY_REASON_SIZE])
{
    const struct policy_demand *demand = &round->view->demand;
    const struct host_amount *largest = &demand->largest;

    if (largest->memory_bytes > 0 && demand->count == 1) {
        policy_say(ret_text, "1 waiting for %s", policy_words_size(largest->memory_bytes).text);
    } else if (largest->memory_bytes > 0) {
        policy_say(ret_text, "%" PRIu32 " waiting for %s, the largest for %s", demand->count,
                   policy_words_size(demand->sum.memory_bytes).text,
                   policy_words_size(largest->memory_bytes).text);
    } else if (largest->slots > 0) {
        policy_say(ret_text, "%" PRIu32 " waiting for %" PRId64 " slots", demand->count,
                   demand->sum.slots);
    } else {
        policy_say(ret_text, "%" PRIu32 " waiting", demand->count);
    }
}

void
policy_words_lack(const struct policy_round *round, const struct policy_lack *lack,
                  char ret_text[POLICY_REASON_SIZE])
{
    const struct host_amount *needed = &round->needed;
    const struct host_amount *room = &round->all.free;
    const char *why = round->targets.scheduled ? " by schedule" : "";

    switch (lack->what) {
    case SHORT_QUEUE:
        policy_words_queue(round, ret_text);
        break;
    case SHORT_BARRED:
        policy_say(ret_text,
                   "%" PRIu32 " waiting that no host takes for its labels, a fixed port, or others "
                   "of their owner",
                   round->view->demand.barred.count);
        break;
    case SHORT_SLOTS:
        policy_say(ret_text, "%" PRId64 " slots free, %" PRId64 " wanted%s", room->slots,
                   needed->slots, why);
        break;
    case SHORT_MEMORY:
        policy_say(ret_text, "%s free, %s wanted%s", policy_words_size(room->memory_bytes).text,
                   policy_words_size(needed->memory_bytes).text, why);
        break;
    case SHORT_CPUS:
        policy_say(ret_text, "%s cpus free, %s wanted", policy_words_cpus(room->cpus_milli).text,
                   policy_words_cpus(needed->cpus_milli).text);
        break;
    case SHORT_HOSTS:
        policy_say(ret_text, "%" PRId64 " in service or on the way, %" PRId64 " hosts wanted%s",
                   round->all.hosts, round->targets.min_hosts, why);
        break;
    case SHORT_NONE:
        ret_text[0] = '\0';
        break;
    }
}
