/*
 * berthd: the scheduler daemon.  Options are read here; everything else is
 * daemon.h's.
 */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <curl/curl.h>

#include "berth/base/json.h"
#include "berth/base/log.h"
#include "berth/base/secret.h"
#include "berth/daemon/daemon.h"
#include "berth/shell/shell.h"
#include "berth/store/store.h"

#include "log_sink.h"
#include "lost_keys.h"
#include "notify.h"
#include "places.h"
#include "rehearsal.h"

static const char berthd_help[] =
    "berthd - places containers on a pool of Docker hosts\n"
    "\n"
    "Usage: berthd [--config FILE] [--check-config | --restore FILE | --new-keys]\n"
    "       berthd --version | --help\n"
    "\n"
    "  --config FILE   configuration in YAML; without one the defaults serve this machine:\n"
    "                  its own Docker engine, data in /var/lib/berth, the API on\n"
    "                  http://127.0.0.1:7070 and a unix socket in the data directory\n"
    "  --check-config  read the configuration, say what is wrong with it, and end; pools that "
    "rent\n"
    "                  are tried at their provider, without renting anything (docs/IAM.md)\n"
    "  --restore FILE  put a backup (berth backup create) in the place of the database and the "
    "keys,\n"
    "                  and end; the next start takes up what still runs\n"
    "  --new-keys      make what is missing of DATA_DIR/keys anew, and end: hosts that were made "
    "with\n"
    "                  the keys that are lost are given up for good, with all that runs there\n"
    "  --version       print the version\n"
    "\n"
    "SIGHUP reloads the configuration; SIGTERM ends the daemon, containers run on.\n"
    "The first start writes an admin token to DATA_DIR/admin.token.\n"
    "See berthd(8) and berth(1).\n";

struct berthd_options {
    const char *config;
    const char *restore;
    bool check;
    bool new_keys;
    bool version;
    bool help;
};

static const struct option berthd_long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "check-config", no_argument, NULL, 'k' },
    { "restore", required_argument, NULL, 'r' },
    { "new-keys", no_argument, NULL, 'n' },
    { "version", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int
berthd_parse(int argc, char **argv, struct berthd_options *ret_options)
{
    int c;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet */
    while ((c = getopt_long(argc, argv, "c:hv", berthd_long_options, NULL)) != -1) {
        if (c == 'c') {
            ret_options->config = optarg;
        } else if (c == 'k') {
            ret_options->check = true;
        } else if (c == 'r') {
            ret_options->restore = optarg;
        } else if (c == 'n') {
            ret_options->new_keys = true;
        } else if (c == 'v') {
            ret_options->version = true;
        } else if (c == 'h') {
            ret_options->help = true;
        } else {
            return -1;
        }
    }
    if (ret_options->check + (ret_options->restore != NULL) + ret_options->new_keys > 1) {
        (void)fputs("berthd: --check-config, --restore and --new-keys exclude each other\n",
                    stderr);
        return -1;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "berthd: unexpected argument %s\n", argv[optind]);
        return -1;
    }
    return 0;
}

static void
berthd_print_problems(const struct problems *problems, const struct fault *fault)
{
    (void)fprintf(stderr, "berthd: %s\n", fault->text);
    for (size_t i = 1; i < problems->count; i++)
        (void)fprintf(stderr, "  %s: %s\n", problems->at[i].pointer, problems->at[i].detail);
    if (problems->dropped > 0)
        (void)fprintf(stderr, "  and %zu more\n", problems->dropped);
}

static int
berthd_restore(const struct config *config, const char *file)
{
    struct store_restore restore = { .data_dir = config->data_dir,
                                     .file = file,
                                     .check_keys = shell_keys_check };
    struct fault fault;

    if (store_restore(&restore, &fault) < 0) {
        (void)fprintf(stderr, "berthd: %s\n", fault.text);
        return EXIT_FAILURE;
    }
    (void)printf("restored %s into %s%s\n", file, config->data_dir,
                 restore.has_keys ? ", with the keys of its hosts" : "");
    if (!restore.has_keys) {
        (void)printf(
            "%s has no keys of hosts (an older berthd made it): %s/keys stays as it is%s\n", file,
            config->data_dir,
            lost_keys_are_needed(config->data_dir)
                ? "; hosts rest on keys that are not there: put them there first"
                : "");
    }
    (void)printf("what was there is kept beside it; start berthd to take up what still runs\n");
    return EXIT_SUCCESS;
}

static int
berthd_new_keys(const struct config *config)
{
    struct fault fault;

    if (lost_keys_renew(config, &fault) < 0) {
        (void)fprintf(stderr, "berthd: %s\n", fault.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* Secrets must not end up in a core file or in freed memory, files are ours alone, sockets may break. */
static void
berthd_harden(void)
{
    const struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)umask(0077);
    json_wipe_install();
    (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
}

/* Requests' headers hold tokens, and answers keys: its copies are overwritten, too. */
static CURLcode
berthd_curl_init(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, secret_block_free, secret_block_resize,
                                strdup, calloc);
}

static void
berthd_raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int
berthd_serve(const struct berthd_options *options, struct config *config)
{
    const struct daemon_options daemon_options = {
        .config_path = options->config,
        .version = BERTH_VERSION,
    };
    struct daemon *daemon;
    struct fault fault;

    log_sink_setup(&config->log);
    notify_init();
    if (berthd_curl_init() != CURLE_OK) {
        config_fini(config);
        return EXIT_FAILURE;
    }
    log_info("berthd", "version %s, data in %s", BERTH_VERSION, config->data_dir);
    if (daemon_new(&daemon_options, config, &daemon, &fault) < 0) {
        log_error("berthd", "cannot start: %s", fault.text);
        curl_global_cleanup();
        return EXIT_FAILURE;
    }
    daemon_run(daemon);
    daemon_free(daemon);
    curl_global_cleanup();
    log_info("berthd", "ended");
    return EXIT_SUCCESS;
}

static int
berthd_check(const struct berthd_options *options, const struct config *config)
{
    const char *file = options->config ? options->config : "the default configuration";
    int result;

    if (berthd_curl_init() != CURLE_OK)
        return EXIT_FAILURE;
    result = places_check_stored(config);
    if (rehearsal_run(config) < 0)
        result = -1;
    curl_global_cleanup();
    if (result < 0) {
        (void)fprintf(stderr, "berthd: %s: a pool cannot rent as it is configured\n", file);
        return 2;
    }
    (void)printf("%s is good\n", file);
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    struct berthd_options options = { 0 };
    struct problems problems = { 0 };
    struct config config;
    struct fault fault;
    int result;

    if (berthd_parse(argc, argv, &options) < 0) {
        (void)fputs("Try `berthd --help`.\n", stderr);
        return 2;
    }
    if (options.help || options.version) {
        (void)fputs(options.help ? berthd_help : "berthd " BERTH_VERSION "\n", stdout);
        return EXIT_SUCCESS;
    }
    berthd_harden();
    berthd_raise_files();
    if (config_load(options.config, &config, &problems, &fault) < 0) {
        berthd_print_problems(&problems, &fault);
        return 2;
    }
    if (!options.check && !options.restore && !options.new_keys)
        return berthd_serve(&options, &config);
    if (options.check) {
        result = berthd_check(&options, &config);
    } else {
        result =
            options.restore ? berthd_restore(&config, options.restore) : berthd_new_keys(&config);
    }
    config_fini(&config);
    return result;
}
