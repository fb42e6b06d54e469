#include "berth/daemon/daemon.h"

#include <malloc.h>
#include <signal.h>

#include "berth/api/server.h"
#include "berth/base/log.h"
#include "berth/docker/docker.h"
#include "berth/engine/engine.h"
#include "berth/loop/http.h"
#include "berth/loop/loop.h"
#include "berth/store/spool.h"
#include "berth/store/store.h"

#include "admin_token.h"
#include "apply.h"
#include "log_sink.h"
#include "lost_keys.h"
#include "machines.h"
#include "notify.h"
#include "places.h"
#include "zone_files.h"

struct daemon {
    struct daemon_options options;
    struct config config;
    struct loop *loop;
    struct http *http;
    struct docker *docker; /* NULL: the options' */
    struct store *store;
    struct spool *spool;
    struct zone_files *zones;
    struct machines *machines;
    struct engine *engine;
    struct api_server *server;
    struct clock_timer watchdog;
    bool started; /* every host was looked at */
    bool due; /* the rows are to be loaded anew: the configuration will have to be applied again */
    bool stopping;
};

/* In order of time. */
static int daemon_open(struct daemon *daemon, struct fault *fault);
static int daemon_start(struct daemon *daemon, struct fault *fault);
static void daemon_wind_up(struct daemon *daemon);
static void daemon_on_turn(void *cookie);
static void daemon_on_watchdog(struct clock_timer *timer);
static void daemon_on_signal(void *cookie, int signum);
static void daemon_on_server_stopped(void *cookie);
static void daemon_on_engine_stopped(void *cookie);

int
daemon_new(const struct daemon_options *options, struct config *config, struct daemon **ret_daemon,
           struct fault *fault)
{
    struct daemon *daemon = mem_new0(sizeof(*daemon));

    daemon->options = *options;
    daemon->config = *config;
    *config = (struct config){ 0 };
    if (daemon_open(daemon, fault) < 0 || daemon_start(daemon, fault) < 0) {
        daemon_wind_up(daemon);
        daemon_free(daemon);
        return -1;
    }
    *ret_daemon = daemon;
    return 0;
}

static const char *
daemon_cluster_id(void *cookie)
{
    const struct daemon *daemon = cookie;

    return engine_cluster_id(daemon->engine);
}

static int
daemon_open_machines(struct daemon *daemon, struct fault *fault)
{
    const struct machines_options options = { .http = daemon->http,
                                              .loop = daemon->loop,
                                              .data_dir = daemon->config.data_dir,
                                              .cluster_id = daemon_cluster_id,
                                              .cookie = daemon };

    if (machines_new(&options, &daemon->machines, fault) < 0)
        return -1;
    return machines_apply(daemon->machines, &daemon->config, fault);
}

static int
daemon_open(struct daemon *daemon, struct fault *fault)
{
    const struct store_options store = { .data_dir = daemon->config.data_dir };

    daemon->loop = loop_new();
    daemon->zones = zone_files_new(NULL);
    daemon->http = http_new(daemon->loop);
    if (!daemon->options.docker)
        daemon->docker = docker_new(daemon->http, daemon->loop);
    if (store_new(daemon->loop, &store, &daemon->store, fault) < 0)
        return -1;
    if (lost_keys_check(daemon->config.data_dir, fault) < 0 ||
        spool_new(daemon->config.data_dir, &daemon->spool, fault) < 0)
        return -1;
    return daemon_open_machines(daemon, fault);
}

static int
daemon_apply(struct daemon *daemon, struct fault *fault)
{
    const struct config *config = &daemon->config;
    struct engine_config engine;

    apply_engine_config(config, &engine);
    engine_config_set(daemon->engine, &engine);
    if (apply_pools(daemon->engine, config, fault) < 0 ||
        apply_registries(daemon->engine, config, fault) < 0)
        return -1;
    places_apply(config, daemon->engine);
    return admin_token_ensure(daemon->engine, config->data_dir, loop_random(daemon->loop), fault);
}

static int
daemon_start(struct daemon *daemon, struct fault *fault)
{
    const struct config *config = &daemon->config;
    struct engine_ports ports = {
        .clock = loop_clock(daemon->loop),
        .random = loop_random(daemon->loop),
        .store = store_port(daemon->store),
        .docker = daemon->docker ? docker_port(daemon->docker)
                                 : daemon->options.docker(daemon->loop, daemon->options.cookie),
        .spool = spool_port(daemon->spool),
        .zones = zone_files_port(daemon->zones),
        .cloud = machines_cloud(daemon->machines),
        .shell = machines_shell(daemon->machines),
    };
    struct engine_config engine;
    struct api_options api = {
        .listen = (const char *const *)config->listen.at,
        .listen_count = config->listen.count,
        .allow_remote = config->allow_remote,
        .version = daemon->options.version,
        .temp_dir = config->data_dir,
        .limits = { .connections = (uint32_t)config->limits.connections,
                    .body_bytes = (uint32_t)config->limits.body_bytes,
                    .image_mib = (uint32_t)(config->limits.image_bytes >> 20) },
        .loop_lag_us = (int64_t(*)(void *))loop_lag_us,
        .cookie = daemon->loop,
    };

    apply_engine_config(config, &engine);
    daemon->engine = engine_new(&ports, &engine);
    if (engine_load(daemon->engine, fault) < 0)
        return -1;
    if (machines_check(daemon->machines, engine_model(daemon->engine), fault) < 0)
        return lost_keys_tell(config->data_dir);
    if (places_check(config, engine_model(daemon->engine), fault) < 0 ||
        daemon_apply(daemon, fault) < 0)
        return -1;
    daemon->server = api_server_new(daemon->loop, daemon->engine, &api);
    if (api_server_start(daemon->server, fault) < 0)
        return -1;
    engine_listen(daemon->engine, api_server_notify, daemon->server);
    engine_steps_listen(daemon->engine, api_server_notify_steps, daemon->server);
    return 0;
}

