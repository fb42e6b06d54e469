#include "log_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "berth/base/buf.h"
#include "berth/base/log.h"
#include "berth/base/text.h"

enum { LOG_LINE_MAX = 4096 };

static const char *const log_sink_names[] = { "error", "warn", "info", "debug" };
static const int log_sink_priorities[] = { 3, 4, 6, 7 };

static void
log_sink_flush(struct buf *line)
{
    buf_append_char(line, '\n');
    if (line->len > 0 && write(STDERR_FILENO, line->data, line->len) < 0)
        line->len = 0; /* nobody reads: nowhere to tell */
    buf_fini(line);
}

static void
log_sink_journal(const struct log_line *line)
{
    struct buf out;

    buf_init(&out, LOG_LINE_MAX);
    buf_printf(&out, "<%d>%s: %s", log_sink_priorities[line->level], line->topic, line->text);
    log_sink_flush(&out);
}

static void
log_sink_quote(struct buf *line, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_char(line, '\\');
        buf_append_char(line, *text);
    }
}

static void
log_sink_logfmt(const struct log_line *line)
{
    struct timespec now;
    char at[TEXT_TIME_SIZE];
    struct buf out;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    buf_init(&out, LOG_LINE_MAX);
    buf_printf(&out, "ts=%s level=%s topic=%s msg=\"",
               text_time((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, at),
               log_sink_names[line->level], line->topic);
    log_sink_quote(&out, line->text);
    buf_append_char(&out, '"');
    log_sink_flush(&out);
}

void
log_sink_setup(const struct config_log *config)
{
    bool journal = config->format == CONFIG_LOG_JOURNAL;

    if (config->format == CONFIG_LOG_AUTO) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): before threads */
        journal = getenv("JOURNAL_STREAM") != NULL;
    }
    log_setup((enum log_level)config->level, journal ? log_sink_journal : log_sink_logfmt);
}
