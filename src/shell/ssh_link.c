#include "ssh_link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/text.h"

#include "key_wire.h"

enum {
    LINK_IDLE_S = 15, /* after so much silence the kernel asks whether the machine is there */
    LINK_PROBE_S = 5,
    LINK_PROBES = 6,
    LINK_UNACKED_MS = 45000,     /* what was sent has not arrived for so long: it never will */
    LINK_EARLY_MAX = 256 * 1024, /* bytes before the login: it takes some KiB */
    LINK_TURN_MAX = 1 << 20,     /* bytes that are read before others have their turn */
    LINK_ALIVE_S = 2, /* libssh2 takes none that follow each other faster; ssh.c asks less often */
};

/* In order of time. */
static int ssh_link_step_connect(struct ssh_link *link, struct fault *fault);
static int ssh_link_step_handshake(struct ssh_link *link, struct fault *fault);
static int ssh_link_step_login(struct ssh_link *link, struct fault *fault);

void
ssh_link_init(struct ssh_link *link, struct loop *loop, const struct ssh_peer *peer,
              void (*ready)(struct loop_fd *fd, bool readable, bool writable))
{
    bool is_v6 = strchr(peer->address, ':') != NULL;

    *link = (struct ssh_link){ .loop = loop, .peer = peer, .socket = -1, .fd.ready = ready };
    link->signer = mem_unconst(peer->key);
    (void)snprintf(link->name, sizeof(link->name), "%s@%s%s%s:%u", peer->user, is_v6 ? "[" : "",
                   peer->address, is_v6 ? "]" : "", (unsigned)peer->port);
}

/* --- What libssh2 calls --------------------------------------------------------------------------- */

static ssize_t
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the signature is libssh2's. */
ssh_link_on_send(libssh2_socket_t socket, const void *data, size_t len, int flags, void **abstract)
{
    struct ssh_link *link = *abstract;
    ssize_t sent = link->closed ? -1 : send(socket, data, len, flags | MSG_NOSIGNAL);
    int error = link->closed ? EPIPE : errno;

    link->half_sent = sent < 0 ? error == EAGAIN : (size_t)sent < len;
    return sent < 0 ? -error : sent;
}

/* libssh2 reads on for as long as something comes, whatever it is: the other side must not say how long. */
static bool
ssh_link_may_hear(struct ssh_link *link)
{
    if (link->phase == SSH_LINK_UP)
        return link->turn_left > 0;
    link->flooded = link->heard >= LINK_EARLY_MAX;
    link->closed = link->closed || link->flooded;
    return true;
}

static void
ssh_link_hear(struct ssh_link *link, size_t len)
{
    if (link->phase == SSH_LINK_UP) {
        link->turn_left -= len < link->turn_left ? len : link->turn_left;
    } else {
        link->heard += len;
    }
}

void
ssh_link_turn(struct ssh_link *link)
{
    link->turn_left = LINK_TURN_MAX;
}

static ssize_t
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the signature is libssh2's. */
ssh_link_on_recv(libssh2_socket_t socket, void *data, size_t len, int flags, void **abstract)
{
    struct ssh_link *link = *abstract;
    const struct clock_port *clock = loop_clock(link->loop);
    size_t room = sizeof(link->opening) - link->opening_len;
    ssize_t got;

    if (!ssh_link_may_hear(link))
        return -EAGAIN;
    got = link->closed ? 0 : recv(socket, data, len, flags);
    if (got < 0)
        return -errno;
    if (got > 0) {
        link->heard_mono_ms = clock->mono_ms(clock->self);
        ssh_link_hear(link, (size_t)got);
    }
    if (link->phase == SSH_LINK_HANDSHAKE && room > 0) {
        size_t kept = (size_t)got < room ? (size_t)got : room;

        memcpy(link->opening + link->opening_len, data, kept);
        link->opening_len += kept;
    }
    return got;
}

static void *
ssh_link_on_alloc(size_t size, void **abstract)
{
    return ssh_memory_resize(&((struct ssh_link *)*abstract)->memory, NULL, size);
}

