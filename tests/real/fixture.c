// What a test container runs where busybox has no program for it. Linked statically.
//   fixture udp-echo PORT    answers each datagram with "echo:" and its content
//   fixture hog BYTES        touches so many bytes of memory, says so, and waits
//   fixture wait             waits
// SIGTERM ends each of them at once, with status 0.
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// A container's first process ignores SIGTERM unless it has a handler.
static void
on_term(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

static int
udp_echo(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0) {
        perror("udp-echo");
        return 1;
    }
    for (;;) {
        char text[1500] = "echo:";
        struct sockaddr_in peer;
        socklen_t peer_size = sizeof peer;
        ssize_t n =
            recvfrom(fd, text + 5, sizeof text - 5, 0, (struct sockaddr *)&peer, &peer_size);
        if (n >= 0)
            (void)sendto(fd, text, (size_t)n + 5, 0, (struct sockaddr *)&peer, peer_size);
    }
}

static int
hog(size_t size_bytes)
{
    char *memory = malloc(size_bytes);
    if (memory == NULL) {
        perror("hog");
        return 1;
    }
    memset(memory, 1, size_bytes);
    printf("holds %zu bytes, last %d\n", size_bytes, memory[size_bytes - 1]);
    (void)fflush(stdout);
    (void)pause();
    free(memory);
    return 0;
}

int
main(int argc, char **argv)
{
    (void)sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
    if (argc == 2 && strcmp(argv[1], "wait") == 0)
        return pause();
    if (argc == 3 && strcmp(argv[1], "udp-echo") == 0)
        return udp_echo((uint16_t)strtoul(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "hog") == 0)
        return hog((size_t)strtoull(argv[2], NULL, 10));
    (void)fprintf(stderr, "usage: fixture udp-echo PORT | hog BYTES | wait\n");
    return 2;
}
