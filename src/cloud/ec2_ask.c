#include "ec2_ask.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "berth/base/log.h"
#include "berth/base/text.h"

enum {
    ASK_TRIES_MAX = 4,
    ASK_ANSWER_MAX = 16 * 1024 * 1024,
    ASK_HEAD_MS = 20000,
    ASK_SKEW_MS = 30000, /* a clock that is off by less is right: EC2 allows five minutes */
};

/* A little less than what EC2 allows, so that it has not to say so. */
/* clang-format off */
static const struct {
    const char *name;
    const char *where;
    struct ec2_pace pace;
    bool changes; /* something of the provider's */
    bool once;    /* not to be repeated here once it may have been done */
} ec2_ask_actions[EC2_ACTION_COUNT] = {
    [EC2_RUN_INSTANCES]       = { "RunInstances",       "ec2.launch",    { 4000, 1900 },  true,  true },
    [EC2_DESCRIBE_INSTANCES]  = { "DescribeInstances",  "ec2.list",      { 40000, 9500 }, false, false },
    [EC2_DESCRIBE_IMAGES]     = { "DescribeImages",     "ec2.image",     { 40000, 9500 }, false, false },
    [EC2_DESCRIBE_SPOT]       = { "DescribeSpotInstanceRequests", "ec2.spot", { 40000, 9500 }, false, false },
    [EC2_DESCRIBE_PRICES]     = { "DescribeSpotPriceHistory", "ec2.prices",     { 40000, 9500 }, false, false },
    [EC2_TERMINATE_INSTANCES] = { "TerminateInstances", "ec2.terminate", { 90000, 4800 }, true,  false },
    [EC2_CONSOLE_OUTPUT]      = { "GetConsoleOutput",   "ec2.console",   { 40000, 9500 }, false, false },
    [EC2_STOP_INSTANCES]      = { "StopInstances",      "ec2.stop",      { 90000, 4800 }, true,  false },
    [EC2_START_INSTANCES]     = { "StartInstances",     "ec2.start",     { 4000, 1900 },  true,  false },
    [EC2_DESCRIBE_TEMPLATES]  = { "DescribeLaunchTemplateVersions", "ec2.template", { 40000, 9500 }, false, false },
    [EC2_CREATE_GROUP]        = { "CreateSecurityGroup", "ec2.group",    { 20000, 1900 }, true,  true },
    [EC2_DELETE_GROUP]        = { "DeleteSecurityGroup", "ec2.group",    { 20000, 1900 }, true,  false },
    [EC2_LET_IN]              = { "AuthorizeSecurityGroupIngress", "ec2.group", { 20000, 1900 }, true, false },
    [EC2_LET_OUT]             = { "AuthorizeSecurityGroupEgress",  "ec2.group", { 20000, 1900 }, true, false },
    [EC2_SHUT]                = { "RevokeSecurityGroupIngress",    "ec2.group", { 20000, 1900 }, true, false },
    [EC2_DESCRIBE_TYPES]      = { "DescribeInstanceTypes", "ec2.check", { 40000, 9500 }, false, false },
    [EC2_DESCRIBE_OFFERINGS]  = { "DescribeInstanceTypeOfferings", "ec2.check", { 40000, 9500 }, false, false },
    [EC2_DESCRIBE_SUBNETS]    = { "DescribeSubnets",    "ec2.check",     { 40000, 9500 }, false, false },
    [EC2_DESCRIBE_GROUPS]     = { "DescribeSecurityGroups", "ec2.group", { 40000, 9500 }, false, false },
    [EC2_DESCRIBE_KEYS]       = { "DescribeKeyPairs",   "ec2.key",       { 40000, 9500 }, false, false },
    [EC2_IMPORT_KEY]          = { "ImportKeyPair",      "ec2.key",       { 20000, 1900 }, true,  true },
    [EC2_DELETE_KEY]          = { "DeleteKeyPair",      "ec2.key",       { 20000, 1900 }, true,  false },
};
/* clang-format on */

static const struct ec2_pace ec2_ask_repeats = { 10000, 500 };

/* In order of time. */
static void ec2_ask_queue(struct ec2_ask *ask, int64_t pause_ms);
static void ec2_ask_on_turn(struct clock_timer *timer);
static void ec2_ask_on_keys(struct credentials_wait *wait, const struct fault *fault);
static void ec2_ask_send(struct ec2_ask *ask);
static void ec2_ask_on_answer(struct http_op *op, const struct fault *fault);
static void ec2_ask_end(struct ec2_ask *ask, const struct fault *fault);

