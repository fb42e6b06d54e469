#pragma once

/* A connection to a real server (sshd.h) and what it runs, for the tests of SSH. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/text.h"
#include "berth/loop/loop.h"

#include "../../../src/shell/ssh.h"
#include "sshd.h"

enum { PATIENCE_MS = 60000, MANY = 50, MIB = 1 << 20, KEPT_MAX = 65536 };

extern struct loop *loop;
extern struct key *host_key, *other_key, *user_key;

/* A connection and what it runs. */
struct wire {
    struct ssh *ssh;
    struct ssh_connect connect;
    struct remote_command command;
    int connects, ends;
    bool failed;
    struct fault fault;
    char out[4096]; /* the first of each, with NUL */
    char err[4096];
    size_t out_len, err_len;
    char live[256]; /* what on_output was given of stdout */
    size_t live_len;
    uint8_t out_sha[TEXT_SHA256_SIZE];
    void (*on_live)(struct wire *wire);
};

#define SERVER(...)                                                                                \
    {                                                                                              \
        .host_key = host_key, .user_key = user_key, .options = { __VA_ARGS__ }                     \
    }

/** wire_group_begin() / wire_group_end() - cmocka's: the loop, the keys. */
int wire_group_begin(void **state);
int wire_group_end(void **state);

/** server_start() - as asked for, or the test is skipped. */
void server_start(struct sshd *sshd);
/** peer_of() - @sshd, for us; the second of its accepted keys is the server's. */
struct ssh_peer peer_of(const struct sshd *sshd);
void wire_begin(struct wire *wire, const struct ssh_peer *peer);
/** wire_connect() - and wait for its end. */
void wire_connect(struct wire *wire, const struct ssh_peer *peer);
/** wire_up() - the same, with success. */
void wire_up(struct wire *wire, const struct sshd *sshd);
bool wire_is_connected(void *cookie);
bool wire_has_ended(void *cookie);
void script_begin(struct wire *wire, const char *script);
/** script_run() - and wait for its end. */
void script_run(struct wire *wire, const char *script);
/** script_ends() - the same, without a fault. Return: its exit code. */
int script_ends(struct wire *wire, const char *script);
void fault_expect(const struct wire *wire, enum fault_kind kind, const char *words);
/** poll_until() - for what does not happen on the loop. Return: whether it is done. */
bool poll_until(bool (*is_done)(const void *cookie), const void *cookie);
