#include "ec2_keypair.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/log.h"
#include "berth/base/text.h"

#include "ec2_machine.h"

enum { KEYPAIR_ROUNDS_MAX = 8, KEYPAIR_PAUSE_MS = 250, KEYPAIR_PAUSE_MAX_MS = 4000 };
enum { KEYPAIR_BLOB_MAX = 512 };

static const char ec2_keypair_where[] = "ec2.key";

/* In order of time. */
static void ec2_keypair_ask(struct ec2_keypair *keypair, enum ec2_keypair_step step);
static void ec2_keypair_on_answer(struct ec2_ask *ask, const struct fault *fault);
static void ec2_keypair_on_found(struct ec2_keypair *keypair);
static void ec2_keypair_on_refused(struct ec2_keypair *keypair, const struct fault *fault);
static void ec2_keypair_again(struct ec2_keypair *keypair, const struct fault *fault);
static void ec2_keypair_on_timer(struct clock_timer *timer);
static void ec2_keypair_end(struct ec2_keypair *keypair, const struct fault *fault);

void
ec2_keypair_name(const char *cluster_id, const char *pool_name, char ret_name[EC2_KEY_NAME_SIZE])
{
    (void)snprintf(ret_name, EC2_KEY_NAME_SIZE, "berth-%s-%s", cluster_id, pool_name);
}

bool
ec2_keypair_fingerprint(const char *public_key, char ret_text[EC2_FINGERPRINT_SIZE])
{
    const char *base64 = strchr(public_key, ' ');
    uint8_t blob[KEYPAIR_BLOB_MAX];
    uint8_t digest[TEXT_SHA256_SIZE];
    size_t len;

    if (!base64 ||
        !text_base64_decode(base64 + 1, strcspn(base64 + 1, " "), blob, sizeof(blob), &len))
        return false;
    text_sha256((const char *)blob, len, digest);
    text_base64(digest, sizeof(digest), ret_text);
    return true;
}

/* --- Questions ------------------------------------------------------------------------------------ */

void
ec2_keypair_encode_find(const char *name, struct ec2_query *query)
{
    ec2_query_add_filter(query, 1, "key-name", name);
}

static void
ec2_keypair_encode_ours(const struct ec2_keypair *keypair, struct ec2_query *query)
{
    ec2_query_add_filter(query, 1, "tag:" EC2_TAG_CLUSTER, keypair->cluster_id);
    ec2_query_add_filter(query, 2, "tag:" EC2_TAG_POOL, keypair->pool_name);
}

void
ec2_keypair_encode_import(const struct ec2_keypair *keypair, struct ec2_query *query)
{
    const struct {
        const char *key;
        const char *value;
    } tags[] = {
        { EC2_TAG_CLUSTER, keypair->cluster_id },
        { EC2_TAG_POOL, keypair->pool_name },
        { EC2_TAG_NAME, keypair->name },
    };

    ec2_query_add(query, keypair->name, "KeyName");
    ec2_query_add_base64(query, "PublicKeyMaterial", keypair->public_key);
    ec2_query_add(query, "key-pair", "TagSpecification.1.ResourceType");
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        ec2_query_add(query, tags[i].key, "TagSpecification.1.Tag.%zu.Key", i + 1);
        ec2_query_add(query, tags[i].value, "TagSpecification.1.Tag.%zu.Value", i + 1);
    }
}

static void
ec2_keypair_encode(const struct ec2_keypair *keypair, struct ec2_query *query)
{
    switch (keypair->step) {
    case EC2_KEYPAIR_FIND:
        if (keypair->end) {
            ec2_keypair_encode_ours(keypair, query);
        } else {
            ec2_keypair_encode_find(keypair->name, query);
        }
        break;
    case EC2_KEYPAIR_IMPORT:
        ec2_keypair_encode_import(keypair, query);
        break;
    case EC2_KEYPAIR_DELETE:
        ec2_query_add(query, keypair->id, "KeyPairId");
        break;
    case EC2_KEYPAIR_STEP_COUNT:
        break;
    }
}

