/* One request to the daemon and its answer, over libcurl. */

#include <assert.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <curl/curl.h>

#include "berth/base/text.h"
#include "berth/cli/client.h"
#include "berth/cli/format.h"
#include "berth/cli/signal.h"
#include "berth/cli/term.h"

static const char where[] = "cli.client";

enum {
    CLIENT_BODY_MAX = 256 * 1024 * 1024, /* of an answer that is kept */
    CLIENT_CONNECT_MS = 5000,
    CLIENT_KEY_BYTES = 16,
    CLIENT_IN_FLIGHT_TRIES = 10, /* the first try may still be under way in the daemon */
    CLIENT_IN_FLIGHT_MS = 200,
    CLIENT_RETRY_AFTER_MAX_S = 5,
    CLIENT_UPLOAD_BUFFER = 512 * 1024,
    STATUS_CONFLICT = 409,
    STATUS_TOO_MANY = 429,
};

struct cli_client {
    CURL *curl;
    const struct cli_target *target;
    int64_t timeout_s;
    bool debug;
    char error[CURL_ERROR_SIZE];
    /* Of the exchange under way. */
    struct cli_call *call;
    struct buf body;
    int64_t began_ms;
    int64_t sent_bytes;
    bool answered; /* the answer's head has begun */
    bool streamed; /* something went to on_data */
};

struct client_status {
    long status;
    enum fault_kind kind;
};

/* For answers without a problem document, e.g. of a proxy before the daemon. */
static const struct client_status client_statuses[] = {
    { 400, FAULT_INVALID },      { 401, FAULT_UNAUTHORIZED }, { 403, FAULT_FORBIDDEN },
    { 404, FAULT_NOT_FOUND },    { 405, FAULT_METHOD },       { 409, FAULT_CONFLICT },
    { 412, FAULT_PRECONDITION }, { 413, FAULT_TOO_LARGE },    { 429, FAULT_RATE_LIMITED },
    { 502, FAULT_UNREACHABLE },  { 503, FAULT_UNREACHABLE },  { 504, FAULT_TIMEOUT },
};

static int cli_client_once(struct cli_client *client, struct cli_call *call, const char *key,
                           struct fault *fault);

struct cli_client *
cli_client_new(const struct cli_target *target, int64_t timeout_s, bool debug)
{
    struct cli_client *client = mem_new0(sizeof(*client));

    assert(timeout_s > 0);
    client->target = target;
    client->timeout_s = timeout_s;
    client->debug = debug;
    client->curl = curl_easy_init();
    assert(client->curl);
    buf_init(&client->body, CLIENT_BODY_MAX);
    if (strncmp(target->url, "http://", 7) == 0 && target->token &&
        strncmp(target->url + 7, "127.", 4) != 0 && strncmp(target->url + 7, "localhost", 9) != 0 &&
        strncmp(target->url + 7, "[::1]", 5) != 0)
        cli_term_note("the token travels unencrypted to %s", target->url);
    return client;
}

void
cli_client_free(struct cli_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    secret_wipe(client->body.data, client->body.len);
    buf_fini(&client->body);
    mem_free(client);
}

static const char *
cli_client_key(char ret_key[2 * CLIENT_KEY_BYTES + 1])
{
    uint8_t random[CLIENT_KEY_BYTES];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        assert(!"getrandom() gives so few bytes at once");
    text_hex(random, sizeof(random), ret_key);
    return ret_key;
}

/* Should the exchange that ended with @fault be repeated, and after how long? -1: no. */
static int64_t
cli_client_again_ms(const struct cli_client *client, const struct cli_call *call, int tries,
                    bool lost, const struct fault *fault)
{
    bool repeatable =
        (strcmp(call->method, "POST") != 0 || call->keyed) && !call->upload && !client->streamed;
    curl_off_t after_s = 0;

    if (!repeatable || cli_signal_caught())
        return -1;
    if (call->status == 0)
        return fault->kind == FAULT_LOST && tries == 1 ? 0 : -1;
    if (lost && call->keyed && call->status == STATUS_CONFLICT && tries < CLIENT_IN_FLIGHT_TRIES)
        return CLIENT_IN_FLIGHT_MS;
    (void)curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &after_s);
    if (call->status == STATUS_TOO_MANY && tries == 1 && after_s > 0 &&
        after_s <= CLIENT_RETRY_AFTER_MAX_S)
        return after_s * 1000;
    return -1;
}

