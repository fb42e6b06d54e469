#pragma once

/*
 * Ids of rows: positive 64-bit numbers that rise with time, so that rows are
 * stored and listed in the order in which they were made.  Outside the program
 * an id is a letter, a dash and 13 digits of Crockford's base 32 in lower case
 * ("i-01h7q2m8k3v9a").  Ids of different letters never mix.
 */

#include <stdbool.h>
#include <stdint.h>

enum { ID_TEXT_SIZE = 16 }; /* letter, dash, 13 digits, NUL */

enum id_kind {
    ID_INSTANCE = 'i',
    ID_HOST = 'h',
    ID_BLUEPRINT = 'b',
    ID_TOKEN = 't',
    ID_OPERATION = 'o',
};

/** id_make() - an id later than @last: from @now_ms (Unix epoch) and 22 bits of @random. */
int64_t id_make(int64_t last, int64_t now_ms, uint32_t random);

/** id_encode() - @id's text; @id > 0. Return: @ret_text. */
const char *id_encode(enum id_kind kind, int64_t id, char ret_text[ID_TEXT_SIZE]);

/** id_decode() - the id of @text; false when it is not an id of this kind. */
bool id_decode(enum id_kind kind, const char *text, int64_t *ret_id);
