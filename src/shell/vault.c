#include "vault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/buf.h"
#include "berth/base/log.h"
#include "berth/base/text.h"

#define VAULT_DAY_MS    (INT64_C(86400) * 1000)
#define VAULT_CLIENT_MS (365 * VAULT_DAY_MS)
#define VAULT_RENEW_MS  (30 * VAULT_DAY_MS)

enum { VAULT_FILE_MAX = 16384, VAULT_HEX_LEN = 2 * VAULT_SECRET_SIZE };

struct vault {
    char *folder; /* owned */
    const struct random_port *random;
    struct secret *secret;     /* owned */
    struct vault_pool **pools; /* owned, [count], each owned */
    size_t count;
    bool fresh;
};

static const char *
vault_why(void)
{
    return strerrordesc_np(errno);
}

static int
vault_refuse(const char *path, const char *why, struct fault *fault)
{
    return fault_set(fault, FAULT_STORAGE, "vault", "%s: %s", path, why);
}

/* --- Files ---------------------------------------------------------------------------------------- */

/* Also where it was there before. */
static int
vault_folder_make(const char *path, struct fault *fault)
{
    struct stat at;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return vault_refuse(path, vault_why(), fault);
    if (lstat(path, &at) < 0)
        return vault_refuse(path, vault_why(), fault);
    if (!S_ISDIR(at.st_mode) || at.st_uid != geteuid())
        return vault_refuse(path, "is not a directory of berthd's user", fault);
    if (at.st_mode & 077) {
        return fault_set(fault, FAULT_STORAGE, "vault",
                         "%s: others may look into it (mode %04o): chmod 700 it", path,
                         (unsigned)at.st_mode & 07777);
    }
    return 0;
}

static int
vault_fd_check(const char *path, int fd, struct fault *fault)
{
    struct stat at;

    if (fstat(fd, &at) < 0)
        return vault_refuse(path, vault_why(), fault);
    if (!S_ISREG(at.st_mode) || at.st_uid != geteuid())
        return vault_refuse(path, "is not a file of berthd's user", fault);
    if (at.st_mode & 077) {
        return fault_set(fault, FAULT_STORAGE, "vault",
                         "%s: others may read it (mode %04o): chmod 600 it", path,
                         (unsigned)at.st_mode & 07777);
    }
    return 0;
}

