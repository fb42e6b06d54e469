#pragma once

/*
 * Where the nodes of a document stand: a tree beside the document's, of the same shape.
 * A scalar's mark is a number; a list's [number, [marks]], a mapping's
 * [number, {key: [the key's number, mark]}].
 */

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/json.h"

/** yaml_mark_pack() - a position as a number; both count from 0. */
json_int_t yaml_mark_pack(size_t line, size_t column);

/** yaml_mark_new() - owned; @ret_inside: where the marks of what is in @node go, borrowed. */
json_t *yaml_mark_new(const json_t *node, json_int_t at, json_t **ret_inside);

/** yaml_mark_set() - the mark, taken, of the value of @key. */
void yaml_mark_set(json_t *inside, const char *key, json_int_t key_at, json_t *mark);

/** yaml_mark_is_ambiguous() - whether YAML 1.1 makes another thing of this plain scalar than who wrote
 * it may think: 1:30, 0x1f, 1_000, 2026-01-02, .5, .inf. */
bool yaml_mark_is_ambiguous(const char *text);

/** yaml_mark_plain() - what YAML 1.1 makes of yes, no, on, off and 0644; NULL of another. Owned. */
json_t *yaml_mark_plain(const char *text);
