#include "head.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "query.h"

enum { HEAD_COUNT_MAX = 64 };

/* Headers that we look at.  None may come twice: the second reader could take the other one. */
struct head_field {
    const char *name;
    size_t len;
    size_t offset; /* in struct request_headers */
};

#define FIELD(text, member)                                                                        \
    {                                                                                              \
        text, sizeof(text) - 1, offsetof(struct request_headers, member)                           \
    }

static const struct head_field head_fields[] = {
    FIELD("Host", host),
    FIELD("Authorization", authorization),
    FIELD("Content-Type", content_type),
    FIELD("Content-Length", content_length),
    FIELD("Transfer-Encoding", transfer_encoding),
    FIELD("Accept", accept),
    FIELD("Expect", expect),
    FIELD("If-Match", if_match),
    FIELD("If-None-Match", if_none_match),
    FIELD("Idempotency-Key", idempotency_key),
    FIELD("Last-Event-ID", last_event_id),
    FIELD("X-Request-Id", request_id),
};

/* What a walk over the headers has found. */
struct head_walk {
    struct request_headers *headers;
    const char *twice; /* NULL: none */
    bool odd;          /* a control character in a value, or a name that is none */
    size_t count;
};

/* Bits of head_bytes[]. */
enum { HEAD_ODD_IN_VALUE = 1, HEAD_IN_NAME = 2 };

/* RFC 9110, 5.6.2: a name is a token.  "Transfer-Encoding " with a space is another header to us than
 * to a proxy in front. */
static const uint8_t head_bytes[256] = {
    [0 ... 8] = HEAD_ODD_IN_VALUE, [10 ... 31] = HEAD_ODD_IN_VALUE,
    [0x7f] = HEAD_ODD_IN_VALUE,    ['0' ... '9'] = HEAD_IN_NAME,
    ['A' ... 'Z'] = HEAD_IN_NAME,  ['a' ... 'z'] = HEAD_IN_NAME,
    ['-'] = HEAD_IN_NAME,          ['_'] = HEAD_IN_NAME,
    ['!'] = HEAD_IN_NAME,          ['#'] = HEAD_IN_NAME,
    ['$'] = HEAD_IN_NAME,          ['%'] = HEAD_IN_NAME,
    ['&'] = HEAD_IN_NAME,          ['\''] = HEAD_IN_NAME,
    ['*'] = HEAD_IN_NAME,          ['+'] = HEAD_IN_NAME,
    ['.'] = HEAD_IN_NAME,          ['^'] = HEAD_IN_NAME,
    ['`'] = HEAD_IN_NAME,          ['|'] = HEAD_IN_NAME,
    ['~'] = HEAD_IN_NAME,
};

static bool
head_is_odd(const char *value, size_t len)
{
    uint8_t any = 0;

    for (size_t i = 0; i < len; i++)
        any |= head_bytes[(unsigned char)value[i]];
    return (any & HEAD_ODD_IN_VALUE) != 0;
}

static bool
head_is_name(const char *name, size_t len)
{
    uint8_t all = HEAD_IN_NAME;

    for (size_t i = 0; i < len; i++)
        all &= head_bytes[(unsigned char)name[i]];
    return len > 0 && all != 0;
}

static enum MHD_Result
head_on_header(void *cookie, enum MHD_ValueKind kind, const char *key, size_t key_len,
               const char *value, size_t value_len)
{
    struct head_walk *walk = cookie;

    (void)kind;
    walk->count++;
    walk->odd |= head_is_odd(value, value_len) || !head_is_name(key, key_len);
    for (size_t i = 0; i < ARRAY_LEN(head_fields); i++) {
        const struct head_field *field = &head_fields[i];
        const char **slot;

        if (field->len != key_len || strncasecmp(field->name, key, key_len) != 0)
            continue;
        slot = (const char **)(void *)((char *)walk->headers + field->offset);
        if (*slot)
            walk->twice = field->name;
        *slot = value;
        break;
    }
    return MHD_YES;
}

static bool
head_is_request_id(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            !strchr("-_.:", c))
            return false;
    }
    return len >= 1 && len <= API_REQUEST_ID_MAX;
}

/* Short ids of our own: which start of the daemon, and a number. */
static void
head_make_id(struct request *request)
{
    struct api_server *server = request->server;
    char digits[24];
    char *at = digits + sizeof(digits) - 1;

    *at = '\0';
    for (uint64_t n = ++server->request_count; n > 0 || !*at; n /= 10)
        *--at = (char)('0' + n % 10);
    memcpy(request->id, server->request_prefix, sizeof(server->request_prefix) - 1);
    memcpy(request->id + sizeof(server->request_prefix) - 1, at,
           (size_t)(digits + sizeof(digits) - at));
}

