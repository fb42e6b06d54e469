/*
 * The image that a canary runs is what it should be, byte by byte: an archive of three files, whose
 * layer has the digest that its configuration names, and whose program ends with 0 when it is run.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

#include "../../../src/engine/canary_image.h"

enum { BLOCK = 512, ROOM = 64 * 1024 };

/* The file @name of the tar @data. */
static const char *
file_of(const char *data, size_t len, const char *name, size_t *ret_size)
{
    for (size_t at = 0; at + BLOCK <= len && data[at];) {
        size_t size = strtoul(data + at + 124, NULL, 8);
        unsigned long sum = strtoul(data + at + 148, NULL, 8);
        unsigned long found = 8 * (unsigned long)' ';

        for (size_t i = 0; i < BLOCK; i++)
            found += i >= 148 && i < 156 ? 0 : (uint8_t)data[at + i];
        assert_int_equal(found, sum);
        assert_memory_equal(data + at + 257, "ustar\00000", 8);
        if (strcmp(data + at, name) == 0) {
            *ret_size = size;
            return data + at + BLOCK;
        }
        at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
    }
    return NULL;
}

static json_t *
json_of(const struct buf *archive, const char *name)
{
    size_t size = 0;
    const char *text = file_of(archive->data, archive->len, name, &size);
    struct fault fault;
    json_t *json;

    assert_non_null(text);
    assert_int_equal(json_in_parse(text, size, &json, &fault), 0);
    return json;
}

static void
check_config(const struct buf *archive, const char *architecture)
{
    CLEANUP(json_freep) json_t *config = json_of(archive, "config.json");
    const json_t *diffs = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
    char hex[2 * TEXT_SHA256_SIZE + 1];
    uint8_t digest[TEXT_SHA256_SIZE];
    size_t size = 0;
    const char *layer = file_of(archive->data, archive->len, "layer.tar", &size);

    assert_non_null(layer);
    text_sha256(layer, size, digest);
    text_hex(digest, sizeof(digest), hex);
    assert_string_equal(json_in_string(config, "architecture", ""), architecture);
    assert_int_equal(json_array_size(diffs), 1);
    assert_string_equal(json_string_value(json_array_get(diffs, 0)) + strlen("sha256:"), hex);
}

static void
test_archive(void **state)
{
    CLEANUP(json_freep) json_t *manifest = NULL;
    const json_t *image;
    struct buf archive;

    (void)state;
    buf_init(&archive, ROOM);
    canary_image_encode("aarch64", &archive);
    assert_false(archive.overflow);
    manifest = json_of(&archive, "manifest.json");
    image = json_array_get(manifest, 0);
    assert_string_equal(json_in_string(image, "Config", ""), "config.json");
    assert_string_equal(json_string_value(json_array_get(json_object_get(image, "RepoTags"), 0)),
                        CANARY_IMAGE);
    check_config(&archive, "arm64");
    buf_fini(&archive);
}

static int
run(const char *program, size_t size)
{
    char path[] = "/tmp/berth-canary-XXXXXX";
    int status = -1;
    int fd = mkstemp(path);
    pid_t child;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, program, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, 0700), 0);
    assert_int_equal(close(fd), 0);
    child = fork();
    if (child == 0) {
        execl(path, path, (char *)NULL);
        _exit(99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(unlink(path), 0);
    return status;
}

/* What this machine can run is run. */
static void
test_program(void **state)
{
    struct utsname machine;
    struct buf archive;
    const char *layer;
    const char *program;
    size_t size = 0;

    (void)state;
    assert_int_equal(uname(&machine), 0);
    if (!canary_image_runs(machine.machine))
        skip();
    buf_init(&archive, ROOM);
    canary_image_encode(machine.machine, &archive);
    layer = file_of(archive.data, archive.len, "layer.tar", &size);
    assert_non_null(layer);
    program = file_of(layer, size, "canary", &size);
    assert_non_null(program);
    assert_int_equal(run(program, size), 0);
    buf_fini(&archive);
}

/* An engine of another kind gets an image all the same, without a program. */
static void
test_other_machines(void **state)
{
    struct buf archive;
    const char *layer;
    size_t size = 0;

    (void)state;
    assert_true(canary_image_runs("x86_64"));
    assert_true(canary_image_runs("aarch64"));
    assert_false(canary_image_runs("riscv64"));
    assert_false(canary_image_runs(""));
    buf_init(&archive, ROOM);
    canary_image_encode("riscv64", &archive);
    check_config(&archive, "riscv64");
    layer = file_of(archive.data, archive.len, "layer.tar", &size);
    assert_non_null(layer);
    assert_null(file_of(layer, size, "canary", &size));
    buf_fini(&archive);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_program),
        cmocka_unit_test(test_other_machines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
