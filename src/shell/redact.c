#include "redact.h"

#include <stdlib.h>
#include <string.h>

#include "berth/base/secret.h"

static int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): qsort()'s */
redact_longer(const void *a, const void *b)
{
    const struct redact_word *lhs = a;
    const struct redact_word *rhs = b;

    return (lhs->len < rhs->len) - (lhs->len > rhs->len);
}

static void
redact_add(struct redact_words *words, const char *text, size_t len)
{
    if (len < REDACT_LEN_MIN)
        return;
    words->list = mem_resize(words->list, words->count + 1, sizeof(*words->list));
    words->list[words->count++] = (struct redact_word){ .text = text, .len = len };
}

void
redact_words_init(struct redact_words *words, const char *const *secrets, size_t count)
{
    *words = (struct redact_words){ 0 };
    for (size_t i = 0; i < count; i++) {
        const char *end;

        redact_add(words, secrets[i], strlen(secrets[i]));
        for (const char *line = secrets[i]; (end = strchr(line, '\n')); line = end + 1) {
            /* "-----BEGIN ..." is none, and nothing that is short enough to be a word. */
            if (strncmp(line, "-----", 5) != 0)
                redact_add(words, line, (size_t)(end - line));
        }
    }
    if (words->count > 1)
        qsort(words->list, words->count, sizeof(*words->list), redact_longer);
}

void
redact_words_fini(struct redact_words *words)
{
    mem_free(words->list);
    *words = (struct redact_words){ 0 };
}

void
redact_init(struct redact *redact, const struct redact_words *words)
{
    redact->words = words;
    buf_init_secret(&redact->held, 0);
}

void
redact_fini(struct redact *redact)
{
    buf_fini(&redact->held);
}

/* The length of the longest secret at @data, 0: there is none; @ret_begins: a longer one may be there,
 * of which the rest has not come. */
static size_t
redact_match(const struct redact_words *words, const char *data, size_t len, bool *ret_begins)
{
    *ret_begins = false;
    for (size_t i = 0; i < words->count; i++) {
        const struct redact_word *word = &words->list[i];

        if (len >= word->len && memcmp(data, word->text, word->len) == 0)
            return word->len;
        *ret_begins |= len < word->len && memcmp(data, word->text, len) == 0;
    }
    return 0;
}

void
redact_feed(struct redact *redact, const char *data, size_t len, bool last, struct buf *out)
{
    size_t at = 0;

    if (len > 0)
        buf_append(&redact->held, data, len);
    while (at < redact->held.len) {
        bool begins;
        size_t match =
            redact_match(redact->words, redact->held.data + at, redact->held.len - at, &begins);

        if (begins && !last)
            break;
        if (match > 0) {
            buf_append_string(out, "***");
        } else {
            buf_append_char(out, redact->held.data[at]);
        }
        at += match > 0 ? match : 1;
    }
    if (at == 0)
        return;
    buf_consume(&redact->held, at);
}