static void *
ssh_link_on_realloc(void *block, size_t size, void **abstract)
{
    return ssh_memory_resize(&((struct ssh_link *)*abstract)->memory, block, size);
}

static void
ssh_link_on_free(void *block, void **abstract)
{
    ssh_memory_free(&((struct ssh_link *)*abstract)->memory, block);
}

/* libssh2 frees the signature. */
static int
ssh_link_on_sign(LIBSSH2_SESSION *session, unsigned char **ret_signature, size_t *ret_len,
                 const unsigned char *data, size_t len, void **abstract)
{
    const struct key *key = *abstract;
    struct ssh_link *link = *libssh2_session_abstract(session);

    *ret_signature = ssh_memory_resize(&link->memory, NULL, KEY_SIGNATURE_SIZE);
    if (!*ret_signature)
        return -1;
    key_sign(key, data, len, *ret_signature);
    *ret_len = KEY_SIGNATURE_SIZE;
    return 0;
}

const char *
ssh_link_error(const struct ssh_link *link)
{
    char *text = NULL;

    (void)libssh2_session_last_error(link->session, &text, NULL, 0);
    return text && *text ? text : "it failed";
}

/* --- The socket ----------------------------------------------------------------------------------- */

static socklen_t
ssh_link_address(const struct ssh_peer *peer, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(peer->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(peer->port) };

    if (inet_pton(AF_INET, peer->address, &v4.sin_addr) == 1) {
        memcpy(ret_address, &v4, sizeof(v4));
        return sizeof(v4);
    }
    if (inet_pton(AF_INET6, peer->address, &v6.sin6_addr) == 1) {
        memcpy(ret_address, &v6, sizeof(v6));
        return sizeof(v6);
    }
    return 0;
}

static void
ssh_link_tune(int socket)
{
    static const struct {
        int level, name, value;
    } rows[] = {
        { IPPROTO_TCP, TCP_NODELAY, 1 },
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, LINK_IDLE_S },
        { IPPROTO_TCP, TCP_KEEPINTVL, LINK_PROBE_S },
        { IPPROTO_TCP, TCP_KEEPCNT, LINK_PROBES },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, LINK_UNACKED_MS },
    };

    /* One that fails makes us slower to notice, no more. */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        (void)setsockopt(socket, rows[i].level, rows[i].name, &rows[i].value, sizeof(int));
}

static int
ssh_link_no_way(const struct ssh_link *link, int error, struct fault *fault)
{
    return fault_set(fault, FAULT_UNREACHABLE, "ssh.connect", "%s: %s", link->name,
                     strerrordesc_np(error));
}

int
ssh_link_open(struct ssh_link *link, struct fault *fault)
{
    struct sockaddr_storage address;
    socklen_t len = ssh_link_address(link->peer, &address);

    ssh_link_close(link);
    link->phase = SSH_LINK_CONNECT;
    link->half_sent = link->closed = link->flooded = false;
    link->opening_len = link->heard = 0;
    if (len == 0) {
        link->hopeless = true;
        return fault_set(fault, FAULT_INVALID, "ssh.connect",
                         "%s: an address in digits is needed: names are not looked up", link->name);
    }
    link->socket = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->socket < 0)
        return ssh_link_no_way(link, errno, fault);
    ssh_link_tune(link->socket);
    if (connect(link->socket, (const struct sockaddr *)&address, len) < 0 && errno != EINPROGRESS)
        return ssh_link_no_way(link, errno, fault);
    return 0;
}

