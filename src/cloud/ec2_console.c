#include "ec2_console.h"

#include <stdint.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/port/cloud.h"

static int
ec2_console_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Return: bytes written. */
static size_t
ec2_console_bytes(const char *base64, char *ret)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 0;

    for (; *base64 && *base64 != '='; base64++) {
        int digit = ec2_console_digit(*base64);

        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            ret[len++] = (char)(bits >> count & 255);
        }
    }
    return len;
}

char *
ec2_console_decode(const char *base64)
{
    size_t size = strlen(base64) / 4 * 3 + 4;
    CLEANUP(mem_freep) char *bytes = mem_new0(size);
    size_t len = ec2_console_bytes(base64, bytes);
    size_t from = len > CLOUD_CONSOLE_MAX ? len - CLOUD_CONSOLE_MAX : 0;

    for (size_t i = from; i < len; i++) {
        if (bytes[i] == '\0')
            bytes[i] = ' ';
    }
    text_utf8_clean(bytes + from, true);
    return mem_strdup(bytes + from);
}
