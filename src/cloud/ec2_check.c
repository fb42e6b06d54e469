/* A check as a walk over a table: one question for each thing that may be wrong. */

#include "berth/cloud/ec2_check.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ec2_check_encode.h"
#include "ec2_job.h"

enum { CHECK_ASK_MS = 15000, CHECK_PAGES_MAX = 50 };

struct ec2_check_step {
    enum ec2_action action;
    bool dry;                                          /* the answer is whether it would be done */
    bool aid;                                          /* not to be allowed is no fault */
    bool (*ours)(const struct ec2_checking *checking); /* what is changed is there; NULL: nothing */
    /* How often it is asked; 0: not at all. */
    size_t (*turns)(const struct ec2_checking *checking);
    void (*encode)(struct ec2_checking *checking, struct ec2_query *query);
    /* What a complete answer tells; NULL: nothing. */
    void (*read)(struct ec2_look *look, struct ec2_node root);
    const char *subject; /* the configuration's field that an error is about */
};

static const struct ec2_check_step ec2_check_steps[];

/* In order of time. */
static void ec2_check_ask(struct ec2_checking *checking);
static void ec2_check_on_answer(struct ec2_ask *ask, const struct fault *fault);
static void ec2_check_next(struct ec2_checking *checking);
static void ec2_check_end(struct ec2_checking *checking, const struct fault *fault);

/* --- The table ------------------------------------------------------------------------------------ */

static const struct ec2_config *
ec2_check_config(const struct ec2_checking *checking)
{
    return &checking->pool->config;
}

static size_t
ec2_check_once(const struct ec2_checking *checking)
{
    (void)checking;
    return 1;
}

static size_t
ec2_check_if_subnets(const struct ec2_checking *checking)
{
    return ec2_check_config(checking)->subnets.count > 0;
}

static size_t
ec2_check_if_groups(const struct ec2_checking *checking)
{
    return ec2_check_config(checking)->security_groups.count > 0;
}

static size_t
ec2_check_if_key(const struct ec2_checking *checking)
{
    return ec2_check_config(checking)->key_name != NULL;
}

static size_t
ec2_check_if_spot(const struct ec2_checking *checking)
{
    return ec2_check_config(checking)->spot;
}

/* Each type, with spot machines in the market of the first attempts, and then the first type on demand. */
static size_t
ec2_check_launches(const struct ec2_checking *checking)
{
    size_t types = checking->check->pool->machines.count;

    if (!checking->look.known.image.id[0] || types == 0)
        return 0;
    return types + ec2_check_if_spot(checking);
}

static size_t
ec2_check_if_warm(const struct ec2_checking *checking)
{
    return checking->check->pool->policy.warm_hosts > 0;
}

static size_t
ec2_check_if_managed(const struct ec2_checking *checking)
{
    return ec2_check_config(checking)->security_group.create;
}

static size_t
ec2_check_if_pair(const struct ec2_checking *checking)
{
    return ec2_check_config(checking)->key_pair.create;
}

static size_t
ec2_check_if_template(const struct ec2_checking *checking)
{
    return ec2_launch_has_template(ec2_check_config(checking));
}

static bool
ec2_check_has_machine(const struct ec2_checking *checking)
{
    return checking->look.machine[0];
}

static bool
ec2_check_has_group(const struct ec2_checking *checking)
{
    return checking->look.known.group[0];
}

static bool
ec2_check_has_pair(const struct ec2_checking *checking)
{
    return checking->look.key[0];
}