void
ec2_keypair_start(struct ec2_keypair *keypair)
{
    assert(keypair->account && keypair->done && keypair->deadline_mono_ms > 0);
    assert(keypair->public_key || keypair->end);
    keypair->timer.fire = ec2_keypair_on_timer;
    ec2_keypair_name(keypair->cluster_id, keypair->pool_name, keypair->name);
    ec2_keypair_ask(keypair, EC2_KEYPAIR_FIND);
}

void
ec2_keypair_cancel(struct ec2_keypair *keypair)
{
    const struct clock_port *clock = keypair->account->clock;

    keypair->cancelled = true;
    if (keypair->asking) {
        ec2_ask_cancel(&keypair->ask);
    } else {
        clock->timer_set(clock->self, &keypair->timer, clock->mono_ms(clock->self));
    }
}

static void
ec2_keypair_ask(struct ec2_keypair *keypair, enum ec2_keypair_step step)
{
    static const enum ec2_action actions[EC2_KEYPAIR_STEP_COUNT] = {
        [EC2_KEYPAIR_FIND] = EC2_DESCRIBE_KEYS,
        [EC2_KEYPAIR_IMPORT] = EC2_IMPORT_KEY,
        [EC2_KEYPAIR_DELETE] = EC2_DELETE_KEY,
    };

    if (keypair->ask.account)
        ec2_ask_fini(&keypair->ask);
    keypair->step = step;
    ec2_ask_init(&keypair->ask, keypair->account, actions[step]);
    keypair->ask.deadline_mono_ms = keypair->deadline_mono_ms;
    keypair->ask.done = ec2_keypair_on_answer;
    ec2_keypair_encode(keypair, &keypair->ask.query);
    keypair->asking = true;
    ec2_ask_start(&keypair->ask);
}

/* --- Answers -------------------------------------------------------------------------------------- */

static void
ec2_keypair_on_answer(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_keypair *keypair = CONTAINER_OF(ask, struct ec2_keypair, ask);

    keypair->asking = false;
    if (fault) {
        ec2_keypair_on_refused(keypair, fault);
    } else if (keypair->step == EC2_KEYPAIR_FIND) {
        ec2_keypair_on_found(keypair);
    } else if (keypair->step == EC2_KEYPAIR_IMPORT) {
        log_info("ec2", "key pair %s was imported", keypair->name);
        ec2_keypair_end(keypair, NULL);
    } else if (keypair->end) {
        log_info("ec2", "key pair %s (%s) was deleted", keypair->id, keypair->name);
        memcpy(keypair->gone, keypair->id, sizeof(keypair->gone));
        ec2_keypair_again(keypair, NULL); /* there may be another one */
    } else {
        ec2_keypair_ask(keypair, EC2_KEYPAIR_IMPORT);
    }
}

/* The one to be looked at. */
static struct ec2_node
ec2_keypair_pick(const struct ec2_keypair *keypair)
{
    struct ec2_node item = ec2_xml_find(ec2_xml_root(keypair->ask.xml), "keySet/item");

    for (; item.xml; item = ec2_xml_next(item)) {
        if (keypair->end ? ec2_machine_is_ours(item, keypair->cluster_id, keypair->pool_name)
                         : strcmp(ec2_xml_text(item, "keyName"), keypair->name) == 0)
            return item;
    }
    return (struct ec2_node){ 0 };
}

/* OpenSSH writes fingerprints with their algorithm and without padding. */
static bool
ec2_keypair_is_same(const struct ec2_keypair *keypair, const char *shown)
{
    static const char algorithm[] = "SHA256:";
    char own[EC2_FINGERPRINT_SIZE];
    size_t len;

    if (strncmp(shown, algorithm, strlen(algorithm)) == 0)
        shown += strlen(algorithm);
    len = strcspn(shown, "=");
    return ec2_keypair_fingerprint(keypair->public_key, own) && strcspn(own, "=") == len &&
           strncmp(own, shown, len) == 0;
}

