#pragma once

/*
 * Files of the keys directory: 0600 in folders of 0700, all of berthd's user, no links; anything else is
 * refused with the command that mends it.  A file gets its name when it is whole and on the disk.
 */

#include <stdbool.h>

#include "berth/base/fault.h"
#include "berth/base/secret.h"

enum { VAULT_FILE_MAX = 16384 }; /* bytes; less than so many are read */

/** vault_file_refuse() - FAULT_STORAGE: "@path: @why". Return: -1. */
int vault_file_refuse(const char *path, const char *why, struct fault *fault);
/** vault_file_folder() - make it; one that is there must be as it would have been made. */
int vault_file_folder(const char *path, struct fault *fault);
/** vault_file_read() - @ret_text: owned; NULL: there is no such file. */
int vault_file_read(const char *path, struct secret **ret_text, struct fault *fault);
/** vault_file_write() - @text as @folder/@name, in the place of what is there. */
int vault_file_write(const char *folder, const char *name, const struct secret *text,
                     struct fault *fault);
