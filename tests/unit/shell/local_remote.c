/* A user that a script becomes is only noted: tests need no root. */
#include "local_remote.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOCAL_PIECE = 16384 };

struct local_stream {
    struct loop_fd fd;
    int descriptor; /* -1: it has ended */
    bool is_stderr;
};

struct local_remote {
    struct remote port;
    struct loop *loop;
    struct remote_command *command; /* that runs, or NULL */
    pid_t pid;
    struct local_stream streams[2];
    struct loop_fd input;
    int input_descriptor; /* -1: all is written */
    size_t written;
    struct clock_timer timer; /* its timeout, or its late end */
    enum fault_kind fate;
    bool loses;
    struct buf log;
    struct buf out;
    struct buf err;
};

static void local_run(void *self, struct remote_command *command);
static void local_cancel(void *self, struct remote_command *command);
static void local_on_input(struct loop_fd *fd, bool readable, bool writable);
static void local_on_output(struct loop_fd *fd, bool readable, bool writable);
static void local_on_timer(struct clock_timer *timer);
static void local_end(struct local_remote *local);

struct local_remote *
local_remote_new(struct loop *loop)
{
    struct local_remote *local = mem_new0(sizeof(*local));

    local->port = (struct remote){ .self = local, .run = local_run, .cancel = local_cancel };
    local->loop = loop;
    local->input.ready = local_on_input;
    local->timer.fire = local_on_timer;
    for (size_t i = 0; i < 2; i++) {
        local->streams[i].fd.ready = local_on_output;
        local->streams[i].is_stderr = i == 1;
    }
    buf_init(&local->log, 0);
    return local;
}

void
local_remote_free(struct local_remote *local)
{
    assert(!local->command);
    buf_fini(&local->log);
    buf_fini(&local->out);
    buf_fini(&local->err);
    mem_free(local);
}

const struct remote *
local_remote_get(struct local_remote *local)
{
    return &local->port;
}

const char *
local_remote_log(const struct local_remote *local)
{
    return buf_text(&local->log);
}

void
local_remote_lose(struct local_remote *local)
{
    local->loses = true;
}

/* A pair of sockets: ours is @ret_pair[0] and does not block. */
static void
local_pair(int ret_pair[2])
{
    int status = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_pair);

    assert(status == 0);
    status = fcntl(ret_pair[0], F_SETFL, O_NONBLOCK);
    assert(status == 0);
}

/* A process group of its own, so that all of it can be ended. */
static void
local_spawn(struct local_remote *local, int pairs[3][2])
{
    const char *shell = secure_getenv("BERTH_PLAY_SHELL");
    char *argv[] = { mem_unconst(shell ? shell : "/bin/sh"), mem_unconst("-c"),
                     mem_unconst(local->command->script), NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int status;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, pairs[i][1], i);
    status = posix_spawn(&local->pid, argv[0], &actions, &attributes, argv, environ);
    assert(status == 0);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
}

static void
local_run(void *self, struct remote_command *command)
{
    struct local_remote *local = self;
    const struct clock_port *clock = loop_clock(local->loop);
    int pairs[3][2];

    assert(!local->command);
    buf_printf(&local->log, "%s|%s\n--\n", command->user ? command->user : "", command->script);
    local->command = command;
    local->fate = FAULT_NONE;
    local->written = 0;
    for (int i = 0; i < 3; i++)
        local_pair(pairs[i]);
    local_spawn(local, pairs);
    for (int i = 0; i < 3; i++)
        (void)close(pairs[i][1]);
    local->input_descriptor = pairs[0][0];
    loop_fd_start(local->loop, &local->input, pairs[0][0], false, true);
    for (int i = 0; i < 2; i++) {
        local->streams[i].descriptor = pairs[i + 1][0];
        loop_fd_start(local->loop, &local->streams[i].fd, pairs[i + 1][0], true, false);
    }
    buf_fini(&local->out);
    buf_fini(&local->err);
    buf_init(&local->out, command->output_limit);
    buf_init(&local->err, command->output_limit);
    clock->timer_set(clock->self, &local->timer, clock->mono_ms(clock->self) + command->timeout_ms);
}

static void
local_close_input(struct local_remote *local)
{
    if (local->input_descriptor < 0)
        return;
    loop_fd_stop(local->loop, &local->input);
    (void)close(local->input_descriptor);
    local->input_descriptor = -1;
}

static void
local_on_input(struct loop_fd *fd, bool readable, bool writable)
{
    struct local_remote *local = CONTAINER_OF(fd, struct local_remote, input);
    size_t left = local->command->input_len - local->written;
    ssize_t len = 0;

    (void)readable;
    (void)writable;
    if (left > 0) {
        len = send(local->input_descriptor, local->command->input + local->written, left,
                   MSG_NOSIGNAL);
    }
    if (len > 0)
        local->written += (size_t)len;
    if ((len < 0 && errno != EAGAIN) || local->written == local->command->input_len)
        local_close_input(local);
}

static void
local_on_output(struct loop_fd *fd, bool readable, bool writable)
{
    struct local_stream *stream = CONTAINER_OF(fd, struct local_stream, fd);
    struct local_remote *local =
        CONTAINER_OF(stream - (stream->is_stderr ? 1 : 0), struct local_remote, streams);
    char piece[LOCAL_PIECE];
    ssize_t len = read(stream->descriptor, piece, sizeof(piece));

    (void)readable;
    (void)writable;
    if (len < 0 && errno == EAGAIN)
        return;
    if (len > 0) {
        buf_append(stream->is_stderr ? &local->err : &local->out, piece, (size_t)len);
        if (local->command->on_output)
            local->command->on_output(local->command, stream->is_stderr, piece, (size_t)len);
        return;
    }
    loop_fd_stop(local->loop, &stream->fd);
    (void)close(stream->descriptor);
    stream->descriptor = -1;
    if (local->streams[0].descriptor < 0 && local->streams[1].descriptor < 0)
        local_end(local);
}

static void
local_cancel(void *self, struct remote_command *command)
{
    struct local_remote *local = self;

    assert(local->command == command);
    local->fate = FAULT_CANCELLED;
    (void)kill(-local->pid, SIGKILL);
}

static void
local_on_timer(struct clock_timer *timer)
{
    struct local_remote *local = CONTAINER_OF(timer, struct local_remote, timer);

    local->fate = FAULT_TIMEOUT;
    (void)kill(-local->pid, SIGKILL);
}

/* Both streams have ended, so the process has too, or will at once. */
static void
local_end(struct local_remote *local)
{
    const struct clock_port *clock = loop_clock(local->loop);
    struct remote_command *command = local->command;
    struct fault fault = { .kind = FAULT_NONE };
    int status = 0;

    (void)waitpid(local->pid, &status, 0);
    clock->timer_clear(clock->self, &local->timer);
    local_close_input(local);
    command->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    command->out = local->out;
    command->err = local->err;
    command->truncated = local->out.overflow || local->err.overflow;
    if (local->loses)
        local->fate = FAULT_LOST;
    local->loses = false;
    if (local->fate != FAULT_NONE)
        (void)fault_set(&fault, local->fate, "local", "the command's end is not known");
    local->command = NULL;
    command->done(command, local->fate != FAULT_NONE ? &fault : NULL);
}
