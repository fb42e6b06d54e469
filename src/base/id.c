#include "berth/base/id.h"

#include <assert.h>
#include <string.h>

enum {
    ID_RANDOM_BITS = 22,
    ID_TIME_BITS = 41,
    ID_DIGITS = 13,
    ID_DIGIT_BITS = 5,
};

static const char id_alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

int64_t
id_make(int64_t last, int64_t now_ms, uint32_t random)
{
    const int64_t most_ms = ((int64_t)1 << ID_TIME_BITS) - 1; /* in 2039; from then on last + 1 */
    int64_t id;

    assert(last >= 0 && last < INT64_MAX);
    if (now_ms < 0)
        now_ms = 0;
    if (now_ms > most_ms)
        now_ms = most_ms;
    id = now_ms << ID_RANDOM_BITS | (random & ((1U << ID_RANDOM_BITS) - 1));
    return id > last ? id : last + 1;
}

const char *
id_encode(enum id_kind kind, int64_t id, char ret_text[ID_TEXT_SIZE])
{
    uint64_t left = (uint64_t)id;

    assert(id > 0);
    ret_text[0] = (char)kind;
    ret_text[1] = '-';
    for (int i = ID_DIGITS - 1; i >= 0; i--) {
        ret_text[2 + i] = id_alphabet[left & ((1U << ID_DIGIT_BITS) - 1)];
        left >>= ID_DIGIT_BITS;
    }
    ret_text[2 + ID_DIGITS] = '\0';
    return ret_text;
}

/* What @c counts for; -1: it is no digit. */
static int
id_digit(char c)
{
    /* From '0' to 'z'; i, l, o and u are no digits. */
    static const int8_t digits['z' - '0' + 1] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 10, 11, 12, 13, 14, 15, 16, 17,
        -1, 18, 19, -1, 20, 21, -1, 22, 23, 24, 25, 26, -1, 27, 28, 29, 30, 31,
    };

    return c >= '0' && c <= 'z' ? digits[c - '0'] : -1;
}

bool
id_decode(enum id_kind kind, const char *text, int64_t *ret_id)
{
    uint64_t id = 0;

    if (!text || strnlen(text, ID_TEXT_SIZE) != ID_TEXT_SIZE - 1)
        return false;
    if (text[0] != (char)kind || text[1] != '-')
        return false;
    if (text[2] > '7') /* 13 digits are 65 bits, an id has 63 */
        return false;
    for (int i = 0; i < ID_DIGITS; i++) {
        int digit = id_digit(text[2 + i]);

        if (digit < 0)
            return false;
        id = id << ID_DIGIT_BITS | (uint64_t)digit;
    }
    if (id == 0)
        return false;
    *ret_id = (int64_t)id;
    return true;
}
