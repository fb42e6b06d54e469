#include "foe.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/buf.h"
#include "berth/base/mem.h"
#include "berth/base/text.h"

#include "../../../src/shell/key_wire.h"

enum { FOE_BLOCK = 16, FOE_MAC = 32, FOE_PACKET_MAX = FOE_PAYLOAD_MAX + 256, FOE_WINDOW = 1 << 30 };

/* Messages (RFC 4250, 4.1). */
enum {
    FOE_SERVICE_ACCEPT = 6,
    FOE_KEXINIT = 20,
    FOE_NEWKEYS = 21,
    FOE_KEX_REPLY = 31,
    FOE_LOGGED_IN = 52,
    FOE_CHANNEL_OPENED = 91,
    FOE_CHANNEL_DATA = 94,
    FOE_CHANNEL_SUCCESS = 99,
};

/* One direction. */
struct foe_way {
    EVP_CIPHER_CTX *cipher; /* NULL: in clear */
    uint8_t mac_key[FOE_MAC];
    uint32_t number; /* of the next packet */
};

struct foe_line {
    const struct foe *foe;
    int socket;
    struct foe_way in, out;
    char banner[256];      /* the other side's, without line end */
    struct buf own, other; /* the two KEXINIT */
    uint8_t packet[FOE_PACKET_MAX];
    size_t payload_len; /* of the last packet that came; at packet + 5 */
};

static const char foe_banner[] = "SSH-2.0-foe";

/* --- Bytes ---------------------------------------------------------------------------------------- */

bool
foe_say(struct foe_line *line, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0 && *line->foe->sent < FOE_SENT_MAX) {
        ssize_t put = send(line->socket, at, len, MSG_NOSIGNAL);

        if (put <= 0)
            return false;
        *line->foe->sent += (size_t)put;
        at += put;
        len -= (size_t)put;
    }
    return len == 0;
}

static bool
foe_hear(struct foe_line *line, void *ret_data, size_t len)
{
    return recv(line->socket, ret_data, len, MSG_WAITALL) == (ssize_t)len;
}

static void
foe_mac(const struct foe_way *way, const uint8_t *packet, size_t len, uint8_t ret_mac[FOE_MAC])
{
    struct buf text;

    buf_init(&text, 0);
    key_wire_put_number(&text, way->number);
    buf_append(&text, (const char *)packet, len);
    (void)HMAC(EVP_sha256(), way->mac_key, FOE_MAC, (const uint8_t *)text.data, text.len, ret_mac,
               NULL);
    buf_fini(&text);
}

bool
foe_send(struct foe_line *line, const void *payload, size_t len)
{
    uint8_t packet[FOE_PACKET_MAX + FOE_MAC] = { 0 };
    size_t padding = FOE_BLOCK + (FOE_BLOCK - (len + 5) % FOE_BLOCK);
    size_t total = 5 + len + padding;
    uint32_t length = htonl((uint32_t)(total - 4));
    int done = 0;

    memcpy(packet, &length, sizeof(length));
    packet[4] = (uint8_t)padding;
    memcpy(packet + 5, payload, len);
    if (line->out.cipher) {
        foe_mac(&line->out, packet, total, packet + total);
        (void)EVP_EncryptUpdate(line->out.cipher, packet, &done, packet, (int)total);
        total += FOE_MAC;
    }
    line->out.number++;
    return foe_say(line, packet, total);
}

static void
foe_decrypt(struct foe_line *line, uint8_t *at, size_t len)
{
    int done = 0;

    if (line->in.cipher)
        (void)EVP_EncryptUpdate(line->in.cipher, at, &done, at, (int)len); /* CTR */
}

/* The next packet; what its author says of it is believed. */
static bool
foe_receive(struct foe_line *line)
{
    uint8_t *packet = line->packet;
    uint8_t mac[FOE_MAC];
    uint32_t length;

    if (!foe_hear(line, packet, FOE_BLOCK))
        return false;
    foe_decrypt(line, packet, FOE_BLOCK);
    memcpy(&length, packet, sizeof(length));
    length = ntohl(length) + 4;
    if (length < FOE_BLOCK || length > FOE_PACKET_MAX ||
        !foe_hear(line, packet + FOE_BLOCK, length - FOE_BLOCK))
        return false;
    foe_decrypt(line, packet + FOE_BLOCK, length - FOE_BLOCK);
    line->payload_len = length - 5 - packet[4];
    return !line->in.cipher || foe_hear(line, mac, sizeof(mac));
}

static struct key_wire
foe_payload(const struct foe_line *line)
{
    return (struct key_wire){ .at = line->packet + 6, .left = line->payload_len - 1 };
}

/* --- The way in ----------------------------------------------------------------------------------- */

