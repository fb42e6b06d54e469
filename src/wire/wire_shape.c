#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/wire/shape.h"

#define AMOUNT "{memory_bytes:i,cpus:n,slots:i}"
#define ROOM   "{memory_bytes:i?,cpus:n?,slots:i?}" /* null: without a bound */
#define MONEY  "{spent:n,committed:n,budget:n?}"

/* clang-format off */
const struct wire_shape wire_shapes[] = {
    { "Instance", "One running copy of a blueprint.",
      "{id:s,name:s?,blueprint:s,blueprint_version:i,owner:s,pool:s,"
      "state:(queued|starting|running|stopping|stopped|failed),desired:(running|stopped),reason:s?,host:s?,"
      "container_id:s?,generation:i,"
      "ports:[{container:i,protocol:(tcp|udp),host_address:s?,host_port:i?}],url:s?,"
      "queue:{position:i,eta_s:i?}?,memory_bytes:i,restarts:i,oom_kills:i,exit_code:i?,"
      "created_at:t,started_at:t?,ended_at:t?,ends_at:t?}" },
    { "Started", "What was started: a list when `count` was given.", "<Instance|InstanceList>" },
    { "InstanceList", "A page of instances.", "{items:[@Instance],next:s?}" },
    { "Host", "One machine with a Docker engine.",
      "{id:s,name:s,pool:s,provider:(local|static|ec2),state:(spawned|active|inactive|removed),waiting_for:s?,"
      "reason:s?,cause:(operator|age|uses|errors|gave_up|consolidated|shutdown|notice)?,address:s?,machine_id:s?,machine_type:s?,zone:s?,spot:b,capacity:" AMOUNT ",reserved:" AMOUNT ","
      "instances:i,uses:i,error:{score:n,threshold:n,last_kind:s?,last_at:t?},"
      "trial:{state:(suspended|probation),since:t,next_canary_at:t?,canaries_failed:i,placements_left:i}?,"
      "playbook_revision:s?,certificate_ends_at:t?,price_per_hour:n?,ssh:{user:s,port:i,host_key:s?}?,"
      "created_at:t,active_at:t?,first_used_at:t?,ends_at:t?,removed_at:t?,labels:{*:s},"
      "engine:{address:s?,version:s?,api:s?,reachable:b}}" },
    { "HostList", "A page of hosts.", "{items:[@Host],next:s?}" },
    { "HostStep", "A step of a playbook on a host. Runs and steps are counted from 1; step 0 is the connection, when that failed. "
      "`output` is its end, invalid UTF-8 replaced; `cut_bytes` went before it.",
      "{host:s,run:i,step:i,steps:i,name:s,state:(running|ok|changed|skipped|failed),started_at:t,took_s:n,reason:s?,"
      "cut_bytes:i,output:s}" },
    { "HostStepList", "A page of steps, in order. preparing: more may come.",
      "{items:[@HostStep],next:s?,preparing:b}" },
    { "HostChange", "The host, and the operation that follows its change.", "{host:@Host,operation:@Operation}" },
    { "SshKey", "With it machines are logged in to; null: this daemon prepares none.", "{public_key:s?}" },
    { "Pool", "Hosts of one kind and the rules for them.",
      "{name:s,provider:(local|static|ec2),configured:b,hosts:i,rev:i,created_at:t,machine_types:[@PoolMachine],policy:@PoolPolicy}" },
    { "PoolList", "A page of pools.", "{items:[@Pool],next:s?}" },
    { "PoolPlan", "What the next rounds would do to a pool. The revision stands for all that the first round rests on.",
      "{pool:s,revision:s,rounds:[{at:t,actions:[{kind:(prepare|activate|remove|spawn|drain|inactivate),host:s?,"
      "machine_type:s?,cause:s?,reason:s}],held:[@PoolHold],headroom:" ROOM ",wanted:" ROOM "}],"
      "money:" MONEY ",launches_last_hour:i,launches_per_hour:i?,waiting:i,refused:[@PoolRefusal],next_at:t?}" },
    { "PoolHold", "What holds back the growth of a pool.",
      "{hold:(max_hosts|launches|budget|no_type|by_hand|shutdown|cloud|failing),text:s}" },
    { "PoolRefusal", "What the provider refuses a pool, until such a call goes well again: why (kind, title, and text in the "
      "provider's words), how often in a row since when, when it is asked again (null: when the pool needs it again), and how "
      "many hosts and requests in the queue wait for it.",
      "{call:(launch|list|terminate|stop|start),kind:s,title:s,text:s,since:t,last_at:t,next_at:t?,times:i,hosts:i,waiting:i}" },
    { "PoolDrift", "Hosts that another playbook than the pool's of today has prepared (differs), or nobody knows which (unknown); hosts: "
      "of all that Berth has prepared.",
      "{pool:s,revision:s?,playbook_drift:(ignore|rerun|replace),hosts:i,items:[{host:s,name:s,state:(spawned|active|inactive|removed),"
      "revision:s?,drift:(differs|unknown),running:b,failures:i}]}" },
    { "PoolOrphans", "Machines with our tag that no host of the pool is on. Where complete is false, there may be more. stopped: so "
      "many are due that none is given back by itself; most: so many at once would be.",
      "{pool:s,cluster_id:s,listed_at:t?,complete:b,machines:i,stopped:i,most:i,items:[{id:s,machine_type:s?,zone:s?,address:s?,"
      "state:(pending|running|stopping|stopped|terminated),spot:b,host:s?,launched_at:t?,seen_since:t,"
      "verdict:(young|due|stopped|restored|ending),text:s}]}" },
    { "BlueprintList", "A page of blueprints.", "{items:[@Blueprint],next:s?}" },
    { "Token", "Who may do what; never its secret.",
      "{id:s,name:s?,role:(user|operator|admin),owner:s?,pools:[s],created_at:t,expires_at:t?}" },
    { "NewToken", "A token with its secret, which is shown this once. The answer to a repeated Idempotency-Key has null.",
      "{id:s,name:s?,role:(user|operator|admin),owner:s?,pools:[s],created_at:t,expires_at:t?,token:s?}" },
    { "TokenList", "A page of tokens.", "{items:[@Token],next:s?}" },
    { "Event", "Something that happened.",
      "{seq:i,at:t,kind:s,pool:s?,host:s?,instance:s?,owner:s?,text:s?}" },
    { "EventList", "A page of events; oldest_seq is the oldest that is still kept.",
      "{items:[@Event],next:s?,oldest_seq:i?}" },
    { "Operation", "Something that takes time.",
      "{id:s,kind:(image_load|image_pull|host_drain|host_remove|housekeeping|pool_shutdown),"
      "state:(running|done|failed|cancelled),owner:s?,pool:s?,host:s?,subject:s?,text:s?,"
      "progress:i,total:i?,created_at:t,ended_at:t?}" },
    { "OperationList", "A page of operations.", "{items:[@Operation],next:s?}" },
    { "Image", "An image on hosts of the pool.",
      "{reference:s,id:s,size_bytes:i,created_at:t?,hosts:i}" },
    { "ImageList", "The images of a pool. hosts_asked less hosts_answered did not answer.",
      "{items:[@Image],kept:[{digest:s,references:[s],size_bytes:i,created_at:t}],"
      "hosts_asked:i,hosts_answered:i,next:s?}" },
    { "ExecResult", "How the command ended.", "{exit_code:i,stdout:s,stderr:s,truncated:b}" },
    { "Stats", "One sample of what a container uses.",
      "{at:t,memory_bytes:i,memory_limit_bytes:i,cpu_ns:i,system_cpu_ns:i,cpus:i,network_in_bytes:i,"
      "network_out_bytes:i,block_in_bytes:i,block_out_bytes:i,pids:i}" },
    { "Explanation", "Why it was placed where it is, and how things stand now. growth: of what waits, what its pool does about it "
      "(hosts that come, what holds back more); for operators.",
      "{instance:s,decision:j,now:j,growth:{pool:s,coming:i,held:[@PoolHold],refused:[@PoolRefusal]}?}" },
    { "Version", "What answers here.", "{version:s,cluster:s,cluster_id:s,api:(v1)}" },
    { "Doctor", "The invariants, checked on the live rows.",
      "{ok:b,failed:i,checks:[{check:s,ok:b,detail:s?}]}" },
    { "Status", "How things stand with the pools, and what is wrong with them.",
      "{at:t,pools:[@PoolStatus],wrong:[@Wrong]}" },
    { "PoolStatus", "How things stand with a pool. Headroom, money and what is held are of the last round (planned_at); "
      "suspended and probation count hosts on trial, which are counted by their state, too.",
      "{name:s,provider:(local|static|ec2),hosts:{spawned:i,active:i,inactive:i,suspended:i,probation:i},instances:i,"
      "capacity:" AMOUNT ",reserved:" AMOUNT ",largest_free_bytes:i,headroom:" ROOM ",wanted:" ROOM ","
      "queue:{length:i,oldest_s:i?,oldest:s?},money:" MONEY ",launches_last_hour:i,launches_per_hour:i?,"
      "held:[@PoolHold],refused:[@PoolRefusal],planned_at:t?,next_at:t?}" },
    { "Wrong", "Something to look at: so many hosts, instances or blueprints, a few of them by name, and what there is to say "
      "of the first.",
      "{kind:(host_other_engine|host_unreachable|host_missing|host_suspended|host_probation|host_preparation|host_waiting|"
      "host_out|host_certificate|machine_stray|queue_misfit|pool_left|no_host|blueprint_held),pool:s?,count:i,names:[s],text:s?}" },
    { "Health", "Whether it serves.", "{status:(ok|full|broken|starting|stopping),reason:s?}" },
    { "Problem", "What is wrong (RFC 9457).",
      "{type:s,title:s,status:i,detail:s?,instance:s?,code:s,"
      "errors~:[{pointer:s,code:s,detail:s}],request_id:s?}" },
};
/* clang-format on */
const size_t wire_shape_count = ARRAY_LEN(wire_shapes);

