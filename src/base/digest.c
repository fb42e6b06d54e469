#include "berth/base/digest.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct digest {
    EVP_MD_CTX *context;
};

/* Fails only without memory or without the algorithm: nothing could be trusted then. */
static void
digest_must(int done)
{
    if (done != 1)
        abort();
}

struct digest *
digest_new(void)
{
    struct digest *digest = mem_new0(sizeof(*digest));

    digest->context = EVP_MD_CTX_new();
    digest_must(digest->context != NULL);
    digest_must(EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
    return digest;
}

void
digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    mem_free(digest);
}

void
digest_add(struct digest *digest, const void *data, size_t len)
{
    digest_must(EVP_DigestUpdate(digest->context, data, len));
}

void
digest_end(struct digest *digest, uint8_t ret_digest[TEXT_SHA256_SIZE])
{
    digest_must(EVP_DigestFinal_ex(digest->context, ret_digest, NULL));
}

void
digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
            uint8_t ret_code[TEXT_SHA256_SIZE])
{
    assert(key_len <= INT_MAX);
    digest_must(HMAC(EVP_sha256(), key, (int)key_len, data, len, ret_code, NULL) != NULL);
}

void
digest_hmac_sha1(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t ret_code[DIGEST_SHA1_SIZE])
{
    assert(key_len <= INT_MAX);
    digest_must(HMAC(EVP_sha1(), key, (int)key_len, data, len, ret_code, NULL) != NULL);
}
