#pragma once

/*
 * Ed25519 keys as SSH knows them: ours for machines, and those that machines show us.  Other kinds are
 * refused with the reason (adr/0010).  A private half lives in struct key alone and is wiped with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/mem.h"
#include "berth/base/secret.h"

enum {
    KEY_SIZE = 32,             /* bytes of a public key, and of a private key's seed */
    KEY_SIGNATURE_SIZE = 64,   /* bytes */
    KEY_BLOB_SIZE = 51,        /* bytes of a public key in SSH's wire format (RFC 8709, 4) */
    KEY_COMMENT_MAX = 100,     /* characters */
    KEY_LINE_SIZE = 256,       /* "ssh-ed25519 AAAA... comment" and NUL, of a line that we write */
    KEY_FINGERPRINT_SIZE = 51, /* "SHA256:" with 43 digits of base 64, and NUL */
};

/* The half that everybody may know. */
struct key_public {
    uint8_t bytes[KEY_SIZE];
};

/* Both halves. */
struct key;

/** key_derive() - the key that belongs to @secret and @parts: always the same for the same, and
 * unrelated for others.  Its seed is HMAC-SHA-256 over each part with its length, with @secret as key.
 * @parts: [count] texts, e.g. purpose, cluster, host, attempt; ("a", "bc") is not ("ab", "c") */
struct key *key_derive(const struct secret *secret, const char *const parts[], size_t count)
    MUST_USE;
/** key_from_seed() - the key of this seed (RFC 8032, 5.1.5); @seed is copied and stays the caller's to wipe. */
struct key *key_from_seed(const uint8_t seed[KEY_SIZE]) MUST_USE;
/** key_free() - wipes it; NULL is fine. */
void key_free(struct key *key);
MEM_DEFINE_FREEP(struct key, key_free);

/** key_public() - borrowed from @key. */
const struct key_public *key_public(const struct key *key);
/** key_sign() - of @len bytes at @data. */
void key_sign(const struct key *key, const void *data, size_t len,
              uint8_t ret_signature[KEY_SIGNATURE_SIZE]);

/** key_private_text() - as OpenSSH keeps it in a file ("-----BEGIN OPENSSH PRIVATE KEY-----"), without
 * a passphrase; the same text for the same key and @comment (at most KEY_COMMENT_MAX characters). */
struct secret *key_private_text(const struct key *key, const char *comment) MUST_USE;

bool key_public_equal(const struct key_public *a, const struct key_public *b);
/** key_public_blob() - SSH's wire format: the type's name and the key, each with its length. */
void key_public_blob(const struct key_public *key, uint8_t ret_blob[KEY_BLOB_SIZE]);
/** key_public_from_blob() - false when these are not exactly an ed25519 key. */
bool key_public_from_blob(const void *blob, size_t len, struct key_public *ret_key);
/** key_public_line() - "ssh-ed25519 AAAA... comment", without a newline, as in authorized_keys and
 * ssh_host_ed25519_key.pub.  @comment: at most KEY_COMMENT_MAX characters; "" : none.
 * Return: @ret_line. */
const char *key_public_line(const struct key_public *key, const char *comment,
                            char ret_line[KEY_LINE_SIZE]);
/** key_public_parse() - such a line, with or without a comment or a newline; 0, or -1 with FAULT_INVALID
 * whose text says what is wrong with it and how to get a good one. */
int key_public_parse(const char *line, struct key_public *ret_key, struct fault *fault);
/** key_public_fingerprint() - "SHA256:...", as ssh-keygen -l shows it. Return: @ret_text. */
const char *key_public_fingerprint(const struct key_public *key,
                                   char ret_text[KEY_FINGERPRINT_SIZE]);
