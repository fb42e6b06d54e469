#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "berth/cli/signal.h"

static volatile sig_atomic_t signal_came;

static void
cli_signal_note(int number)
{
    signal_came = number;
}

void
cli_signal_watch(void)
{
    struct sigaction action = { .sa_handler = cli_signal_note };

    /* No SA_RESTART: blocking calls shall end. */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool
cli_signal_caught(void)
{
    return signal_came != 0;
}

bool
cli_signal_pause(int64_t ms)
{
    const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    sigset_t closed;
    sigset_t before;

    /* Blocked between the look and the wait, so that none is missed. */
    sigemptyset(&closed);
    sigaddset(&closed, SIGINT);
    sigaddset(&closed, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &closed, &before);
    if (!signal_came)
        (void)ppoll(NULL, 0, &time, &before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !signal_came;
}
