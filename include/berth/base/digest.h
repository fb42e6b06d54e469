#pragma once

/*
 * SHA-256 of what comes in pieces; of what is all there, text_sha256().  And the code that who knows
 * a key makes of a text with it: HMAC-SHA-256 (RFC 2104).
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/base/mem.h"
#include "berth/base/text.h"

enum { DIGEST_SHA1_SIZE = 20 };

struct digest;

/** digest_new() - of nothing yet. */
struct digest *digest_new(void);
/** digest_free() - NULL is fine. */
void digest_free(struct digest *digest);
MEM_DEFINE_FREEP(struct digest, digest_free);

void digest_add(struct digest *digest, const void *data, size_t len);
/** digest_end() - of all that was added; nothing may be added afterwards. */
void digest_end(struct digest *digest, uint8_t ret_digest[TEXT_SHA256_SIZE]);

/** digest_hmac() - of @len bytes at @data with the @key of @key_len bytes. */
void digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t ret_code[TEXT_SHA256_SIZE]);

/** digest_hmac_sha1() - the same with SHA-1, which known_hosts files hide their names with. */
void digest_hmac_sha1(const void *key, size_t key_len, const void *data, size_t len,
                      uint8_t ret_code[DIGEST_SHA1_SIZE]);
