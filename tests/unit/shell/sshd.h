#pragma once

/* A real OpenSSH server for one test: tests/support/sshd.sh. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/shell/key.h"

enum { SSHD_OPTIONS_MAX = 4 };

struct sshd {
    /* In. */
    const struct key *host_key; /* NULL: an RSA key */
    const struct key *user_key; /* NULL: nobody may log in */
    const char *options[SSHD_OPTIONS_MAX];
    /* Out. */
    char folder[32];
    uint16_t port;
    pid_t pid;
    pid_t keeper;
    int stop; /* closing it ends the server */
};

/** sshd_start() - false: there is none on this machine, and why is printed. */
bool sshd_start(struct sshd *sshd);
void sshd_stop(struct sshd *sshd);
/** sshd_authorize() - from now on @user_key may log in. */
void sshd_authorize(const struct sshd *sshd, const struct key *user_key);
/** sshd_log_has() - whether the server has written @text. */
bool sshd_log_has(const struct sshd *sshd, const char *text);
/** sshd_me() - whom this test runs as. */
const char *sshd_me(void);