/* clang-format off */
static const struct ec2_check_step ec2_check_steps[] = {
    { EC2_DESCRIBE_TEMPLATES, false, false, NULL, ec2_check_if_template, ec2_check_encode_template, ec2_look_template, "launch_template" },
    { EC2_DESCRIBE_IMAGES,    false, false, NULL, ec2_check_once,       ec2_check_encode_image,   ec2_look_image,    "image" },
    { EC2_DESCRIBE_TYPES,     false, true,  NULL, ec2_check_once,       ec2_check_encode_types,   ec2_look_types,    "machine_types" },
    { EC2_DESCRIBE_SUBNETS,   false, true,  NULL, ec2_check_if_subnets, ec2_check_encode_subnets, ec2_look_subnets,  "subnets" },
    { EC2_DESCRIBE_OFFERINGS, false, true,  NULL, ec2_check_once,       ec2_check_encode_offers,  ec2_look_offers,   "machine_types" },
    { EC2_DESCRIBE_GROUPS,    false, true,  NULL, ec2_check_if_groups,  ec2_check_encode_groups,  NULL,              "security_groups" },
    { EC2_DESCRIBE_KEYS,      false, true,  NULL, ec2_check_if_key,     ec2_check_encode_key,     NULL,              "key_name" },
    { EC2_DESCRIBE_GROUPS,    false, false, NULL, ec2_check_if_managed, ec2_check_encode_ours,    ec2_look_group,    "security_group" },
    { EC2_CREATE_GROUP,       true,  false, NULL, ec2_check_if_managed, ec2_check_encode_create,  NULL,              "security_group" },
    { EC2_LET_IN,             true,  false, ec2_check_has_group, ec2_check_if_managed, ec2_check_encode_rules, NULL, "security_group" },
    { EC2_LET_OUT,            true,  false, ec2_check_has_group, ec2_check_if_managed, ec2_check_encode_rules, NULL, "security_group" },
    { EC2_SHUT,               true,  false, ec2_check_has_group, ec2_check_if_managed, ec2_check_encode_rules, NULL, "security_group" },
    { EC2_DESCRIBE_KEYS,      false, false, NULL, ec2_check_if_pair,    ec2_check_encode_pair,    ec2_look_key,      "key_pair" },
    { EC2_IMPORT_KEY,         true,  false, NULL, ec2_check_if_pair,    ec2_check_encode_import,  NULL,              "key_pair" },
    { EC2_DELETE_KEY,         true,  false, ec2_check_has_pair, ec2_check_if_pair, ec2_check_encode_unpair, NULL,    "key_pair" },
    { EC2_DESCRIBE_INSTANCES, false, false, NULL, ec2_check_once,       ec2_check_encode_ours,    ec2_look_machines, "" },
    { EC2_DESCRIBE_SPOT,      true,  false, NULL, ec2_check_if_spot,    ec2_check_encode_nothing, NULL,              "" },
    { EC2_DESCRIBE_PRICES,    true,  true,  NULL, ec2_check_if_spot,    ec2_check_encode_nothing, NULL,              "spot prices" },
    { EC2_RUN_INSTANCES,      true,  false, NULL, ec2_check_launches,   ec2_check_encode_launch,  NULL,              "launch" },
    { EC2_CONSOLE_OUTPUT,     true,  true,  ec2_check_has_machine, ec2_check_once, ec2_check_encode_machine, NULL,  "consoles" },
    { EC2_TERMINATE_INSTANCES, true, false, ec2_check_has_machine, ec2_check_once, ec2_check_encode_machine, NULL,   "" },
    { EC2_STOP_INSTANCES,     true,  false, ec2_check_has_machine, ec2_check_if_warm, ec2_check_encode_machine, NULL, "" },
    { EC2_START_INSTANCES,    true,  false, ec2_check_has_machine, ec2_check_if_warm, ec2_check_encode_machine, NULL, "" },
};
/* clang-format on */

/* --- The walk ------------------------------------------------------------------------------------- */

void
ec2_check_start(struct ec2 *ec2, struct ec2_check *check)
{
    struct ec2_checking *checking = mem_new0(sizeof(*checking));

    assert(check->pool && check->cluster_id && check->done);
    check->findings = mem_resize(NULL, EC2_FINDINGS_MAX, sizeof(*check->findings));
    check->count = 0;
    check->bad = false;
    check->own = checking;
    checking->check = check;
    checking->pool = ec2_pool_ref(ec2, check->pool->id);
    ec2_look_init(&checking->look, check, &checking->pool->config);
    checking->turn = SIZE_MAX; /* before the first */
    ec2_check_next(checking);
}

void
ec2_check_cancel(struct ec2_check *check)
{
    struct ec2_checking *checking = check->own;

    if (!checking)
        return;
    checking->cancelled = true;
    ec2_ask_cancel(&checking->ask);
}

static void
ec2_check_ask(struct ec2_checking *checking)
{
    const struct ec2_check_step *step = &ec2_check_steps[checking->step];
    const struct clock_port *clock = ec2_pool_account(checking->pool)->clock;
    struct ec2_ask *ask = &checking->ask;

    ec2_ask_init(ask, ec2_pool_account(checking->pool), step->action);
    ask->deadline_mono_ms = clock->mono_ms(clock->self) + CHECK_ASK_MS;
    ask->done = ec2_check_on_answer;
    step->encode(checking, &ask->query);
    if (step->dry)
        ec2_query_add(&ask->query, "true", "DryRun");
    ec2_query_add(&ask->query, checking->page, "NextToken");
    ec2_ask_start(ask);
}

/* Whether there is one more page, as far as pages go on. */
static bool
ec2_check_page_next(struct ec2_checking *checking)
{
    const char *next = ec2_xml_text(ec2_xml_root(checking->ask.xml), "nextToken");

    mem_free(STEAL(checking->page));
    if (*next && ++checking->pages < CHECK_PAGES_MAX)
        checking->page = mem_strdup(next);
    return checking->page != NULL;
}

static bool
ec2_check_is(const struct ec2_checking *checking, const char *code)
{
    return strncmp(checking->ask.error.code, code, strlen(code)) == 0;
}

/* An answer that says who may do what, or what is wrong with a parameter. */
static bool
ec2_check_is_told(const struct ec2_checking *checking, const struct fault *fault)
{
    return checking->ask.error.code[0] &&
           (fault->kind == FAULT_CLOUD_REFUSED || fault->kind == FAULT_MACHINE_GONE ||
            fault->kind == FAULT_CLOUD_CAPACITY || fault->kind == FAULT_CLOUD_LIMIT ||
            ec2_check_is(checking, "UnauthorizedOperation") ||
            ec2_check_is(checking, "AccessDenied"));
}