/* The rows may have work under way already: it ends before anything is freed. */
static void
daemon_wind_up(struct daemon *daemon)
{
    if (!daemon->engine)
        return;
    loop_turn_hook(daemon->loop, daemon_on_turn, daemon);
    engine_stop_start(daemon->engine, daemon_on_engine_stopped, daemon);
    loop_run(daemon->loop);
    loop_turn_hook(daemon->loop, NULL, NULL);
}

/* What the configuration made was perhaps not written when a commit failed. */
static void
daemon_apply_again(struct daemon *daemon)
{
    enum engine_health health = engine_health(daemon->engine, NULL);
    struct fault fault;

    daemon->due |= health == ENGINE_FULL || health == ENGINE_BROKEN;
    if (!daemon->due || health != ENGINE_SERVING)
        return;
    daemon->due = false;
    if (daemon_apply(daemon, &fault) < 0)
        log_error("config", "%s", fault.text);
    loop_turn_ask(daemon->loop);
}

static void
daemon_on_turn(void *cookie)
{
    struct daemon *daemon = cookie;

    engine_turn_end(daemon->engine);
    daemon_apply_again(daemon);
    if (!daemon->started && engine_ready(daemon->engine)) {
        daemon->started = true;
        (void)malloc_trim(0); /* what loading and looking at all hosts at once took */
    }
}

static void
daemon_on_watchdog(struct clock_timer *timer)
{
    struct daemon *daemon = CONTAINER_OF(timer, struct daemon, watchdog);
    const struct clock_port *clock = loop_clock(daemon->loop);

    notify_send("WATCHDOG=1");
    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + notify_watchdog_ms());
}

static void
daemon_signals(struct daemon *daemon, void (*handler)(void *cookie, int signum))
{
    (void)loop_signal(daemon->loop, SIGTERM, handler, daemon);
    (void)loop_signal(daemon->loop, SIGINT, handler, daemon);
    (void)loop_signal(daemon->loop, SIGHUP, handler, daemon);
}

void
daemon_run(struct daemon *daemon)
{
    loop_turn_hook(daemon->loop, daemon_on_turn, daemon);
    daemon_signals(daemon, daemon_on_signal);
    if (notify_watchdog_ms() > 0) {
        daemon->watchdog.fire = daemon_on_watchdog;
        daemon_on_watchdog(&daemon->watchdog);
    }
    notify_send("READY=1");
    for (size_t i = 0; i < daemon->config.listen.count; i++)
        log_info("berthd", "listening on %s", daemon->config.listen.at[i]);
    loop_run(daemon->loop);
    loop_turn_hook(daemon->loop, NULL, NULL);
    daemon_signals(daemon, NULL);
    loop_clock(daemon->loop)->timer_clear(loop_clock(daemon->loop)->self, &daemon->watchdog);
}

/* A bad new file leaves the old one in force. */
static void
daemon_reload(struct daemon *daemon)
{
    struct problems problems = { 0 };
    struct config config;
    struct fault fault;

    if (config_load(daemon->options.config_path, &config, &problems, &fault) < 0) {
        log_error("config", "the old configuration stays in force: %s", fault.text);
        return;
    }
    if (places_check(&config, engine_model(daemon->engine), &fault) < 0) {
        log_error("config", "the old configuration stays in force: %s", fault.text);
        config_fini(&config);
        return;
    }
    config_fini(&daemon->config);
    daemon->config = config;
    log_sink_setup(&daemon->config.log);
    if (machines_apply(daemon->machines, &daemon->config, &fault) < 0 ||
        daemon_apply(daemon, &fault) < 0) {
        log_error("config", "%s", fault.text);
    } else {
        log_info("config", "reloaded");
    }
}

static void
daemon_on_signal(void *cookie, int signum)
{
    struct daemon *daemon = cookie;

    if (signum == SIGHUP) {
        daemon_reload(daemon);
    } else {
        daemon_stop(daemon);
    }
}

void
daemon_stop(struct daemon *daemon)
{
    if (daemon->stopping)
        return;
    daemon->stopping = true;
    log_info("berthd", "stopping; containers run on");
    notify_send("STOPPING=1");
    api_server_stop_start(daemon->server, daemon_on_server_stopped, daemon);
}

static void
daemon_on_server_stopped(void *cookie)
{
    struct daemon *daemon = cookie;

    engine_listen(daemon->engine, NULL, NULL);
    engine_steps_listen(daemon->engine, NULL, NULL);
    engine_stop_start(daemon->engine, daemon_on_engine_stopped, daemon);
}

static void
daemon_on_engine_stopped(void *cookie)
{
    struct daemon *daemon = cookie;

    loop_stop(daemon->loop);
}

void
daemon_free(struct daemon *daemon)
{
    if (!daemon)
        return;
    if (daemon->server)
        api_server_free(daemon->server);
    engine_free(daemon->engine);
    machines_free(daemon->machines);
    spool_free(daemon->spool);
    zone_files_free(daemon->zones);
    store_free(daemon->store);
    docker_free(daemon->docker);
    if (daemon->http)
        http_free(daemon->http);
    if (daemon->loop)
        loop_free(daemon->loop);
    config_fini(&daemon->config);
    free(daemon);
}
