/* The words of an expression. */
#include <stdarg.h>
#include <string.h>

#include "jinja_node.h"

struct jinja_node *
jinja_refuse(struct jinja_reader *reader, const char *format, ...)
{
    char what[FAULT_TEXT_SIZE];
    va_list args;

    if (reader->failed)
        return NULL;
    reader->failed = true;
    reader->failed_at = reader->token_at ? reader->token_at : reader->at;
    va_start(args, format);
    text_line_vprintf(what, sizeof(what), format, args);
    va_end(args);
    (void)fault_set(reader->fault, FAULT_INVALID, "jinja.parse", "%s", what);
    return NULL;
}

struct jinja_node *
jinja_node_new(struct jinja_reader *reader, enum jinja_op op)
{
    struct jinja_node *node = mem_new0(sizeof(*node));

    node->op = op;
    node->older = reader->jinja->nodes;
    reader->jinja->nodes = node;
    if (++reader->jinja->node_count > JINJA_NODES_MAX)
        (void)jinja_refuse(reader, "is too long a template");
    return node;
}

bool
jinja_deeper(struct jinja_reader *reader)
{
    if (reader->depth == JINJA_DEPTH_MAX) {
        (void)jinja_refuse(reader, "is nested too deeply; at most %d levels are allowed",
                           JINJA_DEPTH_MAX);
        return false;
    }
    reader->depth++;
    return true;
}

static bool
jinja_is_word(char c, bool inside)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (inside && c >= '0' && c <= '9');
}

static size_t
jinja_lex_string(struct jinja_reader *reader)
{
    const char *at = reader->at + 1;

    while (at < reader->end && *at != *reader->at)
        at += *at == '\\' && at + 1 < reader->end ? 2 : 1;
    if (at >= reader->end) {
        (void)jinja_refuse(reader, "a text in quotes does not end");
        return (size_t)(reader->end - reader->at);
    }
    return (size_t)(at - reader->at) + 1;
}

static size_t
jinja_lex_number(const struct jinja_reader *reader)
{
    const char *at = reader->at;

    while (at < reader->end && *at >= '0' && *at <= '9')
        at++;
    if (at + 1 < reader->end && at[0] == '.' && at[1] >= '0' && at[1] <= '9') {
        at++;
        while (at < reader->end && *at >= '0' && *at <= '9')
            at++;
    }
    return (size_t)(at - reader->at);
}

static size_t
jinja_lex_sign(const struct jinja_reader *reader)
{
    static const char *const signs[] = { "==", "!=", "<=", ">=", "//", "**" };

    for (size_t i = 0; reader->at + 1 < reader->end && i < ARRAY_LEN(signs); i++) {
        if (memcmp(reader->at, signs[i], 2) == 0)
            return 2;
    }
    return 1;
}

void
jinja_next(struct jinja_reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at))
        reader->at++;
    reader->token_at = reader->at;
    reader->token_len = 0;
    reader->token = JINJA_TOKEN_END;
    if (reader->at >= reader->end || reader->failed)
        return;
    if (jinja_is_word(*reader->at, false)) {
        reader->token = JINJA_TOKEN_NAME;
        while (reader->at + reader->token_len < reader->end &&
               jinja_is_word(reader->at[reader->token_len], true))
            reader->token_len++;
    } else if (*reader->at == '"' || *reader->at == '\'') {
        reader->token = JINJA_TOKEN_STRING;
        reader->token_len = jinja_lex_string(reader);
    } else if (*reader->at >= '0' && *reader->at <= '9') {
        reader->token = JINJA_TOKEN_NUMBER;
        reader->token_len = jinja_lex_number(reader);
    } else {
        reader->token = JINJA_TOKEN_SIGN;
        reader->token_len = jinja_lex_sign(reader);
    }
    reader->at += reader->token_len;
}

bool
jinja_sees(const struct jinja_reader *reader, const char *sign)
{
    return (reader->token == JINJA_TOKEN_SIGN || reader->token == JINJA_TOKEN_NAME) &&
           strlen(sign) == reader->token_len &&
           memcmp(sign, reader->token_at, reader->token_len) == 0;
}

bool
jinja_takes(struct jinja_reader *reader, const char *sign)
{
    if (!jinja_sees(reader, sign))
        return false;
    jinja_next(reader);
    return true;
}

char *
jinja_token_text(const struct jinja_reader *reader)
{
    return mem_printf("%.*s", (int)reader->token_len, reader->token_at);
}

json_t *
jinja_token_string(struct jinja_reader *reader)
{
    static const char from[] = "nt\\'\"r";
    static const char into[] = "\n\t\\'\"\r";
    struct buf buf;
    json_t *value;

    buf_init(&buf, 0);
    for (size_t i = 1; i + 1 < reader->token_len; i++) {
        char c = reader->token_at[i];
        const char *escape = c == '\\' ? strchr(from, reader->token_at[i + 1]) : NULL;

        if (c == '\\' && strchr("xuUN01234567abfv", reader->token_at[i + 1]))
            (void)jinja_refuse(reader, "\\%c is not supported in a text", reader->token_at[i + 1]);
        if (escape && *escape) {
            c = into[escape - from];
            i++;
        }
        buf_append_char(&buf, c);
    }
    value = json_stringn(buf_text(&buf), buf.len);
    buf_fini(&buf);
    if (!value)
        (void)jinja_refuse(reader, "a text is not valid UTF-8");
    return value;
}
