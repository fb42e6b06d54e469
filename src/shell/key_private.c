/* Private keys as OpenSSH keeps them in files: its PROTOCOL.key. */

#include <assert.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/shell/key.h"

#include "key_wire.h"

#define KEY_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define KEY_END   "-----END OPENSSH PRIVATE KEY-----"

enum {
    KEY_RAW_MAX = 512,            /* bytes of an ed25519 key with our longest comment */
    KEY_TEXT_MAX = 1024,          /* the same in base 64 with its first and last line */
    KEY_LINE_DIGITS = 70,         /* base 64 digits in a line, as ssh-keygen writes them */
    KEY_BLOCK = 8,                /* bytes, to a multiple of which the private part is padded */
    KEY_PAIR_SIZE = 2 * KEY_SIZE, /* the seed and the public key behind it */
};

static const char key_magic[15] = "openssh-key-v1"; /* with its NUL */

static void
key_private_part(const struct key *key, const char *comment, struct buf *part)
{
    uint8_t pair[KEY_PAIR_SIZE];
    struct key_wire check = { .at = key_public(key)->bytes, .left = KEY_SIZE };
    uint32_t number = key_wire_number(&check);

    key_seed(key, pair);
    memcpy(pair + KEY_SIZE, key_public(key)->bytes, KEY_SIZE);
    /* The number only tells whether a passphrase was right: it need not be random. */
    key_wire_put_number(part, number);
    key_wire_put_number(part, number);
    key_wire_put(part, KEY_TYPE, strlen(KEY_TYPE));
    key_wire_put(part, key_public(key)->bytes, KEY_SIZE);
    key_wire_put(part, pair, sizeof(pair));
    key_wire_put(part, comment, strlen(comment));
    for (char pad = 1; part->len % KEY_BLOCK != 0; pad++)
        buf_append_char(part, pad);
    secret_wipe(pair, sizeof(pair));
}

static void
key_private_raw(const struct key *key, const char *comment, struct buf *raw)
{
    uint8_t blob[KEY_BLOB_SIZE];
    struct buf part;

    buf_init_secret(&part, KEY_RAW_MAX);
    key_private_part(key, comment, &part);
    key_public_blob(key_public(key), blob);
    buf_append(raw, key_magic, sizeof(key_magic));
    key_wire_put(raw, "none", strlen("none")); /* cipher */
    key_wire_put(raw, "none", strlen("none")); /* derivation of its key */
    key_wire_put(raw, "", 0);                  /* and what that needs */
    key_wire_put_number(raw, 1);               /* keys */
    key_wire_put(raw, blob, sizeof(blob));
    key_wire_put(raw, part.data, part.len);
    buf_fini(&part);
}

struct secret *
key_private_text(const struct key *key, const char *comment)
{
    char digits[KEY_TEXT_MAX];
    struct buf raw;
    struct buf text;
    struct secret *secret;
    size_t len;

    assert(strlen(comment) <= KEY_COMMENT_MAX);
    buf_init_secret(&raw, KEY_RAW_MAX);
    key_private_raw(key, comment, &raw);
    assert(!raw.overflow);
    text_base64((const uint8_t *)raw.data, raw.len, digits);
    buf_fini(&raw);
    buf_init_secret(&text, KEY_TEXT_MAX);
    buf_append_string(&text, KEY_BEGIN "\n");
    len = strlen(digits);
    for (size_t at = 0; at < len; at += KEY_LINE_DIGITS) {
        buf_append(&text, digits + at, len - at < KEY_LINE_DIGITS ? len - at : KEY_LINE_DIGITS);
        buf_append_char(&text, '\n');
    }
    buf_append_string(&text, KEY_END "\n");
    assert(!text.overflow);
    secret_wipe(digits, sizeof(digits));
    secret = secret_new(text.data, text.len);
    buf_fini(&text);
    return secret;
}
