#include "credentials_fetch.h"

#include <string.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

#include "ec2_fault.h"
#include "ec2_xml.h"

enum {
    FETCH_ANSWER_MAX = 64 * 1024,
    FETCH_MS = 3000,
    FETCH_STS_MS = 4000,
    FETCH_CONNECT_MS = 1500,
    FETCH_ROLE_MAX = 256,
    FETCH_SKEW_MS = 30000,
};

#define METADATA_ROLES "/latest/meta-data/iam/security-credentials/"

static const char credentials_fetch_where[] = "credentials.fetch";

/* In order of time. */
static void credentials_fetch_ask(struct credentials_fetch *fetch);
static void credentials_fetch_on_answer(struct http_op *op, const struct fault *fault);

/* The metadata service is asked three times, the others once: the last. */
enum { FETCH_SESSION, FETCH_ROLE, FETCH_KEYS };

void
credentials_fetch_start(struct credentials_fetch *fetch)
{
    fetch->step = fetch->sts || fetch->container_url ? FETCH_KEYS : FETCH_SESSION;
    credentials_fetch_ask(fetch);
}

void
credentials_fetch_cancel(struct credentials_fetch *fetch)
{
    http_cancel(fetch->http, &fetch->op);
}

static void
credentials_fetch_header(struct credentials_fetch *fetch, const char *name, const char *value)
{
    if (value)
        fetch->headers[fetch->header_count++] = (struct http_header){ name, value };
}

/* The type of the body as EC2's query API wants it, which is signed, too. */
static void
credentials_fetch_sign(struct credentials_fetch *fetch)
{
    static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
    const struct credentials_keys *keys = fetch->signer;
    const struct ec2_sign_key key = {
        .id = keys->id,
        .secret = secret_bytes(keys->key),
        .token = keys->token ? secret_bytes(keys->token) : NULL,
    };
    const struct ec2_sign_request request = {
        .host = fetch->host,
        .region = fetch->sts->region,
        .service = "sts",
        .content_type = type,
        .body = buf_text(&fetch->query.body),
        .body_len = fetch->query.body.len,
        .at_ms = fetch->clock->now_ms(fetch->clock->self) + fetch->ahead_ms,
    };

    (void)ec2_sign_host(fetch->url, fetch->host, sizeof(fetch->host));
    ec2_sign(&request, &key, &fetch->signature);
    credentials_fetch_header(fetch, "Content-Type", type);
    credentials_fetch_header(fetch, "X-Amz-Date", fetch->signature.date);
    credentials_fetch_header(fetch, "Authorization", fetch->signature.authorization);
    credentials_fetch_header(fetch, "X-Amz-Security-Token", key.token);
}

static void
credentials_fetch_prepare_sts(struct credentials_fetch *fetch)
{
    const struct credentials_role *role = fetch->role;
    struct ec2_query *query = &fetch->query;

    ec2_query_fini(query);
    ec2_query_init_sts(query, fetch->signer ? "AssumeRole" : "AssumeRoleWithWebIdentity");
    ec2_query_add(query, role->arn, "RoleArn");
    ec2_query_add(query, role->session ? role->session : "berth", "RoleSessionName");
    ec2_query_add(query, role->duration_s, "DurationSeconds");
    ec2_query_add(query, role->external_id, "ExternalId");
    if (!fetch->signer)
        ec2_query_add(query, secret_bytes(fetch->identity), "WebIdentityToken");
    fetch->url = mem_strdup(fetch->sts->url);
    if (fetch->signer) {
        credentials_fetch_sign(fetch);
    } else {
        credentials_fetch_header(fetch, "Content-Type", "application/x-www-form-urlencoded");
    }
}