/* What one letter stands for. */
struct shape_scalar {
    char letter;
    const char *type;
    const char *format; /* NULL: none */
};

static const struct shape_scalar shape_scalars[] = {
    { 's', "string", NULL },  { 'i', "integer", "int64" },    { 'n', "number", NULL },
    { 'b', "boolean", NULL }, { 't', "string", "date-time" },
};

enum { SHAPE_WORD_MAX = 64, SHAPE_DEPTH_MAX = 8 };

/* Recursion: the texts are constants of the program, nested a few levels deep.
 * NOLINTBEGIN(misc-no-recursion) */

/* Where the value at @text ends, its '?' not included. */
static const char *
wire_shape_end(const char *text)
{
    int depth = 0;

    do {
        assert(*text);
        depth += *text == '{' || *text == '[' || *text == '(' || *text == '<';
        depth -= *text == '}' || *text == ']' || *text == ')' || *text == '>';
        text++;
    } while (depth > 0 || (*text && !strchr(",}]?", *text)));
    return text;
}

static void
wire_shape_type(struct json_out *out, const char *type, bool nullable)
{
    json_out_key(out, "type");
    if (!nullable) {
        json_out_string(out, type);
        return;
    }
    json_out_array(out);
    json_out_string(out, type);
    json_out_string(out, "null");
    json_out_array_end(out);
}

