#include "blueprint_checks.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "berth/base/mem.h"
#include "berth/base/text.h"

enum {
    CHECKS_TAG_MAX = 128,
    CHECKS_DIGEST_HEX = 64, /* of sha256, the one algorithm that engines use */
};

/* capabilities(7), Linux 6.1. */
static const char *const checks_capabilities[] = {
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHOWN",
    "CHECKPOINT_RESTORE",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
};

/* As the engine knows them: github.com/docker/go-units, ulimit.go. */
static const char *const checks_ulimits[] = {
    "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
    "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack",
};

static const char checks_lower_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char checks_component[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
static const char checks_word[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
static const char checks_registry[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";

static bool
checks_is_among(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0)
            return true;
    }
    return false;
}

static bool
checks_has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    }
    return false;
}

const char *
blueprint_checks_name(const char *text)
{
    return text_is_name(text) ? NULL
                              : "must be 1 to 63 lower-case letters, digits, dots and dashes, "
                                "starting and ending with a letter or digit";
}

/* One part between slashes: lower case, its ends letters or digits. */
static bool
checks_is_component(const char *text, size_t len)
{
    return len > 0 && strspn(text, checks_component) >= len &&
           memchr(checks_lower_digits, text[0], sizeof(checks_lower_digits) - 1) &&
           memchr(checks_lower_digits, text[len - 1], sizeof(checks_lower_digits) - 1);
}

/* A host name, as Docker tells it from a part of the name: it has a dot or a port, or is localhost. */
static bool
checks_is_registry(const char *text, size_t len)
{
    bool named = memchr(text, '.', len) || memchr(text, ':', len) ||
                 (len == strlen("localhost") && memcmp(text, "localhost", len) == 0);

    return named && strspn(text, checks_registry) >= len && !strchr(".-:]", text[0]);
}

static bool
checks_is_digest(const char *text)
{
    static const char algorithm[] = "sha256:";

    if (strncmp(text, algorithm, strlen(algorithm)) != 0)
        return false;
    text += strlen(algorithm);
    return strlen(text) == CHECKS_DIGEST_HEX &&
           strspn(text, "0123456789abcdef") == CHECKS_DIGEST_HEX;
}

static bool
checks_is_tag(const char *text, size_t len)
{
    return len > 0 && len <= CHECKS_TAG_MAX && strspn(text, checks_word) >= len && text[0] != '.' &&
           text[0] != '-';
}

/* The name and tag in the first @len bytes of @text, from the registry on. */
static bool
checks_is_tagged_name(const char *text, size_t len)
{
    const char *end = text + len;
    const char *slash = memchr(text, '/', len);

    if (slash && checks_is_registry(text, (size_t)(slash - text)))
        text = slash + 1;
    while ((slash = memchr(text, '/', (size_t)(end - text)))) {
        if (!checks_is_component(text, (size_t)(slash - text)))
            return false;
        text = slash + 1;
    }
    slash = memchr(text, ':', (size_t)(end - text));
    if (slash && !checks_is_tag(slash + 1, (size_t)(end - slash - 1)))
        return false;
    return checks_is_component(text, (size_t)((slash ? slash : end) - text));
}

const char *
blueprint_checks_image(const char *text)
{
    const char *at = strchr(text, '@');

    if (at && !checks_is_digest(at + 1))
        return "must have sha256: and 64 lower-case hexadecimal digits after the @";
    if (!checks_is_tagged_name(text, at ? (size_t)(at - text) : strlen(text)))
        return "must be an image reference: [registry/]name[:tag][@digest]";
    return NULL;
}

const char *
blueprint_checks_env_key(const char *text)
{
    if (text[0] == '\0' || strchr(text, '=') || checks_has_control(text))
        return "must be the name of a variable, without '=' and control characters";
    return NULL;
}

const char *
blueprint_checks_label_key(const char *text)
{
    if (text[0] == '\0' || checks_has_control(text))
        return "must be a label's name, without control characters";
    if (strncmp(text, "berth.", strlen("berth.")) == 0)
        return "must not start with 'berth.'";
    return NULL;
}

const char *
blueprint_checks_path(const char *text)
{
    if (text[0] != '/' || checks_has_control(text) || strchr(text, ' '))
        return "must be an absolute path without spaces";
    return NULL;
}

const char *
blueprint_checks_mount(const char *text)
{
    if (text[0] != '/' || text[1] == '\0' || checks_has_control(text) || strchr(text, ':'))
        return "must be an absolute path other than /, without colons";
    return NULL;
}

const char *
blueprint_checks_capability(const char *text)
{
    if (strncmp(text, "CAP_", strlen("CAP_")) == 0)
        text += strlen("CAP_");
    return checks_is_among(text, checks_capabilities, ARRAY_LEN(checks_capabilities))
               ? NULL
               : "must be a Linux capability in upper case, for example NET_BIND_SERVICE";
}

const char *
blueprint_checks_ulimit(const char *text)
{
    return checks_is_among(text, checks_ulimits, ARRAY_LEN(checks_ulimits))
               ? NULL
               : "must be a limit of setrlimit(2) in lower case, for example nofile";
}