static int64_t
ec2_ask_mono_ms(const struct ec2_ask *ask)
{
    return ask->account->clock->mono_ms(ask->account->clock->self);
}

static const char *
ec2_ask_where(const struct ec2_ask *ask)
{
    return ec2_ask_actions[ask->action].where;
}

const char *
ec2_ask_name(enum ec2_action action)
{
    return ec2_ask_actions[action].name;
}

bool
ec2_ask_changes(enum ec2_action action)
{
    return ec2_ask_actions[action].changes;
}

void
ec2_ask_tally_init(struct cloud_tally ret_tally[EC2_ACTION_COUNT])
{
    for (size_t i = 0; i < EC2_ACTION_COUNT; i++)
        ret_tally[i] = (struct cloud_tally){ .action = ec2_ask_actions[i].name };
}

void
ec2_ask_init(struct ec2_ask *ask, struct ec2_account *account, enum ec2_action action)
{
    *ask = (struct ec2_ask){ .account = account, .action = action };
    ec2_query_init(&ask->query, ec2_ask_actions[action].name);
    ask->timer.fire = ec2_ask_on_turn;
    ask->wait.done = ec2_ask_on_keys;
}

void
ec2_ask_fini(struct ec2_ask *ask)
{
    assert(!ask->asking && !ask->waiting && ask->timer.at_mono_ms == 0);
    credentials_keys_unref(ask->keys);
    ec2_query_fini(&ask->query);
    ec2_xml_free(ask->xml);
    *ask = (struct ec2_ask){ 0 };
}

void
ec2_ask_start(struct ec2_ask *ask)
{
    assert(ask->done && ask->deadline_mono_ms > 0);
    ec2_ask_queue(ask, 0);
}

void
ec2_ask_cancel(struct ec2_ask *ask)
{
    const struct clock_port *clock = ask->account->clock;

    if (ask->cancelled)
        return;
    ask->cancelled = true;
    if (ask->asking) {
        http_cancel(ask->account->http, &ask->op);
        return;
    }
    if (ask->waiting)
        credentials_leave(ask->account->credentials, &ask->wait);
    ask->waiting = false;
    clock->timer_set(clock->self, &ask->timer, ec2_ask_mono_ms(ask));
}

/* --- Its turn ----------------------------------------------------------------------------------- */

/* What cannot be sent in time is not sent at all; the fault is told from the loop. */
static void
ec2_ask_queue(struct ec2_ask *ask, int64_t pause_ms)
{
    const struct clock_port *clock = ask->account->clock;
    struct ec2_bucket *bucket = &ask->account->buckets[ask->action];
    int64_t now_mono_ms = ec2_ask_mono_ms(ask);
    int64_t wait_ms = ec2_pace_wait_ms(bucket, &ec2_ask_actions[ask->action].pace, now_mono_ms);

    if (wait_ms < pause_ms)
        wait_ms = pause_ms;
    if (ask->query.body.overflow) {
        (void)fault_set(&ask->fault, FAULT_CLOUD_REFUSED, ec2_ask_where(ask),
                        "the request is too long: most of it is user data or tags");
        wait_ms = 0;
    } else if (now_mono_ms + wait_ms >= ask->deadline_mono_ms) {
        if (ask->fault.kind == FAULT_NONE) {
            (void)fault_set(&ask->fault, FAULT_CLOUD_THROTTLED, ec2_ask_where(ask),
                            "too many requests wait for their turn");
        }
        wait_ms = 0;
    } else {
        ask->fault.kind = FAULT_NONE;
        ec2_pace_take(bucket);
    }
    clock->timer_set(clock->self, &ask->timer, now_mono_ms + wait_ms);
}

static void
ec2_ask_on_turn(struct clock_timer *timer)
{
    struct ec2_ask *ask = CONTAINER_OF(timer, struct ec2_ask, timer);

    if (ask->cancelled || ask->fault.kind != FAULT_NONE) {
        ec2_ask_end(ask, &ask->fault);
    } else if (credentials_now(ask->account->credentials)) {
        ec2_ask_send(ask);
    } else {
        ask->waiting = true;
        credentials_wait(ask->account->credentials, &ask->wait);
    }
}

