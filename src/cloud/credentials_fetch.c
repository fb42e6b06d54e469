#include "credentials_fetch.h"

#include <string.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

#include "ec2_fault.h"
#include "ec2_xml.h"

enum {
    FETCH_ANSWER_MAX = 64 * 1024,
    FETCH_MS = 3000,
    FETCH_CONNECT_MS = 1500,
    FETCH_ROLE_MAX = 256
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
    fetch->step = fetch->sts_url || fetch->container_url ? FETCH_KEYS : FETCH_SESSION;
    credentials_fetch_ask(fetch);
}

void
credentials_fetch_cancel(struct credentials_fetch *fetch)
{
    http_cancel(fetch->http, &fetch->op);
}

static void
credentials_fetch_prepare_sts(struct credentials_fetch *fetch)
{
    ec2_query_init_sts(&fetch->query, "AssumeRoleWithWebIdentity");
    ec2_query_add(&fetch->query, fetch->role_arn, "RoleArn");
    ec2_query_add(&fetch->query, fetch->role_session, "RoleSessionName");
    ec2_query_add(&fetch->query, secret_bytes(fetch->identity), "WebIdentityToken");
    fetch->url = mem_strdup(fetch->sts_url);
    fetch->header = (struct http_header){ "Content-Type", "application/x-www-form-urlencoded" };
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
    if (fetch->sts_url) {
        credentials_fetch_prepare_sts(fetch);
        return;
    }
    if (fetch->container_url) {
        fetch->url = mem_strdup(fetch->container_url);
        fetch->header = (struct http_header){ "Authorization", NULL };
        if (fetch->container_token)
            fetch->header.value = secret_bytes(fetch->container_token);
        return;
    }
    fetch->url = mem_printf("%s%s%s", fetch->metadata_url, paths[fetch->step],
                            fetch->step == FETCH_KEYS ? fetch->role : "");
    fetch->header = (struct http_header){ "X-aws-ec2-metadata-token-ttl-seconds", "300" };
    if (fetch->session) {
        fetch->header =
            (struct http_header){ "X-aws-ec2-metadata-token", secret_bytes(fetch->session) };
    }
}

static void
credentials_fetch_ask(struct credentials_fetch *fetch)
{
    const char *method = fetch->step == FETCH_SESSION ? "PUT" : "GET";

    credentials_fetch_prepare(fetch);
    fetch->op = (struct http_op){
        .peer.ca = fetch->ca,
        .method = fetch->sts_url ? "POST" : method,
        .url = fetch->url,
        .headers = &fetch->header,
        .header_count = fetch->header.value ? 1 : 0,
        .body = fetch->query.body.data,
        .body_len = fetch->query.body.len,
        .body_fd = -1,
        .answer_limit = FETCH_ANSWER_MAX,
        .connect_ms = FETCH_CONNECT_MS,
        .total_ms = FETCH_MS,
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
    struct ec2_node node;

    if (ec2_xml_parse(body, len, &xml, NULL) < 0) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_fetch_where,
                         "the answer with the keys is not XML");
    }
    node = ec2_xml_find(ec2_xml_root(xml), "AssumeRoleWithWebIdentityResult/Credentials");
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
    secret_free(STEAL(fetch->identity));
    secret_free(STEAL(fetch->session));
    mem_free(STEAL(fetch->role));
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

static int
credentials_fetch_take(struct credentials_fetch *fetch, struct fault *fault)
{
    struct buf *answer = fetch->op.answer;
    struct ec2_error error = { .status = fetch->op.status };

    if (fetch->sts_url && ec2_fault_read(buf_text(answer), answer->len, &error))
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
    fetch->role = credentials_fetch_role(buf_text(answer));
    if (!fetch->role) {
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

    if (fault) {
        ret = fault_set(&bad, fault->kind == FAULT_CANCELLED ? fault->kind : FAULT_CLOUD_DENIED,
                        credentials_fetch_where, "%s", fault->text);
    } else if (fetch->step < FETCH_KEYS || op->status != 200) {
        ret = credentials_fetch_take(fetch, &bad);
    } else {
        ret = (fetch->sts_url ? credentials_fetch_read_sts : credentials_fetch_read)(
            buf_text(op->answer), op->answer->len, &keys, &bad);
        secret_wipe(op->answer->data, op->answer->len);
    }
    if (ret < 0 || keys) {
        credentials_fetch_end(fetch, keys, ret < 0 ? &bad : NULL);
    } else {
        fetch->step++;
        credentials_fetch_ask(fetch);
    }
}
