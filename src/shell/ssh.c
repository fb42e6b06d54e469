#include "ssh.h"

#include <assert.h>
#include <string.h>

#include "ssh_exec.h"
#include "ssh_link.h"

enum {
    SSH_CONNECT_MS = 10000, /* the longest that each part of a try may take */
    SSH_HANDSHAKE_MS = 20000,
    SSH_LOGIN_MS = 20000,
    SSH_PAUSE_FIRST_MS = 250, /* between tries; twice as long after each */
    SSH_PAUSE_MAX_MS = 4000,
    SSH_CLOSE_MS = 5000,   /* for a channel to close before the connection is given up with it */
    SSH_ALIVE_MS = 15000,  /* how often a server is asked for an answer while a script runs */
    SSH_SILENT_MS = 60000, /* no answer for so long: it hangs, or has gone */
};

enum ssh_state {
    SSH_NEW,
    SSH_PAUSING, /* between two tries */
    SSH_TRYING,
    SSH_READY, /* for a command */
    SSH_BUSY,  /* with one */
    SSH_BROKEN,
};

struct ssh {
    struct loop *loop;
    const struct clock_port *clock;
    struct ssh_peer peer;
    char *address;
    char *user;
    struct remote remote;
    enum ssh_state state;
    struct ssh_link link;
    struct ssh_connect *connect;
    int64_t retry_until_mono_ms;
    int64_t pause_ms;
    struct ssh_exec exec;
    bool cancelled;
    bool closing;             /* the channel, for no longer than SSH_CLOSE_MS */
    bool doomed;              /* the connection ends with what runs */
    struct clock_timer kick;  /* there is something to do */
    struct clock_timer limit; /* of what is being done */
    struct clock_timer alive;
};

/* In order of time. */
static void ssh_on_kick(struct clock_timer *timer);
static void ssh_on_ready(struct loop_fd *fd, bool readable, bool writable);
static void ssh_try(struct ssh *ssh);
static void ssh_try_step(struct ssh *ssh);
static void ssh_try_failed(struct ssh *ssh, const struct fault *fault);
static void ssh_connect_end(struct ssh *ssh, const struct fault *fault);
static void ssh_run(void *self, struct remote_command *command);
static void ssh_run_step(struct ssh *ssh);
static void ssh_cancel(void *self, struct remote_command *command);
static void ssh_on_alive(struct clock_timer *timer);
static void ssh_on_limit(struct clock_timer *timer);
static void ssh_run_end(struct ssh *ssh);

static int64_t
ssh_mono_ms(const struct ssh *ssh)
{
    return ssh->clock->mono_ms(ssh->clock->self);
}

static void
ssh_timer_set(struct ssh *ssh, struct clock_timer *timer, int64_t in_ms)
{
    ssh->clock->timer_set(ssh->clock->self, timer, ssh_mono_ms(ssh) + in_ms);
}

static void
ssh_timers_clear(struct ssh *ssh)
{
    ssh->clock->timer_clear(ssh->clock->self, &ssh->kick);
    ssh->clock->timer_clear(ssh->clock->self, &ssh->limit);
    ssh->clock->timer_clear(ssh->clock->self, &ssh->alive);
}

