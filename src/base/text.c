#include "berth/base/text.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static const char text_hex_digits[] = "0123456789abcdef";
static const char text_base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char text_base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
text_hex(const uint8_t *data, size_t len, char *ret_text)
{
    for (size_t i = 0; i < len; i++) {
        *ret_text++ = text_hex_digits[data[i] >> 4];
        *ret_text++ = text_hex_digits[data[i] & 15];
    }
    *ret_text = '\0';
}

/* What a character counts for, and one more: 0 is no digit. */
static const uint8_t text_hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static unsigned
text_hex_digit(char c)
{
    return text_hex_values[(unsigned char)c] - 1U;
}

bool
text_hex_parse(const char *text, uint8_t *ret_data, size_t len)
{
    bool odd = false;

    if (!text || strlen(text) != 2 * len)
        return false;
    for (size_t i = 0; i < 2 * len; i++)
        odd |= text_hex_values[(unsigned char)text[i]] == 0;
    if (odd)
        return false;
    for (size_t i = 0; i < len; i++)
        ret_data[i] = (uint8_t)(text_hex_digit(text[2 * i]) << 4 | text_hex_digit(text[2 * i + 1]));
    return true;
}

static void
text_base64_with(const char *digits, const uint8_t *data, size_t len, char *ret_text)
{
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)data[i] << 16;

        if (i + 1 < len)
            bits |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < len)
            bits |= data[i + 2];
        *ret_text++ = digits[bits >> 18];
        *ret_text++ = digits[bits >> 12 & 63];
        *ret_text++ = (char)(i + 1 < len ? digits[bits >> 6 & 63] : '=');
        *ret_text++ = (char)(i + 2 < len ? digits[bits & 63] : '=');
    }
    *ret_text = '\0';
}

void
text_base64(const uint8_t *data, size_t len, char *ret_text)
{
    text_base64_with(text_base64_digits, data, len, ret_text);
}

void
text_base64url(const uint8_t *data, size_t len, char *ret_text)
{
    text_base64_with(text_base64url_digits, data, len, ret_text);
}

/* -1: it is none of them. */
static int
text_base64_value(char c)
{
    const char *at = c ? strchr(text_base64_digits, c) : NULL;

    return at ? (int)(at - text_base64_digits) : -1;
}

/* Three bytes of four characters. Return: whether they are good. */
static bool
text_base64_quad(const char *text, size_t good, uint8_t ret_bytes[3])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < good ? text_base64_value(text[i]) : 0;

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    ret_bytes[0] = (uint8_t)(bits >> 16);
    ret_bytes[1] = (uint8_t)(bits >> 8);
    ret_bytes[2] = (uint8_t)bits;
    return true;
}

bool
text_base64_decode(const char *text, size_t len, uint8_t *ret_data, size_t size, size_t *ret_len)
{
    size_t padding = 0;
    size_t out = 0;

    while (padding < 2 && padding < len && text[len - padding - 1] == '=')
        padding++;
    if (len == 0 || len % 4 != 0 || len / 4 * 3 - padding > size)
        return false;
    for (size_t i = 0; i < len; i += 4) {
        size_t good = i + 4 < len ? 4 : 4 - padding;
        uint8_t bytes[3];

        if (!text_base64_quad(text + i, good, bytes))
            return false;
        memcpy(ret_data + out, bytes, good - 1);
        out += good - 1;
    }
    *ret_len = out;
    return true;
}

/* The lead bytes of longer sequences with the range of the byte that follows them: Unicode 15,
 * table 3-7. The ranges are what keeps overlong forms, surrogates and U+110000 out. */
static const struct {
    uint8_t first;
    uint8_t last;
    uint8_t second_min;
    uint8_t second_max;
    uint8_t len;
} text_utf8_leads[] = {
    { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
    { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t
text_utf8_sequence(const char *data, size_t len)
{
    const uint8_t *at = (const uint8_t *)data;
    size_t i = 0;

    if (len == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    while (i < ARRAY_LEN(text_utf8_leads) && at[0] > text_utf8_leads[i].last)
        i++;
    if (i == ARRAY_LEN(text_utf8_leads) || at[0] < text_utf8_leads[i].first ||
        len < text_utf8_leads[i].len || at[1] < text_utf8_leads[i].second_min ||
        at[1] > text_utf8_leads[i].second_max)
        return 0;
    for (size_t more = 2; more < text_utf8_leads[i].len; more++) {
        if ((at[more] & 0xc0) != 0x80)
            return 0;
    }
    return text_utf8_leads[i].len;
}

size_t
text_utf8_len(const char *data, size_t len)
{
    size_t at = 0;
    size_t step;

    while (at < len && (step = text_utf8_sequence(data + at, len - at)) > 0)
        at += step;
    return at;
}

/* C0, DEL, and C1 (U+0080 to U+009F), which some terminals obey as well. */
static bool
text_is_control(const char *at, size_t step)
{
    const uint8_t *bytes = (const uint8_t *)at;

    if (step == 1)
        return bytes[0] < 0x20 || bytes[0] == 0x7f;
    return step == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0;
}

void
text_utf8_clean(char *text, bool keep_lines)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t step = text_utf8_sequence(text, left);
        bool kept = keep_lines && (*text == '\n' || *text == '\t');

        if (step == 0) {
            *text = '?';
            step = 1;
        } else if (text_is_control(text, step) && !kept) {
            memset(text, ' ', step);
        }
        text += step;
        left -= step;
    }
}

/* @len without a sequence that starts in @text but does not end there. */
static size_t
text_utf8_cut(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        uint8_t byte = (uint8_t)text[len - back];

        if ((byte & 0xc0) == 0x80)
            continue;
        return byte >= 0xc0 && text_utf8_sequence(text + len - back, back) == 0 ? len - back : len;
    }
    return len;
}

void
text_line_vprintf(char *ret_text, size_t size, const char *format, va_list args)
{
    int len = vsnprintf(ret_text, size, format, args);

    assert(size > 0);
    if (len < 0) {
        ret_text[0] = '\0';
    } else if ((size_t)len >= size) {
        ret_text[text_utf8_cut(ret_text, size - 1)] = '\0';
    }
    text_utf8_clean(ret_text, false);
}

static bool
text_is_name_end(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
text_is_name(const char *text)
{
    enum { NAME_MAX_LEN = 63 };
    size_t len = text ? strnlen(text, NAME_MAX_LEN + 1) : 0;

    if (len < 1 || len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!text_is_name_end(text[i]) && text[i] != '-' && text[i] != '.')
            return false;
    }
    return text_is_name_end(text[0]) && text_is_name_end(text[len - 1]);
}

bool
text_equal_secret(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void
text_sha256(const void *data, size_t len, uint8_t ret_digest[TEXT_SHA256_SIZE])
{
    int done = EVP_Digest(data, len, ret_digest, NULL, EVP_sha256(), NULL);

    if (done != 1) /* only without memory or without the algorithm: nothing could be trusted */
        abort();
}
