#include "credentials_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "credentials_ini.h"

enum { FILE_MAX = 256 * 1024 };

static const char credentials_file_where[] = "credentials.file";

/* Return: how many bytes of the file at @path are in @ret_data; 0 when it cannot be read. */
static size_t
credentials_file_read(const char *path, char *ret_data, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got;

    if (fd < 0)
        return 0;
    while (len < size && (got = read(fd, ret_data + len, size - len)) > 0)
        len += (size_t)got;
    (void)close(fd);
    return len;
}

struct secret *
credentials_file_text(const char *path)
{
    char *text = mem_new0(FILE_MAX);
    size_t len = credentials_file_read(path, text, FILE_MAX);
    struct secret *secret = NULL;

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (len > 0 && len < FILE_MAX && !memchr(text, '\0', len))
        secret = secret_new(text, len);
    secret_wipe(text, FILE_MAX);
    mem_free(text);
    return secret;
}

/* What a profile may say instead of keys. */
static const char *
credentials_file_other(const struct credentials_ini *ini)
{
    static const char *const names[] = { "role_arn", "credential_process", "sso_session",
                                         "sso_start_url", "credential_source" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(secret_freep) struct secret *value = credentials_ini_get(ini, names[i]);

        if (value)
            return names[i];
    }
    return NULL;
}

static int
credentials_file_take(const struct credentials_ini *ini, const char *path,
                      struct credentials_keys **ret_keys, struct fault *fault)
{
    CLEANUP(secret_freep) struct secret *id = credentials_ini_get(ini, "aws_access_key_id");
    CLEANUP(secret_freep) struct secret *key = credentials_ini_get(ini, "aws_secret_access_key");
    const char *other;
    struct credentials_keys *keys;

    if (!id && !key) {
        other = credentials_file_other(ini);
        if (!other)
            return CREDENTIALS_NOT_THERE;
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_file_where,
                         "[%s] of %s has %s, which is not understood yet: give it "
                         "aws_access_key_id and aws_secret_access_key",
                         ini->section, path, other);
    }
    if (!id || !key) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_file_where, "[%s] of %s lacks %s",
                         ini->section, path, id ? "aws_secret_access_key" : "aws_access_key_id");
    }
    keys = mem_new0(sizeof(*keys));
    keys->refs = 1;
    keys->id = mem_strdup(secret_bytes(id));
    keys->key = STEAL(key);
    keys->token = credentials_ini_get(ini, "aws_session_token");
    *ret_keys = keys;
    return 0;
}

static int
credentials_file_section(const char *path, struct credentials_ini ini,
                         struct credentials_keys **ret_keys, struct fault *fault)
{
    char *text = mem_new0(FILE_MAX);
    int ret;

    ini.text = text;
    ini.len = credentials_file_read(path, text, FILE_MAX);
    ret = credentials_file_take(&ini, path, ret_keys, fault);
    secret_wipe(text, FILE_MAX);
    mem_free(text);
    return ret;
}

int
credentials_file_load(const char *const files[2], const char *profile,
                      struct credentials_keys **ret_keys, struct fault *fault)
{
    CLEANUP(mem_freep) char *long_name = mem_printf("profile %s", profile);
    const struct credentials_ini short_ini = { .section = profile };
    const struct credentials_ini long_ini = { .section = long_name };
    bool is_default = strcmp(profile, "default") == 0;
    int ret = CREDENTIALS_NOT_THERE;

    if (files[0])
        ret = credentials_file_section(files[0], short_ini, ret_keys, fault);
    if (ret == CREDENTIALS_NOT_THERE && files[1]) {
        ret =
            credentials_file_section(files[1], is_default ? short_ini : long_ini, ret_keys, fault);
    }
    return ret;
}