int
cli_client_call(struct cli_client *client, struct cli_call *call, struct fault *fault)
{
    char key[2 * CLIENT_KEY_BYTES + 1];
    bool lost = false;

    if (call->keyed)
        cli_client_key(key);
    client->streamed = false;
    for (int tries = 1;; tries++) {
        struct fault failure = { 0 };
        int64_t again_ms;

        if (cli_client_once(client, call, call->keyed ? key : NULL, &failure) == 0)
            return 0;
        again_ms = cli_client_again_ms(client, call, tries, lost, &failure);
        if (again_ms < 0 || (again_ms > 0 && !cli_signal_pause(again_ms))) {
            *fault = failure;
            return -1;
        }
        lost = lost || call->status == 0;
        cli_client_call_fini(call);
    }
}

void
cli_client_call_fini(struct cli_call *call)
{
    json_decref(call->json);
    call->json = NULL;
    call->status = 0;
}

/* --- What curl calls, in order of time ----------------------------------------------------------- */

static size_t
cli_client_on_read(char *data, size_t size, size_t count, void *cookie)
{
    struct cli_client *client = cookie;
    struct cli_call *call = client->call;
    size_t got = fread(data, 1, size * count, call->upload);

    if (got == 0 && ferror(call->upload))
        return CURL_READFUNC_ABORT;
    client->sent_bytes += (int64_t)got;
    if (call->on_sent)
        call->on_sent(call, client->sent_bytes);
    return got;
}

static void
cli_client_header(const char *line, size_t len, const char *name, char *ret_value, size_t size)
{
    size_t name_len = strlen(name);

    if (len <= name_len || strncasecmp(line, name, name_len) != 0)
        return;
    line += name_len;
    len -= name_len;
    while (len > 0 && *line == ' ') {
        line++;
        len--;
    }
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (len >= size)
        return;
    memcpy(ret_value, line, len);
    ret_value[len] = '\0';
}

static size_t
cli_client_on_header(char *line, size_t size, size_t count, void *cookie)
{
    struct cli_client *client = cookie;
    struct cli_call *call = client->call;

    client->answered = true;
    cli_client_header(line, size * count, "ETag:", call->etag, sizeof(call->etag));
    cli_client_header(line, size * count, "Content-Type:", call->type, sizeof(call->type));
    cli_client_header(line, size * count, "X-Request-Id:", call->request_id,
                      sizeof(call->request_id));
    return size * count;
}

static size_t
cli_client_on_write(char *data, size_t size, size_t count, void *cookie)
{
    struct cli_client *client = cookie;
    struct cli_call *call = client->call;
    long status = 0;

    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (call->on_data && status >= 200 && status < 300) {
        client->streamed = true;
        call->stopped = !call->on_data(call, data, size * count);
        return call->stopped ? 0 : size * count;
    }
    buf_append(&client->body, data, size * count);
    return client->body.overflow ? 0 : size * count;
}

