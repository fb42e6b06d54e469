#include "credentials_ini.h"

#include <string.h>
#include <strings.h>

struct credentials_ini_span {
    const char *at;
    size_t len;
};

static bool
credentials_ini_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct credentials_ini_span
credentials_ini_trim(struct credentials_ini_span span)
{
    while (span.len > 0 && credentials_ini_is_blank(span.at[span.len - 1]))
        span.len--;
    while (span.len > 0 && credentials_ini_is_blank(*span.at))
        span.at++, span.len--;
    return span;
}

/* The next line, without its end. Return: false when there is none. */
static bool
credentials_ini_line(struct credentials_ini_span *rest, struct credentials_ini_span *ret_line)
{
    const char *end;

    if (rest->len == 0)
        return false;
    end = memchr(rest->at, '\n', rest->len);
    ret_line->at = rest->at;
    ret_line->len = end ? (size_t)(end - rest->at) : rest->len;
    rest->at += ret_line->len + (end != NULL);
    rest->len -= ret_line->len + (end != NULL);
    return true;
}

/* The words in the brackets are apart by any blanks. */
static bool
credentials_ini_is_section(struct credentials_ini_span line, const char *section)
{
    const char *end = memchr(line.at, ']', line.len);
    size_t at = 1;

    while (end && line.at + at < end && credentials_ini_is_blank(line.at[at]))
        at++;
    while (end && line.at + at < end && *section && line.at[at] == *section) {
        section++;
        if (credentials_ini_is_blank(line.at[at++])) {
            while (line.at + at < end && credentials_ini_is_blank(line.at[at]))
                at++;
        }
    }
    while (end && line.at + at < end && credentials_ini_is_blank(line.at[at]))
        at++;
    return end && line.at + at == end && !*section;
}

/* A comment may follow a value after a blank. */
static struct credentials_ini_span
credentials_ini_value(struct credentials_ini_span line, const char *equals)
{
    struct credentials_ini_span value = { equals + 1, (size_t)(line.at + line.len - equals) - 1 };

    for (size_t i = 1; i < value.len; i++) {
        if ((value.at[i] == '#' || value.at[i] == ';') &&
            credentials_ini_is_blank(value.at[i - 1])) {
            value.len = i;
            break;
        }
    }
    return credentials_ini_trim(value);
}

static struct credentials_ini_span
credentials_ini_match(struct credentials_ini_span line, const char *name)
{
    static const struct credentials_ini_span none;
    const char *equals = memchr(line.at, '=', line.len);
    struct credentials_ini_span own;

    if (!equals)
        return none;
    own =
        credentials_ini_trim((struct credentials_ini_span){ line.at, (size_t)(equals - line.at) });
    if (own.len != strlen(name) || strncasecmp(own.at, name, own.len) != 0)
        return none;
    return credentials_ini_value(line, equals);
}

struct secret *
credentials_ini_get(const struct credentials_ini *ini, const char *name)
{
    struct credentials_ini_span rest = { ini->text, ini->len };
    struct credentials_ini_span line;
    struct credentials_ini_span found = { NULL, 0 };
    bool inside = false;
    struct secret *secret;
    char *copy;

    while (credentials_ini_line(&rest, &line)) {
        struct credentials_ini_span value;

        if (line.len == 0 || credentials_ini_is_blank(*line.at) || *line.at == '#' ||
            *line.at == ';')
            continue;
        if (*line.at == '[') {
            inside = credentials_ini_is_section(line, ini->section);
            continue;
        }
        value = credentials_ini_match(line, name);
        if (inside && value.at)
            found = value;
    }
    if (found.len == 0 || memchr(found.at, '\0', found.len))
        return NULL;
    copy = mem_dup(found.at, found.len);
    secret = secret_new(copy, found.len);
    mem_free(copy);
    return secret;
}

bool
credentials_ini_has(const struct credentials_ini *ini)
{
    struct credentials_ini_span rest = { ini->text, ini->len };
    struct credentials_ini_span line;

    while (credentials_ini_line(&rest, &line)) {
        if (line.len > 0 && *line.at == '[' && credentials_ini_is_section(line, ini->section))
            return true;
    }
    return false;
}
