#pragma once

/*
 * The shared files of the AWS SDKs: sections in brackets, "name = value" below them, '#' and ';' begin
 * comments, what is indented belongs to the line above it and is of no use here.
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/secret.h"

struct credentials_ini {
    const char *text; /* of a file; need not end with NUL */
    size_t len;
    const char *section; /* "default", "profile web" */
};

/** credentials_ini_get() - the value of @name; what stands last counts, as with the SDKs.
 * Return: an owned secret, or NULL when it is missing or empty. */
struct secret *credentials_ini_get(const struct credentials_ini *ini, const char *name) MUST_USE;
/** credentials_ini_has() - the section is there. */
bool credentials_ini_has(const struct credentials_ini *ini);
