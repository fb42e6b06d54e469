#include <assert.h>
#include <stdarg.h>

#include "berth/base/schema.h"
#include "berth/base/text.h"

static void PRINTF_LIKE(3, 4) problems_print(char *ret_text, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_line_vprintf(ret_text, size, format, args);
    va_end(args);
}

void
problems_add(struct problems *problems, const char *pointer, const char *code, const char *format,
             ...)
{
    struct problem *problem;
    va_list args;

    assert(pointer && code && problems->count <= PROBLEMS_MAX);
    if (problems->count == PROBLEMS_MAX) {
        problems->dropped++;
        return;
    }
    problem = &problems->at[problems->count++];
    problem->code = code;
    problems_print(problem->pointer, sizeof(problem->pointer), "%s", pointer);
    va_start(args, format);
    text_line_vprintf(problem->detail, sizeof(problem->detail), format, args);
    va_end(args);
}
