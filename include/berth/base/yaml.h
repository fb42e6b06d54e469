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

/* A document, and where in the text its nodes stand. */
struct yaml_marked {
    json_t *json;  /* owned */
    json_t *marks; /* owned; a tree of its own kind, for the functions below */
};

/* Both from 1. */
struct yaml_place {
    unsigned line;
    unsigned column;
};

/**
 * yaml_parse_marked() - the same, of a document that readers of YAML 1.1 must understand in the same
 * way (https://yaml.org/type/): yes, no, on, off are booleans, 0644 is an octal number, and plain
 * scalars that YAML 1.1 takes for something that we have not (1:30, 0x1f, 1_000, .5, dates) are refused.
 * @ret_marked: owned, yaml_marked_fini()
 */
int yaml_parse_marked(const char *name, const char *data, size_t len,
                      struct yaml_marked *ret_marked, struct fault *fault);
void yaml_marked_fini(struct yaml_marked *marked);

/** yaml_place() - where the node of this mark begins; NULL: 1:1. */
struct yaml_place yaml_place(const json_t *mark);
/* The mark of a member of the mapping or list whose mark is given: of its key, of its value, of an item;
 * borrowed, NULL when there is none. */
const json_t *yaml_mark_key(const json_t *mark, const char *key);
const json_t *yaml_mark_value(const json_t *mark, const char *key);
const json_t *yaml_mark_item(const json_t *mark, size_t index);

/** yaml_encode() - @json in block style; strings are quoted where a reader could mistake them. */
void yaml_encode(const json_t *json, struct buf *buf);
