#include <string.h>

#include "berth/base/id.h"
#include "berth/base/secret.h"
#include "berth/wire/request.h"
#include "berth/wire/row.h"

#include "find.h"
#include "handlers.h"
#include "listing.h"

#define TOKEN_PREFIX "berth_"

enum { TOKEN_RANDOM = 32, TOKEN_SIZE = sizeof(TOKEN_PREFIX) + (size_t)2 * TOKEN_RANDOM };

static bool
handler_tokens_wanted(const struct listing *listing, const void *row)
{
    (void)listing;
    (void)row;
    return true;
}

static void
handler_tokens_row(struct listing *listing, const void *row)
{
    wire_row_token(&listing->out, row, NULL);
}

void
handler_tokens_list(struct request *request)
{
    static const struct listing_kind kind = {
        .letter = 't',
        .map = offsetof(struct model, tokens),
        .wanted = handler_tokens_wanted,
        .render = handler_tokens_row,
    };

    listing_start(request, &kind, &(struct listing_filter){ 0 }, QUERY_LIMIT);
}

/* The secret and its digest. */
static void
handler_tokens_draw(struct api_server *server, char ret_secret[TOKEN_SIZE],
                    uint8_t ret_digest[TEXT_SHA256_SIZE])
{
    const struct random_port *random = loop_random(server->loop);
    uint8_t bytes[TOKEN_RANDOM];

    random->fill(random->self, bytes, sizeof(bytes));
    memcpy(ret_secret, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1);
    text_hex(bytes, sizeof(bytes), ret_secret + sizeof(TOKEN_PREFIX) - 1);
    text_sha256(ret_secret, TOKEN_SIZE - 1, ret_digest);
    secret_wipe(bytes, sizeof(bytes));
}

static struct token *
handler_tokens_new(struct wire_request_token *asked, int64_t now_ms)
{
    struct token *token = token_new();

    token->role = asked->role;
    token->owner = asked->owner ? STEAL(asked->owner) : mem_strdup(asked->name);
    token->name = STEAL(asked->name);
    token->pools = asked->pools;
    asked->pools = (struct schema_strings){ 0 };
    token->created_at_ms = now_ms;
    token->expires_at_ms = asked->expires_in_ms > 0 ? now_ms + asked->expires_in_ms : 0;
    return token;
}

void
handler_tokens_create(struct request *request)
{
    struct engine *engine = request->server->engine;
    struct token *token = handler_tokens_new(request->input, engine_now_ms(engine));
    char secret[TOKEN_SIZE];
    char id[ID_TEXT_SIZE];
    struct json_out out;
    struct fault fault;

    handler_tokens_draw(request->server, secret, token->digest);
    if (engine_token_create(engine, token, &fault) < 0) {
        token_free(token);
        request_fail(request, &fault);
    } else {
        reply_location(request, "/v1/tokens", id_encode(ID_TOKEN, token->id, id));
        reply_json(request, MHD_HTTP_CREATED, &out);
        wire_row_token(&out, token, secret);
        request_commit(request);
    }
    secret_wipe(secret, sizeof(secret));
}

void
handler_tokens_delete(struct request *request)
{
    struct token *token = find_token(request);
    struct fault fault;

    if (!token)
        return;
    if (engine_token_delete(request->server->engine, token, &fault) < 0) {
        request_fail(request, &fault);
        return;
    }
    reply_empty(request, MHD_HTTP_NO_CONTENT);
    request_commit(request);
}
