#include "berth/shell/key.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/buf.h"
#include "berth/base/digest.h"
#include "berth/base/text.h"

#include "key_wire.h"

enum {
    KEY_BLOB_BASE64 = 68,      /* digits of a public key's blob */
    KEY_DIGEST_BASE64 = 45,    /* of a SHA-256, with padding and NUL */
    KEY_PARTS_MAX = 16 * 1024, /* bytes that a key is derived from */
    KEY_WORD_MAX = 32,         /* characters of a type's name that are repeated in an error */
};

struct key {
    EVP_PKEY *pair;
    struct key_public public;
};

/* Fails only without memory or without the algorithm: nothing could be trusted then. */
static void
key_must(bool done)
{
    if (!done)
        abort();
}

/* --- Both halves ---------------------------------------------------------------------------------- */

struct key *
key_from_seed(const uint8_t seed[KEY_SIZE])
{
    struct key *key = mem_new0(sizeof(*key));
    size_t len = sizeof(key->public.bytes);

    key->pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_SIZE);
    key_must(key->pair && EVP_PKEY_get_raw_public_key(key->pair, key->public.bytes, &len) == 1 &&
             len == KEY_SIZE);
    return key;
}

struct key *
key_derive(const struct secret *secret, const char *const parts[], size_t count)
{
    uint8_t seed[TEXT_SHA256_SIZE];
    struct buf message;
    struct key *key;

    _Static_assert(sizeof(seed) == KEY_SIZE, "a digest is a seed");
    buf_init(&message, KEY_PARTS_MAX);
    for (size_t i = 0; i < count; i++)
        key_wire_put(&message, parts[i], strlen(parts[i]));
    assert(!message.overflow && secret_len(secret) > 0);
    digest_hmac(secret_bytes(secret), secret_len(secret), buf_text(&message), message.len, seed);
    buf_fini(&message);
    key = key_from_seed(seed);
    secret_wipe(seed, sizeof(seed));
    return key;
}

void
key_free(struct key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pair); /* which wipes it */
    mem_free(key);
}

const struct key_public *
key_public(const struct key *key)
{
    return &key->public;
}

void
key_seed(const struct key *key, uint8_t ret_seed[KEY_SIZE])
{
    size_t len = KEY_SIZE;

    key_must(EVP_PKEY_get_raw_private_key(key->pair, ret_seed, &len) == 1 && len == KEY_SIZE);
}