bool
ssh_is_user(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= SSH_USER_MAX &&
           ((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_') &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

struct ssh *
ssh_new(struct loop *loop, const struct ssh_peer *peer)
{
    struct ssh *ssh = mem_new0(sizeof(*ssh));

    assert(ssh_is_user(peer->user) && peer->port > 0);
    assert(peer->accepted_count > 0 && peer->accepted_count <= SSH_ACCEPTED_MAX);
    (void)libssh2_init(0); /* counted; fails never with OpenSSL */
    ssh->loop = loop;
    ssh->clock = loop_clock(loop);
    ssh->peer = *peer;
    ssh->peer.address = ssh->address = mem_strdup(peer->address);
    ssh->peer.user = ssh->user = mem_strdup(peer->user);
    ssh->remote = (struct remote){ .self = ssh, .run = ssh_run, .cancel = ssh_cancel };
    ssh->kick.fire = ssh_on_kick;
    ssh->limit.fire = ssh_on_limit;
    ssh->alive.fire = ssh_on_alive;
    ssh_link_init(&ssh->link, loop, &ssh->peer, ssh_on_ready);
    return ssh;
}

void
ssh_free(struct ssh *ssh)
{
    if (!ssh)
        return;
    assert(!ssh->connect && !ssh->exec.command);
    ssh_timers_clear(ssh);
    ssh_link_close(&ssh->link);
    libssh2_exit();
    mem_free(ssh->address);
    mem_free(ssh->user);
    mem_free(ssh);
}

const struct remote *
ssh_remote(struct ssh *ssh)
{
    return &ssh->remote;
}

/* --- What happens --------------------------------------------------------------------------------- */

static void
ssh_go_on(struct ssh *ssh)
{
    switch (ssh->state) {
    case SSH_PAUSING:
        ssh_try(ssh);
        break;
    case SSH_TRYING:
        ssh_try_step(ssh);
        break;
    case SSH_BUSY:
        ssh_run_step(ssh);
        break;
    case SSH_NEW:
    case SSH_READY:
    case SSH_BROKEN:
        ssh_link_watch(&ssh->link, false);
        break;
    }
}

static void
ssh_on_kick(struct clock_timer *timer)
{
    ssh_go_on(CONTAINER_OF(timer, struct ssh, kick));
}

static void
ssh_on_ready(struct loop_fd *fd, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    ssh_go_on(CONTAINER_OF(fd, struct ssh, link.fd));
}

/* --- Connecting ----------------------------------------------------------------------------------- */

void
ssh_connect_start(struct ssh *ssh, struct ssh_connect *connect)
{
    assert(ssh->state == SSH_NEW && connect->done);
    ssh->connect = connect;
    connect->tries = 0;
    ssh->state = SSH_PAUSING;
    ssh->pause_ms = SSH_PAUSE_FIRST_MS;
    ssh->retry_until_mono_ms = ssh_mono_ms(ssh) + connect->retry_for_ms;
    ssh_timer_set(ssh, &ssh->kick, 0);
}

void
ssh_connect_cancel(struct ssh *ssh)
{
    if (!ssh->connect)
        return;
    ssh->cancelled = true;
    ssh->state = SSH_PAUSING;
    ssh->clock->timer_clear(ssh->clock->self, &ssh->limit); /* of the try: there is none any more */
    ssh_timer_set(ssh, &ssh->kick, 0);
}

static void
ssh_limit_set(struct ssh *ssh)
{
    static const int64_t limits_ms[] = {
        [SSH_LINK_CONNECT] = SSH_CONNECT_MS,
        [SSH_LINK_HANDSHAKE] = SSH_HANDSHAKE_MS,
        [SSH_LINK_LOGIN] = SSH_LOGIN_MS,
    };
    int64_t own_ms = ssh->connect->part_limit_ms;

    ssh_timer_set(ssh, &ssh->limit, own_ms > 0 ? own_ms : limits_ms[ssh->link.phase]);
}

static void
ssh_try(struct ssh *ssh)
{
    struct fault fault;

    if (ssh->cancelled) {
        (void)fault_set(&fault, FAULT_CANCELLED, "ssh.connect", "cancelled");
        ssh_connect_end(ssh, &fault);
        return;
    }
    ssh->state = SSH_TRYING;
    ssh->connect->tries++;
    if (ssh_link_open(&ssh->link, &fault) < 0) {
        ssh_try_failed(ssh, &fault);
        return;
    }
    ssh_limit_set(ssh);
    ssh_link_watch(&ssh->link, true);
}

static void
ssh_try_step(struct ssh *ssh)
{
    struct fault fault;
    int result = 0;

    while (result == 0 && ssh->link.phase != SSH_LINK_UP) {
        result = ssh_link_step(&ssh->link, &fault);
        if (result == 0 && ssh->link.phase != SSH_LINK_UP)
            ssh_limit_set(ssh);
    }
    if (result < 0) {
        ssh_try_failed(ssh, &fault);
    } else if (result == SSH_STEP_AGAIN) {
        ssh_link_watch(&ssh->link, true);
    } else {
        ssh_connect_end(ssh, NULL);
    }
}

/* A pause of half to the whole of its length, so that many do not come back together. */
static void
ssh_try_failed(struct ssh *ssh, const struct fault *fault)
{
    const struct random_port *random = loop_random(ssh->loop);
    int64_t half_ms = ssh->pause_ms / 2;
    int64_t pause_ms = half_ms + random_u32(random) % half_ms;

    ssh_link_close(&ssh->link);
    ssh->clock->timer_clear(ssh->clock->self, &ssh->limit);
    if (ssh->link.hopeless || ssh_mono_ms(ssh) + pause_ms >= ssh->retry_until_mono_ms) {
        ssh_connect_end(ssh, fault);
        return;
    }
    ssh->state = SSH_PAUSING;
    ssh->pause_ms = ssh->pause_ms * 2 < SSH_PAUSE_MAX_MS ? ssh->pause_ms * 2 : SSH_PAUSE_MAX_MS;
    ssh_timer_set(ssh, &ssh->kick, pause_ms);
}

static void
ssh_connect_end(struct ssh *ssh, const struct fault *fault)
{
    struct ssh_connect *connect = STEAL(ssh->connect);

    ssh_timers_clear(ssh);
    ssh_link_watch(&ssh->link, false);
    if (fault)
        ssh_link_close(&ssh->link);
    ssh->state = fault ? SSH_BROKEN : SSH_READY;
    connect->accepted = ssh->link.accepted;
    connect->done(connect, fault);
}

/* --- Running -------------------------------------------------------------------------------------- */

static const char *
ssh_command_mistake(const struct remote_command *command)
{
    if (command->user && !ssh_is_user(command->user))
        return "this is no name of a user";
    if (command->input_len > SSH_INPUT_MAX)
        return "the input is too long";
    if (strlen(command->script) > SSH_SCRIPT_MAX)
        return "the script is too long";
    return NULL;
}

static void
ssh_run(void *self, struct remote_command *command)
{
    struct ssh *ssh = self;
    const char *mistake = ssh_command_mistake(command);
    bool becomes = command->user && strcmp(command->user, ssh->user) != 0;

    assert(!ssh->connect && !ssh->exec.command && command->timeout_ms > 0);
    ssh->closing = false;
    ssh->doomed = ssh->state != SSH_READY;
    ssh->state = SSH_BUSY;
    ssh_timer_set(ssh, &ssh->kick, 0);
    if (ssh->doomed) {
        ssh_exec_refuse(&ssh->exec, &ssh->link, command, FAULT_UNREACHABLE,
                        "there is no connection any more");
    } else if (mistake) {
        ssh_exec_refuse(&ssh->exec, &ssh->link, command, FAULT_INVALID, mistake);
    } else {
        ssh_exec_start(&ssh->exec, &ssh->link, command, becomes ? command->user : NULL);
        ssh->link.heard_mono_ms = ssh_mono_ms(ssh);
        ssh_timer_set(ssh, &ssh->limit, command->timeout_ms);
        ssh_timer_set(ssh, &ssh->alive, SSH_ALIVE_MS);
    }
}

static void
ssh_run_step(struct ssh *ssh)
{
    bool more = false;
    int result;

    if (ssh->doomed) {
        ssh_run_end(ssh);
        return;
    }
    result = ssh_exec_step(&ssh->exec, &more);
    if (result != SSH_STEP_AGAIN) {
        ssh->doomed = result < 0;
        ssh_run_end(ssh);
        return;
    }
    ssh_link_watch(&ssh->link, true);
    if (more)
        ssh_timer_set(ssh, &ssh->kick, 0);
    if (ssh->exec.phase == SSH_EXEC_CLOSE && !ssh->closing) {
        ssh->closing = true;
        ssh_timer_set(ssh, &ssh->limit, SSH_CLOSE_MS);
    }
}

/* The outcome is certain now, at the latest; the channel gets some time to close. */
static void
ssh_give_up(struct ssh *ssh, enum fault_kind kind, const char *why)
{
    if (!ssh_exec_give_up(&ssh->exec, kind, why))
        ssh->doomed = true;
    ssh_timer_set(ssh, &ssh->kick, 0);
}

static void
ssh_cancel(void *self, struct remote_command *command)
{
    struct ssh *ssh = self;

    if (ssh->exec.command == command && !ssh->exec.given_up)
        ssh_give_up(ssh, FAULT_CANCELLED, "cancelled");
}

static void
ssh_on_alive(struct clock_timer *timer)
{
    struct ssh *ssh = CONTAINER_OF(timer, struct ssh, alive);

    if (ssh->state != SSH_BUSY)
        return;
    if (ssh_mono_ms(ssh) - ssh->link.heard_mono_ms >= SSH_SILENT_MS) {
        ssh_give_up(ssh, FAULT_LOST, "the machine does not answer any more");
        ssh->doomed = true;
        return;
    }
    ssh_link_alive(&ssh->link);
    ssh_timer_set(ssh, &ssh->alive, SSH_ALIVE_MS);
}

static void
ssh_on_limit(struct clock_timer *timer)
{
    struct ssh *ssh = CONTAINER_OF(timer, struct ssh, limit);
    bool is_connect = ssh->link.phase == SSH_LINK_CONNECT;
    struct fault fault;

    if (ssh->state == SSH_TRYING) {
        (void)fault_set(&fault, is_connect ? FAULT_UNREACHABLE : FAULT_TIMEOUT, "ssh.connect",
                        "%s: %s", ssh->link.name,
                        is_connect ? "nobody answers" : "the server fell silent before the login");
        ssh_try_failed(ssh, &fault);
    } else if (ssh->closing) {
        ssh->doomed = true;
        ssh_timer_set(ssh, &ssh->kick, 0);
    } else {
        ssh_give_up(ssh, FAULT_TIMEOUT, "the script took too long");
    }
}

static void
ssh_run_end(struct ssh *ssh)
{
    ssh_timers_clear(ssh);
    ssh_link_watch(&ssh->link, false);
    if (ssh->doomed)
        ssh_link_close(&ssh->link);
    ssh->state = ssh->doomed ? SSH_BROKEN : SSH_READY;
    ssh_exec_end(&ssh->exec);
}
