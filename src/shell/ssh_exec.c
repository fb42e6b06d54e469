#include "ssh_exec.h"

#include <assert.h>
#include <string.h>

#include "berth/base/text.h"

enum {
    EXEC_BITE = 32 * 1024, /* bytes that are read at once */
    EXEC_BITES = 16,       /* in a turn of the loop */
    EXEC_LATE_S = 30,      /* after our own deadline the machine ends the script by itself */
};

/* In order of time. */
static int ssh_exec_step_open(struct ssh_exec *exec);
static int ssh_exec_step_start(struct ssh_exec *exec);
static int ssh_exec_step_talk(struct ssh_exec *exec, bool *ret_more);
static int ssh_exec_step_close(struct ssh_exec *exec);
static void ssh_exec_on_out(struct ssh_stream *stream, const char *data, size_t len);
static void ssh_exec_on_err(struct ssh_stream *stream, const char *data, size_t len);

void
ssh_exec_start(struct ssh_exec *exec, struct ssh_link *link, struct remote_command *command,
               const char *user)
{
    const struct random_port *random = loop_random(link->loop);
    uint8_t bytes[(SSH_TOKEN_SIZE - 1) / 2];
    char token[SSH_TOKEN_SIZE];
    struct buf line;

    assert(!exec->command);
    *exec = (struct ssh_exec){ .link = link, .command = command };
    random->fill(random->self, bytes, sizeof(bytes));
    text_hex(bytes, sizeof(bytes), token);
    ssh_stream_init(&exec->streams[0], token, ssh_exec_on_out);
    ssh_stream_init(&exec->streams[1], token, ssh_exec_on_err);
    for (size_t i = 0; i < ARRAY_LEN(exec->kept); i++)
        buf_init_secret(&exec->kept[i], command->output_limit);

    buf_init(&line, sizeof(exec->line));
    ssh_wrap_command(&line, user);
    assert(!line.overflow);
    memcpy(exec->line, line.data, line.len);
    exec->line_len = line.len;
    buf_fini(&line);
    buf_init_secret(&exec->head, SSH_SCRIPT_MAX + 256);
    (void)buf_reserve(&exec->head, strlen(command->script) + 200);
    ssh_wrap_head(&exec->head, token, command, command->timeout_ms / 1000 + 1 + EXEC_LATE_S);
    assert(!exec->head.overflow);
}

/* --- How it ended --------------------------------------------------------------------------------- */

static void
ssh_exec_fail(struct ssh_exec *exec, enum fault_kind kind, const char *why)
{
    exec->failed = true;
    (void)fault_set(&exec->fault, kind, "ssh.run", "%s: %s", exec->link->name, why);
}

void
ssh_exec_refuse(struct ssh_exec *exec, struct ssh_link *link, struct remote_command *command,
                enum fault_kind kind, const char *why)
{
    *exec = (struct ssh_exec){ .link = link, .command = command, .phase = SSH_EXEC_OVER };
    ssh_exec_fail(exec, kind, why);
}

/* Whether it is known that the script never began: it needs the whole head to. */
static bool
ssh_exec_has_begun(const struct ssh_exec *exec)
{
    return exec->streams[0].phase != SSH_STREAM_BEFORE ||
           exec->streams[1].phase != SSH_STREAM_BEFORE || exec->sent >= exec->head.len;
}

static bool
ssh_exec_is_certain(const struct ssh_exec *exec)
{
    return exec->failed || (exec->streams[0].phase == SSH_STREAM_ENDED &&
                            exec->streams[1].phase == SSH_STREAM_ENDED);
}

/* The link is broken. */
static int
ssh_exec_break(struct ssh_exec *exec)
{
    char why[FAULT_TEXT_SIZE];
    struct buf text;

    if (!ssh_exec_is_certain(exec)) {
        buf_init(&text, sizeof(why));
        buf_printf(&text, "the connection broke %s: %s",
                   ssh_exec_has_begun(exec) ? "while a script ran" : "before the script began",
                   ssh_link_error(exec->link));
        ssh_exec_fail(exec, ssh_exec_has_begun(exec) ? FAULT_LOST : FAULT_UNREACHABLE,
                      buf_text(&text));
        buf_fini(&text);
    }
    exec->phase = SSH_EXEC_OVER;
    return -1;
}

