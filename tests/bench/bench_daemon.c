/*
 * berthd with simulated hosts: its own composition, loop, HTTP server, engine
 * and store, and sim.h in the place of Docker.
 *
 *   bench_daemon CONFIG HOSTS INSTANCES
 *
 * HOSTS and INSTANCES: what bench_fill has written into its data directory.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <curl/curl.h>

#include "berth/daemon/daemon.h"

#include "log_sink.h"
#include "sim.h"

struct bench {
    struct sim *sim;
    size_t host_count;
    size_t instance_count;
};

static const struct docker_port *
bench_docker(struct loop *loop, void *cookie)
{
    struct bench *bench = cookie;

    bench->sim = sim_new(bench->host_count, loop, bench->instance_count);
    return sim_port(bench->sim);
}

static int
bench_serve(const char *path, struct bench *bench)
{
    const struct daemon_options options = {
        .config_path = path,
        .version = BERTH_VERSION,
        .docker = bench_docker,
        .cookie = bench,
    };
    struct problems problems = { 0 };
    struct config config;
    struct daemon *daemon;
    struct fault fault;

    if (config_load(path, &config, &problems, &fault) < 0) {
        (void)fprintf(stderr, "bench_daemon: %s\n", fault.text);
        return 2;
    }
    log_sink_setup(&config.log);
    if (daemon_new(&options, &config, &daemon, &fault) < 0) {
        (void)fprintf(stderr, "bench_daemon: %s\n", fault.text);
        return 1;
    }
    daemon_run(daemon);
    daemon_free(daemon);
    sim_free(bench->sim);
    return 0;
}

int
main(int argc, char **argv)
{
    struct bench bench = { 0 };
    struct rlimit files;

    if (argc != 4) {
        (void)fputs("usage: bench_daemon CONFIG HOSTS INSTANCES\n", stderr);
        return 2;
    }
    bench.host_count = strtoul(argv[2], NULL, 10);
    bench.instance_count = strtoul(argv[3], NULL, 10);
    (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    return bench_serve(argv[1], &bench);
}
