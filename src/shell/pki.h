#pragma once

/*
 * A pool's own certificates: an authority, and what it signs.  Each pair is a P-256 key and an X.509
 * certificate (RFC 5280).  The private key of a server's pair is made here and travels to its host over
 * SSH; the authority's never leaves.
 *
 * A certificate is good from a day before it was made on, so that a machine whose clock is behind
 * accepts it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/secret.h"
#include "berth/port/random.h"

enum { PKI_NAME_MAX = 64 /* bytes of a common name: ub-common-name */ };

/* Both PEM. */
struct pki_pair {
    char *certificate;  /* owned */
    struct secret *key; /* owned; PKCS #8 */
};

/** pki_pair_fini() - half-built ones, too. */
void pki_pair_fini(struct pki_pair *pair);

enum pki_role {
    PKI_CLIENT, /* may ask a server of the same authority, and not be one */
    PKI_SERVER, /* the other way round */
};

struct pki_order {
    enum pki_role role;
    const char *name;    /* common name: at most PKI_NAME_MAX bytes */
    const char *address; /* server: as an IP address, v4 or v6 */
    const char *dns;     /* server: as a name, too; letters, digits, dots and dashes; NULL: none */
    int64_t now_ms;
    int64_t lifetime_ms; /* from now on; cut at the authority's end */
};

/** pki_authority_new() - good for ten years.
 * @name: at most PKI_NAME_MAX bytes
 * @random: of its serial number
 * Return: 0, or -1 with FAULT_BUG. */
int pki_authority_new(const char *name, int64_t now_ms, const struct random_port *random,
                      struct pki_pair *ret_authority, struct fault *fault);

/** pki_issue() - Return: 0, or -1 with FAULT_INVALID (an address or name that is none, an authority
 * that has ended or cannot be read) or FAULT_BUG. */
int pki_issue(const struct pki_pair *authority, const struct pki_order *order,
              const struct random_port *random, struct pki_pair *ret_pair, struct fault *fault);

/** pki_check() - whether @pair is whole: both can be read, belong together, and @issuer (PEM; that of
 * @pair itself for an authority) has signed it.
 * @ret_ends_at_ms: may be NULL
 * Return: 0, or -1 with FAULT_INVALID. */
int pki_check(const struct pki_pair *pair, const char *issuer, int64_t *ret_ends_at_ms,
              struct fault *fault);