/* The words between parentheses. */
static void
wire_shape_enum(struct json_out *out, const char *text, bool nullable)
{
    wire_shape_type(out, "string", nullable);
    json_out_key(out, "enum");
    json_out_array(out);
    for (text++; *text != ')'; text += *text == '|') {
        size_t len = strcspn(text, "|)");

        json_out_string_n(out, text, len);
        text += len;
    }
    if (nullable)
        json_out_null(out);
    json_out_array_end(out);
}

/* @text: a name that ends before @end */
static void
wire_shape_reference(struct json_out *out, const char *text, const char *end)
{
    char name[SHAPE_WORD_MAX + 32] = "#/components/schemas/";
    struct buf path = {
        .data = name, .len = strlen(name), .cap = sizeof(name), .limit = sizeof(name) - 1
    };

    buf_append(&path, text, (size_t)(end - text));
    json_out_kv_string(out, "$ref", name);
}

static void
wire_shape_either(struct json_out *out, const char *text)
{
    json_out_key(out, "oneOf");
    json_out_array(out);
    for (text++; *text != '>'; text += *text == '|') {
        size_t len = strcspn(text, "|>");

        json_out_object(out);
        wire_shape_reference(out, text, text + len);
        json_out_object_end(out);
        text += len;
    }
    json_out_array_end(out);
}