static int
ssh_link_session_open(struct ssh_link *link, struct fault *fault)
{
    static const struct {
        enum ssh_offer_kind kind;
        int method;
    } rows[] = {
        { SSH_OFFER_KEX, LIBSSH2_METHOD_KEX },
        { SSH_OFFER_HOST_KEY, LIBSSH2_METHOD_HOSTKEY },
        { SSH_OFFER_CIPHER, LIBSSH2_METHOD_CRYPT_CS },
        { SSH_OFFER_CIPHER, LIBSSH2_METHOD_CRYPT_SC },
        { SSH_OFFER_MAC, LIBSSH2_METHOD_MAC_CS },
        { SSH_OFFER_MAC, LIBSSH2_METHOD_MAC_SC },
    };
    union {
        ssize_t (*send)(libssh2_socket_t, const void *, size_t, int, void **);
        ssize_t (*recv)(libssh2_socket_t, void *, size_t, int, void **);
        void *pointer; /* as libssh2 takes them */
    } on_send = { .send = ssh_link_on_send }, on_recv = { .recv = ssh_link_on_recv };

    link->session =
        libssh2_session_init_ex(ssh_link_on_alloc, ssh_link_on_free, ssh_link_on_realloc, link);
    if (!link->session)
        abort(); /* no memory */
    libssh2_session_set_blocking(link->session, 0);
    (void)libssh2_session_callback_set(link->session, LIBSSH2_CALLBACK_SEND, on_send.pointer);
    (void)libssh2_session_callback_set(link->session, LIBSSH2_CALLBACK_RECV, on_recv.pointer);
    libssh2_keepalive_config(link->session, 1, LINK_ALIVE_S);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (libssh2_session_method_pref(link->session, rows[i].method,
                                        ssh_offer_ours(rows[i].kind)) < 0) {
            link->hopeless = true;
            return fault_set(fault, FAULT_BUG, "ssh.connect", "%s: %s", link->name,
                             ssh_link_error(link));
        }
    }
    return 0;
}

/* --- Steps ---------------------------------------------------------------------------------------- */

int
ssh_link_step(struct ssh_link *link, struct fault *fault)
{
    static int (*const steps[])(struct ssh_link * link, struct fault * fault) = {
        [SSH_LINK_CONNECT] = ssh_link_step_connect,
        [SSH_LINK_HANDSHAKE] = ssh_link_step_handshake,
        [SSH_LINK_LOGIN] = ssh_link_step_login,
    };
    int result;

    assert(link->phase < SSH_LINK_UP);
    result = steps[link->phase](link, fault);
    if (result == 0)
        link->phase++;
    return result;
}

static int
ssh_link_step_connect(struct ssh_link *link, struct fault *fault)
{
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(link->socket, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0)
        return ssh_link_no_way(link, error != 0 ? error : errno, fault);
    if (getpeername(link->socket, (struct sockaddr *)&peer, &peer_len) < 0)
        return errno == ENOTCONN ? SSH_STEP_AGAIN : ssh_link_no_way(link, errno, fault);
    return ssh_link_session_open(link, fault);
}

/* The key that it has just proved to own is one of those that we know. */
static int
ssh_link_check(struct ssh_link *link, struct fault *fault)
{
    const struct ssh_peer *peer = link->peer;
    struct key_public shown;
    char text[KEY_FINGERPRINT_SIZE];
    size_t len = 0;
    int type = LIBSSH2_HOSTKEY_TYPE_UNKNOWN;
    const char *blob = libssh2_session_hostkey(link->session, &len, &type);

    link->hopeless = true;
    if (!blob || type != LIBSSH2_HOSTKEY_TYPE_ED25519 || !key_public_from_blob(blob, len, &shown)) {
        return fault_set(fault, FAULT_TLS, "ssh.handshake",
                         "%s: another machine answers: its host key is not of the type " KEY_TYPE,
                         link->name);
    }
    for (size_t i = 0; i < peer->accepted_count; i++) {
        if (key_public_equal(&shown, &peer->accepted[i])) {
            link->hopeless = false;
            link->accepted = i;
            return 0;
        }
    }
    return fault_set(fault, FAULT_TLS, "ssh.handshake",
                     "%s: another machine answers: its host key %s is not the expected one",
                     link->name, key_public_fingerprint(&shown, text));
}

static int
ssh_link_flooded(const struct ssh_link *link, struct fault *fault)
{
    return fault_set(fault, FAULT_UNREACHABLE, "ssh.connect",
                     "%s: what answers has sent more than %d KiB before the login", link->name,
                     LINK_EARLY_MAX / 1024);
}

