/*
 * The spool: a file is there whole, under the digest of what it holds, or not
 * at all.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/text.h"
#include "berth/store/spool.h"

#include "kit.h"

enum { PIECE = 70000, PIECES = 100 };

static struct spool *
open_spool(struct kit *kit)
{
    struct spool *spool = NULL;
    struct fault fault;

    if (spool_new(kit->dir, &spool, &fault) != 0)
        fail_msg("spool_new: %s", fault.text);
    return spool;
}

static void
name_of(const char *data, char ret_name[SPOOL_NAME_SIZE])
{
    uint8_t digest[TEXT_SHA256_SIZE];

    text_sha256(data, (size_t)PIECE * PIECES, digest);
    text_hex(digest, sizeof(digest), ret_name);
}

static void
check_content(const char *path, const char *expected)
{
    CLEANUP(mem_freep) char *back = mem_new0((size_t)PIECE * PIECES);
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_int_equal(fread(back, PIECE, PIECES, file), PIECES);
    assert_memory_equal(back, expected, (size_t)PIECE * PIECES);
    (void)fclose(file);
}

/* Proves: what was appended in pieces is there under its SHA-256, for its owner alone. */
static void
test_round_trip(void **state)
{
    struct kit *kit = *state;
    struct spool *spool = open_spool(kit);
    const struct spool_port *port = spool_port(spool);
    struct spool_write *write = NULL;
    CLEANUP(mem_freep) char *data = mem_new0((size_t)PIECE * PIECES);
    char name[SPOOL_NAME_SIZE];
    char wanted[SPOOL_NAME_SIZE];
    struct fault fault;
    struct stat status;
    int64_t size;

    for (size_t i = 0; i < (size_t)PIECE * PIECES; i++)
        data[i] = (char)(i * 7 + i / 251);
    assert_int_equal(port->begin(port->self, &write, &fault), 0);
    for (size_t i = 0; i < PIECES; i++)
        assert_int_equal(port->append(write, data + i * PIECE, PIECE, &fault), 0);
    assert_int_equal(port->finish(write, name, &size, &fault), 0);
    assert_int_equal(size, PIECE * PIECES);
    name_of(data, wanted);
    assert_string_equal(name, wanted);
    assert_int_equal(stat(port->path(port->self, name), &status), 0);
    assert_int_equal(status.st_size, PIECE * PIECES);
    assert_int_equal(status.st_mode & 07777, 0600);
    check_content(port->path(port->self, name), data);
    port->remove(port->self, name);
    assert_int_equal(access(port->path(port->self, name), F_OK), -1);
    port->remove(port->self, name);
    spool_free(spool);
}

static size_t
files_in(struct kit *kit)
{
    CLEANUP(mem_freep) char *command = mem_strdup(kit_path(kit, "images"));
    struct stat status;

    /* A folder's link count says nothing of files; its being removable does. */
    if (rmdir(command) == 0)
        return 0;
    assert_int_equal(stat(command, &status), 0);
    return 1;
}

/* Proves: an aborted write leaves nothing; one that a crash left is removed at the next start. */
static void
test_unfinished(void **state)
{
    struct kit *kit = *state;
    struct spool *spool = open_spool(kit);
    const struct spool_port *port = spool_port(spool);
    CLEANUP(mem_freep) char *left = mem_strdup(kit_path(kit, "images/.new-crash1"));
    struct spool_write *write = NULL;
    struct fault fault;
    int descriptor;

    assert_int_equal(port->begin(port->self, &write, &fault), 0);
    assert_int_equal(port->append(write, "half", 4, &fault), 0);
    port->abort(write);
    assert_int_equal(files_in(kit), 0);
    spool_free(spool);

    spool = open_spool(kit);
    descriptor = open(left, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    (void)close(descriptor);
    assert_int_equal(files_in(kit), 1);
    spool_free(spool);
    spool = open_spool(kit);
    assert_int_equal(files_in(kit), 0);
    spool_free(spool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_unfinished, kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
