#include <stdint.h>
#include <string.h>

#include "berth/base/digest.h"
#include "berth/cli/known_hosts.h"

enum { KNOWN_HOSTS_SALT_MAX = 64 };

/* A word of a line: [len], not NUL terminated. */
struct known_word {
    const char *at;
    size_t len;
};

static struct known_word
cli_known_hosts_word(const char **line)
{
    struct known_word word;

    *line += strspn(*line, " \t");
    word.at = *line;
    word.len = strcspn(*line, " \t\r\n");
    *line += word.len;
    return word;
}

/* "address", or "[address]:port" when that is not 22; owned. */
static char *
cli_known_hosts_name(const struct given *given)
{
    if (given->port == GIVEN_SSH_PORT)
        return mem_strdup(given->address);
    return mem_printf("[%s]:%d", given->address, (int)given->port);
}

/* "|1|SALT|CODE", both base64: the name is hidden in an HMAC-SHA-1 with that salt. */
static bool
cli_known_hosts_is_hashed(const struct known_word *word, const char *name)
{
    const char *salt_text = word->at + 3;
    const char *code = memchr(salt_text, '|', word->len - 3);
    uint8_t salt[KNOWN_HOSTS_SALT_MAX];
    uint8_t digest[DIGEST_SHA1_SIZE];
    char text[4 * ((DIGEST_SHA1_SIZE + 2) / 3) + 1];
    size_t len;

    if (!code ||
        !text_base64_decode(salt_text, (size_t)(code - salt_text), salt, sizeof(salt), &len))
        return false;
    digest_hmac_sha1(salt, len, name, strlen(name), digest);
    text_base64(digest, sizeof(digest), text);
    code++;
    return strlen(text) == word->len - (size_t)(code - word->at) &&
           strncmp(code, text, strlen(text)) == 0;
}

static bool
cli_known_hosts_matches(const struct known_word *word, const char *name)
{
    size_t len;

    if (word->len > 3 && strncmp(word->at, "|1|", 3) == 0)
        return cli_known_hosts_is_hashed(word, name);
    for (const char *at = word->at; at < word->at + word->len; at += len + 1) {
        len = strcspn(at, ", \t\r\n");
        if (len == strlen(name) && strncmp(at, name, len) == 0)
            return true;
    }
    return false;
}

/* The key of @line when it is of @given and good; owned, else NULL. */
static char *
cli_known_hosts_key(const char *line, const struct given *given)
{
    CLEANUP(mem_freep) char *name = cli_known_hosts_name(given);
    struct known_word names = cli_known_hosts_word(&line);
    struct known_word type = cli_known_hosts_word(&line);
    struct known_word key = cli_known_hosts_word(&line);
    CLEANUP(mem_freep) char *found = NULL;

    if (names.len == 0 || names.at[0] == '#' || names.at[0] == '@' || key.len == 0 ||
        !cli_known_hosts_matches(&names, name))
        return NULL;
    found = mem_printf("%.*s %.*s", (int)type.len, type.at, (int)key.len, key.at);
    return given_check_key(found) ? NULL : STEAL(found);
}

bool
cli_known_hosts_find(const char *text, const struct given *given, char **ret_key)
{
    char *key = NULL;

    while (*text && !key) {
        key = cli_known_hosts_key(text, given);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    if (key)
        *ret_key = key;
    return key != NULL;
}
