/* Which daemon, and with which token. */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/yaml.h"
#include "berth/cli/context.h"

static const char where[] = "cli.context";

enum {
    CONTEXT_FILE_MAX = 256 * 1024,
    CONTEXT_TOKEN_MAX = 4096,
};

#define CONTEXT_DEFAULT_URL "http://127.0.0.1:7070"

static const char *
cli_context_env(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): we have one thread */

    return value && value[0] ? value : NULL;
}

struct cli_context_folder {
    const char *variable; /* of the environment */
    const char *fallback; /* below the home */
};

static const struct cli_context_folder cli_context_config = { "XDG_CONFIG_HOME", ".config" };
static const struct cli_context_folder cli_context_data = { "XDG_DATA_HOME", ".local/share" };

/* "$variable/berth/@name", or "~/fallback/berth/@name"; NULL without a home. Owned. */
static char *
cli_context_file(const struct cli_context_folder *folder, const char *name)
{
    const char *base = cli_context_env(folder->variable);
    const char *home = cli_context_env("HOME");

    if (base && base[0] == '/')
        return mem_printf("%s/berth/%s", base, name);
    return home ? mem_printf("%s/%s/berth/%s", home, folder->fallback, name) : NULL;
}

/* A whole file of at most @max bytes. @ret_data: owned, NUL-terminated.  -1 with errno. */
static int
cli_context_read(const char *path, size_t max, char **ret_data, struct stat *ret_stat)
{
    CLEANUP(mem_freep) char *data = mem_new0(max + 2);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t len = 0;
    ssize_t got = 1;

    if (fd < 0)
        return -1;
    if (fstat(fd, ret_stat) < 0 || !S_ISREG(ret_stat->st_mode))
        got = -1;
    while (got > 0 && len <= max) {
        got = read(fd, data + len, max + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    (void)close(fd);
    if (got < 0 || len > max) {
        secret_wipe(data, len);
        errno = got < 0 ? errno : EFBIG;
        return -1;
    }
    *ret_data = STEAL(data);
    return 0;
}

/* The token in a file, without the line's end. */
static int
cli_context_token_file(const char *path, struct secret **ret_token, struct fault *fault)
{
    CLEANUP(mem_freep) char *data = NULL;
    struct stat stat;
    size_t len;

    if (cli_context_read(path, CONTEXT_TOKEN_MAX, &data, &stat) < 0) {
        return fault_set(fault, FAULT_NOT_FOUND, where, "cannot read the token file %s: %s", path,
                         strerrordesc_np(errno));
    }
    /* A group may share one; the whole machine may not. */
    if (stat.st_mode & 07) {
        secret_wipe(data, strlen(data));
        return fault_set(fault, FAULT_FORBIDDEN, where,
                         "others may read the token file %s: chmod o= %s", path, path);
    }
    len = strcspn(data, " \t\r\n");
    *ret_token = secret_new(data, len);
    secret_wipe(data, strlen(data));
    return 0;
}

static struct secret *
cli_context_token_copy(const char *text)
{
    CLEANUP(mem_freep) char *copy = mem_strdup(text);

    return secret_new(copy, strlen(copy));
}

int
cli_context_load(json_t **ret_contexts, struct fault *fault)
{
    CLEANUP(mem_freep)
    char *path = cli_context_file(&cli_context_config, "contexts.yaml");
    CLEANUP(mem_freep) char *data = NULL;
    CLEANUP(json_freep) json_t *json = NULL;
    struct stat stat;
    int result;

    if (!path || cli_context_read(path, CONTEXT_FILE_MAX, &data, &stat) < 0) {
        if (path && errno != ENOENT && errno != ENOTDIR) {
            return fault_set(fault, FAULT_NOT_FOUND, where, "cannot read %s: %s", path,
                             strerrordesc_np(errno));
        }
        *ret_contexts = json_pack("{s:n,s:[]}", "current", "contexts");
        return 0;
    }
    if (stat.st_mode & 077) {
        return fault_set(fault, FAULT_FORBIDDEN, where,
                         "others may read %s, which holds tokens: chmod 600 %s", path, path);
    }
    result = yaml_parse(path, data, strlen(data), &json, fault);
    secret_wipe(data, strlen(data));
    if (result < 0)
        return result;
    if (!json_is_array(json_object_get(json, "contexts")))
        return fault_set(fault, FAULT_INVALID, where, "%s has no list 'contexts'", path);
    *ret_contexts = STEAL(json);
    return 0;
}

static int
cli_context_write(const char *path, const struct buf *text, struct fault *fault)
{
    CLEANUP(mem_freep) char *next = mem_printf("%s.%ld", path, (long)getpid());
    int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len && fsync(fd) == 0;

    if (fd >= 0 && close(fd) < 0)
        good = false;
    if (good && rename(next, path) == 0)
        return 0;
    fault_set(fault, FAULT_FORBIDDEN, where, "cannot write %s: %s", path, strerrordesc_np(errno));
    if (fd >= 0)
        (void)unlink(next);
    return -1;
}

/* Every folder above @path. */
static void
cli_context_folders(const char *path)
{
    CLEANUP(mem_freep) char *copy = mem_strdup(path);

    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        /* What fails here fails again, and is told, when the file is made. */
        (void)mkdir(copy, 0700);
        *slash = '/';
    }
}

int
cli_context_save(const json_t *contexts, struct fault *fault)
{
    CLEANUP(mem_freep)
    char *path = cli_context_file(&cli_context_config, "contexts.yaml");
    struct buf text;
    int result;

    if (!path)
        return fault_set(fault, FAULT_NOT_FOUND, where, "HOME is not set");
    cli_context_folders(path);
    buf_init(&text, CONTEXT_FILE_MAX);
    yaml_encode(contexts, &text);
    result = cli_context_write(path, &text, fault);
    secret_wipe(text.data, text.len);
    buf_fini(&text);
    return result;
}

json_t *
cli_context_find(const json_t *contexts, const char *name)
{
    json_t *context;
    size_t i;

    json_array_foreach(json_object_get(contexts, "contexts"), i, context)
    {
        if (strcmp(json_in_string(context, "name", ""), name) == 0)
            return context;
    }
    return NULL;
}

/* The context that holds: the one asked for, the current one, or NULL. */
static int
cli_context_choose(const json_t *contexts, const char *asked, const json_t **ret_context,
                   struct fault *fault)
{
    const char *name = asked ? asked : cli_context_env("BERTH_CONTEXT");

    if (!name)
        name = json_in_string(contexts, "current", NULL);
    *ret_context = name ? cli_context_find(contexts, name) : NULL;
    if (name && !*ret_context) {
        return fault_set(fault, FAULT_NOT_FOUND, where,
                         "there is no context '%s'; 'berth context ls' lists them", name);
    }
    return 0;
}

/* The data directories of daemons of this machine: the system's, ours. Owned, or NULL. */
static char *
cli_context_data_file(size_t index, const char *name)
{
    if (index == 0)
        return mem_printf("/var/lib/berth/%s", name);
    return index == 1 ? cli_context_file(&cli_context_data, name) : NULL;
}

static bool
cli_context_is_local(const char *url)
{
    static const char *const hosts[] = { "127.", "localhost", "[::1]" };
    const char *host;

    assert(url);
    host = strstr(url, "://");
    if (strncmp(url, "unix:", 5) == 0)
        return true;
    for (size_t i = 0; host && i < ARRAY_LEN(hosts); i++) {
        if (strncmp(host + 3, hosts[i], strlen(hosts[i])) == 0) {
            size_t len = strlen(hosts[i]);

            /* "localhost.example.org" is somebody else. */
            return i == 0 ? strspn(host + 3, "0123456789.") == strcspn(host + 3, ":/")
                          : strchr(":/", host[3 + len]) != NULL;
        }
    }
    return false;
}

static int
cli_context_address(const struct cli_wish *wish, const json_t *context, struct cli_target *target,
                    struct fault *fault)
{
    const char *url = wish->url;
    const char *host;

    target->source = "--url";
    /* A context that was asked for by name comes before the environment. */
    if (!url && !wish->context && (url = cli_context_env("BERTH_URL")))
        target->source = "BERTH_URL";
    if (!url && context && (url = json_in_string(context, "url", NULL)))
        target->source = "the context";
    for (size_t i = 0; !url && i < 2; i++) {
        CLEANUP(mem_freep) char *path = cli_context_data_file(i, "berthd.sock");

        if (!path || access(path, R_OK | W_OK) != 0)
            continue;
        target->url = mem_printf("unix:%s", path);
        target->source = "its socket";
        return 0;
    }
    if (!url) {
        url = CONTEXT_DEFAULT_URL;
        target->source = "the default";
    }
    host = strstr(url, "://");
    if (strncmp(url, "unix:/", 6) != 0 && strncmp(url, "http://", 7) != 0 &&
        strncmp(url, "https://", 8) != 0) {
        return fault_set(fault, FAULT_INVALID, where,
                         "%s: the address must begin with http://, https:// or unix:/",
                         target->source);
    }
    if (host && memchr(host, '@', strcspn(host + 3, "/?#") + 3)) {
        return fault_set(fault, FAULT_INVALID, where, "%s: the address must not hold a password",
                         target->source);
    }
    target->url = mem_strdup(url);
    return 0;
}

static int
cli_context_token_of(const json_t *context, struct secret **ret_token, struct fault *fault)
{
    const char *text = json_in_string(context, "token", NULL);
    const char *file = json_in_string(context, "token_file", NULL);

    if (text) {
        *ret_token = cli_context_token_copy(text);
    } else if (file) {
        return cli_context_token_file(file, ret_token, fault);
    }
    return 0;
}

static int
cli_context_token(const struct cli_wish *wish, const json_t *context, struct cli_target *target,
                  struct fault *fault)
{
    const char *text = wish->token;
    const char *file = wish->context ? NULL : cli_context_env("BERTH_TOKEN_FILE");
    const char *theirs = context ? json_in_string(context, "url", NULL) : NULL;

    assert(target->url);
    if (!text && !wish->context)
        text = cli_context_env("BERTH_TOKEN");
    if (text) {
        target->token = cli_context_token_copy(text);
        return 0;
    }
    if (file)
        return cli_context_token_file(file, &target->token, fault);
    if (theirs && strcmp(theirs, target->url) == 0 &&
        cli_context_token_of(context, &target->token, fault) < 0)
        return -1;
    for (size_t i = 0; !target->token && cli_context_is_local(target->url) && i < 2; i++) {
        CLEANUP(mem_freep) char *path = cli_context_data_file(i, "admin.token");

        /* Not there, or not ours to read: the daemon will say that it wants one. */
        if (path)
            (void)cli_context_token_file(path, &target->token, NULL);
    }
    return 0;
}

int
cli_context_resolve(const struct cli_wish *wish, struct cli_target *ret_target, struct fault *fault)
{
    CLEANUP(json_freep) json_t *contexts = NULL;
    const json_t *context = NULL;
    struct cli_target target = { 0 };

    if (cli_context_load(&contexts, fault) < 0 ||
        cli_context_choose(contexts, wish->context, &context, fault) < 0 ||
        cli_context_address(wish, context, &target, fault) < 0 ||
        cli_context_token(wish, context, &target, fault) < 0) {
        cli_context_target_fini(&target);
        return -1;
    }
    *ret_target = target;
    return 0;
}

void
cli_context_target_fini(struct cli_target *target)
{
    mem_free(target->url);
    secret_free(target->token);
    *target = (struct cli_target){ 0 };
}
