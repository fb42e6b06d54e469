#include "sshd.h"

#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LOG_MAX = 256 * 1024 };

static int
spawn(const char *const argv[], int input, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, mem_unconst(argv), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static bool
run(const char *const argv[])
{
    int status = -1;
    pid_t pid = spawn(argv, STDIN_FILENO, STDERR_FILENO);

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the file stands first. */
write_file(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
}

static const char *
path_of(const struct sshd *sshd, const char *name)
{
    static char path[64];

    (void)snprintf(path, sizeof(path), "%s/%s", sshd->folder, name);
    return path;
}

void
sshd_authorize(const struct sshd *sshd, const struct key *user_key)
{
    char line[KEY_LINE_SIZE];

    write_file(path_of(sshd, "authorized_keys"), key_public_line(key_public(user_key), "", line));
}

static void
keys_write(const struct sshd *sshd)
{
    CLEANUP(secret_freep) struct secret *text = NULL;

    if (sshd->host_key) {
        text = key_private_text(sshd->host_key, "");
        write_file(path_of(sshd, "host_key"), secret_bytes(text));
    } else {
        assert_true(run((const char *[]){ "ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f",
                                          path_of(sshd, "host_key"), NULL }));
    }
    if (sshd->user_key)
        sshd_authorize(sshd, sshd->user_key);
}

/* "PORT PID\n". */
static bool
started_read(struct sshd *sshd, int from)
{
    char line[64] = "";
    size_t len = 0;
    ssize_t got = 1;
    char *end;

    while (got > 0 && len < sizeof(line) - 1) {
        got = read(from, line + len, sizeof(line) - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    sshd->port = (uint16_t)strtoul(line, &end, 10);
    sshd->pid = (pid_t)strtol(end, NULL, 10);
    return sshd->port > 0 && sshd->pid > 0;
}

bool
sshd_start(struct sshd *sshd)
{
    const char *argv[4 + SSHD_OPTIONS_MAX + 1] = { "bash",
                                                   BERTH_TEST_SOURCE "/tests/support/sshd.sh",
                                                   "serve", sshd->folder };
    int stop[2];
    int told[2];
    int status = -1;

    (void)snprintf(sshd->folder, sizeof(sshd->folder), "/tmp/berth-sshd-XXXXXX");
    assert_non_null(mkdtemp(sshd->folder));
    keys_write(sshd);
    for (size_t i = 0; i < SSHD_OPTIONS_MAX && sshd->options[i]; i++)
        argv[4 + i] = sshd->options[i];
    assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    sshd->keeper = spawn(argv, stop[0], told[1]);
    close(stop[0]);
    close(told[1]);
    sshd->stop = stop[1];
    if (!started_read(sshd, told[0])) {
        close(told[0]);
        close(sshd->stop);
        (void)waitpid(sshd->keeper, &status, 0);
        assert_int_equal(WEXITSTATUS(status), 77);
        return false;
    }
    close(told[0]);
    return true;
}

void
sshd_stop(struct sshd *sshd)
{
    close(sshd->stop);
    assert_int_equal(waitpid(sshd->keeper, NULL, 0), sshd->keeper);
    assert_true(run((const char *[]){ "rm", "-r", sshd->folder, NULL }));
}

bool
sshd_log_has(const struct sshd *sshd, const char *text)
{
    int file = open(path_of(sshd, "log"), O_RDONLY | O_CLOEXEC);
    CLEANUP(mem_freep) char *log = mem_new0(LOG_MAX);
    ssize_t len = read(file, log, LOG_MAX - 1);

    close(file);
    assert_true(len > 0 && len < LOG_MAX - 1);
    return strstr(log, text) != NULL;
}

const char *
sshd_me(void)
{
    static char name[64];
    char space[1024];
    struct passwd entry;
    struct passwd *found = NULL;

    assert_int_equal(getpwuid_r(getuid(), &entry, space, sizeof(space), &found), 0);
    assert_non_null(found);
    (void)snprintf(name, sizeof(name), "%s", found->pw_name);
    return name;
}