static void
foe_put_text(struct buf *buf, const char *text)
{
    key_wire_put(buf, text, strlen(text));
}

static void
foe_write_lists(struct buf *buf)
{
    static const char *const lists[] = {
        "curve25519-sha256", "ssh-ed25519", "aes256-ctr", "aes256-ctr", "hmac-sha2-256",
        "hmac-sha2-256",     "none",        "none",       "",           ""
    };

    buf_append_char(buf, FOE_KEXINIT);
    buf_append(buf, "0123456789abcdef", 16); /* the cookie */
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        foe_put_text(buf, lists[i]);
    buf_append(buf, "\0\0\0\0\0", 5);
}

bool
foe_greet(struct foe_line *line)
{
    size_t len = 0;
    char c = '\0';

    while (c != '\n' && len < sizeof(line->banner) && foe_hear(line, &c, 1))
        line->banner[len++] = c;
    line->banner[len > 2 ? len - 2 : 0] = '\0';
    foe_write_lists(&line->own);
    return foe_say(line, foe_banner, strlen(foe_banner)) && foe_say(line, "\r\n", 2) &&
           foe_send(line, line->own.data, line->own.len);
}

/* A positive number: its highest bit must not be a sign. */
static void
foe_put_number(struct buf *buf, const uint8_t *at, size_t len)
{
    uint8_t number[64] = { 0 };

    while (len > 0 && *at == 0)
        at++, len--;
    memcpy(number + 1, at, len);
    key_wire_put(buf, number + (*at < 0x80), len + (*at >= 0x80));
}

static EVP_CIPHER_CTX *
foe_cipher(const uint8_t key[TEXT_SHA256_SIZE], const uint8_t start[TEXT_SHA256_SIZE])
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

    (void)EVP_EncryptInit_ex(cipher, EVP_aes_256_ctr(), NULL, key, start);
    return cipher;
}

/* RFC 4253, 7.2. @which: A to F */
static void
foe_derive(const struct buf *shared, const uint8_t *hash, char which,
           uint8_t ret_key[TEXT_SHA256_SIZE])
{
    struct buf text;

    buf_init(&text, 0);
    buf_append(&text, shared->data, shared->len);
    buf_append(&text, (const char *)hash, TEXT_SHA256_SIZE);
    buf_append_char(&text, which);
    buf_append(&text, (const char *)hash, TEXT_SHA256_SIZE);
    text_sha256(text.data, text.len, ret_key);
    buf_fini(&text);
}

/* The secret that both know, as a number on the wire. */
static void
foe_agree(const struct key_wire *theirs, uint8_t ret_own[KEY_SIZE], struct buf *ret_shared)
{
    EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs->at, theirs->left);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
    uint8_t secret[KEY_SIZE];
    size_t len = KEY_SIZE;

    (void)EVP_PKEY_get_raw_public_key(own, ret_own, &len);
    (void)EVP_PKEY_derive_init(context);
    (void)EVP_PKEY_derive_set_peer(context, peer);
    (void)EVP_PKEY_derive(context, secret, &len);
    foe_put_number(ret_shared, secret, len);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
}

/* The answer to KEX_ECDH_INIT; @ret_hash of all that was said, which it signs. */
static bool
foe_reply(struct foe_line *line, struct buf *shared, uint8_t ret_hash[TEXT_SHA256_SIZE])
{
    struct key_wire payload = foe_payload(line);
    struct key_wire theirs = key_wire_get(&payload);
    uint8_t blob[KEY_BLOB_SIZE];
    uint8_t own[KEY_SIZE];
    uint8_t signature[KEY_SIGNATURE_SIZE];
    struct buf text, signed_text;
    bool good;

    foe_agree(&theirs, own, shared);
    key_public_blob(key_public(line->foe->host_key), blob);
    buf_init(&text, 0);
    buf_init(&signed_text, 0);
    foe_put_text(&text, line->banner);
    foe_put_text(&text, foe_banner);
    key_wire_put(&text, line->other.data, line->other.len);
    key_wire_put(&text, line->own.data, line->own.len);
    key_wire_put(&text, blob, sizeof(blob));
    key_wire_put(&text, theirs.at, theirs.left);
    key_wire_put(&text, own, sizeof(own));
    buf_append(&text, shared->data, shared->len);
    text_sha256(text.data, text.len, ret_hash);
    key_sign(line->foe->host_key, ret_hash, TEXT_SHA256_SIZE, signature);
    foe_put_text(&signed_text, KEY_TYPE);
    key_wire_put(&signed_text, signature, sizeof(signature));
    buf_clear(&text);
    buf_append_char(&text, FOE_KEX_REPLY);
    key_wire_put(&text, blob, sizeof(blob));
    key_wire_put(&text, own, sizeof(own));
    key_wire_put(&text, signed_text.data, signed_text.len);
    good = foe_send(line, text.data, text.len);
    buf_fini(&signed_text);
    buf_fini(&text);
    return good;
}