bool
ssh_exec_give_up(struct ssh_exec *exec, enum fault_kind kind, const char *why)
{
    bool can_close = exec->phase >= SSH_EXEC_TALK && !exec->link->half_sent;

    exec->given_up = true;
    if (!ssh_exec_is_certain(exec))
        ssh_exec_fail(exec, kind, why);
    if (can_close && exec->phase == SSH_EXEC_TALK)
        exec->phase = SSH_EXEC_CLOSE;
    return can_close;
}

void
ssh_exec_end(struct ssh_exec *exec)
{
    struct remote_command *command = STEAL(exec->command);
    struct buf out = exec->kept[0];
    struct buf err = exec->kept[1];
    struct fault fault = exec->fault;
    bool failed = exec->failed;

    buf_fini(&exec->head);
    command->out = out;
    command->err = err;
    command->truncated = exec->truncated;
    command->exit_code = failed ? -1 : exec->streams[0].code;
    command->done(command, failed ? &fault : NULL);
    buf_fini(&out);
    buf_fini(&err);
}

/* --- Steps ---------------------------------------------------------------------------------------- */

int
ssh_exec_step(struct ssh_exec *exec, bool *ret_more)
{
    enum ssh_exec_phase before = SSH_EXEC_OVER;
    int result = 0;

    *ret_more = false;
    ssh_link_turn(exec->link);
    while (result == 0 && exec->phase != SSH_EXEC_OVER && exec->phase != before) {
        before = exec->phase;
        switch (exec->phase) {
        case SSH_EXEC_OPEN:
            result = ssh_exec_step_open(exec);
            break;
        case SSH_EXEC_START:
            result = ssh_exec_step_start(exec);
            break;
        case SSH_EXEC_TALK:
            result = ssh_exec_step_talk(exec, ret_more);
            break;
        case SSH_EXEC_CLOSE:
        case SSH_EXEC_OVER:
            result = ssh_exec_step_close(exec);
            break;
        }
    }
    return result;
}

static int
ssh_exec_step_open(struct ssh_exec *exec)
{
    LIBSSH2_SESSION *session = exec->link->session;

    exec->channel = libssh2_channel_open_session(session);
    if (!exec->channel && libssh2_session_last_errno(session) == LIBSSH2_ERROR_EAGAIN)
        return SSH_STEP_AGAIN;
    if (!exec->channel)
        return ssh_exec_break(exec);
    exec->phase = SSH_EXEC_START;
    return 0;
}

static int
ssh_exec_step_start(struct ssh_exec *exec)
{
    int result = libssh2_channel_process_startup(exec->channel, "exec", strlen("exec"), exec->line,
                                                 (unsigned)exec->line_len);

    if (result == LIBSSH2_ERROR_EAGAIN)
        return SSH_STEP_AGAIN;
    if (result < 0)
        return ssh_exec_break(exec);
    exec->phase = SSH_EXEC_TALK;
    return 0;
}

/* What is next to be sent; 0: there is nothing, and @ret_at stays as it is. */
static size_t
ssh_exec_unsent(const struct ssh_exec *exec, const char **ret_at)
{
    size_t head_len = exec->head.len;
    size_t left = head_len + exec->command->input_len - exec->sent;

    if (exec->sent < head_len) {
        *ret_at = exec->head.data + exec->sent;
        return head_len - exec->sent;
    }
    if (left > 0)
        *ret_at = exec->command->input + (exec->sent - head_len);
    return left;
}

static ssize_t
ssh_exec_write(struct ssh_exec *exec)
{
    const char *at = NULL;
    size_t len = ssh_exec_unsent(exec, &at);
    ssize_t sent;

    if (len == 0)
        return 0;
    sent = libssh2_channel_write(exec->channel, at, len);
    if (sent > 0)
        exec->sent += (size_t)sent;
    return sent;
}

static ssize_t
ssh_exec_read(struct ssh_exec *exec, size_t which)
{
    char bite[EXEC_BITE];
    ssize_t got = libssh2_channel_read_ex(exec->channel, which ? SSH_EXTENDED_DATA_STDERR : 0, bite,
                                          sizeof(bite));

    if (got > 0)
        ssh_stream_feed(&exec->streams[which], bite, (size_t)got);
    secret_wipe(bite, got > 0 ? (size_t)got : 0);
    return got;
}