static void
ec2_keypair_replace(struct ec2_keypair *keypair, const char *id)
{
    if (!keypair->end) {
        log_warn("ec2", "key pair %s (%s) is of another key: it is replaced", id, keypair->name);
    }
    (void)snprintf(keypair->id, sizeof(keypair->id), "%s", id);
    ec2_keypair_ask(keypair, EC2_KEYPAIR_DELETE);
}

static void
ec2_keypair_on_found(struct ec2_keypair *keypair)
{
    struct ec2_node item = ec2_keypair_pick(keypair);
    const char *id = item.xml ? ec2_xml_text(item, "keyPairId") : "";
    bool ours = id[0] && strlen(id) < sizeof(keypair->id) &&
                ec2_machine_is_ours(item, keypair->cluster_id, keypair->pool_name);
    bool settled = keypair->end
                       ? !item.xml
                       : ours && ec2_keypair_is_same(keypair, ec2_xml_text(item, "keyFingerprint"));
    struct fault fault;

    if (settled) {
        ec2_keypair_end(keypair, NULL);
    } else if (!item.xml) {
        ec2_keypair_ask(keypair, EC2_KEYPAIR_IMPORT);
    } else if (!ours) {
        (void)fault_set(
            &fault, FAULT_CLOUD_REFUSED, ec2_keypair_where,
            "there is a key pair %s without our tags: delete it, or name it in key_name",
            keypair->name);
        ec2_keypair_end(keypair, &fault);
    } else {
        ec2_keypair_replace(keypair, id);
    }
}

/* It is otherwise than it was shown, or it is not known what was done: looking tells. */
static bool
ec2_keypair_is_old_news(const struct ec2_keypair *keypair, const struct fault *fault)
{
    const char *code = keypair->ask.error.code;

    return strcmp(code, "InvalidKeyPair.Duplicate") == 0 ||
           strcmp(code, "InvalidKeyPair.NotFound") == 0 || fault->kind == FAULT_CLOUD_UNSURE;
}

static void
ec2_keypair_on_refused(struct ec2_keypair *keypair, const struct fault *fault)
{
    struct fault refused = *fault;

    if (!keypair->cancelled && ec2_keypair_is_old_news(keypair, fault)) {
        ec2_keypair_again(keypair, &refused);
    } else {
        ec2_keypair_end(keypair, &refused);
    }
}

/* --- Once more ------------------------------------------------------------------------------------ */

/* It is looked for again, after a pause that grows.  @fault: what it ends with when that was too often. */
static void
ec2_keypair_again(struct ec2_keypair *keypair, const struct fault *fault)
{
    const struct clock_port *clock = keypair->account->clock;
    int64_t pause_ms = (int64_t)KEYPAIR_PAUSE_MS << (keypair->rounds < 4 ? keypair->rounds : 4);
    int64_t now_mono_ms = clock->mono_ms(clock->self);

    if (pause_ms > KEYPAIR_PAUSE_MAX_MS)
        pause_ms = KEYPAIR_PAUSE_MAX_MS;
    if (fault && (++keypair->rounds > KEYPAIR_ROUNDS_MAX ||
                  now_mono_ms + pause_ms >= keypair->deadline_mono_ms)) {
        ec2_keypair_end(keypair, fault);
        return;
    }
    ec2_ask_fini(&keypair->ask);
    clock->timer_set(clock->self, &keypair->timer, fault ? now_mono_ms + pause_ms : now_mono_ms);
}

static void
ec2_keypair_on_timer(struct clock_timer *timer)
{
    struct ec2_keypair *keypair = CONTAINER_OF(timer, struct ec2_keypair, timer);
    struct fault cancelled;

    if (keypair->cancelled) {
        (void)fault_set(&cancelled, FAULT_CANCELLED, ec2_keypair_where, "cancelled");
        ec2_keypair_end(keypair, &cancelled);
    } else {
        ec2_keypair_ask(keypair, EC2_KEYPAIR_FIND);
    }
}

static void
ec2_keypair_end(struct ec2_keypair *keypair, const struct fault *fault)
{
    struct fault ended;

    if (fault)
        ended = *fault;
    if (keypair->ask.account)
        ec2_ask_fini(&keypair->ask);
    keypair->done(keypair, fault ? &ended : NULL);
}
