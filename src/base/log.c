#include "berth/base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include "berth/base/text.h"

enum { LOG_TEXT_SIZE = 1024 };

static const char *const log_level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static atomic_int log_most = LOG_LEVEL_INFO;
static log_sink_fn log_sink;

void
log_setup(enum log_level most, log_sink_fn sink)
{
    log_sink = sink;
    log_level_set(most);
}

void
log_level_set(enum log_level most)
{
    assert((int)most >= LOG_LEVEL_ERROR && most <= LOG_LEVEL_DEBUG);
    atomic_store_explicit(&log_most, (int)most, memory_order_relaxed);
}

void
log_write(enum log_level level, const char *topic, const char *format, ...)
{
    char text[LOG_TEXT_SIZE];
    va_list args;

    if (!log_sink || (int)level > atomic_load_explicit(&log_most, memory_order_relaxed))
        return;
    va_start(args, format);
    text_line_vprintf(text, sizeof(text), format, args);
    va_end(args);
    log_sink(&(struct log_line){ .level = level, .topic = topic, .text = text });
}

int
log_level_from_string(const char *text)
{
    for (size_t i = 0; text && i < ARRAY_LEN(log_level_names); i++) {
        if (strcmp(log_level_names[i], text) == 0)
            return (int)i;
    }
    return -1;
}
