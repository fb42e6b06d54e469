#pragma once

/*
 * Certificates for tests, minted in the process: an authority, and what it
 * signs.  Each becomes two PEM files, <folder>/<name>.pem and <name>.key.
 */

#include <stddef.h>

struct fake_pki; /* one authority */

/** fake_pki_new() - an authority called @name; its certificate is in @folder too. */
struct fake_pki *fake_pki_new(const char *folder, const char *name);
void fake_pki_free(struct fake_pki *pki);
/** fake_pki_issue() - a certificate for server and client; @names as in subjectAltName, e.g.
 * "IP:127.0.0.1,DNS:localhost". */
void fake_pki_issue(struct fake_pki *pki, const char *name, const char *names);
