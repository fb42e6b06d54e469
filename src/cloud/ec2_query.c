#include "ec2_query.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/secret.h"
#include "berth/base/text.h"

enum { QUERY_NAME_MAX = 96 };

static const char ec2_query_version[] = "2016-11-15";
static const char ec2_query_version_sts[] = "2011-06-15";

static bool
ec2_query_is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void
ec2_query_escape(struct buf *body, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };

        if (ec2_query_is_plain(*value)) {
            buf_append_char(body, *value);
        } else {
            buf_append(body, escaped, sizeof(escaped));
        }
    }
}

static void
ec2_query_pair(struct ec2_query *query, const char *name, const char *value)
{
    if (query->body.len > 0)
        buf_append_char(&query->body, '&');
    ec2_query_escape(&query->body, name);
    buf_append_char(&query->body, '=');
    ec2_query_escape(&query->body, value);
}

void
ec2_query_init(struct ec2_query *query, const char *action)
{
    buf_init_secret(&query->body, EC2_QUERY_MAX);
    ec2_query_pair(query, "Action", action);
    ec2_query_pair(query, "Version", ec2_query_version);
}

void
ec2_query_init_sts(struct ec2_query *query, const char *action)
{
    buf_init_secret(&query->body, EC2_QUERY_MAX);
    ec2_query_pair(query, "Action", action);
    ec2_query_pair(query, "Version", ec2_query_version_sts);
}

void
ec2_query_fini(struct ec2_query *query)
{
    buf_fini(&query->body);
}

void
ec2_query_add(struct ec2_query *query, const char *value, const char *format, ...)
{
    char name[QUERY_NAME_MAX];
    va_list args;

    if (!value)
        return;
    va_start(args, format);
    (void)vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    ec2_query_pair(query, name, value);
}

void
ec2_query_add_number(struct ec2_query *query, const char *key, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    ec2_query_pair(query, key, text);
}

void
ec2_query_add_base64(struct ec2_query *query, const char *key, const char *value)
{
    size_t len = strlen(value);
    size_t size = (len + 2) / 3 * 4 + 1;
    char *text = mem_new0(size);

    text_base64((const uint8_t *)value, len, text);
    ec2_query_pair(query, key, text);
    secret_wipe(text, size);
    mem_free(text);
}

void
ec2_query_add_filter(struct ec2_query *query, size_t number, const char *key, const char *value)
{
    ec2_query_add(query, key, "Filter.%zu.Name", number);
    ec2_query_add(query, value, "Filter.%zu.Value.1", number);
}
