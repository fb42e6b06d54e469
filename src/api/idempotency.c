#include "idempotency.h"

#include <string.h>

#include "berth/base/id.h"

/* The secret of a new token is not kept: what is stored can be read by more people. */
static const char idempotency_secret[] = "\"token\":\"";

static bool
idempotency_is_good(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++) {
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    }
    return len >= 1 && len <= API_KEY_MAX;
}

static void
idempotency_digest(struct request *request, const void *body, size_t len)
{
    uint8_t parts[2 * TEXT_SHA256_SIZE];

    text_sha256(request->target.data, request->target_len, parts);
    text_sha256(body ? body : "", len, parts + TEXT_SHA256_SIZE);
    text_sha256(parts, sizeof(parts), request->key_digest);
}

static void
idempotency_replay(struct request *request, const struct store_answer *answer)
{
    struct json_out out;

    reply_json(request, answer->status, &out);
    buf_append(&request->reply.body, answer->body, answer->body_len);
    if (answer->location)
        (void)strncat(request->reply.location, answer->location, REPLY_LOCATION_SIZE - 1);
    request->reply.replayed = true;
}

int
idempotency_begin(struct request *request, const void *body, size_t len)
{
    struct engine *engine = request->server->engine;
    const char *given = request->headers.idempotency_key;
    struct store_answer answer;
    char id[ID_TEXT_SIZE];
    char *key;

    if (!given || request->route->method != ROUTE_POST)
        return 0;
    if (!idempotency_is_good(given)) {
        request_refuse(request, FAULT_INVALID,
                       "Idempotency-Key must be 1 to %d visible ASCII characters", API_KEY_MAX);
        return -1;
    }
    idempotency_digest(request, body, len);
    key = mem_printf("%s %s", id_encode(ID_TOKEN, request->token->id, id), given);
    switch (engine_answer_find(engine, key, &answer)) {
    case ANSWER_NONE:
        engine_answer_begin(engine, key);
        request->key = key;
        return 0;
    case ANSWER_IN_FLIGHT:
        request_refuse(request, FAULT_CONFLICT, "a request with this Idempotency-Key is under way");
        break;
    case ANSWER_KEPT:
        if (memcmp(answer.digest, request->key_digest, TEXT_SHA256_SIZE) == 0) {
            idempotency_replay(request, &answer);
        } else {
            request_refuse(request, FAULT_KEY_REUSED,
                           "this Idempotency-Key was used for another request");
        }
        break;
    }
    mem_free(key);
    return -1;
}

/* The body without the secret, whose member is the last one. */
static void
idempotency_hide(struct buf *body)
{
    const char *at = strstr(buf_text(body), idempotency_secret);

    if (!at)
        return;
    body->len = (size_t)(at - body->data) + sizeof(idempotency_secret) - 2;
    buf_append_string(body, "null}");
}

void
idempotency_keep(struct request *request)
{
    const struct reply *reply = &request->reply;
    struct buf kept = { 0 };
    struct store_answer answer = {
        .key = request->key,
        .at_ms = engine_now_ms(request->server->engine),
        .status = reply->status,
        .location = reply->location[0] ? reply->location : NULL,
    };

    if (!request->key || reply->status >= MHD_HTTP_BAD_REQUEST || reply->response)
        return;
    memcpy(answer.digest, request->key_digest, TEXT_SHA256_SIZE);
    buf_append(&kept, buf_text(&reply->body), reply->body.len);
    if (request->route->flags & ROUTE_SECRET)
        idempotency_hide(&kept);
    answer.body = buf_text(&kept);
    answer.body_len = kept.len;
    engine_answer_keep(request->server->engine, &answer);
    buf_fini(&kept);
}

void
idempotency_end(struct request *request)
{
    if (!request->key)
        return;
    engine_answer_end(request->server->engine, request->key);
    mem_free(request->key);
    request->key = NULL;
}