bool
foe_shake(struct foe_line *line)
{
    static const char new_keys[] = { FOE_NEWKEYS };
    uint8_t keys['F' - 'A' + 1][TEXT_SHA256_SIZE];
    uint8_t hash[TEXT_SHA256_SIZE];
    struct buf shared;
    bool good;

    buf_init(&shared, 0);
    good = foe_receive(line);
    if (good)
        buf_append(&line->other, (const char *)line->packet + 5, line->payload_len);
    good = good && foe_receive(line) && foe_reply(line, &shared, hash) &&
           foe_send(line, new_keys, sizeof(new_keys)) && foe_receive(line);
    for (char which = 'A'; good && which <= 'F'; which++)
        foe_derive(&shared, hash, which, keys[which - 'A']);
    if (good) {
        line->in.cipher = foe_cipher(keys['C' - 'A'], keys['A' - 'A']);
        line->out.cipher = foe_cipher(keys['D' - 'A'], keys['B' - 'A']);
        memcpy(line->out.mac_key, keys['F' - 'A'], FOE_MAC);
    }
    buf_fini(&shared);
    return good;
}

bool
foe_let_in(struct foe_line *line, char ret_token[FOE_TOKEN_LEN + 1])
{
    static const char accepted[] = "\6\0\0\0\14ssh-userauth";
    static const char logged_in[] = { FOE_LOGGED_IN };
    static const char success[] = { FOE_CHANNEL_SUCCESS, 0, 0, 0, 0 };
    struct key_wire payload;
    struct buf opened;
    bool good;

    buf_init(&opened, 0);
    buf_append_char(&opened, FOE_CHANNEL_OPENED);
    key_wire_put_number(&opened, 0);
    key_wire_put_number(&opened, 0);
    key_wire_put_number(&opened, FOE_WINDOW);
    key_wire_put_number(&opened, FOE_PAYLOAD_MAX);
    good = foe_receive(line) && foe_send(line, accepted, sizeof(accepted) - 1) &&
           foe_receive(line) && foe_send(line, logged_in, sizeof(logged_in)) && foe_receive(line) &&
           foe_send(line, opened.data, opened.len) && foe_receive(line) &&
           foe_send(line, success, sizeof(success)) && foe_receive(line);
    buf_fini(&opened);
    payload = foe_payload(line);
    (void)key_wire_number(&payload);
    payload = key_wire_get(&payload);
    if (!good || payload.left < FOE_TOKEN_LEN)
        return false;
    memcpy(ret_token, payload.at, FOE_TOKEN_LEN);
    ret_token[FOE_TOKEN_LEN] = '\0';
    return true;
}

bool
foe_write(struct foe_line *line, const void *data, size_t len)
{
    struct buf text;
    bool good;

    buf_init(&text, 0);
    buf_append_char(&text, FOE_CHANNEL_DATA);
    key_wire_put_number(&text, 0);
    key_wire_put(&text, data, len);
    good = foe_send(line, text.data, text.len);
    buf_fini(&text);
    return good;
}

/* --- The process ---------------------------------------------------------------------------------- */

static void
foe_serve(struct foe *foe)
{
    struct foe_line *line = mem_new0(sizeof(*line));

    line->foe = foe;
    line->socket = accept(foe->listener, NULL, NULL);
    buf_init(&line->own, 0);
    buf_init(&line->other, 0);
    if (line->socket >= 0)
        foe->play(line);
    (void)close(line->socket);
    EVP_CIPHER_CTX_free(line->in.cipher);
    EVP_CIPHER_CTX_free(line->out.cipher);
    buf_fini(&line->own);
    buf_fini(&line->other);
    mem_free(line);
}

void
foe_start(struct foe *foe)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);

    foe->sent =
        mmap(NULL, sizeof(*foe->sent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(foe->sent != MAP_FAILED);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    foe->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(foe->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(foe->listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(foe->listener, 8), 0);
    foe->port = ntohs(address.sin_port);
    foe->pid = fork();
    assert_true(foe->pid >= 0);
    if (foe->pid > 0)
        return;
    (void)alarm(FOE_LIFE_S);
    for (;;)
        foe_serve(foe);
}

void
foe_stop(struct foe *foe)
{
    (void)kill(foe->pid, SIGKILL);
    (void)waitpid(foe->pid, NULL, 0);
    (void)close(foe->listener);
    (void)munmap(foe->sent, sizeof(*foe->sent));
}
