/* Ed25519 keys: RFC 8032's vectors, SSH's forms of them held against ssh-keygen, and what is refused. */

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/text.h"
#include "berth/shell/key.h"

static char folder[] = "/tmp/berth-key-XXXXXX";

static struct key *
key_of_hex(const char *hex)
{
    uint8_t seed[KEY_SIZE];

    assert_true(text_hex_parse(hex, seed, sizeof(seed)));
    return key_from_seed(seed);
}

static struct secret *
secret_of(const char *text)
{
    char *copy = mem_strdup(text);
    struct secret *secret = secret_new(copy, strlen(copy));

    mem_free(copy);
    return secret;
}

static const char *
path_of(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the file stands first. */
file_write(const char *name, const char *text)
{
    int file = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
}

/* Runs a program. Return: what it wrote, borrowed until the next call; NULL when it failed or is not there. */
static const char *
output_of(const char *const argv[])
{
    static char output[2048];
    posix_spawn_file_actions_t actions;
    size_t len = 0;
    int ends[2];
    int status = -1;
    ssize_t got = 1;
    pid_t pid;
    int result;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    result = posix_spawnp(&pid, argv[0], &actions, NULL, mem_unconst(argv), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (result == 0 && got > 0) {
        got = read(ends[0], output + len, sizeof(output) - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    output[len] = '\0';
    close(ends[0]);
    if (result == 0)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0 ? output : NULL;
}

/* RFC 8032, 7.1: seed, public key, message, signature. */
static void
signs_as_rfc_8032_does(void **state)
{
    static const struct {
        const char *seed, *public, *message, *signature;
    } rows[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
          "1c"
          "f9b46bd25bf5f0595bbe24655141438e7a100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
          "d0"
          "f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
        { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
          "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
          "98"
          "4dc6594a7c15e9716ed28dc027beceea1ec40a" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(key_freep) struct key *key = key_of_hex(rows[i].seed);
        uint8_t message[2];
        uint8_t signature[KEY_SIGNATURE_SIZE];
        char hex[2 * KEY_SIGNATURE_SIZE + 1];
        size_t len = strlen(rows[i].message) / 2;

        text_hex(key_public(key)->bytes, KEY_SIZE, hex);
        assert_string_equal(hex, rows[i].public);
        assert_true(text_hex_parse(rows[i].message, message, len));
        key_sign(key, message, len, signature);
        text_hex(signature, sizeof(signature), hex);
        assert_string_equal(hex, rows[i].signature);
    }
}

static void
derives_the_same_for_the_same(void **state)
{
    static const char *const parts[][3] = {
        { "host", "a", "bc" },
        { "host", "ab", "c" },
        { "host", "abc", "" },
        { "user", "a", "bc" },
    };
    CLEANUP(secret_freep) struct secret *secret = secret_of("a secret of the cluster");
    CLEANUP(secret_freep) struct secret *other = secret_of("another secret of it");
    struct key_public seen[2 * ARRAY_LEN(parts)];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        const struct secret *from = i % 2 ? secret : other;
        CLEANUP(key_freep) struct key *key = key_derive(from, parts[i / 2], 3);
        CLEANUP(key_freep) struct key *again = key_derive(from, parts[i / 2], 3);

        assert_true(key_public_equal(key_public(key), key_public(again)));
        for (size_t k = 0; k < count; k++)
            assert_false(key_public_equal(key_public(key), &seen[k]));
        seen[count++] = *key_public(key);
    }
}

/* The seed is what adr/0010 says, so that another version derives the same: HMAC-SHA-256, here of
 * 00000001 "a" 00000002 "bc" with the key "k", computed by openssl. */
static void
derives_by_hmac(void **state)
{
    static const char *const parts[] = { "a", "bc" };
    CLEANUP(secret_freep) struct secret *secret = secret_of("k");
    CLEANUP(key_freep) struct key *key = key_derive(secret, parts, 2);
    CLEANUP(key_freep)
    struct key *expected =
        key_of_hex("a9e6a4d4988f5894588005cdb1a5bc14c4c1b81bfe2f19b095803a926089b025");

    (void)state;
    assert_true(key_public_equal(key_public(key), key_public(expected)));
}

static void
writes_what_ssh_keygen_reads(void **state)
{
    static const char *const comments[] = { "", "c", "berth host h-01", "1234567", "12345678" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
        CLEANUP(key_freep)
        struct key *key =
            key_of_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        CLEANUP(secret_freep) struct secret *text = key_private_text(key, comments[i]);
        CLEANUP(secret_freep) struct secret *same = key_private_text(key, comments[i]);
        char path[128];
        char line[KEY_LINE_SIZE];
        char print[KEY_FINGERPRINT_SIZE];
        const char *theirs;

        assert_string_equal(secret_bytes(text), secret_bytes(same));

        file_write("ours", secret_bytes(text));
        (void)snprintf(path, sizeof(path), "%s", path_of("ours"));
        theirs = output_of((const char *[]){ "ssh-keygen", "-y", "-f", path, NULL });
        if (!theirs) {
            skip();
            return;
        }
        (void)key_public_line(key_public(key), comments[i], line);
        assert_int_equal(strncmp(theirs, line, strlen(line)), 0);
        assert_string_equal(theirs + strlen(line), "\n");
        theirs = output_of((const char *[]){ "ssh-keygen", "-l", "-f", path, NULL });
        assert_non_null(theirs);
        assert_non_null(strstr(theirs, key_public_fingerprint(key_public(key), print)));
    }
}

/* Its public half, and the line beside it. */
static void
reads_what_ssh_keygen_writes(void **state)
{
    char path[128];
    char line[KEY_LINE_SIZE];
    struct key_public public;
    struct fault fault;
    const char *theirs;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s", path_of("theirs"));
    if (!output_of((const char *[]){ "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me@here",
                                     "-f", path, NULL }))
        skip();
    theirs = output_of((const char *[]){ "ssh-keygen", "-y", "-f", path, NULL });
    assert_non_null(theirs);
    assert_int_equal(key_public_parse(theirs, &public, &fault), 0);
    (void)key_public_line(&public, "me@here", line);
    assert_int_equal(strncmp(theirs, line, strlen(line)), 0);
}

#define GOOD "AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"

static void
tells_why_a_public_line_is_of_no_use(void **state)
{
    static const struct {
        const char *line, *why;
    } rows[] = {
        { "", "there is no key" },
        { " \n", "there is no key" },
        { "ssh-rsa AAAAB3NzaC1yc2E", "libssh2 signs with them" },
        { "ecdsa-sha2-nistp256 AAAA", "only ed25519" },
        { "sk-ssh-ed25519@openssh.com AAAA", "token" },
        { "ssh-dss AAAA", "only keys of the type ssh-ed25519" },
        { "-----BEGIN OPENSSH PRIVATE KEY-----", "private key" },
        { "10.0.0.1 ssh-ed25519 " GOOD, "not with \"10.0.0.1\"" },
        { "ssh-ed25519", "damaged" },
        { "ssh-ed25519 AAAA", "damaged" },
        { "ssh-ed25519 " GOOD "A", "damaged" },
        { "ssh-ed25519 B" GOOD, "damaged" },
        { "ssh-ed25519 BAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM",
          "damaged" },
        { "ssh-ed25519 ****C3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM",
          "damaged" },
        { "ssh-ed25519 " GOOD "\nssh-ed25519 " GOOD, "one line" },
    };
    struct key_public public;
    struct fault fault;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(key_public_parse(rows[i].line, &public, &fault), -1);
        assert_int_equal(fault.kind, FAULT_INVALID);
        if (!strstr(fault.text, rows[i].why))
            fail_msg("\"%s\" does not say \"%s\"", fault.text, rows[i].why);
    }
}

static void
reads_public_lines(void **state)
{
    static const char *const lines[] = {
        "ssh-ed25519 " GOOD,
        "ssh-ed25519 " GOOD "\n",
        "  ssh-ed25519 \t" GOOD " me@here and more\r\n",
    };
    CLEANUP(key_freep)
    struct key *key =
        key_of_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct key_public public;
        struct fault fault;

        assert_int_equal(key_public_parse(lines[i], &public, &fault), 0);
        assert_true(key_public_equal(&public, key_public(key)));
    }
}

static void
blobs_are_exact(void **state)
{
    CLEANUP(key_freep)
    struct key *key =
        key_of_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    uint8_t blob[KEY_BLOB_SIZE + 1] = { 0 };
    struct key_public public;

    (void)state;
    key_public_blob(key_public(key), blob);
    assert_true(key_public_from_blob(blob, KEY_BLOB_SIZE, &public));
    assert_true(key_public_equal(&public, key_public(key)));
    for (size_t len = 0; len < KEY_BLOB_SIZE; len++)
        assert_false(key_public_from_blob(blob, len, &public));
    assert_false(key_public_from_blob(blob, KEY_BLOB_SIZE + 1, &public));
    blob[14] ^= 1; /* the type's last letter */
    assert_false(key_public_from_blob(blob, KEY_BLOB_SIZE, &public));
}

static int
folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int
folder_remove(void **state)
{
    (void)state;
    return output_of((const char *[]){ "rm", "-r", folder, NULL }) ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_rfc_8032_does),
        cmocka_unit_test(derives_the_same_for_the_same),
        cmocka_unit_test(derives_by_hmac),
        cmocka_unit_test(writes_what_ssh_keygen_reads),
        cmocka_unit_test(reads_what_ssh_keygen_writes),
        cmocka_unit_test(tells_why_a_public_line_is_of_no_use),
        cmocka_unit_test(reads_public_lines),
        cmocka_unit_test(blobs_are_exact),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
