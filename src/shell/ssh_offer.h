#pragma once

/*
 * What a server said it can do, read from the first bytes of the connection: so that somebody whose
 * server and libssh2 have nothing in common is told what is missing.
 */

#include <stdbool.h>
#include <stddef.h>

enum { SSH_OFFER_MAX = 4096, SSH_OFFER_TEXT_SIZE = 160 };

/* Kinds of algorithms, in the order of RFC 4253, 7.1; both ways use the same. */
enum ssh_offer_kind {
    SSH_OFFER_KEX,
    SSH_OFFER_HOST_KEY,
    SSH_OFFER_CIPHER,
    SSH_OFFER_MAC,
    SSH_OFFER_COUNT
};

/** ssh_offer_ours() - names with commas, the best first. */
const char *ssh_offer_ours(enum ssh_offer_kind kind);

/** ssh_offer_lacks() - whether the server that began with these bytes lacks something that we need.
 * @ret_text: what, for people: "no cipher in common: it has ..., Berth needs ..." */
bool ssh_offer_lacks(const void *bytes, size_t len, char ret_text[SSH_OFFER_TEXT_SIZE]);