static void wire_shape_value(const char *text, struct json_out *out, const char *doc);

/* The member names of the object at @text, those that are always there. */
static void
wire_shape_required(struct json_out *out, const char *text)
{
    json_out_key(out, "required");
    json_out_array(out);
    for (text++; *text != '}'; text += *text == ',') {
        size_t len = strcspn(text, "~:");
        bool optional = text[len] == '~';

        if (!optional)
            json_out_string_n(out, text, len);
        text = wire_shape_end(text + len + 1 + optional);
        text += *text == '?';
    }
    json_out_array_end(out);
}

static void
wire_shape_object(struct json_out *out, const char *text, bool nullable)
{
    char word[SHAPE_WORD_MAX];

    wire_shape_type(out, "object", nullable);
    if (text[1] == '*') {
        json_out_key(out, "additionalProperties");
        wire_shape_value(text + 3, out, NULL);
        return;
    }
    json_out_key(out, "properties");
    json_out_object(out);
    for (const char *at = text + 1; *at != '}'; at += *at == ',') {
        size_t len = strcspn(at, "~:");

        assert(len > 0 && len < sizeof(word) && at[len]);
        memcpy(word, at, len);
        word[len] = '\0';
        at += len + 1 + (at[len] == '~');
        json_out_key(out, word);
        wire_shape_value(at, out, NULL);
        at = wire_shape_end(at);
        at += *at == '?';
    }
    json_out_object_end(out);
    wire_shape_required(out, text);
}

static void
wire_shape_scalar(struct json_out *out, char letter, bool nullable)
{
    for (size_t i = 0; i < ARRAY_LEN(shape_scalars); i++) {
        if (shape_scalars[i].letter != letter)
            continue;
        wire_shape_type(out, shape_scalars[i].type, nullable);
        if (shape_scalars[i].format)
            json_out_kv_string(out, "format", shape_scalars[i].format);
        return;
    }
    assert(letter == 'j');
}

static void
wire_shape_value(const char *text, struct json_out *out, const char *doc)
{
    const char *end = wire_shape_end(text);
    bool nullable = *end == '?';

    json_out_object(out);
    if (doc)
        json_out_kv_string(out, "description", doc);
    switch (*text) {
    case '{':
        wire_shape_object(out, text, nullable);
        break;
    case '[':
        wire_shape_type(out, "array", nullable);
        json_out_key(out, "items");
        wire_shape_value(text + 1, out, NULL);
        break;
    case '(':
        wire_shape_enum(out, text, nullable);
        break;
    case '<':
        wire_shape_either(out, text);
        break;
    case '@':
        assert(!nullable);
        wire_shape_reference(out, text + 1, end);
        break;
    default:
        wire_shape_scalar(out, *text, nullable);
        break;
    }
    json_out_object_end(out);
}

/* NOLINTEND(misc-no-recursion) */

void
wire_shape_describe(struct json_out *out, const char *text, const char *doc)
{
    wire_shape_value(text, out, doc);
}
