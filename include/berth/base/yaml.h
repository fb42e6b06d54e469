#pragma once

/*
 * YAML 1.1 documents as JSON trees, through libyaml, with limits: 1 MiB, depth
 * 64, no aliases, no duplicate keys.  Plain scalars that are true, false, null
 * (or ~), integers or decimals become those; quoted ones stay strings.  So do numbers with needless
 * zeros in front (0644), yes, no, on, off, and what does not fit into 64 bits.  Tags but !!str are
 * refused.
 */

#include <stddef.h>

#include "berth/base/json.h"

/**
 * yaml_parse() - one document
 * @name:     what to call it in errors, e.g. the file's name
 * @ret_json: owned; an empty document gives an empty object
 *
 * Return: 0, or -1 with FAULT_INVALID "NAME:LINE:COLUMN: what is wrong".
 */
int yaml_parse(const char *name, const char *data, size_t len, json_t **ret_json,
               struct fault *fault);

/** yaml_encode() - @json in block style; strings are quoted where a reader could mistake them. */
void yaml_encode(const json_t *json, struct buf *buf);
