#pragma once

/*
 * Machines that are given to Berth instead of rented: how they are reached by SSH,
 * and the host key that they must show.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
    GIVEN_USER_SIZE = 33,
    GIVEN_ADDRESS_SIZE = 254,
    GIVEN_SSH_PORT = 22,
    GIVEN_KEY_CHARS = 68, /* base64 of an ed25519 public key as SSH writes it: 51 bytes */
};

struct given {
    char user[GIVEN_USER_SIZE];
    char address[GIVEN_ADDRESS_SIZE]; /* a name, an IPv4 or an IPv6 address without brackets */
    int32_t port;
};

/** given_parse() - "user@address", "user@address:port", "user@[IPv6]:port". Return: whether that is it. */
bool given_parse(const char *text, struct given *ret_given);

/** given_check_ssh() - NULL when given_parse() takes @text, else what it must be. For tables. */
const char *given_check_ssh(const char *text);

/** given_check_key() - NULL when @text is "ssh-ed25519 AAAA...", perhaps with a comment behind it; else
 * what is wrong: other kinds of keys are not verified.  For tables. */
const char *given_check_key(const char *text);

/** given_key() - @text, which given_check_key() has found good, without its comment. Owned. */
char *given_key(const char *text);
