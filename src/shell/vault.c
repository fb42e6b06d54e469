#include "vault.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/buf.h"
#include "berth/base/log.h"
#include "berth/base/text.h"

#include "vault_file.h"

#define VAULT_FOLDER "keys"
#define VAULT_SECRET "secret"
#define VAULT_SINCE  "since"

#define VAULT_DAY_MS    (INT64_C(86400) * 1000)
#define VAULT_CLIENT_MS (365 * VAULT_DAY_MS)
#define VAULT_RENEW_MS  (30 * VAULT_DAY_MS)

enum { VAULT_HEX_LEN = 2 * VAULT_SECRET_SIZE };

struct vault {
    char *folder; /* owned */
    const struct random_port *random;
    struct secret *secret;     /* owned */
    struct vault_pool **pools; /* owned, [count], each owned */
    size_t count;
    int64_t since;
};

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

    vault->random->fill(vault->random->self, bytes, sizeof(bytes));
    text_hex(bytes, sizeof(bytes), text);
    text[VAULT_HEX_LEN] = '\n';
    hex = secret_new(text, VAULT_HEX_LEN + 1);
    vault->secret = secret_new((char *)bytes, sizeof(bytes));
    return vault_file_write(vault->folder, VAULT_SECRET, hex, fault);
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

/* @ret_there: whether there is one. */
static int
vault_secret_read(struct vault *vault, bool *ret_there, struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/" VAULT_SECRET, vault->folder);
    CLEANUP(secret_freep) struct secret *hex = NULL;

    if (vault_file_read(path, &hex, fault) < 0)
        return -1;
    if (hex && !vault_secret_parse(vault, hex)) {
        return vault_file_refuse(
            path, "is truncated or not what berthd wrote: take it from a backup", fault);
    }
    *ret_there = hex != NULL;
    return 0;
}

static int
vault_since_read(struct vault *vault, struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/" VAULT_SINCE, vault->folder);
    CLEANUP(secret_freep) struct secret *text = NULL;

    if (vault_file_read(path, &text, fault) < 0)
        return -1;
    if (text)
        vault->since = strtoll(secret_bytes(text), NULL, 10);
    return 0;
}

static int
vault_fill(struct vault *vault, struct fault *fault)
{
    CLEANUP(mem_freep) char *pools = mem_printf("%s/pools", vault->folder);
    bool there = false;

    if (vault_file_folder(vault->folder, fault) < 0 || vault_file_folder(pools, fault) < 0 ||
        vault_secret_read(vault, &there, fault) < 0 || vault_since_read(vault, fault) < 0)
        return -1;
    return there ? 0 : vault_secret_make(vault, fault);
}

int
vault_open(const char *data_dir, const struct random_port *random, struct vault **ret_vault,
           struct fault *fault)
{
    CLEANUP(vault_closep) struct vault *vault = mem_new0(sizeof(*vault));

    vault->folder = mem_printf("%s/" VAULT_FOLDER, data_dir);
    vault->random = random;
    if (vault_fill(vault, fault) < 0)
        return -1;
    *ret_vault = STEAL(vault);
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

int
vault_forgive(struct vault *vault, int64_t last_host_id, struct fault *fault)
{
    char *line = mem_printf("%" PRId64 "\n", last_host_id);
    CLEANUP(secret_freep) struct secret *text = secret_new(line, strlen(line));

    mem_free(line);
    vault->since = last_host_id;
    return vault_file_write(vault->folder, VAULT_SINCE, text, fault);
}

int64_t
vault_since(const struct vault *vault)
{
    return vault->since;
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

/* @ret_there: whether there is one, which is whole then. */
static int
vault_authority_read(const char *folder, struct pki_pair *authority, bool *ret_there,
                     struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/ca.pem", folder);
    CLEANUP(mem_freep) char *key_path = mem_printf("%s/ca.key", folder);
    CLEANUP(secret_freep) struct secret *certificate = NULL;
    struct fault why;

    *ret_there = false;
    if (vault_file_read(path, &certificate, fault) < 0)
        return -1;
    if (!certificate)
        return 0;
    if (vault_file_read(key_path, &authority->key, fault) < 0)
        return -1;
    if (!authority->key)
        return vault_file_refuse(key_path, "is missing: take it from a backup", fault);
    authority->certificate = mem_strdup(secret_bytes(certificate));
    if (pki_check(authority, authority->certificate, NULL, &why) < 0) {
        return fault_set(fault, FAULT_STORAGE, "vault",
                         "%s and ca.key: %s: take both from a backup", path, why.text);
    }
    *ret_there = true;
    return 0;
}

static int
vault_authority_open(const struct vault *vault, struct vault_pool *pool, const char *folder,
                     int64_t now_ms, struct fault *fault)
{
    bool there = false;

    if (vault_authority_read(folder, &pool->authority, &there, fault) < 0)
        return -1;
    return there ? 0 : vault_authority_make(vault, pool, folder, now_ms, fault);
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
        buf_init_secret(&text, VAULT_FILE_MAX);
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
    if (vault_file_folder(folder, fault) < 0 ||
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

/* --- Without opening it --------------------------------------------------------------------------- */

char *
vault_missing(const char *data_dir, const char *pool)
{
    char *path = pool ? mem_printf("%s/" VAULT_FOLDER "/pools/%s/ca.pem", data_dir, pool)
                      : mem_printf("%s/" VAULT_FOLDER "/" VAULT_SECRET, data_dir);

    if (access(path, F_OK) == 0 || errno != ENOENT)
        mem_free(STEAL(path));
    return path;
}

static int
vault_check_pools(const char *folder, DIR *pools, struct fault *fault)
{
    const struct dirent *entry;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): of a stream that nobody else has */
    while ((entry = readdir(pools))) {
        CLEANUP(mem_freep) char *pool = mem_printf("%s/pools/%s", folder, entry->d_name);
        struct pki_pair authority = { 0 };
        bool there = false;
        int result;

        if (entry->d_name[0] == '.')
            continue;
        result = vault_authority_read(pool, &authority, &there, fault);
        pki_pair_fini(&authority);
        if (result < 0)
            return -1;
    }
    return 0;
}

int
vault_check(const char *folder, struct fault *fault)
{
    CLEANUP(vault_closep) struct vault *vault = mem_new0(sizeof(*vault));
    CLEANUP(mem_freep) char *path = mem_printf("%s/pools", folder);
    bool there = false;
    DIR *pools;
    int result;

    vault->folder = mem_strdup(folder);
    if (vault_secret_read(vault, &there, fault) < 0)
        return -1;
    if (!there)
        return vault_file_refuse(folder, "has no " VAULT_SECRET, fault);
    pools = opendir(path);
    if (!pools)
        return errno == ENOENT ? 0 : vault_file_refuse(path, strerrordesc_np(errno), fault);
    result = vault_check_pools(folder, pools, fault);
    (void)closedir(pools);
    return result;
}
