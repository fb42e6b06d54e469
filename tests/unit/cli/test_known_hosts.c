/* Which lines of a known_hosts file name a machine: plain, hashed, with a port; and which do not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/cli/known_hosts.h"

#define KEY   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m"
#define OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* Made by `ssh-keygen -H` of lines for 10.0.0.5 and [rack1.example.org]:2222. */
static const char hashed[] =
    "|1|Mny+J6G7Q9sPcBkV+wyMp0fd144=|haXVdr1HHiixlZBv2PlLnokfEMc= " KEY "\n"
    "|1|JjGSWGyIDa3TyhOJEHH70BeWVFU=|fKuAizjhkxDiTtUCBNk90+72l7I= " KEY "\n";

static bool
found(const struct given *given, const char *text)
{
    CLEANUP(mem_freep) char *key = NULL;

    if (!cli_known_hosts_find(text, given, &key))
        return false;
    assert_string_equal(key, KEY);
    return true;
}

static struct given
named(const char *ssh)
{
    struct given given;

    assert_true(given_parse(ssh, &given));
    return given;
}

static void
test_plain_names(void **state)
{
    static const char text[] = "# " KEY "\n\n"
                               "10.0.0.4 " OTHER "\n"
                               "10.0.0.5 ssh-rsa AAAAB3NzaC1yc2E=\n"
                               "rack1,10.0.0.5,[rack1]:23 " KEY " a comment\n"
                               "[fd00::5]:23 " KEY "\n";

    (void)state;
    assert_true(found((struct given[]){ named("root@10.0.0.5") }, text));
    assert_true(found((struct given[]){ named("root@rack1") }, text));
    assert_true(found((struct given[]){ named("root@rack1:23") }, text));
    assert_true(found((struct given[]){ named("root@[fd00::5]:23") }, text));
    assert_false(found((struct given[]){ named("root@rack1:24") }, text));
    assert_false(found((struct given[]){ named("root@10.0.0") }, text));
    assert_false(found((struct given[]){ named("root@0.0.5") }, text));
    assert_false(found((struct given[]){ named("root@rack") }, text));
    assert_false(found((struct given[]){ named("root@rack1") }, ""));
}

static void
test_hashed_names(void **state)
{
    (void)state;
    assert_true(found((struct given[]){ named("root@10.0.0.5") }, hashed));
    assert_true(found((struct given[]){ named("root@rack1.example.org:2222") }, hashed));
    assert_false(found((struct given[]){ named("root@rack1.example.org") }, hashed));
    assert_false(found((struct given[]){ named("root@10.0.0.6") }, hashed));
}

/* Revoked keys, authorities, patterns, and what is broken. */
static void
test_what_is_passed_over(void **state)
{
    static const char *const texts[] = {
        "@revoked rack1 " KEY "\n", "@cert-authority rack1 " KEY "\n",
        "rack* " KEY "\n",          "rack1 ssh-ed25519\n",
        "rack1 ssh-ed25519 AAAA\n", "rack1\n",
        "|1|abc " KEY "\n",         "|1||= " KEY "\n",
        "|1|=|= " KEY "\n",         "rack1 ecdsa-sha2-nistp256 AAAA",
        "!rack1 " KEY "\n",         ",,, " KEY "\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (found((struct given[]){ named("root@rack1") }, texts[i]))
            fail_msg("'%s' is taken", texts[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_names),
        cmocka_unit_test(test_hashed_names),
        cmocka_unit_test(test_what_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
