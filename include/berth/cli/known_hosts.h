#pragma once

/*
 * The operator's own SSH known_hosts: the ed25519 key that somebody has already
 * compared with the machine.
 */

#include "berth/domain/given.h"

/**
 * cli_known_hosts_find() - the ed25519 key of @given's address and port in @text, a known_hosts file: with
 * plain or hashed names, as sshd(8) describes them; lines with a marker or with patterns are passed over
 * @ret_key: owned: "ssh-ed25519 AAAA..."
 *
 * Return: whether there is one.
 */
bool cli_known_hosts_find(const char *text, const struct given *given, char **ret_key);