static int
head_bad(struct request *request, const char *text)
{
    request->reply.close = true;
    request_refuse(request, FAULT_INVALID, "%s", text);
    return -1;
}

static int
head_framing(struct request *request, const struct head_walk *walk, const char *version)
{
    const struct request_headers *headers = &request->headers;
    bool is_1_1 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;

    if (!is_1_1 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        return head_bad(request, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    if (walk->twice) {
        char text[64];

        (void)snprintf(text, sizeof(text), "the header %s is there twice", walk->twice);
        return head_bad(request, text);
    }
    if (walk->odd || walk->count > HEAD_COUNT_MAX)
        return head_bad(request, "too many headers, or an odd character in one");
    if (!headers->host && is_1_1)
        return head_bad(request, "the header Host is missing");
    if (headers->content_length && headers->transfer_encoding)
        return head_bad(request, "Content-Length and Transfer-Encoding exclude each other");
    if (headers->transfer_encoding && strcasecmp(headers->transfer_encoding, "chunked") != 0)
        return head_bad(request, "the only Transfer-Encoding is chunked");
    if (headers->content_length &&
        headers->content_length[strspn(headers->content_length, "0123456789")])
        return head_bad(request, "Content-Length is not a number");
    return 0;
}

/* The path's segments, decoded in place. */
static int
head_path(struct request *request, char *path)
{
    request->segment_count = 0;
    while (path) {
        char *next = strchr(path + 1, '/');

        path++;
        if (next)
            *next = '\0';
        if (!query_unescape(path, false) || strchr(path, '/') || strcmp(path, ".") == 0 ||
            strcmp(path, "..") == 0) {
            request_refuse(request, FAULT_INVALID, "the path is badly escaped");
            return -1;
        }
        if (request->segment_count == ROUTE_SEGMENTS_MAX) {
            request_refuse(request, FAULT_NOT_FOUND, "there is nothing at this path");
            return -1;
        }
        request->segments[request->segment_count++] = path;
        path = next;
    }
    return 0;
}

static int
head_target(struct request *request, char **ret_query)
{
    char *target = request->target.data;
    char *path = target + request->target_len + 1;

    *ret_query = NULL;
    if (request->target_len > API_URI_MAX) {
        request_refuse(request, FAULT_TOO_LARGE, "the request's target has more than %d bytes",
                       API_URI_MAX);
        return -1;
    }
    if (target[0] != '/')
        return head_bad(request, "the request's target must be a path");
    for (const char *at = target; *at; at++) {
        if (*at <= ' ' || *at > '~' || *at == '#')
            return head_bad(request, "the request's target is not a URL's path");
    }
    *ret_query = strchr(path, '?');
    if (*ret_query)
        *(*ret_query)++ = '\0';
    return head_path(request, path);
}

int
head_check(struct request *request, const char *version, char **ret_query)
{
    struct head_walk walk = { .headers = &request->headers };

    request->headers = (struct request_headers){ 0 };
    (void)MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, head_on_header, &walk);
    if (request->headers.request_id && head_is_request_id(request->headers.request_id)) {
        memcpy(request->id, request->headers.request_id, strlen(request->headers.request_id) + 1);
    } else {
        head_make_id(request);
    }
    if (head_framing(request, &walk, version) < 0)
        return -1;
    return head_target(request, ret_query);
}

bool
head_has_body(const struct request *request)
{
    return head_body_len(request) > 0;
}

uint64_t
head_body_len(const struct request *request)
{
    const char *text = request->headers.content_length;
    uint64_t len = 0;

    if (request->headers.transfer_encoding)
        return UINT64_MAX;
    for (; text && *text; text++) {
        if (len > UINT64_MAX / 16)
            return UINT64_MAX;
        len = len * 10 + (uint64_t)(*text - '0');
    }
    return len;
}

bool
head_is_media(const char *value, const char *type)
{
    size_t len = strlen(type);

    if (!value || strncasecmp(value, type, len) != 0)
        return false;
    value += len;
    value += strspn(value, " \t");
    return *value == '\0' || *value == ';';
}

bool
head_accepts(const struct request *request, const char *type)
{
    const char *accept = request->headers.accept;
    size_t len = strlen(type);

    for (; accept && *accept; accept += strcspn(accept, ","), accept += strspn(accept, ", \t")) {
        if (strncasecmp(accept, type, len) == 0 && strchr("; ,\t", accept[len]))
            return true;
    }
    return false;
}
