#include "berth/base/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct secret {
    size_t len;
    char bytes[]; /* [len + 1], NUL-terminated */
};

struct secret *
secret_new(char *data, size_t len)
{
    struct secret *secret = mem_new0(sizeof(*secret) + len + 1);

    secret->len = len;
    if (len > 0)
        memcpy(secret->bytes, data, len);
    secret_wipe(data, len);
    return secret;
}

void
secret_free(struct secret *secret)
{
    if (!secret)
        return;
    secret_wipe(secret->bytes, secret->len);
    mem_free(secret);
}

const char *
secret_bytes(const struct secret *secret)
{
    return secret->bytes;
}

size_t
secret_len(const struct secret *secret)
{
    return secret->len;
}

void
secret_wipe(void *data, size_t len)
{
    if (len > 0)
        OPENSSL_cleanse(data, len);
}

void
secret_block_free(void *ptr)
{
    if (ptr)
        OPENSSL_cleanse(ptr, malloc_usable_size(ptr));
    free(ptr);
}

void *
secret_block_resize(void *ptr, size_t size)
{
    size_t had = ptr ? malloc_usable_size(ptr) : 0;
    void *made = malloc(size);

    if (!made)
        return NULL;
    if (had > 0)
        memcpy(made, ptr, had < size ? had : size);
    secret_block_free(ptr);
    return made;
}
