#pragma once

/*
 * Blanks secrets in a stream that comes in pieces, wherever a piece may end.
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/buf.h"

enum { REDACT_LEN_MIN = 4 };

/* What is blanked: texts, and the lines of those that have several. */
struct redact_words {
    struct redact_word {
        const char *text; /* borrowed from the secrets */
        size_t len;
    } * list; /* owned; the longest first */
    size_t count;
};

/** redact_words_init() - the secrets are borrowed. */
void redact_words_init(struct redact_words *words, const char *const *secrets, size_t count);
void redact_words_fini(struct redact_words *words);

struct redact {
    const struct redact_words *words; /* borrowed */
    struct buf held;                  /* what may be the beginning of a secret */
};

void redact_init(struct redact *redact, const struct redact_words *words);
void redact_fini(struct redact *redact);

/** redact_feed() - @len more bytes; what is known to be no secret is appended to @out. @last: no more
 * come, so nothing is held back. */
void redact_feed(struct redact *redact, const char *data, size_t len, bool last, struct buf *out);