static void
ec2_ask_on_keys(struct credentials_wait *wait, const struct fault *fault)
{
    struct ec2_ask *ask = CONTAINER_OF(wait, struct ec2_ask, wait);

    ask->waiting = false;
    if (fault) {
        ec2_ask_end(ask, fault);
    } else {
        ec2_ask_send(ask);
    }
}

/* --- Out ------------------------------------------------------------------------------------------ */

static void
ec2_ask_sign(struct ec2_ask *ask)
{
    static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
    const struct ec2_account *account = ask->account;
    const struct credentials_keys *keys = ask->keys;
    const struct ec2_sign_key key = {
        .id = keys->id,
        .secret = secret_bytes(keys->key),
        .token = keys->token ? secret_bytes(keys->token) : NULL,
    };
    const struct ec2_sign_request request = {
        .host = account->host,
        .region = account->region,
        .service = "ec2",
        .content_type = type,
        .body = buf_text(&ask->query.body),
        .body_len = ask->query.body.len,
        .at_ms = account->clock->now_ms(account->clock->self) + account->ahead_ms,
    };

    ask->signed_ahead_ms = account->ahead_ms;
    ec2_sign(&request, &key, &ask->signature);
    ask->headers[0] = (struct http_header){ "Content-Type", type };
    ask->headers[1] = (struct http_header){ "X-Amz-Date", ask->signature.date };
    ask->headers[2] = (struct http_header){ "Authorization", ask->signature.authorization };
    ask->headers[3] = (struct http_header){ "X-Amz-Security-Token", key.token };
}

static void
ec2_ask_send(struct ec2_ask *ask)
{
    struct ec2_account *account = ask->account;
    int64_t left_ms = ask->deadline_mono_ms - ec2_ask_mono_ms(ask);

    credentials_keys_unref(ask->keys);
    ask->keys = credentials_keys_ref(credentials_now(account->credentials));
    ec2_ask_sign(ask);
    ask->tries++;
    account->tally[ask->action].calls++;
    ask->asking = true;
    ask->op = (struct http_op){
        .peer = account->peer,
        .method = "POST",
        .url = account->url,
        .headers = ask->headers,
        .header_count = ask->keys->token ? EC2_HEADERS_MAX : EC2_HEADERS_MAX - 1,
        .body = buf_text(&ask->query.body),
        .body_len = ask->query.body.len,
        .body_fd = -1,
        /* A kept connection that turns out to be dead would leave it unsure what was done. */
        .fresh = ec2_ask_actions[ask->action].once,
        .answer_limit = ASK_ANSWER_MAX,
        .head_ms = ASK_HEAD_MS,
        .total_ms = left_ms > 0 ? left_ms : 1,
        .done = ec2_ask_on_answer,
    };
    http_start(account->http, &ask->op);
}

/* --- In ------------------------------------------------------------------------------------------- */

static void
ec2_ask_learn_clock(struct ec2_ask *ask)
{
    struct ec2_account *account = ask->account;
    int64_t ahead_ms = ask->op.date_ms - account->clock->now_ms(account->clock->self);
    bool was_off = account->ahead_ms != 0;
    char by[32];

    if (ask->op.date_ms == 0)
        return;
    account->ahead_ms = ahead_ms > ASK_SKEW_MS || ahead_ms < -ASK_SKEW_MS ? ahead_ms : 0;
    if (!was_off && account->ahead_ms != 0) {
        log_warn("ec2",
                 "this machine's clock is %s %s that of %s: requests are signed with the latter",
                 text_duration(ahead_ms > 0 ? ahead_ms : -ahead_ms, by),
                 ahead_ms > 0 ? "behind" : "before", account->host);
    }
}

/* Why there is no answer. */
static void
ec2_ask_lost(struct ec2_ask *ask, const struct fault *fault)
{
    enum fault_kind kind = FAULT_CLOUD_FAILED;

    if (ask->cancelled || fault->kind == FAULT_BUG) {
        ask->fault = *fault;
        return;
    }
    if (fault_rule(fault->kind)->unsure && ec2_ask_actions[ask->action].changes)
        kind = FAULT_CLOUD_UNSURE;
    (void)fault_set(&ask->fault, kind, ec2_ask_where(ask), "%s: %s", ask->account->host,
                    fault->text);
}

