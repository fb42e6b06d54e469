#include "ssh_offer.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/mem.h"

#include "key_wire.h"

enum {
    OFFER_KEXINIT = 20,      /* SSH_MSG_KEXINIT */
    OFFER_HEAD = 4 + 1 + 17, /* length of packet, of padding; message and cookie */
    OFFER_LISTS = 6,
};

/* What libssh2 1.10 has, without what rests on SHA-1, CBC or RC4, and without a group of the server's choice:
 * nothing bounds its size, and the calculation would hold the loop for as long as whoever answers wants. */
static const struct {
    const char *what;
    const char *ours;
    const char *needs; /* the one to name */
} ssh_offers[SSH_OFFER_COUNT] = {
    [SSH_OFFER_KEX] = { "key exchange",
                        "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
                        "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,"
                        "diffie-hellman-group14-sha256",
                        "curve25519-sha256" },
    [SSH_OFFER_HOST_KEY] = { "type of host key", "ssh-ed25519", "ssh-ed25519" },
    [SSH_OFFER_CIPHER] = { "cipher", "aes256-ctr,aes192-ctr,aes128-ctr", "aes256-ctr" },
    [SSH_OFFER_MAC] = { "MAC", "hmac-sha2-256,hmac-sha2-512", "hmac-sha2-256" },
};

const char *
ssh_offer_ours(enum ssh_offer_kind kind)
{
    return ssh_offers[kind].ours;
}

/* Behind the line that begins with SSH-; others may come before it (RFC 4253, 4.2). */
static struct key_wire
ssh_offer_packet(const char *bytes, size_t len)
{
    bool found = false;

    while (!found) {
        const char *end = len > 0 ? memchr(bytes, '\n', len) : NULL;

        if (!end)
            return (struct key_wire){ .bad = true };
        found = len > 4 && memcmp(bytes, "SSH-", 4) == 0;
        len -= (size_t)(end + 1 - bytes);
        bytes = end + 1;
    }
    if (len <= OFFER_HEAD || bytes[5] != OFFER_KEXINIT)
        return (struct key_wire){ .bad = true };
    return (struct key_wire){ .at = (const uint8_t *)bytes + OFFER_HEAD, .left = len - OFFER_HEAD };
}

static bool
ssh_offer_names(const struct key_wire *list, const char *name, size_t len)
{
    const char *at = (const char *)list->at;
    size_t left = list->left;

    while (left > 0) {
        const char *comma = memchr(at, ',', left);
        size_t size = comma ? (size_t)(comma - at) : left;

        if (size == len && memcmp(at, name, len) == 0)
            return true;
        at += comma ? size + 1 : size;
        left -= comma ? size + 1 : size;
    }
    return false;
}

static bool
ssh_offer_has(const struct key_wire *list, const char *ours)
{
    while (*ours) {
        size_t len = strcspn(ours, ",");

        if (ssh_offer_names(list, ours, len))
            return true;
        ours += len + (ours[len] == ',');
    }
    return false;
}

bool
ssh_offer_lacks(const void *bytes, size_t len, char ret_text[SSH_OFFER_TEXT_SIZE])
{
    static const enum ssh_offer_kind kinds[OFFER_LISTS] = { SSH_OFFER_KEX,    SSH_OFFER_HOST_KEY,
                                                            SSH_OFFER_CIPHER, SSH_OFFER_CIPHER,
                                                            SSH_OFFER_MAC,    SSH_OFFER_MAC };
    struct key_wire packet = ssh_offer_packet(bytes, len);

    for (size_t i = 0; i < OFFER_LISTS; i++) {
        struct key_wire list = key_wire_get(&packet);

        if (packet.bad)
            return false;
        if (!ssh_offer_has(&list, ssh_offers[kinds[i]].ours)) {
            (void)snprintf(ret_text, SSH_OFFER_TEXT_SIZE,
                           "no %s in common: it has %.*s, Berth needs %s",
                           ssh_offers[kinds[i]].what, (int)(list.left < 70 ? list.left : 70),
                           (const char *)list.at, ssh_offers[kinds[i]].needs);
            return true;
        }
    }
    return false;
}