/* @ret_text: NULL: there is no such file. */
static int
vault_file_read(const char *path, struct secret **ret_text, struct fault *fault)
{
    char bytes[VAULT_FILE_MAX];
    size_t len = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int result;

    if (fd < 0 && errno == ENOENT) {
        *ret_text = NULL;
        return 0;
    }
    if (fd < 0)
        return vault_refuse(path, vault_why(), fault);
    result = vault_fd_check(path, fd, fault);
    while (result == 0 && len < sizeof(bytes) &&
           (got = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
        len += (size_t)got;
    if (result == 0 && got < 0) {
        result = vault_refuse(path, vault_why(), fault);
    } else if (result == 0 && len == sizeof(bytes)) {
        result = vault_refuse(path, "is too long for what it should be", fault);
    }
    (void)close(fd);
    if (result == 0) {
        *ret_text = secret_new(bytes, len);
    } else {
        secret_wipe(bytes, sizeof(bytes));
    }
    return result;
}

/* So that the rename is on the disk. */
static bool
vault_folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return good;
}

static bool
vault_fd_write(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);

        if (put <= 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return fsync(fd) == 0;
}

static int
vault_file_write(const char *folder, const char *name, const struct secret *text,
                 struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
    CLEANUP(mem_freep) char *fresh = mem_printf("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good;

    if (fd < 0)
        return vault_refuse(fresh, vault_why(), fault);
    good = fchmod(fd, 0600) == 0 && vault_fd_write(fd, secret_bytes(text), secret_len(text));
    good = close(fd) == 0 && good;
    if (!good || rename(fresh, path) < 0 || !vault_folder_sync(folder))
        return vault_refuse(path, vault_why(), fault);
    return 0;
}

int
vault_keep(const struct vault *vault, const char *name, const struct secret *secret,
           struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", vault->folder, name);
    CLEANUP(secret_freep) struct secret *have = NULL;

    assert(!strchr(name, '/'));
    if (vault_file_read(path, &have, fault) < 0)
        return -1;
    if (have && secret_len(have) == secret_len(secret) &&
        text_equal_secret(secret_bytes(have), secret_bytes(secret), secret_len(secret)))
        return 0;
    return vault_file_write(vault->folder, name, secret, fault);
}

/* --- The secret ------------------------------------------------------------------------------------- */

static int
vault_secret_make(struct vault *vault, struct fault *fault)
{
    uint8_t bytes[VAULT_SECRET_SIZE];
    char text[VAULT_HEX_LEN + 2];
    CLEANUP(secret_freep) struct secret *hex = NULL;

    vault->fresh = true;
    vault->random->fill(vault->random->self, bytes, sizeof(bytes));
    text_hex(bytes, sizeof(bytes), text);
    text[VAULT_HEX_LEN] = '\n';
    hex = secret_new(text, VAULT_HEX_LEN + 1);
    vault->secret = secret_new((char *)bytes, sizeof(bytes));
    return vault_file_write(vault->folder, "secret", hex, fault);
}

static bool
vault_secret_parse(struct vault *vault, const struct secret *hex)
{
    uint8_t bytes[VAULT_SECRET_SIZE];
    char text[VAULT_HEX_LEN + 1] = "";
    bool good;

    if (secret_len(hex) != VAULT_HEX_LEN + 1 || secret_bytes(hex)[VAULT_HEX_LEN] != '\n')
        return false;
    memcpy(text, secret_bytes(hex), VAULT_HEX_LEN);
    good = text_hex_parse(text, bytes, sizeof(bytes));
    secret_wipe(text, sizeof(text));
    if (good)
        vault->secret = secret_new((char *)bytes, sizeof(bytes));
    return good;
}

static int
vault_secret_read(struct vault *vault, struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/secret", vault->folder);
    CLEANUP(secret_freep) struct secret *hex = NULL;

    if (vault_file_read(path, &hex, fault) < 0)
        return -1;
    if (!hex)
        return vault_secret_make(vault, fault);
    if (!vault_secret_parse(vault, hex)) {
        return vault_refuse(path, "is truncated or not what berthd wrote: take it from a backup",
                            fault);
    }
    return 0;
}

int
vault_open(const char *data_dir, const struct random_port *random, struct vault **ret_vault,
           struct fault *fault)
{
    CLEANUP(mem_freep) char *pools = mem_printf("%s/keys/pools", data_dir);
    struct vault *vault = mem_new0(sizeof(*vault));

    vault->folder = mem_printf("%s/keys", data_dir);
    vault->random = random;
    if (vault_folder_make(vault->folder, fault) < 0 || vault_folder_make(pools, fault) < 0 ||
        vault_secret_read(vault, fault) < 0) {
        vault_close(vault);
        return -1;
    }
    *ret_vault = vault;
    return 0;
}

static void
vault_pool_free(struct vault_pool *pool)
{
    pki_pair_fini(&pool->authority);
    mem_free(pool->name);
    mem_free(pool->ca_path);
    mem_free(pool->client_path);
    mem_free(pool);
}

void
vault_close(struct vault *vault)
{
    if (!vault)
        return;
    for (size_t i = 0; i < vault->count; i++)
        vault_pool_free(vault->pools[i]);
    mem_free(vault->pools);
    mem_free(vault->folder);
    secret_free(vault->secret);
    mem_free(vault);
}

bool
vault_is_fresh(const struct vault *vault)
{
    return vault->fresh;
}

const struct secret *
vault_secret(const struct vault *vault)
{
    return vault->secret;
}

/* --- Pools ------------------------------------------------------------------------------------------ */

static struct secret *
vault_text(const char *text)
{
    CLEANUP(mem_freep) char *copy = mem_strdup(text);

    return secret_new(copy, strlen(copy));
}

/* The certificate comes last: where it is, the key is, too. */
static int
vault_authority_make(const struct vault *vault, struct vault_pool *pool, const char *folder,
                     int64_t now_ms, struct fault *fault)
{
    CLEANUP(secret_freep) struct secret *certificate = NULL;

    if (pki_authority_new(pool->name, now_ms, vault->random, &pool->authority, fault) < 0)
        return -1;
    certificate = vault_text(pool->authority.certificate);
    if (vault_file_write(folder, "ca.key", pool->authority.key, fault) < 0)
        return -1;
    return vault_file_write(folder, "ca.pem", certificate, fault);
}

static int
vault_authority_open(const struct vault *vault, struct vault_pool *pool, const char *folder,
                     int64_t now_ms, struct fault *fault)
{
    CLEANUP(mem_freep) char *key_path = mem_printf("%s/ca.key", folder);
    CLEANUP(secret_freep) struct secret *certificate = NULL;
    struct fault why;

    if (vault_file_read(pool->ca_path, &certificate, fault) < 0)
        return -1;
    if (!certificate)
        return vault_authority_make(vault, pool, folder, now_ms, fault);
    if (vault_file_read(key_path, &pool->authority.key, fault) < 0)
        return -1;
    if (!pool->authority.key)
        return vault_refuse(key_path, "is missing: take it from a backup", fault);
    pool->authority.certificate = mem_strdup(secret_bytes(certificate));
    if (pki_check(&pool->authority, pool->authority.certificate, NULL, &why) < 0) {
        return fault_set(fault, FAULT_STORAGE, "vault",
                         "%s and ca.key: %s: take both from a backup", pool->ca_path, why.text);
    }
    return 0;
}

static int
vault_client_make(const struct vault *vault, struct vault_pool *pool, const char *folder,
                  int64_t now_ms, struct fault *fault)
{
    const struct pki_order order = {
        .role = PKI_CLIENT, .name = "berthd", .now_ms = now_ms, .lifetime_ms = VAULT_CLIENT_MS
    };
    CLEANUP(secret_freep) struct secret *both = NULL;
    struct pki_pair pair = { 0 };
    struct buf text;
    int64_t ends_at_ms = 0;
    int result;

    result = pki_issue(&pool->authority, &order, vault->random, &pair, fault);
    if (result == 0)
        result = pki_check(&pair, pool->authority.certificate, &ends_at_ms, fault);
    if (result == 0) {
        buf_init(&text, VAULT_FILE_MAX);
        (void)buf_reserve(&text, VAULT_FILE_MAX / 2); /* it does not move: no copy is left behind */
        buf_append_string(&text, pair.certificate);
        buf_append(&text, secret_bytes(pair.key), secret_len(pair.key));
        both = secret_new(text.data, text.len);
        buf_fini(&text);
        result = vault_file_write(folder, "client.pem", both, fault);
    }
    if (result == 0)
        pool->client_ends_at_ms = ends_at_ms; /* one that could not be written is made again */
    pki_pair_fini(&pair);
    return result;
}

/* One that is not good for long, or not good, is made anew: nothing is lost with it. */
static int
vault_client_open(const struct vault *vault, struct vault_pool *pool, const char *folder,
                  int64_t now_ms, struct fault *fault)
{
    CLEANUP(secret_freep) struct secret *both = NULL;
    struct pki_pair pair = { 0 };
    struct fault why;
    bool good = false;

    if (vault_file_read(pool->client_path, &both, fault) < 0)
        return -1;
    if (both) {
        pair = (struct pki_pair){ .certificate = mem_unconst(secret_bytes(both)), .key = both };
        good = pki_check(&pair, pool->authority.certificate, &pool->client_ends_at_ms, &why) == 0;
        if (!good)
            log_warn("vault", "%s: %s; it is made anew", pool->client_path, why.text);
    }
    if (good && pool->client_ends_at_ms - now_ms > VAULT_RENEW_MS)
        return 0;
    return vault_client_make(vault, pool, folder, now_ms, fault);
}

static int
vault_pool_open(const struct vault *vault, const char *name, int64_t now_ms,
                struct vault_pool **ret_pool, struct fault *fault)
{
    CLEANUP(mem_freep) char *folder = mem_printf("%s/pools/%s", vault->folder, name);
    struct vault_pool *pool = mem_new0(sizeof(*pool));

    pool->name = mem_strdup(name);
    pool->ca_path = mem_printf("%s/ca.pem", folder);
    pool->client_path = mem_printf("%s/client.pem", folder);
    if (vault_folder_make(folder, fault) < 0 ||
        vault_authority_open(vault, pool, folder, now_ms, fault) < 0) {
        vault_pool_free(pool);
        return -1;
    }
    *ret_pool = pool;
    return 0;
}

static struct vault_pool *
vault_pool_find(const struct vault *vault, const char *name)
{
    for (size_t i = 0; i < vault->count; i++) {
        if (strcmp(vault->pools[i]->name, name) == 0)
            return vault->pools[i];
    }
    return NULL;
}

int
vault_pool(struct vault *vault, const char *name, int64_t now_ms,
           const struct vault_pool **ret_pool, struct fault *fault)
{
    CLEANUP(mem_freep) char *folder = mem_printf("%s/pools/%s", vault->folder, name);
    struct vault_pool *pool = vault_pool_find(vault, name);

    if (!pool) {
        if (vault_pool_open(vault, name, now_ms, &pool, fault) < 0)
            return -1;
        vault->pools = mem_resize(vault->pools, vault->count + 1, sizeof(struct vault_pool *));
        vault->pools[vault->count++] = pool;
    }
    if (pool->client_ends_at_ms - now_ms <= VAULT_RENEW_MS &&
        vault_client_open(vault, pool, folder, now_ms, fault) < 0)
        return -1;
    *ret_pool = pool;
    return 0;
}
