/* Machines that are given: how they are named, and which host keys are taken. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/given.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m"

static void
assert_given(const char *text, struct given wanted)
{
    struct given given;

    assert_true(given_parse(text, &given));
    assert_string_equal(given.user, wanted.user);
    assert_string_equal(given.address, wanted.address);
    assert_int_equal(given.port, wanted.port);
    assert_null(given_check_ssh(text));
}

static void
test_names(void **state)
{
    static const char *const bad[] = {
        "",          "root",         "@a",           "root@",
        "root@a:",   "root@a:0",     "root@a:99999", "root@a:x",
        "root@[::1", "root@[::1]22", "root@a b",     "r t@a",
        "root@::1",  "-o@a",         "root@-oX",     "root@a:22:22",
        "root@a/b",  "root@a;b",     "root@[]",      "root@a:123456",
        "a@b@c",
    };

    (void)state;
    assert_given("root@10.0.0.5", (struct given){ "root", "10.0.0.5", 22 });
    assert_given("admin@rack1.example.org:2222",
                 (struct given){ "admin", "rack1.example.org", 2222 });
    assert_given("debian@[fd00::5]", (struct given){ "debian", "fd00::5", 22 });
    assert_given("debian@[fd00::5]:23", (struct given){ "debian", "fd00::5", 23 });
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (!given_check_ssh(bad[i]))
            fail_msg("'%s' is taken", bad[i]);
    }
}

static void
test_keys(void **state)
{
    static const char *const bad[] = {
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 ", /* no key */
        (KEY "A"),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0", /* cut */
        "ssh-ed25519 AAAAB3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUh\nFqHRVjPcbyWOdmGKDbKWBoA0m",
        ("10.0.0.5 " KEY), /* one text */
    };
    CLEANUP(mem_freep) char *bare = NULL;

    (void)state;
    assert_null(given_check_key(KEY));
    assert_null(given_check_key(KEY " root@rack1"));
    bare = given_key(KEY " root@rack1");
    assert_string_equal(bare, KEY);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (!given_check_key(bad[i]))
            fail_msg("'%s' is taken", bad[i]);
    }
    assert_non_null(
        strstr(given_check_key("ssh-rsa AAAAB3NzaC1yc2E="), "must be the machine's ed25519 key"));
    assert_non_null(
        strstr(given_check_key("ecdsa-sha2-nistp256 AAAA"), "no other kind is verified"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
