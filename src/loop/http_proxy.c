#include "http_proxy.h"

#include <string.h>
#include <strings.h>

#include "berth/base/mem.h"

enum { PROXY_HTTPS, PROXY_HTTP, PROXY_COUNT };

/* What is here, or only reached from here: the machine itself, metadata services, containers' endpoints. */
static const char http_proxy_near[] =
    "localhost,127.0.0.0/8,::1,169.254.0.0/16,fe80::/10,fd00:ec2::254,";

static const char *
http_proxy_env(const char *(*get)(const char *name), const char *first, const char *second)
{
    const char *text = get(first);

    if (!text || !*text)
        text = get(second);
    return text && *text ? text : NULL;
}

/* An entry that stands for all. */
static bool
http_proxy_is_none(const char *list)
{
    static const char between[] = ", ";

    for (const char *at = list + strspn(list, between); *at; at += strspn(at, between)) {
        size_t len = strcspn(at, between);

        if (len == 1 && *at == '*')
            return true;
        at += len;
    }
    return false;
}

void
http_proxy_from_env(struct http *http, const char *(*get)(const char *name))
{
    static const char *const names[PROXY_COUNT][2] = {
        [PROXY_HTTPS] = { "https_proxy", "HTTPS_PROXY" },
        [PROXY_HTTP] = { "http_proxy", "HTTP_PROXY" },
    };
    const char *except = http_proxy_env(get, "no_proxy", "NO_PROXY");

    http_proxy_fini(http);
    if (except && http_proxy_is_none(except))
        return;
    for (int i = 0; i < PROXY_COUNT; i++) {
        const char *url = http_proxy_env(get, names[i][0], names[i][1]);
        char *copy = mem_strdup(url ? url : "");

        if (url)
            http->proxies[i] = secret_new(copy, strlen(copy));
        mem_free(copy);
    }
    http->no_proxy = mem_printf("%s%s", http_proxy_near, except ? except : "");
}

void
http_proxy_fini(struct http *http)
{
    for (int i = 0; i < PROXY_COUNT; i++)
        secret_free(STEAL(http->proxies[i]));
    mem_free(STEAL(http->no_proxy));
}

const char *
http_proxy_find(const struct http *http, const struct http_op *op)
{
    bool tls = strncasecmp(op->url, "https:", strlen("https:")) == 0;
    const struct secret *proxy = http->proxies[tls ? PROXY_HTTPS : PROXY_HTTP];

    return op->peer.proxied && !op->peer.unix_path && proxy ? secret_bytes(proxy) : "";
}

const char *
http_proxy_except(const struct http *http, const struct http_op *op)
{
    return http_proxy_find(http, op)[0] ? http->no_proxy : "*";
}
