/* Where to look for keys, as the environment says. */

#include <string.h>
#include <strings.h>

#include "berth/base/log.h"
#include "berth/cloud/credentials.h"

static const char credentials_env_container[] = "http://169.254.170.2";
static const char credentials_env_metadata[] = "http://169.254.169.254";

static const char *
credentials_env_text(const char *(*get)(const char *name), const char *name)
{
    const char *text = get(name);

    return text && *text ? text : NULL;
}

static struct secret *
credentials_env_secret(const char *(*get)(const char *name), const char *name)
{
    const char *text = credentials_env_text(get, name);
    struct secret *secret = NULL;
    char *copy;

    if (text) {
        copy = mem_strdup(text);
        secret = secret_new(copy, strlen(text));
        mem_free(copy);
    }
    return secret;
}

static char *
credentials_env_file(const char *(*get)(const char *name), const char *key, const char *file)
{
    const char *path = credentials_env_text(get, key);
    const char *home = credentials_env_text(get, "HOME");

    if (path)
        return mem_strdup(path);
    return home ? mem_printf("%s/.aws/%s", home, file) : NULL;
}

/* Keys come over a connection that nobody else sees: TLS, this machine, or the container host's own. */
static bool
credentials_env_is_private(const char *url)
{
    /* What a name or an address goes on with, after its first part. */
    static const struct {
        const char *start;
        const char *digits;
    } plain[] = {
        { "http://127.", "0123456789." },
        { "http://169.254.170.", "0123456789" },
        { "http://localhost", "" },
        { "http://[::1]", "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        size_t len = strlen(plain[i].start);

        if (strncmp(url, plain[i].start, len) == 0) {
            url += len + strspn(url + len, plain[i].digits);
            return *url == ':' || *url == '/' || *url == '\0';
        }
    }
    return strncmp(url, "https://", 8) == 0;
}

static char *
credentials_env_container_url(const char *(*get)(const char *name))
{
    const char *relative = credentials_env_text(get, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = credentials_env_text(get, "AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative)
        return mem_printf("%s%s", credentials_env_container, relative);
    if (full && !credentials_env_is_private(full)) {
        log_warn("ec2", "AWS_CONTAINER_CREDENTIALS_FULL_URI is not used: it must be https, or an "
                        "address of this machine");
        return NULL;
    }
    return mem_strdup(full);
}

/* The first of these that is set. */
static const char *
credentials_env_either(const char *(*get)(const char *name), const char *first, const char *second)
{
    const char *text = credentials_env_text(get, first);

    return text ? text : credentials_env_text(get, second);
}

struct credentials *
credentials_from_env(struct http *http, struct loop *loop, const char *(*get)(const char *name))
{
    const char *disabled = credentials_env_text(get, "AWS_EC2_METADATA_DISABLED");
    const char *metadata = credentials_env_text(get, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    CLEANUP(mem_freep)
    char *credentials_file =
        credentials_env_file(get, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    CLEANUP(mem_freep) char *config_file = credentials_env_file(get, "AWS_CONFIG_FILE", "config");
    CLEANUP(mem_freep) char *container_url = credentials_env_container_url(get);
    const char *endpoints = credentials_env_text(get, "AWS_STS_REGIONAL_ENDPOINTS");
    struct credentials_config config = {
        .key_id = credentials_env_text(get, "AWS_ACCESS_KEY_ID"),
        .key = credentials_env_secret(get, "AWS_SECRET_ACCESS_KEY"),
        .token = credentials_env_secret(get, "AWS_SESSION_TOKEN"),
        .identity_file = credentials_env_text(get, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        .role_arn = credentials_env_text(get, "AWS_ROLE_ARN"),
        .role_session = credentials_env_text(get, "AWS_ROLE_SESSION_NAME"),
        .sts_url = credentials_env_either(get, "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"),
        .region = credentials_env_either(get, "AWS_REGION", "AWS_DEFAULT_REGION"),
        .sts_legacy = endpoints && strcasecmp(endpoints, "legacy") == 0,
        .ca = credentials_env_text(get, "AWS_CA_BUNDLE"),
        .profile = credentials_env_either(get, "AWS_DEFAULT_PROFILE", "AWS_PROFILE"),
        .files = { credentials_file, config_file },
        .container_url = container_url,
        .container_token = credentials_env_secret(get, "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        .metadata_url = metadata ? metadata : credentials_env_metadata,
    };

    if (disabled && strcasecmp(disabled, "true") == 0)
        config.metadata_url = NULL;
    return credentials_new(http, loop, &config);
}