/* What is there to be changed. */
static const char *
ec2_check_thing(const struct ec2_check_step *step)
{
    if (step->ours == ec2_check_has_group)
        return "group";
    return step->ours == ec2_check_has_pair ? "key pair" : "machine";
}

/* A permission that lacks. Return: whether the step is worth another try without it. */
static bool
ec2_check_denied(struct ec2_checking *checking)
{
    const struct ec2_check_step *step = &ec2_check_steps[checking->step];
    char name[EC2_FINDING_ACTION_SIZE];

    (void)ec2_fault_permission(&checking->ask.error, sizeof(name), name);
    if (step->aid) {
        ec2_look_add(&checking->look, EC2_UNKNOWN, name,
                     "not allowed: %s cannot be looked up; Berth goes on without", step->subject);
        return false;
    }
    if (step->ours && !step->ours(checking)) {
        /* Whom the policy lets at what has the cluster's tag alone may not touch nobody's. */
        ec2_look_add(
            &checking->look, EC2_UNKNOWN, name,
            "not tried, since no %s of this pool is there yet: for one that does not exist "
            "it is refused, as it should be where the policy allows it by the "
            "tag " EC2_TAG_CLUSTER ". Check again once there is one: then it is tried",
            ec2_check_thing(step));
        return false;
    }
    ec2_look_add(&checking->look, EC2_BAD, name,
                 "not allowed: add it to the policy of the user or role (docs/IAM.md)");
    if (strcmp(name, "ec2:CreateTags") != 0 || checking->bare)
        return false;
    checking->bare = true;
    return true;
}

static void
ec2_check_good(struct ec2_checking *checking)
{
    char name[EC2_FINDING_ACTION_SIZE];

    (void)snprintf(name, sizeof(name), "ec2:%s", ec2_ask_name(checking->ask.action));
    ec2_look_add(&checking->look, EC2_GOOD, name, "%s", "");
}

/* An error of which more is to be known. Return: whether the step is asked once more. */
static bool
ec2_check_on_error(struct ec2_checking *checking, const struct fault *fault)
{
    const struct ec2_check_step *step = &ec2_check_steps[checking->step];

    if (ec2_check_is(checking, "DryRunOperation")) {
        if (!checking->bare)
            ec2_check_good(checking);
    } else if (fault->kind == FAULT_CLOUD_DENIED) {
        return ec2_check_denied(checking);
    } else if (fault->kind == FAULT_MACHINE_GONE) {
        ec2_check_good(
            checking); /* nobody's machine is not there, which only those hear who may ask */
    } else {
        ec2_look_add(&checking->look, fault->kind == FAULT_CLOUD_REFUSED ? EC2_BAD : EC2_UNKNOWN,
                     step->subject[0] ? step->subject : ec2_ask_name(step->action), "%s",
                     fault->text);
    }
    return false;
}

static void
ec2_check_on_answer(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_checking *checking = CONTAINER_OF(ask, struct ec2_checking, ask);
    const struct ec2_check_step *step = &ec2_check_steps[checking->step];
    struct fault ended = fault ? *fault : (struct fault){ 0 };
    bool again = false;

    if (fault && (checking->cancelled || !ec2_check_is_told(checking, fault))) {
        ec2_check_end(checking, &ended);
        return;
    }
    if (fault) {
        again = ec2_check_on_error(checking, &ended);
    } else {
        if (step->read)
            step->read(&checking->look, ec2_xml_root(ask->xml));
        again = ec2_check_page_next(checking);
        if (!again)
            ec2_check_good(checking);
    }
    ec2_ask_fini(ask);
    if (again) {
        ec2_check_ask(checking);
    } else {
        ec2_check_next(checking);
    }
}

static void
ec2_check_next(struct ec2_checking *checking)
{
    checking->pages = 0;
    checking->turn++;
    while (checking->step < ARRAY_LEN(ec2_check_steps) &&
           checking->turn >= ec2_check_steps[checking->step].turns(checking)) {
        checking->step++;
        checking->turn = 0;
    }
    if (checking->step < ARRAY_LEN(ec2_check_steps)) {
        ec2_check_ask(checking);
    } else {
        ec2_look_compare(&checking->look);
        ec2_check_end(checking, NULL);
    }
}

static void
ec2_check_end(struct ec2_checking *checking, const struct fault *fault)
{
    struct ec2_check *check = checking->check;
    struct ec2_finding *findings = check->findings;

    if (checking->ask.account)
        ec2_ask_fini(&checking->ask);
    ec2_look_fini(&checking->look);
    mem_free(checking->page);
    ec2_pool_unref(checking->pool);
    mem_free(checking);
    check->own = NULL;
    check->done(check, fault);
    mem_free(findings);
}
