/* Time zones by name: read once from a folder, and only from within it. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/mem.h"

#include "../../../src/daemon/zone_files.h"
#include "../domain/zone_bytes.h"

static char folder[] = "/tmp/berth-zones-XXXXXX";

static void
write_file(const char *name, size_t len, const char *data)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    (void)close(fd);
}

static int
setup(void **state)
{
    struct buf buf;

    (void)state;
    assert_non_null(mkdtemp(folder));
    zone_bytes(&buf, 0, NULL, 0, "EET-2");
    write_file("East", buf.len, buf.data);
    buf_fini(&buf);
    write_file("broken", 4, "TZif");
    return 0;
}

static int
teardown(void **state)
{
    static const char *const names[] = { "East", "broken" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, names[i]);

        (void)unlink(path);
    }
    (void)rmdir(folder);
    return 0;
}

static void
test_found_once(void **state)
{
    struct zone_files *files = zone_files_new(folder);
    const struct zone_port *port = zone_files_port(files);
    const struct zone *zone = port->find(port->self, "East");

    (void)state;
    assert_non_null(zone);
    assert_int_equal(zone_span_at(zone, 0).offset_s, 7200);
    write_file("East", 0, "");
    assert_ptr_equal(port->find(port->self, "East"), zone);
    zone_files_free(files);
}

static void
test_not_found(void **state)
{
    CLEANUP(mem_freep) char *outside = mem_printf("..%s/East", folder + strlen("/tmp"));
    const char *const names[] = { "West", "broken", "", "/etc/passwd", ".", outside };
    struct zone_files *files = zone_files_new(folder);
    const struct zone_port *port = zone_files_port(files);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_null(port->find(port->self, names[i]));
    zone_files_free(files);
}

/* The system's own: package tzdata. */
static void
test_system(void **state)
{
    struct zone_files *files = zone_files_new(NULL);
    const struct zone_port *port = zone_files_port(files);
    const struct zone *zone = port->find(port->self, "Europe/Helsinki");

    (void)state;
    assert_non_null(zone);
    assert_int_equal(zone_span_at(zone, 1774746000 - 1).offset_s, 7200);
    assert_int_equal(zone_span_at(zone, 1774746000).offset_s, 10800);
    zone_files_free(files);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_once),
        cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_system),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
