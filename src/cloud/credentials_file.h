#pragma once

/*
 * Keys of a profile in the shared files of the AWS SDKs.
 */

#include "berth/cloud/credentials.h"

enum { CREDENTIALS_NOT_THERE = 1 };

/** credentials_file_text() - what the file at @path holds, without a line end; owned; NULL: nothing that
 * can be read. */
struct secret *credentials_file_text(const char *path) MUST_USE;
/** credentials_file_load() - read the keys of @profile from files[0] (credentials), else from files[1]
 * (config, where a section other than "default" is called "profile NAME"); NULL: no such file.
 * Return: 0 and owned keys; CREDENTIALS_NOT_THERE: neither file has the profile; -1 with
 * FAULT_CLOUD_DENIED: it is there, but of no use, and why. */
int credentials_file_load(const char *const files[2], const char *profile,
                          struct credentials_keys **ret_keys, struct fault *fault);