static int
ssh_link_handshake_fault(struct ssh_link *link, int error, struct fault *fault)
{
    char lacks[SSH_OFFER_TEXT_SIZE];

    if (link->flooded)
        return ssh_link_flooded(link, fault);
    if (ssh_offer_lacks(link->opening, link->opening_len, lacks)) {
        link->hopeless = true;
        return fault_set(fault, FAULT_GARBLED, "ssh.handshake", "%s: %s", link->name, lacks);
    }
    switch (error) {
    case LIBSSH2_ERROR_HOSTKEY_INIT:
    case LIBSSH2_ERROR_HOSTKEY_SIGN:
        link->hopeless = true;
        return fault_set(fault, FAULT_TLS, "ssh.handshake",
                         "%s: another machine answers: it does not own the host key that it shows",
                         link->name);
    case LIBSSH2_ERROR_BANNER_RECV:
        return fault_set(fault, FAULT_UNREACHABLE, "ssh.handshake",
                         "%s: what answers does not speak SSH, or ended the connection at once",
                         link->name);
    default:
        return fault_set(fault, FAULT_UNREACHABLE, "ssh.handshake", "%s: no handshake: %s",
                         link->name, ssh_link_error(link));
    }
}

static int
ssh_link_step_handshake(struct ssh_link *link, struct fault *fault)
{
    int result = libssh2_session_handshake(link->session, link->socket);

    if (result == LIBSSH2_ERROR_EAGAIN)
        return SSH_STEP_AGAIN;
    return result == 0 ? ssh_link_check(link, fault)
                       : ssh_link_handshake_fault(link, result, fault);
}

static int
ssh_link_step_login(struct ssh_link *link, struct fault *fault)
{
    uint8_t blob[KEY_BLOB_SIZE];
    char text[KEY_FINGERPRINT_SIZE];
    int result;

    key_public_blob(key_public(link->peer->key), blob);
    result = libssh2_userauth_publickey(link->session, link->peer->user, blob, sizeof(blob),
                                        ssh_link_on_sign, &link->signer);
    if (result == LIBSSH2_ERROR_EAGAIN)
        return SSH_STEP_AGAIN;
    if (result == 0)
        return 0;
    if (link->flooded)
        return ssh_link_flooded(link, fault);
    if (result == LIBSSH2_ERROR_AUTHENTICATION_FAILED ||
        result == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
        return fault_set(fault, FAULT_TLS, "ssh.login",
                         "%s: the machine does not accept our key (%s) for this user", link->name,
                         key_public_fingerprint(key_public(link->peer->key), text));
    }
    return fault_set(fault, FAULT_UNREACHABLE, "ssh.login", "%s: the login broke off: %s",
                     link->name, ssh_link_error(link));
}

/* --- Up ------------------------------------------------------------------------------------------- */

void
ssh_link_watch(struct ssh_link *link, bool wanted)
{
    bool write = link->phase == SSH_LINK_CONNECT || link->half_sent;
    int directions = link->session ? libssh2_session_block_directions(link->session) : 0;

    if (!wanted || link->socket < 0) {
        if (link->watching)
            loop_fd_stop(link->loop, &link->fd);
        link->watching = false;
        return;
    }
    write = write || (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
    loop_fd_start(link->loop, &link->fd, link->socket, link->phase != SSH_LINK_CONNECT, write);
    link->watching = true;
}

void
ssh_link_alive(struct ssh_link *link)
{
    int unacked = 0;
    int next_s;

    /* libssh2 forgets the rest of a keepalive that is half sent: only when it surely goes in whole. */
    if (link->half_sent || ioctl(link->socket, SIOCOUTQ, &unacked) < 0 || unacked > 0)
        return;
    (void)libssh2_keepalive_send(link->session, &next_s);
}

void
ssh_link_close(struct ssh_link *link)
{
    ssh_link_watch(link, false);
    if (link->session) {
        if (link->phase == SSH_LINK_UP && !link->half_sent && !link->closed)
            (void)libssh2_session_disconnect(link->session, "done");
        link->closed = true; /* so that libssh2 has nothing to wait for */
        (void)libssh2_session_free(STEAL(link->session));
    }
    if (link->socket >= 0)
        (void)close(link->socket);
    link->socket = -1;
}
