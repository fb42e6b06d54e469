#include "ec2_sign.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/digest.h"
#include "berth/base/secret.h"
#include "berth/base/text.h"

enum { SIGN_HEX_SIZE = 2 * TEXT_SHA256_SIZE + 1, SIGN_DAY_LEN = 8, SIGN_CANONICAL_MAX = 32768 };

/* "20150830T123600Z" of "2015-08-30T12:36:00.000Z". */
static void
ec2_sign_date(int64_t at_ms, char ret_date[EC2_SIGN_DATE_SIZE])
{
    char text[TEXT_TIME_SIZE];
    char *to = ret_date;

    (void)text_time(at_ms, text);
    for (const char *from = text; *from && *from != '.'; from++) {
        if (*from != '-' && *from != ':')
            *to++ = *from;
    }
    *to++ = 'Z';
    *to = '\0';
}

static void
ec2_sign_digest(const void *data, size_t len, char ret_hex[SIGN_HEX_SIZE])
{
    uint8_t digest[TEXT_SHA256_SIZE];

    text_sha256(data, len, digest);
    text_hex(digest, sizeof(digest), ret_hex);
}

/* Headers in the order of their names. */
static void
ec2_sign_canonical(const struct ec2_sign_request *request, const struct ec2_sign_key *key,
                   const char *date, struct buf *canonical, const char *names)
{
    char digest[SIGN_HEX_SIZE];

    ec2_sign_digest(request->body, request->body_len, digest);
    buf_append_string(canonical, "POST\n/\n\n");
    if (request->content_type)
        buf_printf(canonical, "content-type:%s\n", request->content_type);
    buf_printf(canonical, "host:%s\nx-amz-date:%s\n", request->host, date);
    if (key->token) {
        buf_append_string(canonical, "x-amz-security-token:");
        buf_append_string(canonical, key->token);
        buf_append_char(canonical, '\n');
    }
    buf_printf(canonical, "\n%s\n%s", names, digest);
}

static void
ec2_sign_derive(const struct ec2_sign_request *request, const struct ec2_sign_key *key,
                const char *date, uint8_t ret_key[TEXT_SHA256_SIZE])
{
    const char *const parts[] = { request->region, request->service, "aws4_request" };
    size_t len = strlen("AWS4") + strlen(key->secret);
    char *first = mem_new0(len + 1);

    (void)snprintf(first, len + 1, "AWS4%s", key->secret);
    digest_hmac(first, len, date, SIGN_DAY_LEN, ret_key);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        digest_hmac(ret_key, TEXT_SHA256_SIZE, parts[i], strlen(parts[i]), ret_key);
    secret_wipe(first, len);
    mem_free(first);
}

void
ec2_sign(const struct ec2_sign_request *request, const struct ec2_sign_key *key,
         struct ec2_signature *ret_signature)
{
    uint8_t derived[TEXT_SHA256_SIZE];
    uint8_t code[TEXT_SHA256_SIZE];
    char digest[SIGN_HEX_SIZE];
    char signature[SIGN_HEX_SIZE];
    char scope[256];
    char names[80];
    struct buf text;

    ec2_sign_date(request->at_ms, ret_signature->date);
    (void)snprintf(names, sizeof(names), "%shost;x-amz-date%s",
                   request->content_type ? "content-type;" : "",
                   key->token ? ";x-amz-security-token" : "");
    buf_init_secret(&text, SIGN_CANONICAL_MAX);
    ec2_sign_canonical(request, key, ret_signature->date, &text, names);
    ec2_sign_digest(text.data, text.len, digest);
    buf_clear(&text);
    (void)snprintf(scope, sizeof(scope), "%.*s/%s/%s/aws4_request", SIGN_DAY_LEN,
                   ret_signature->date, request->region, request->service);
    buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", ret_signature->date, scope, digest);
    ec2_sign_derive(request, key, ret_signature->date, derived);
    digest_hmac(derived, sizeof(derived), text.data, text.len, code);
    text_hex(code, sizeof(code), signature);
    (void)snprintf(ret_signature->authorization, sizeof(ret_signature->authorization),
                   "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->id,
                   scope, names, signature);
    secret_wipe(derived, sizeof(derived));
    buf_fini(&text);
}

bool
ec2_sign_host(const char *url, char *ret_host, size_t size)
{
    const char *host = strstr(url, "://");
    const char *own = strncmp(url, "https:", 6) == 0 ? ":443" : ":80";
    size_t own_len = strlen(own);
    size_t len;

    if (!host)
        return false;
    host += strlen("://");
    len = strcspn(host, "/?#");
    if (len > own_len && strncmp(host + len - own_len, own, own_len) == 0)
        len -= own_len;
    if (len == 0 || len >= size || memchr(host, '@', len))
        return false;
    (void)snprintf(ret_host, size, "%.*s", (int)len, host);
    return true;
}

char *
ec2_sign_root(const char *url)
{
    const char *host = strstr(url, "://");
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    if ((strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) || !host ||
        url + len <= host + 3 || memchr(host + 3, '/', len - (size_t)(host + 3 - url)))
        return NULL;
    return mem_printf("%.*s/", (int)len, url);
}
