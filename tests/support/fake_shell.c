/* One timer a run: connected, then the end of one step after the other. */

#include "support/fake_shell.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define STEP_MS      10000
#define CONNECT_MS   50
#define NO_ANSWER_MS 15000
#define HANG_MS      600000

static const char *const fake_shell_steps[FAKE_SHELL_STEPS] = { "wait for the boot", "packages",
                                                                "swap", "engine", "firewall" };

struct fake_shell_run {
    struct fake_shell *fake;
    struct shell_prepare *prepare;
    struct fake_shell_fate fate;
    bool connected;
    bool cancelled;
    char address[CLOUD_ADDRESS_SIZE];
    struct clock_timer timer;
    struct list_node node;
};

struct fake_shell {
    struct shell_port port;
    const struct clock_port *clock;
    struct fake_cloud *cloud;
    struct list runs;
    struct fake_shell_rule rules[FAKE_SHELL_RULES_MAX];
    int left[FAKE_SHELL_RULES_MAX];
    size_t rule_count;
    struct fake_shell_fate (*hook)(void *cookie, const struct shell_prepare *prepare);
    void *cookie;
    uint64_t started;
    char revision[SHELL_REVISION_SIZE];
    int64_t certificate_ms;
    uint32_t lines;
};

static void fake_shell_start(void *self, struct shell_prepare *prepare);
static void fake_shell_cancel(void *self, struct shell_prepare *prepare);
static struct secret *fake_shell_user_data(void *self, const struct host *host);
static bool fake_shell_revision(void *self, const struct pool *pool,
                                char ret_revision[SHELL_REVISION_SIZE]);
static const char *fake_shell_public_key(void *self);
static void fake_shell_on_timer(struct clock_timer *timer);

struct fake_shell *
fake_shell_new(const struct clock_port *clock, struct fake_cloud *cloud)
{
    struct fake_shell *fake = mem_new0(sizeof(*fake));

    fake->port = (struct shell_port){
        .self = fake,
        .prepare_start = fake_shell_start,
        .prepare_cancel = fake_shell_cancel,
        .user_data = fake_shell_user_data,
        .public_key = fake_shell_public_key,
        .revision = fake_shell_revision,
    };
    fake->clock = clock;
    (void)snprintf(fake->revision, sizeof(fake->revision), "0000000000000001");
    fake->cloud = cloud;
    list_init(&fake->runs);
    return fake;
}

static void
fake_shell_run_free(struct fake_shell_run *run)
{
    run->fake->clock->timer_clear(run->fake->clock->self, &run->timer);
    list_remove(&run->fake->runs, &run->node);
    mem_free(run);
}

void
fake_shell_restart(struct fake_shell *fake)
{
    struct list_node *node;

    while ((node = list_first(&fake->runs)))
        fake_shell_run_free(CONTAINER_OF(node, struct fake_shell_run, node));
}

void
fake_shell_free(struct fake_shell *fake)
{
    if (!fake)
        return;
    fake_shell_restart(fake);
    mem_free(fake);
}

const struct shell_port *
fake_shell_port(struct fake_shell *fake)
{
    return &fake->port;
}

void
fake_shell_rule_add(struct fake_shell *fake, const struct fake_shell_rule *rule)
{
    assert(fake->rule_count < FAKE_SHELL_RULES_MAX);
    fake->left[fake->rule_count] = rule->nth;
    fake->rules[fake->rule_count++] = *rule;
}

void
fake_shell_rules_clear(struct fake_shell *fake)
{
    fake->rule_count = 0;
}

void
fake_shell_fate(struct fake_shell *fake,
                struct fake_shell_fate (*fate)(void *cookie, const struct shell_prepare *prepare),
                void *cookie)
{
    fake->hook = fate;
    fake->cookie = cookie;
}

size_t
fake_shell_pending(const struct fake_shell *fake)
{
    return fake->runs.count;
}

uint64_t
fake_shell_runs(const struct fake_shell *fake)
{
    return fake->started;
}

static struct fake_shell_fate
fake_shell_decide(struct fake_shell *fake, const struct shell_prepare *prepare)
{
    for (size_t i = 0; i < fake->rule_count; i++) {
        const struct fake_shell_rule *rule = &fake->rules[i];

        if (rule->host && strcmp(rule->host, prepare->host->name) != 0)
            continue;
        if (rule->nth > 0 && --fake->left[i] != 0)
            continue;
        return rule->fate;
    }
    if (fake->hook)
        return fake->hook(fake->cookie, prepare);
    return (struct fake_shell_fate){ .step_ms = STEP_MS };
}

/* The machine behind the address, if it answers. */
static struct fake_vm *
fake_shell_vm(const struct fake_shell_run *run)
{
    struct fake_vm *vm = fake_vm_by_address(fake_cloud_vms(run->fake->cloud), run->address);

    return vm && !vm->life.mute ? vm : NULL;
}

static void
fake_shell_arm(struct fake_shell_run *run, int64_t ms)
{
    const struct clock_port *clock = run->fake->clock;

    clock->timer_set(clock->self, &run->timer, clock->mono_ms(clock->self) + ms);
}

static void
fake_shell_start(void *self, struct shell_prepare *prepare)
{
    struct fake_shell *fake = self;
    struct fake_shell_run *run = mem_new0(sizeof(*run));

    assert(prepare->done && prepare->host && prepare->address);
    run->fake = fake;
    run->prepare = prepare;
    run->fate = fake_shell_decide(fake, prepare);
    run->timer.fire = fake_shell_on_timer;
    (void)snprintf(run->address, sizeof(run->address), "%s", prepare->address);
    prepare->adapter = run;
    fake->started++;
    list_push(&fake->runs, &run->node);
    fake_shell_arm(run, fake_shell_vm(run) ? CONNECT_MS : NO_ANSWER_MS);
}