static void
ec2_ask_read(struct ec2_ask *ask)
{
    const struct buf *answer = ask->op.answer;
    struct fault garbled;

    ask->error = (struct ec2_error){
        .status = ask->op.status,
        .action = ec2_ask_actions[ask->action].name,
    };
    if (ask->op.status != 200) {
        (void)ec2_fault_read(buf_text(answer), answer->len, &ask->error);
        (void)ec2_fault_set(&ask->error, ec2_ask_where(ask), &ask->fault);
    } else if (ec2_xml_parse(buf_text(answer), answer->len, &ask->xml, &garbled) < 0) {
        ec2_ask_lost(ask, &garbled);
    }
    log_debug("ec2", "%s: status %d%s%s, %" PRId64 " ms", ec2_ask_actions[ask->action].name,
              ask->op.status, ask->error.code[0] ? " " : "", ask->error.code,
              ask->op.took_us / 1000);
}

/* Whether the same question may go well at once, since something was learnt from the answer. */
static bool
ec2_ask_has_learnt(struct ec2_ask *ask)
{
    struct ec2_account *account = ask->account;
    int64_t moved_ms = account->ahead_ms - ask->signed_ahead_ms;

    if (ask->learnt || ask->op.status < 400)
        return false;
    if (ec2_fault_rule(&ask->error)->lesson == EC2_LESSON_NONE)
        return false;
    /* EC2 tells keys that have ended from a wrong clock by no code. */
    if (moved_ms <= ASK_SKEW_MS && moved_ms >= -ASK_SKEW_MS)
        credentials_refused(account->credentials, ask->keys);
    ask->learnt = true;
    return true;
}

static bool
ec2_ask_is_passing(const struct fault *fault)
{
    return fault->kind == FAULT_CLOUD_FAILED || fault->kind == FAULT_CLOUD_THROTTLED ||
           fault->kind == FAULT_CLOUD_UNSURE;
}

/* Whether it may go well in a moment, and may be asked again. */
static bool
ec2_ask_is_worth_it(struct ec2_ask *ask, const struct fault *http_fault)
{
    struct ec2_account *account = ask->account;
    int64_t now_mono_ms = ec2_ask_mono_ms(ask);
    bool certainly_undone =
        http_fault ? !fault_rule(http_fault->kind)->unsure : ec2_fault_rule(&ask->error)->repeat;

    if (ask->cancelled || ask->tries >= ASK_TRIES_MAX || !ec2_ask_is_passing(&ask->fault) ||
        (http_fault && http_fault->kind == FAULT_TLS))
        return false;
    if (ec2_ask_actions[ask->action].once && !certainly_undone)
        return false;
    if (ec2_pace_wait_ms(&account->repeats, &ec2_ask_repeats, now_mono_ms) > 0)
        return false;
    ec2_pace_take(&account->repeats);
    return true;
}

static void
ec2_ask_on_answer(struct http_op *op, const struct fault *fault)
{
    struct ec2_ask *ask = CONTAINER_OF(op, struct ec2_ask, op);
    struct ec2_account *account = ask->account;

    ask->asking = false;
    ask->fault.kind = FAULT_NONE;
    if (fault) {
        ec2_ask_lost(ask, fault);
    } else {
        ec2_ask_learn_clock(ask);
        ec2_ask_read(ask);
    }
    account->tally[ask->action].failures += ask->fault.kind != FAULT_NONE;
    if (ask->fault.kind == FAULT_CLOUD_THROTTLED)
        ec2_pace_empty(&account->buckets[ask->action], &ec2_ask_actions[ask->action].pace);
    if (ask->fault.kind == FAULT_NONE) {
        ec2_ask_end(ask, NULL);
    } else if (!fault && !ask->cancelled && ec2_ask_has_learnt(ask)) {
        ec2_ask_queue(ask, 0);
    } else if (ec2_ask_is_worth_it(ask, fault)) {
        ec2_ask_queue(ask, ec2_pace_delay_ms(ask->tries, random_u32(account->random)));
    } else {
        ec2_ask_end(ask, &ask->fault);
    }
}

static void
ec2_ask_end(struct ec2_ask *ask, const struct fault *fault)
{
    struct fault ended;

    if (ask->cancelled && ask->fault.kind == FAULT_NONE && !ask->xml) {
        (void)fault_set(&ended, FAULT_CANCELLED, ec2_ask_where(ask), "cancelled");
        fault = &ended;
    } else if (fault) {
        ended = *fault; /* ec2_ask_fini() may be called by done */
        fault = &ended;
    }
    ask->done(ask, fault);
}