static void
credentials_fetch_prepare(struct credentials_fetch *fetch)
{
    static const char *const paths[] = {
        [FETCH_SESSION] = "/latest/api/token",
        [FETCH_ROLE] = METADATA_ROLES,
        [FETCH_KEYS] = METADATA_ROLES,
    };

    mem_free(fetch->url);
    fetch->header_count = 0;
    if (fetch->sts) {
        credentials_fetch_prepare_sts(fetch);
        return;
    }
    if (fetch->container_url) {
        fetch->url = mem_strdup(fetch->container_url);
        if (fetch->container_token) {
            credentials_fetch_header(fetch, "Authorization", secret_bytes(fetch->container_token));
        }
        return;
    }
    fetch->url = mem_printf("%s%s%s", fetch->metadata_url, paths[fetch->step],
                            fetch->step == FETCH_KEYS ? fetch->role_name : "");
    if (fetch->session) {
        credentials_fetch_header(fetch, "X-aws-ec2-metadata-token", secret_bytes(fetch->session));
    } else {
        credentials_fetch_header(fetch, "X-aws-ec2-metadata-token-ttl-seconds", "300");
    }
}

static void
credentials_fetch_ask(struct credentials_fetch *fetch)
{
    const char *method = fetch->step == FETCH_SESSION ? "PUT" : "GET";

    credentials_fetch_prepare(fetch);
    fetch->op = (struct http_op){
        .peer = { .ca = fetch->ca, .proxied = fetch->sts != NULL },
        .method = fetch->sts ? "POST" : method,
        .url = fetch->url,
        .headers = fetch->headers,
        .header_count = fetch->header_count,
        .body = fetch->query.body.data,
        .body_len = fetch->query.body.len,
        .body_fd = -1,
        .answer_limit = FETCH_ANSWER_MAX,
        .secret = true,
        .connect_ms = FETCH_CONNECT_MS,
        .total_ms = fetch->sts ? FETCH_STS_MS : FETCH_MS,
        .fresh = true,
        .done = credentials_fetch_on_answer,
    };
    http_start(fetch->http, &fetch->op);
}

static struct secret *
credentials_fetch_secret(const char *value)
{
    char *copy = mem_strdup(value);
    struct secret *secret = *copy ? secret_new(copy, strlen(copy)) : NULL;

    mem_free(copy);
    return secret;
}

/* @keys is taken. */
static int
credentials_fetch_check(struct credentials_keys *keys, struct credentials_keys **ret_keys,
                        struct fault *fault)
{
    if (!keys->id[0] || !keys->key) {
        credentials_keys_unref(keys);
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_fetch_where,
                         "the answer has no AccessKeyId or no SecretAccessKey");
    }
    *ret_keys = keys;
    return 0;
}

int
credentials_fetch_read(const char *body, size_t len, struct credentials_keys **ret_keys,
                       struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct credentials_keys *keys = NULL;

    if (json_in_parse(body, len, &json, NULL) < 0 || !json_is_object(json)) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_fetch_where,
                         "the answer with the keys is not a JSON object");
    }
    keys = mem_new0(sizeof(*keys));
    keys->refs = 1;
    keys->id = mem_strdup(json_in_string(json, "AccessKeyId", ""));
    keys->key = credentials_fetch_secret(json_in_string(json, "SecretAccessKey", ""));
    keys->token = credentials_fetch_secret(json_in_string(json, "Token", ""));
    (void)text_time_parse(json_in_string(json, "Expiration", ""), &keys->ends_at_ms);
    return credentials_fetch_check(keys, ret_keys, fault);
}

int
credentials_fetch_read_sts(const char *body, size_t len, struct credentials_keys **ret_keys,
                           struct fault *fault)
{
    CLEANUP(ec2_xml_freep) struct ec2_xml *xml = NULL;
    struct credentials_keys *keys;
    struct ec2_node root;
    struct ec2_node node;

    if (ec2_xml_parse(body, len, &xml, NULL) < 0) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_fetch_where,
                         "the answer with the keys is not XML");
    }
    root = ec2_xml_root(xml);
    node = ec2_xml_find(root, "AssumeRoleWithWebIdentityResult/Credentials");
    if (!node.xml)
        node = ec2_xml_find(root, "AssumeRoleResult/Credentials");
    keys = mem_new0(sizeof(*keys));
    keys->refs = 1;
    keys->id = mem_strdup(ec2_xml_text(node, "AccessKeyId"));
    keys->key = credentials_fetch_secret(ec2_xml_text(node, "SecretAccessKey"));
    keys->token = credentials_fetch_secret(ec2_xml_text(node, "SessionToken"));
    (void)text_time_parse(ec2_xml_text(node, "Expiration"), &keys->ends_at_ms);
    return credentials_fetch_check(keys, ret_keys, fault);
}

