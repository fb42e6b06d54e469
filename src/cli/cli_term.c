#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "berth/base/fault.h"
#include "berth/base/text.h"
#include "berth/cli/term.h"

enum {
    TERM_WIDTH = 80, /* when nothing tells */
    TERM_LINE_MAX = 400,
};

/* Nothing here runs beside another thread that changes the environment. */
static const char *
cli_term_env(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): we have one thread */

    return value && value[0] ? value : NULL;
}

static size_t
cli_term_columns(void)
{
    const char *columns = cli_term_env("COLUMNS");
    struct winsize size;
    unsigned long number;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    number = columns ? strtoul(columns, NULL, 10) : 0;
    return number > 0 && number < 10000 ? number : TERM_WIDTH;
}

void
cli_term_init(struct cli_term *ret_term)
{
    const char *kind = cli_term_env("TERM");
    bool smart = kind && strcmp(kind, "dumb") != 0;

    ret_term->in = isatty(STDIN_FILENO);
    ret_term->out = isatty(STDOUT_FILENO);
    ret_term->progress = smart && isatty(STDERR_FILENO);
    ret_term->colour = ret_term->out && smart && !cli_term_env("NO_COLOR");
    ret_term->width = ret_term->out ? cli_term_columns() : 0;
}

int
cli_term_write(const struct cli_term *term, const char *text, size_t len, bool trusted)
{
    CLEANUP(mem_freep) char *clean = NULL;

    if (term->out && !trusted) {
        clean = mem_new0(len + 1);
        memcpy(clean, text, len);
        text_utf8_clean(clean, true);
        text = clean;
    }
    if ((len > 0 && fwrite(text, 1, len, stdout) != len) || fflush(stdout) != 0) {
        if (errno == EPIPE)
            return EXIT_OK;
        cli_term_note("cannot write: %s", strerrordesc_np(errno));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

void
cli_term_progress(const struct cli_term *term, const char *format, ...)
{
    char line[TERM_LINE_MAX];
    va_list args;

    if (!term->progress)
        return;
    va_start(args, format);
    text_line_vprintf(line, sizeof(line), format, args);
    va_end(args);
    (void)fprintf(stderr, "\r\033[K%.*s", (int)(term->width > 0 ? term->width - 1 : TERM_WIDTH - 1),
                  line);
    (void)fflush(stderr);
}

void
cli_term_progress_end(const struct cli_term *term)
{
    if (term->progress)
        (void)fputs("\r\033[K", stderr);
}

void
cli_term_note(const char *format, ...)
{
    char line[TERM_LINE_MAX];
    va_list args;

    va_start(args, format);
    text_line_vprintf(line, sizeof(line), format, args);
    va_end(args);
    (void)fprintf(stderr, "berth: %s\n", line);
}