static void
ssh_exec_emit(struct ssh_exec *exec, size_t which, const char *data, size_t len)
{
    struct remote_command *command = exec->command;

    if (exec->given_up)
        return;
    if (command->output_limit > 0)
        buf_append(&exec->kept[which], data, len);
    if (command->output_limit == 0 || exec->kept[which].overflow)
        exec->truncated = true;
    if (command->on_output)
        command->on_output(command, which == 1, data, len);
}

static void
ssh_exec_on_out(struct ssh_stream *stream, const char *data, size_t len)
{
    ssh_exec_emit(CONTAINER_OF(stream, struct ssh_exec, streams[0]), 0, data, len);
}

static void
ssh_exec_on_err(struct ssh_stream *stream, const char *data, size_t len)
{
    ssh_exec_emit(CONTAINER_OF(stream, struct ssh_exec, streams[1]), 1, data, len);
}

/* The next of the three that take turns. Return: bytes that it moved; 0: it has to wait; -1: broken. */
static ssize_t
ssh_exec_talk(struct ssh_exec *exec)
{
    enum ssh_exec_turn turn = exec->turn;
    ssize_t moved =
        turn == SSH_EXEC_WRITE ? ssh_exec_write(exec) : ssh_exec_read(exec, turn == SSH_EXEC_ERR);

    if (moved < 0 && moved != LIBSSH2_ERROR_EAGAIN)
        return -1;
    if (!exec->link->half_sent) /* otherwise nothing else may be sent before: it keeps its turn */
        exec->turn = (turn + 1) % SSH_EXEC_TURNS;
    return moved > 0 ? moved : 0;
}

static int
ssh_exec_step_talk(struct ssh_exec *exec, bool *ret_more)
{
    int idle = 0;

    for (int bites = 0; bites < EXEC_BITES * SSH_EXEC_TURNS && idle < SSH_EXEC_TURNS; bites++) {
        ssize_t moved = ssh_exec_talk(exec);

        if (moved < 0)
            return ssh_exec_break(exec);
        if (exec->phase != SSH_EXEC_TALK)
            return 0; /* given up by on_output */
        if (exec->link->half_sent)
            return SSH_STEP_AGAIN;
        if (ssh_exec_is_certain(exec)) {
            exec->phase = SSH_EXEC_CLOSE;
            return 0;
        }
        idle = moved > 0 ? 0 : idle + 1;
    }
    *ret_more = idle < SSH_EXEC_TURNS;
    if (*ret_more || !libssh2_channel_eof(exec->channel))
        return SSH_STEP_AGAIN;
    exec->phase = SSH_EXEC_CLOSE;
    return 0;
}

/* The channel ended without the mark that says how: whatever it claims, nothing is known. */
static void
ssh_exec_no_mark(struct ssh_exec *exec)
{
    const struct ssh_stream *said = &exec->streams[exec->streams[1].noise_len > 0];
    bool began =
        exec->streams[0].phase != SSH_STREAM_BEFORE || exec->streams[1].phase != SSH_STREAM_BEFORE;
    char *signal = NULL;
    size_t signal_len = 0;
    struct buf why;

    (void)libssh2_channel_get_exit_signal(exec->channel, &signal, &signal_len, NULL, NULL, NULL,
                                          NULL);
    buf_init(&why, FAULT_TEXT_SIZE);
    buf_append_string(&why,
                      began ? "the shell around the script ended before it said how the script did"
                            : "the script never began");
    if (signal && signal_len > 0)
        buf_printf(&why, ", killed by SIG%.*s", (int)signal_len, signal);
    if (!began && said->noise_len > 0)
        buf_printf(&why, ": %s", said->noise);
    ssh_exec_fail(exec, began ? FAULT_LOST : FAULT_UNREACHABLE, buf_text(&why));
    buf_fini(&why);
    if (signal)
        libssh2_free(exec->link->session, signal);
}

static int
ssh_exec_step_close(struct ssh_exec *exec)
{
    int result = libssh2_channel_close(exec->channel);

    if (result == LIBSSH2_ERROR_EAGAIN)
        return SSH_STEP_AGAIN;
    if (result < 0)
        return ssh_exec_break(exec);
    if (!ssh_exec_is_certain(exec))
        ssh_exec_no_mark(exec);
    result = libssh2_channel_free(exec->channel);
    if (result == LIBSSH2_ERROR_EAGAIN)
        return SSH_STEP_AGAIN;
    exec->channel = NULL;
    exec->phase = SSH_EXEC_OVER;
    return result < 0 ? -1 : 0;
}
