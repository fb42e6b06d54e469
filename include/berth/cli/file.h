#pragma once

/*
 * Documents that people write: YAML or JSON, from a file or standard input.
 */

#include "berth/base/json.h"

/**
 * cli_file_read() - all of @name, "-" is standard input
 * @ret_text: owned by the caller, buf_fini()
 *
 * Return: 0, or -1 with FAULT_NOT_FOUND (can't be read) or FAULT_TOO_LARGE.
 */
int cli_file_read(const char *name, struct buf *ret_text, struct fault *fault);

/**
 * cli_file_documents() - the documents in @text: JSON (a list counts as several) or YAML, separated
 * by lines "---"
 * @name:     for errors
 * @ret_list: owned array
 *
 * Return: 0, or -1 with FAULT_INVALID that names the line.
 */
int cli_file_documents(const char *name, const char *text, size_t len, json_t **ret_list,
                       struct fault *fault);
