#include "berth/domain/given.h"

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

#define GIVEN_KEY_TYPE  "ssh-ed25519 "
#define GIVEN_KEY_BEGIN "AAAAC3NzaC1lZDI1NTE5AAAAI" /* the type and the length, as base64 */

enum { GIVEN_PORT_MAX = 65535, GIVEN_PORT_DIGITS = 5 };

static bool
given_is_one_of(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(others, c));
}

/* Copies what is good for @others up to @len. Return: whether all is, and it fits. */
static bool
given_copy(char *to, size_t size, const char *text, size_t len)
{
    bool is_user = size == GIVEN_USER_SIZE;

    if (len == 0 || len >= size || text[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!given_is_one_of(text[i], is_user ? "_-." : ".-:%"))
            return false;
    }
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

static bool
given_port(const char *text, int32_t *ret_port)
{
    size_t len = strlen(text);
    int32_t port = 0;

    if (len == 0) {
        *ret_port = GIVEN_SSH_PORT;
        return true;
    }
    if (text[0] != ':' || len < 2 || len > 1 + GIVEN_PORT_DIGITS)
        return false;
    for (text++; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (*text - '0');
    }
    *ret_port = port;
    return port > 0 && port <= GIVEN_PORT_MAX;
}

bool
given_parse(const char *text, struct given *ret_given)
{
    const char *at = strchr(text, '@');
    const char *address = at ? at + 1 : NULL;
    struct given given;
    size_t len;

    if (!at || !given_copy(given.user, sizeof(given.user), text, (size_t)(at - text)))
        return false;
    if (address[0] == '[') {
        address++;
        len = strcspn(address, "]");
        if (address[len] != ']' || !given_port(address + len + 1, &given.port))
            return false;
    } else {
        len = strcspn(address, ":");
        if (!given_port(address + len, &given.port))
            return false;
    }
    if (!given_copy(given.address, sizeof(given.address), address, len))
        return false;
    *ret_given = given;
    return true;
}

const char *
given_check_ssh(const char *text)
{
    struct given given;

    return given_parse(text, &given) ? NULL : "must be user@address, perhaps with :port";
}

const char *
given_check_key(const char *text)
{
    size_t begin = strlen(GIVEN_KEY_TYPE);
    size_t len;

    if (strncmp(text, "ssh-rsa", 7) == 0 || strncmp(text, "ecdsa-", 6) == 0 ||
        strncmp(text, "ssh-dss", 7) == 0 || strncmp(text, "sk-", 3) == 0) {
        return "must be the machine's ed25519 key: no other kind is verified; "
               "ssh-keyscan -t ed25519 ADDRESS shows it";
    }
    if (strncmp(text, GIVEN_KEY_TYPE, begin) != 0)
        return "must be like 'ssh-ed25519 AAAA...', as ssh-keyscan -t ed25519 ADDRESS shows it";
    text += begin;
    len = strcspn(text, " ");
    for (size_t i = 0; i < len; i++) {
        if (!given_is_one_of(text[i], "+/"))
            return "must be base64 behind the word ssh-ed25519";
    }
    if (len != GIVEN_KEY_CHARS || strncmp(text, GIVEN_KEY_BEGIN, strlen(GIVEN_KEY_BEGIN)) != 0)
        return "must be a whole ed25519 key: 68 characters behind the word ssh-ed25519";
    return NULL;
}

char *
given_key(const char *text)
{
    assert(!given_check_key(text));
    return mem_printf("%.*s", (int)strlen(GIVEN_KEY_TYPE) + GIVEN_KEY_CHARS, text);
}