void
key_sign(const struct key *key, const void *data, size_t len,
         uint8_t ret_signature[KEY_SIGNATURE_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t signature_len = KEY_SIGNATURE_SIZE;

    key_must(context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
             EVP_DigestSign(context, ret_signature, &signature_len, data, len) == 1 &&
             signature_len == KEY_SIGNATURE_SIZE);
    EVP_MD_CTX_free(context);
}

/* --- The public half ------------------------------------------------------------------------------ */

bool
key_public_equal(const struct key_public *a, const struct key_public *b)
{
    return memcmp(a->bytes, b->bytes, KEY_SIZE) == 0;
}

void
key_public_blob(const struct key_public *key, uint8_t ret_blob[KEY_BLOB_SIZE])
{
    struct buf blob;

    buf_init(&blob, KEY_BLOB_SIZE);
    key_wire_put(&blob, KEY_TYPE, strlen(KEY_TYPE));
    key_wire_put(&blob, key->bytes, KEY_SIZE);
    assert(blob.len == KEY_BLOB_SIZE);
    memcpy(ret_blob, blob.data, KEY_BLOB_SIZE);
    buf_fini(&blob);
}

bool
key_public_from_blob(const void *blob, size_t len, struct key_public *ret_key)
{
    struct key_wire wire = { .at = blob, .left = len };
    struct key_wire type = key_wire_get(&wire);
    struct key_wire bytes = key_wire_get(&wire);

    if (wire.bad || wire.left != 0 || bytes.left != KEY_SIZE || !key_wire_is(&type, KEY_TYPE))
        return false;
    memcpy(ret_key->bytes, bytes.at, KEY_SIZE);
    return true;
}

const char *
key_public_line(const struct key_public *key, const char *comment, char ret_line[KEY_LINE_SIZE])
{
    uint8_t blob[KEY_BLOB_SIZE];
    char digits[KEY_BLOB_BASE64 + 1];

    assert(strlen(comment) <= KEY_COMMENT_MAX && !strpbrk(comment, "\r\n"));
    key_public_blob(key, blob);
    text_base64(blob, sizeof(blob), digits);
    (void)snprintf(ret_line, KEY_LINE_SIZE, KEY_TYPE " %s%s%s", digits, *comment ? " " : "",
                   comment);
    return ret_line;
}

/* Why a key of this type is of no use; whose is the word's first letters. */
static int
key_refuse(const char *word, size_t len, struct fault *fault)
{
    static const struct {
        const char *prefix;
        const char *why;
    } rows[] = {
        { "-----BEGIN",
          "this is a private key: give the public one, the line in the file that ends "
          "in .pub" },
        { "ssh-rsa", "an RSA key cannot be used, because libssh2 signs with them in a way that SSH "
                     "servers refuse: make one by ssh-keygen -t ed25519" },
        { "rsa-sha2-", "an RSA key cannot be used, because libssh2 signs with them in a way that "
                       "SSH servers refuse: make one by ssh-keygen -t ed25519" },
        { "ecdsa-", "an ECDSA key cannot be used, only ed25519: ssh-keygen -t ed25519" },
        { "sk-", "a key that needs a token's touch cannot be used: ssh-keygen -t ed25519" },
        { "ssh-", "only keys of the type ssh-ed25519 can be used: ssh-keygen -t ed25519" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strncmp(word, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return fault_set(fault, FAULT_INVALID, "key", "%s", rows[i].why);
    }
    if (len == 0) {
        return fault_set(fault, FAULT_INVALID, "key",
                         "there is no key: expected \"ssh-ed25519 AAAA...\"");
    }
    if (len > KEY_WORD_MAX)
        len = KEY_WORD_MAX;
    return fault_set(fault, FAULT_INVALID, "key",
                     "a public key begins with its type, as in \"ssh-ed25519 AAAA...\", not with "
                     "\"%.*s\"",
                     (int)len, word);
}

int
key_public_parse(const char *line, struct key_public *ret_key, struct fault *fault)
{
    const char *word = line + strspn(line, " \t\r\n");
    size_t len = strcspn(word, " \t\r\n");
    const char *digits = word + len + strspn(word + len, " \t");
    size_t digits_len = strcspn(digits, " \t\r\n");
    uint8_t blob[KEY_BLOB_SIZE];

    if (len != strlen(KEY_TYPE) || strncmp(word, KEY_TYPE, len) != 0)
        return key_refuse(word, len, fault);
    if (strchr(digits + digits_len, '\n') && strchr(digits + digits_len, '\n')[1] != '\0')
        return fault_set(fault, FAULT_INVALID, "key", "expected one key, one line");
    if (digits_len != KEY_BLOB_BASE64 ||
        EVP_DecodeBlock(blob, (const unsigned char *)digits, KEY_BLOB_BASE64) != KEY_BLOB_SIZE ||
        !key_public_from_blob(blob, sizeof(blob), ret_key)) {
        return fault_set(fault, FAULT_INVALID, "key",
                         "the ed25519 key is damaged: \"" KEY_TYPE "\" is followed by %d "
                         "characters that begin with AAAAC3NzaC1lZDI1NTE5",
                         KEY_BLOB_BASE64);
    }
    return 0;
}

const char *
key_public_fingerprint(const struct key_public *key, char ret_text[KEY_FINGERPRINT_SIZE])
{
    uint8_t blob[KEY_BLOB_SIZE];
    uint8_t digest[TEXT_SHA256_SIZE];
    char digits[KEY_DIGEST_BASE64];

    key_public_blob(key, blob);
    text_sha256(blob, sizeof(blob), digest);
    text_base64(digest, sizeof(digest), digits);
    (void)snprintf(ret_text, KEY_FINGERPRINT_SIZE, "SHA256:%.43s", digits);
    return ret_text;
}