static void
credentials_fetch_end(struct credentials_fetch *fetch, struct credentials_keys *keys,
                      const struct fault *fault)
{
    ec2_query_fini(&fetch->query);
    credentials_keys_unref(STEAL(fetch->signer));
    secret_free(STEAL(fetch->session));
    mem_free(STEAL(fetch->role_name));
    mem_free(STEAL(fetch->url));
    fetch->done(fetch, keys, fault);
}

/* The first line of the list of roles; a machine has one at the most. */
static char *
credentials_fetch_role(const char *body)
{
    size_t len = strcspn(body, "\r\n");

    if (len == 0 || len > FETCH_ROLE_MAX || strcspn(body, "/?#% ") < len)
        return NULL;
    return mem_printf("%.*s", (int)len, body);
}

/* Whether the service refuses our time; then it is asked once more, with its own. */
static bool
credentials_fetch_has_learnt(struct credentials_fetch *fetch)
{
    const struct http_op *op = &fetch->op;
    int64_t ahead_ms = op->date_ms - fetch->clock->now_ms(fetch->clock->self);
    struct ec2_error error = { .status = op->status };

    if (!fetch->signer || fetch->learnt || op->status < 400 || op->date_ms == 0 ||
        (ahead_ms < FETCH_SKEW_MS && ahead_ms > -FETCH_SKEW_MS))
        return false;
    (void)ec2_fault_read(buf_text(op->answer), op->answer->len, &error);
    if (ec2_fault_rule(&error)->lesson != EC2_LESSON_CLOCK)
        return false;
    fetch->ahead_ms = ahead_ms;
    fetch->learnt = true;
    return true;
}

static int
credentials_fetch_take(struct credentials_fetch *fetch, struct fault *fault)
{
    struct buf *answer = fetch->op.answer;
    struct ec2_error error = { .status = fetch->op.status };

    if (fetch->sts && ec2_fault_read(buf_text(answer), answer->len, &error))
        return ec2_fault_set(&error, credentials_fetch_where, fault);
    if (fetch->op.status != 200) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_fetch_where,
                         fetch->step == FETCH_ROLE && fetch->op.status == 404
                             ? "the metadata service answers %d: this machine has no role"
                             : "it answers with status %d",
                         fetch->op.status);
    }
    if (fetch->step == FETCH_SESSION) {
        if (answer->len == 0) {
            return fault_set(fault, FAULT_CLOUD_DENIED, credentials_fetch_where,
                             "the metadata service gives an empty session");
        }
        fetch->session = secret_new(answer->data, answer->len);
        return 0;
    }
    fetch->role_name = credentials_fetch_role(buf_text(answer));
    if (!fetch->role_name) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_fetch_where,
                         "the metadata service names no role");
    }
    return 0;
}

static void
credentials_fetch_on_answer(struct http_op *op, const struct fault *fault)
{
    struct credentials_fetch *fetch = CONTAINER_OF(op, struct credentials_fetch, op);
    struct credentials_keys *keys = NULL;
    struct fault bad;
    int ret = 0;

    if (!fault && credentials_fetch_has_learnt(fetch)) {
        credentials_fetch_ask(fetch);
        return;
    }
    if (fault) {
        ret = fault_set(&bad, fault->kind == FAULT_CANCELLED ? fault->kind : FAULT_CLOUD_DENIED,
                        credentials_fetch_where, "%s", fault->text);
    } else if (fetch->step < FETCH_KEYS || op->status != 200) {
        ret = credentials_fetch_take(fetch, &bad);
    } else {
        ret = (fetch->sts ? credentials_fetch_read_sts : credentials_fetch_read)(
            buf_text(op->answer), op->answer->len, &keys, &bad);
    }
    if (ret < 0 || keys) {
        credentials_fetch_end(fetch, keys, ret < 0 ? &bad : NULL);
    } else {
        fetch->step++;
        credentials_fetch_ask(fetch);
    }
}