static void
fake_shell_cancel(void *self, struct shell_prepare *prepare)
{
    struct fake_shell_run *run = prepare->adapter;

    (void)self;
    run->cancelled = true;
    fake_shell_arm(run, 0);
}

static void
fake_shell_end(struct fake_shell_run *run, const struct fault *fault)
{
    struct shell_prepare *prepare = run->prepare;
    CLEANUP(mem_freep) char *engine = NULL;

    if (!fault) {
        engine = mem_printf("tcp://%s:2376", run->address);
        (void)snprintf(prepare->user, sizeof(prepare->user), "admin");
        (void)snprintf(prepare->host_key, sizeof(prepare->host_key), "ssh-ed25519 FAKE");
        prepare->endpoint = (struct host_endpoint){ .engine = engine, .plain = true };
        if (run->fake->certificate_ms > 0) {
            prepare->certificate_ends_at_ms =
                run->fake->clock->now_ms(run->fake->clock->self) + run->fake->certificate_ms;
        }
    }
    fake_shell_run_free(run);
    prepare->adapter = NULL;
    prepare->done(prepare, fault);
}

static void
fake_shell_fail(struct fake_shell_run *run, enum fault_kind kind)
{
    struct fault fault;

    (void)fault_set(&fault, kind, "fake.shell", "made up: step %u of %s", run->prepare->step + 1,
                    run->address);
    fake_shell_end(run, &fault);
}

static struct secret *
fake_shell_user_data(void *self, const struct host *host)
{
    const struct fake_shell *fake = self;
    char *text =
        mem_printf("host %lld, attempt %lld, playbook %s", (long long)host->id,
                   (long long)(host->machine ? host->machine->attempt : 0), fake->revision);
    struct secret *secret = secret_new(text, strlen(text));

    mem_free(text);
    return secret;
}

static const char *
fake_shell_public_key(void *self)
{
    (void)self;
    return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m berth";
}

static bool
fake_shell_revision(void *self, const struct pool *pool, char ret_revision[SHELL_REVISION_SIZE])
{
    const struct fake_shell *fake = self;

    (void)pool;
    (void)snprintf(ret_revision, SHELL_REVISION_SIZE, "%s", fake->revision);
    return true;
}

/* A step begins; its end is the next that happens. */
static void
fake_shell_step(struct fake_shell_run *run, uint32_t step)
{
    struct shell_prepare *prepare = run->prepare;
    bool hangs = run->fate.kind == FAULT_TIMEOUT && run->fate.fails_at == step;

    prepare->step = step;
    prepare->step_count = FAKE_SHELL_STEPS;
    (void)snprintf(prepare->step_name, sizeof(prepare->step_name), "%s", fake_shell_steps[step]);
    fake_shell_arm(run, hangs ? HANG_MS : run->fate.step_ms);
    (void)snprintf(prepare->revision, sizeof(prepare->revision), "%s", run->fake->revision);
    if (prepare->on_step)
        prepare->on_step(prepare);
}

static void
fake_shell_step_end(struct fake_shell_run *run, enum shell_end end)
{
    struct shell_prepare *prepare = run->prepare;

    prepare->sealed = true;
    for (uint32_t i = 0; i < run->fake->lines; i++) {
        char line[17];

        (void)snprintf(line, sizeof(line), "line %010u\n", i);
        prepare->on_output(prepare, line, 16);
    }
    if (prepare->on_output)
        prepare->on_output(prepare, "said so\n", 8);
    if (prepare->on_step_end)
        prepare->on_step_end(prepare, end);
}

static void
fake_shell_on_timer(struct clock_timer *timer)
{
    struct fake_shell_run *run = CONTAINER_OF(timer, struct fake_shell_run, timer);
    struct fake_vm *vm = fake_shell_vm(run);
    uint32_t step = run->prepare->step;
    bool fails = run->fate.kind != FAULT_NONE && run->fate.fails_at <= step;

    if (run->cancelled) {
        fake_shell_fail(run, FAULT_CANCELLED);
        return;
    }
    if (!vm) {
        fake_shell_fail(run, run->connected ? FAULT_LOST : FAULT_UNREACHABLE);
        return;
    }
    if (!run->connected) {
        run->connected = true;
        fake_shell_step(run, run->prepare->from_step < FAKE_SHELL_STEPS ? run->prepare->from_step
                                                                        : FAKE_SHELL_STEPS - 1);
        return;
    }
    if (step + 1 == FAKE_SHELL_STEPS &&
        (run->fate.kind == FAULT_NONE || run->fate.kind == FAULT_LOST))
        fake_vm_engine_start(vm)->unreachable = run->fate.mute;
    fake_shell_step_end(run, fails ? SHELL_FAILED : SHELL_CHANGED);
    if (fails) {
        fake_shell_fail(run, run->fate.kind);
    } else if (step + 1 < FAKE_SHELL_STEPS) {
        fake_shell_step(run, step + 1);
    } else {
        fake_shell_end(run, NULL);
    }
}

void
fake_shell_revision_set(struct fake_shell *fake, const char *revision)
{
    (void)snprintf(fake->revision, sizeof(fake->revision), "%s", revision);
}

void
fake_shell_certificate_ms(struct fake_shell *fake, int64_t lifetime_ms)
{
    fake->certificate_ms = lifetime_ms;
}

void
fake_shell_lines(struct fake_shell *fake, uint32_t lines)
{
    fake->lines = lines;
}
