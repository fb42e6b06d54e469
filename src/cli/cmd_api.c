/* berth api */

#include <stdio.h>
#include <string.h>

#include "berth/cli/file.h"
#include "berth/cli/output.h"

#include "cmd.h"

enum { API_JSON_MAX = 256 * 1024 * 1024 };

/* JSON is kept until it is whole and then laid out; all else goes through as it comes. */
struct api_sink {
    struct cli_call call;
    struct buf json;
};

static bool
cmd_api_on_data(struct cli_call *call, const char *data, size_t len)
{
    struct api_sink *sink = CONTAINER_OF(call, struct api_sink, call);

    if (strncmp(call->type, "application/json", 16) != 0)
        return fwrite(data, 1, len, stdout) == len && fflush(stdout) == 0;
    buf_append(&sink->json, data, len);
    return !sink->json.overflow;
}

static int
cmd_api_print(struct cli *cli, const struct buf *text)
{
    CLEANUP(json_freep) json_t *json = NULL;
    char *pretty;
    int code;

    if (text->len == 0)
        return EXIT_OK;
    if (json_in_parse(text->data, text->len, &json, NULL) < 0)
        return cli_term_write(&cli->term, text->data, text->len, false);
    pretty = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    code = cli_term_write(&cli->term, pretty, strlen(pretty), false);
    free(pretty);
    return code == EXIT_OK ? cli_term_write(&cli->term, "\n", 1, false) : code;
}

/* The body: as it was written, from a file, or none. */
static int
cmd_api_body(const struct cli *cli, struct buf *body)
{
    const char *data = cli_args_text(&cli->args, "data");
    struct fault fault;

    if (data && data[0] == '@') {
        if (cli_file_read(data + 1, body, &fault) < 0)
            return cli_ask_fail(&fault);
    } else if (data) {
        buf_append_string(body, data);
    }
    return EXIT_OK;
}

int
cmd_api_api(struct cli *cli)
{
    const char *method = cli_args_word(&cli->args, 0);
    const char *path = cli_args_word(&cli->args, 1);
    bool bare = strncmp(path, "v1/", 3) == 0;
    CLEANUP(mem_freep)
    char *whole = path[0] == '/' ? mem_strdup(path) : mem_printf(bare ? "/%s" : "/v1/%s", path);
    struct api_sink sink = { 0 };
    struct buf body;
    int code;

    buf_init(&body, 0);
    buf_init(&sink.json, API_JSON_MAX);
    code = cmd_api_body(cli, &body);
    if (code == EXIT_OK) {
        sink.call = (struct cli_call){
            .method = method,
            .path = whole,
            .keyed = strcmp(method, "POST") == 0,
            .accept = "application/json, */*;q=0.5",
            .text = body.len > 0 ? buf_text(&body) : NULL,
            .upload_type = body.len > 0 ? "application/json" : NULL,
            .endless = true,
            .on_data = cmd_api_on_data,
        };
        code = cli_ask(cli, &sink.call);
        cli_client_call_fini(&sink.call);
    }
    if (code == EXIT_OK)
        code = cmd_api_print(cli, &sink.json);
    buf_fini(&sink.json);
    buf_fini(&body);
    return code;
}