/* NOLINTBEGIN(bugprone-easily-swappable-parameters): the shape is curl's */
static int
cli_client_on_progress(void *cookie, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
/* NOLINTEND(bugprone-easily-swappable-parameters) */
{
    (void)cookie;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return cli_signal_caught();
}

/* --- One exchange -------------------------------------------------------------------------------- */

static void
cli_client_option(CURLcode code)
{
    /* Only a libcurl without the option, or without memory, says no. */
    assert(code == CURLE_OK);
    (void)code;
}

#define SET(client, option, value)                                                                 \
    cli_client_option(curl_easy_setopt((client)->curl, CURLOPT_##option, value))

static void
cli_client_add(struct curl_slist **list, const char *name, const char *value)
{
    CLEANUP(mem_freep) char *line = value ? mem_printf("%s: %s", name, value) : NULL;
    struct curl_slist *longer;

    if (!line)
        return;
    longer = curl_slist_append(*list, line);
    assert(longer);
    *list = longer;
    secret_wipe(line, strlen(line));
}

static struct curl_slist *
cli_client_headers(const struct cli_client *client, const struct cli_call *call, const char *key)
{
    struct curl_slist *list = NULL;
    CLEANUP(mem_freep) char *bearer = NULL;

    if (client->target->token) {
        bearer = mem_printf("Bearer %s", secret_bytes(client->target->token));
        cli_client_add(&list, "Authorization", bearer);
        secret_wipe(bearer, strlen(bearer));
    }
    cli_client_add(&list, "Accept", call->accept ? call->accept : "application/json");
    cli_client_add(&list, "Idempotency-Key", key);
    cli_client_add(&list, "If-Match", call->if_match);
    cli_client_add(&list, "Last-Event-ID", call->last_event);
    if (call->body) {
        cli_client_add(&list, "Content-Type", "application/json");
    } else {
        cli_client_add(&list, "Content-Type", call->upload_type);
    }
    if (call->upload && call->upload_bytes < 0)
        cli_client_add(&list, "Transfer-Encoding", "chunked");
    /* curl would wait a second for "100 Continue". */
    list = curl_slist_append(list, "Expect:");
    assert(list);
    return list;
}

static void
cli_client_secrets_free(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at; at = at->next)
        secret_wipe(at->data, strlen(at->data));
    curl_slist_free_all(list);
}

static void
cli_client_setup(struct cli_client *client)
{
    bool is_local = strncmp(client->target->url, "https://", 8) != 0;

    curl_easy_reset(client->curl);
    client->error[0] = '\0';
    SET(client, ERRORBUFFER, client->error);
    SET(client, NOSIGNAL, 1L);
    SET(client, PROTOCOLS_STR, "http,https");
    SET(client, CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_MS);
    SET(client, WRITEFUNCTION, cli_client_on_write);
    SET(client, WRITEDATA, client);
    SET(client, HEADERFUNCTION, cli_client_on_header);
    SET(client, HEADERDATA, client);
    SET(client, XFERINFOFUNCTION, cli_client_on_progress);
    SET(client, NOPROGRESS, 0L);
    SET(client, TCP_KEEPALIVE, 1L);
    SET(client, USERAGENT, "berth/" BERTH_VERSION);
    /* The token of plain HTTP is for the daemon, not for a proxy of the environment. */
    if (is_local)
        SET(client, PROXY, "");
}

static void
cli_client_method(struct cli_client *client, const struct cli_call *call, const char *body)
{
    const char *text = body ? body : call->text;

    if (call->upload) {
        SET(client, POST, 1L);
        SET(client, READFUNCTION, cli_client_on_read);
        SET(client, READDATA, client);
        if (call->upload_bytes >= 0)
            SET(client, POSTFIELDSIZE_LARGE, (curl_off_t)call->upload_bytes);
        SET(client, UPLOAD_BUFFERSIZE, (long)CLIENT_UPLOAD_BUFFER);
        SET(client, LOW_SPEED_LIMIT, 1L);
        SET(client, LOW_SPEED_TIME, (long)client->timeout_s);
    } else if (text || strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0) {
        SET(client, POSTFIELDSIZE_LARGE, (curl_off_t)(text ? strlen(text) : 0));
        SET(client, POSTFIELDS, text ? text : "");
    }
    if (!call->upload && !call->endless)
        SET(client, TIMEOUT_MS, (long)(client->timeout_s * 1000));
    if (strcmp(call->method, "HEAD") == 0) {
        SET(client, NOBODY, 1L);
    } else {
        SET(client, CUSTOMREQUEST, call->method);
    }
}

static int
cli_client_failed(const struct cli_client *client, CURLcode code, struct fault *fault)
{
    const char *url = client->target->url;
    long number = 0;

    (void)curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return fault_set(fault, FAULT_CANCELLED, where, "interrupted");
    if (code == CURLE_OPERATION_TIMEDOUT && client->answered)
        return fault_set(fault, FAULT_TIMEOUT, where, "the answer of %s did not end in time", url);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return fault_set(fault, FAULT_UNREACHABLE, where, "cannot reach berthd at %s: %s", url,
                         number ? strerrordesc_np((int)number) : client->error);
    case CURLE_OPERATION_TIMEDOUT:
        return fault_set(fault, FAULT_TIMEOUT, where, "no answer from berthd at %s in time", url);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return fault_set(fault, FAULT_LOST, where, "the connection to %s broke: %s", url,
                         client->error);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
        return fault_set(fault, FAULT_TLS, where, "%s: %s", url, client->error);
    case CURLE_WRITE_ERROR:
        return fault_set(fault, FAULT_GARBLED, where, "the answer of %s is too long", url);
    default:
        return fault_set(fault, FAULT_GARBLED, where, "%s: %s", url,
                         client->error[0] ? client->error : curl_easy_strerror(code));
    }
}

/* The problem that an answer with an error status tells. */
static int
cli_client_problem(const struct cli_call *call, struct fault *fault)
{
    const char *code = json_in_string(call->json, "code", NULL);
    const char *text = json_in_string(call->json, "detail", NULL);
    enum fault_kind kind = code ? fault_kind_from_code(code) : FAULT_BUG;

    for (size_t i = 0; kind == FAULT_BUG && i < ARRAY_LEN(client_statuses); i++) {
        if (client_statuses[i].status == call->status)
            kind = client_statuses[i].kind;
    }
    if (kind == FAULT_NONE)
        kind = FAULT_BUG;
    if (!text)
        text = json_in_string(call->json, "title", fault_rule(kind)->title);
    fault_set(fault, kind, where, "%s", text);
    if (fault)
        fault->remote_code = (int)call->status;
    return -1;
}

static int
cli_client_ended(struct cli_client *client, struct cli_call *call, CURLcode code,
                 struct fault *fault)
{
    bool is_json;

    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &call->status);
    if (code == CURLE_WRITE_ERROR && call->stopped)
        code = CURLE_OK;
    if (code != CURLE_OK) {
        call->status = 0;
        return cli_client_failed(client, code, fault);
    }
    is_json = strncmp(call->type, "application/json", 16) == 0 ||
              strncmp(call->type, "application/problem+json", 24) == 0;
    if (is_json && client->body.len > 0 &&
        json_in_parse(client->body.data, client->body.len, &call->json, fault) < 0 &&
        call->status < 300) {
        return fault_set(fault, FAULT_GARBLED, where, "%s %s: the answer is not JSON", call->method,
                         call->path);
    }
    if (call->status < 200 || call->status >= 300)
        return cli_client_problem(call, fault);
    /* A JSON API that answers something else is no berthd. */
    if (!call->json && client->body.len > 0) {
        return fault_set(fault, FAULT_GARBLED, where,
                         "%s %s: the answer is not JSON: is this berthd?", call->method,
                         client->target->url);
    }
    return 0;
}

