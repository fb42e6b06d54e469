/*
 * An empty process with berthd's libraries open: what of a daemon's memory is
 * not its own.  Says "ready", ends when its standard input closes.
 */

#include <stdio.h>
#include <unistd.h>
#include <yaml.h>

#include <curl/curl.h>
#include <jansson.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <uv.h>

#include "berth/base/digest.h"
/* microhttpd says which parameters it has. */
/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter,bugprone-easily-swappable-parameters) */

static enum MHD_Result
empty_on_access(void *cookie, struct MHD_Connection *mhd, const char *url, const char *method,
                const char *version, const char *data, size_t *data_len, void **slot)
{
    (void)cookie, (void)mhd, (void)url, (void)method, (void)version;
    (void)data, (void)data_len, (void)slot;
    return MHD_NO;
}
/* NOLINTEND(readability-function-size,readability-non-const-parameter,bugprone-easily-swappable-parameters) */

int
main(int argc, char **argv)
{
    struct MHD_Daemon *mhd;
    CURLM *multi;
    yaml_parser_t parser;
    uv_loop_t loop;
    sqlite3 *db = NULL;
    char byte;

    (void)argc;
    if (!argv[1] || sqlite3_open(argv[1], &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)", NULL, NULL, NULL) !=
            SQLITE_OK) {
        (void)fputs("usage: bench_empty NEW-DATABASE\n", stderr);
        return 2;
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, empty_on_access,
                           NULL, MHD_OPTION_END);
    (void)uv_loop_init(&loop);
    (void)yaml_parser_initialize(&parser);
    json_decref(json_object());
    (void)puts("ready");
    (void)fflush(stdout);
    (void)!read(STDIN_FILENO, &byte, 1);
    yaml_parser_delete(&parser);
    (void)uv_loop_close(&loop);
    MHD_stop_daemon(mhd);
    (void)curl_multi_cleanup(multi);
    (void)sqlite3_close(db);
    return 0;
}
