/* Private keys as OpenSSH keeps them in files: its PROTOCOL.key. */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* --- Writing -------------------------------------------------------------------------------------- */

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

/* --- Reading -------------------------------------------------------------------------------------- */

static int
key_damaged(const char *name, struct fault *fault)
{
    return fault_set(fault, FAULT_INVALID, "key", "%s: the private key is damaged", name);
}

/* Why a text that does not begin as OpenSSH's private keys do cannot be used. */
static int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): what it is about stands first. */
key_private_refuse(const char *text, const char *name, struct fault *fault)
{
    static const struct {
        const char *prefix;
        const char *why;
    } rows[] = {
        { "-----BEGIN RSA ", "an RSA key cannot be used, because libssh2 signs with them in a way "
                             "that SSH servers refuse: make one by ssh-keygen -t ed25519" },
        { "-----BEGIN EC ", "an ECDSA key cannot be used, only ed25519: ssh-keygen -t ed25519" },
        { "-----BEGIN DSA ", "a DSA key cannot be used, only ed25519: ssh-keygen -t ed25519" },
        { "-----BEGIN ", "the key is in another format than OpenSSH's: ssh-keygen -t ed25519" },
        { "PuTTY-", "the key is in PuTTY's format: export it as an OpenSSH key" },
        { "ssh-", "this is a public key: give the private one, in the file without .pub" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strncmp(text, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return fault_set(fault, FAULT_INVALID, "key", "%s: %s", name, rows[i].why);
    }
    return fault_set(fault, FAULT_INVALID, "key",
                     "%s: this is no private key: it would begin with " KEY_BEGIN, name);
}

static int
key_private_type(const struct key_wire *blob, const char *name, struct fault *fault)
{
    struct key_wire wire = *blob;
    struct key_wire type = key_wire_get(&wire);

    if (wire.bad)
        return key_damaged(name, fault);
    if (key_wire_is(&type, KEY_TYPE))
        return 0;
    if (key_wire_is(&type, "ssh-rsa"))
        return key_private_refuse("-----BEGIN RSA ", name, fault);
    return fault_set(fault, FAULT_INVALID, "key",
                     "%s: a key of the type %.*s cannot be used, only ed25519: ssh-keygen -t "
                     "ed25519",
                     name, (int)(type.left < 40 ? type.left : 40), (const char *)type.at);
}

/* The private part, not encrypted. */
static int
key_private_pair(struct key_wire *part, const char *name, struct key **ret_key, struct fault *fault)
{
    uint32_t check = key_wire_number(part);
    bool same = key_wire_number(part) == check;
    struct key_wire type = key_wire_get(part);
    struct key_wire public = key_wire_get(part);
    struct key_wire pair = key_wire_get(part);
    CLEANUP(key_freep) struct key *key = NULL;

    if (part->bad || !same || !key_wire_is(&type, KEY_TYPE) || public.left != KEY_SIZE ||
        pair.left != KEY_PAIR_SIZE)
        return key_damaged(name, fault);
    key = key_from_seed(pair.at);
    if (memcmp(key_public(key)->bytes, public.at, KEY_SIZE) != 0 ||
        memcmp(pair.at + KEY_SIZE, public.at, KEY_SIZE) != 0)
        return key_damaged(name, fault);
    *ret_key = STEAL(key);
    return 0;
}

static int
key_private_read(struct key_wire *wire, const char *name, struct key **ret_key, struct fault *fault)
{
    struct key_wire cipher;
    struct key_wire blob;
    struct key_wire part;
    uint32_t count;

    if (wire->left < sizeof(key_magic) || memcmp(wire->at, key_magic, sizeof(key_magic)) != 0)
        return key_damaged(name, fault);
    wire->at += sizeof(key_magic);
    wire->left -= sizeof(key_magic);
    cipher = key_wire_get(wire);
    (void)key_wire_get(wire); /* "none", or with what the passphrase is stretched */
    (void)key_wire_get(wire);
    count = key_wire_number(wire);
    blob = key_wire_get(wire);
    part = key_wire_get(wire);
    if (wire->bad || count != 1)
        return key_damaged(name, fault);
    if (key_private_type(&blob, name, fault) < 0)
        return -1;
    if (!key_wire_is(&cipher, "none")) {
        return fault_set(fault, FAULT_INVALID, "key",
                         "%s: the key has a passphrase, and nobody is there to type it: take it "
                         "off a copy by ssh-keygen -p -N '' -f COPY",
                         name);
    }
    return key_private_pair(&part, name, ret_key, fault);
}

int
key_private_parse(const struct secret *text, const char *name, struct key **ret_key,
                  struct fault *fault)
{
    const char *begin = secret_bytes(text) + strspn(secret_bytes(text), " \t\r\n");
    const char *end = strstr(begin, KEY_END);
    size_t raw_size = secret_len(text) + 3; /* more than base 64 can give */
    EVP_ENCODE_CTX *decode;
    struct key_wire wire;
    int len = 0;
    int rest = 0;
    int result;
    uint8_t *raw;

    if (secret_len(text) > KEY_FILE_MAX)
        return fault_set(fault, FAULT_INVALID, "key", "%s: this is no private key", name);
    if (strncmp(begin, KEY_BEGIN, strlen(KEY_BEGIN)) != 0)
        return key_private_refuse(begin, name, fault);
    begin += strlen(KEY_BEGIN);
    if (!end || end < begin)
        return key_damaged(name, fault);
    raw = mem_new0(raw_size);
    decode = EVP_ENCODE_CTX_new();
    if (!decode)
        abort(); /* no memory */
    EVP_DecodeInit(decode);
    result = EVP_DecodeUpdate(decode, raw, &len, (const unsigned char *)begin, (int)(end - begin));
    if (result >= 0 && EVP_DecodeFinal(decode, raw + len, &rest) == 1) {
        wire = (struct key_wire){ .at = raw, .left = (size_t)len + (size_t)rest };
        result = key_private_read(&wire, name, ret_key, fault);
    } else {
        result = key_damaged(name, fault);
    }
    EVP_ENCODE_CTX_free(decode); /* which wipes it */
    secret_wipe(raw, raw_size);
    mem_free(raw);
    return result;
}

/* --- Files ---------------------------------------------------------------------------------------- */

static int
key_file_check(int file, const char *path, struct fault *fault)
{
    struct stat info;

    if (fstat(file, &info) < 0)
        return fault_set(fault, FAULT_INVALID, "key", "%s: %s", path, strerrordesc_np(errno));
    if (!S_ISREG(info.st_mode) || info.st_size > KEY_FILE_MAX) {
        return fault_set(fault, FAULT_INVALID, "key", "%s: this is no file with a private key",
                         path);
    }
    if (info.st_mode & (S_IRWXG | S_IRWXO)) {
        return fault_set(fault, FAULT_INVALID, "key",
                         "%s: others than its owner may read it (mode %04o): chmod 600 %s", path,
                         (unsigned)(info.st_mode & 07777), path);
    }
    return 0;
}

static int
key_file_read(int file, const char *path, struct secret **ret_text, struct fault *fault)
{
    char *data = mem_new0(KEY_FILE_MAX);
    size_t len = 0;
    ssize_t got = 1;

    while (len < KEY_FILE_MAX && got > 0) {
        got = read(file, data + len, KEY_FILE_MAX - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        (void)fault_set(fault, FAULT_INVALID, "key", "%s: %s", path, strerrordesc_np(errno));
    *ret_text = got < 0 ? NULL : secret_new(data, len);
    secret_wipe(data, len);
    mem_free(data);
    return got < 0 ? -1 : 0;
}

int
key_read(const char *path, struct key **ret_key, struct fault *fault)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    CLEANUP(secret_freep) struct secret *text = NULL;
    int result;

    if (file < 0)
        return fault_set(fault, FAULT_INVALID, "key", "%s: %s", path, strerrordesc_np(errno));
    result = key_file_check(file, path, fault);
    if (result == 0)
        result = key_file_read(file, path, &text, fault);
    (void)close(file);
    return result < 0 ? result : key_private_parse(text, path, ret_key, fault);
}
