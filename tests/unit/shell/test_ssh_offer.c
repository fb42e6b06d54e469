/* What a server has to offer, from its first bytes: whatever they are. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/shell/key_wire.h"
#include "../../../src/shell/ssh_offer.h"

/* A banner with a line before it, and the packet with these lists. */
static struct buf
opening_of(const char *const lists[6])
{
    struct buf buf;

    buf_init(&buf, SSH_OFFER_MAX);
    buf_append_string(&buf, "welcome\r\nSSH-2.0-Test\r\n");
    key_wire_put_number(&buf, 1000);
    buf_append(&buf, "\4\24" /* padding, SSH_MSG_KEXINIT */ "0123456789abcdef", 18);
    for (size_t i = 0; i < 6; i++)
        key_wire_put(&buf, lists[i], strlen(lists[i]));
    return buf;
}

static void
tells_the_first_that_is_missing(void **state)
{
    static const struct {
        const char *lists[6];
        const char *words; /* NULL: nothing is missing */
    } rows[] = {
        { { "x,curve25519-sha256", "ssh-ed25519", "aes128-ctr", "a,aes256-ctr,b", "hmac-sha2-512",
            "hmac-sha2-256" },
          NULL },
        { { "", "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256" },
          "no key exchange in common: it has , Berth needs curve25519-sha256" },
        { { "curve25519-sha256", "ssh-ed25519-cert-v01@openssh.com,ssh-rsa", "", "", "", "" },
          "no type of host key in common: it has ssh-ed25519-cert-v01@openssh.com,ssh-rsa, Berth" },
        { { "curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes128-gcm@openssh.com", "", "" },
          "no cipher in common: it has aes128-gcm@openssh.com" },
        { { "curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "x" },
          "no MAC in common: it has x" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf buf = opening_of(rows[i].lists);
        char text[SSH_OFFER_TEXT_SIZE] = "";

        assert_int_equal(ssh_offer_lacks(buf.data, buf.len, text), rows[i].words != NULL);
        if (rows[i].words && strncmp(text, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("\"%s\" instead of \"%s\"", text, rows[i].words);
        /* Cut off anywhere, it is either the same or no reason is known. */
        for (size_t len = 0; len < buf.len; len++) {
            CLEANUP(mem_freep) char *part = mem_dup(buf.data, len);
            char said[SSH_OFFER_TEXT_SIZE];

            if (ssh_offer_lacks(part, len, said))
                assert_string_equal(said, text);
        }
        buf_fini(&buf);
    }
}

static void
knows_nothing_of_what_is_not_ssh(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "SSH-",
        "SSH-2.0-x\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-x\r\nand what comes now is long enough to be a packet, but is none",
    };
    char text[SSH_OFFER_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(ssh_offer_lacks(texts[i], strlen(texts[i]), text));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_first_that_is_missing),
        cmocka_unit_test(knows_nothing_of_what_is_not_ssh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