static void
cli_client_tell(const struct cli_client *client, const struct cli_call *call)
{
    int64_t took_ms = cli_format_now_ms() - client->began_ms;

    if (!client->debug)
        return;
    cli_term_note("%s %s%s: %ld in %lld ms%s%s", call->method, client->target->url, call->path,
                  call->status, (long long)took_ms, call->request_id[0] ? ", request id " : "",
                  call->request_id);
}

static int
cli_client_once(struct cli_client *client, struct cli_call *call, const char *key,
                struct fault *fault)
{
    bool is_unix = strncmp(client->target->url, "unix:", 5) == 0;
    const char *base = is_unix ? "http://berthd" : client->target->url;
    size_t base_len = strlen(base);
    CLEANUP(mem_freep) char *url = NULL;
    char *body = call->body ? json_dumps(call->body, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    struct curl_slist *headers = cli_client_headers(client, call, key);
    CURLcode code;
    int result;

    while (base_len > 0 && base[base_len - 1] == '/')
        base_len--;
    url = mem_printf("%.*s%s", (int)base_len, base, call->path);
    cli_client_setup(client);
    SET(client, URL, url);
    if (is_unix)
        SET(client, UNIX_SOCKET_PATH, client->target->url + 5);
    SET(client, HTTPHEADER, headers);
    cli_client_method(client, call, body);
    client->call = call;
    client->answered = false;
    client->sent_bytes = 0;
    client->began_ms = cli_format_now_ms();
    call->etag[0] = call->request_id[0] = call->type[0] = '\0';
    call->stopped = false;
    buf_clear(&client->body);
    client->body.overflow = false;
    code = curl_easy_perform(client->curl);
    result = cli_client_ended(client, call, code, fault);
    cli_client_tell(client, call);
    cli_client_secrets_free(headers);
    if (body)
        secret_wipe(body, strlen(body));
    free(body);
    client->call = NULL;
    return result;
}
