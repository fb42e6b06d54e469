#include "shell_job.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/log.h"
#include "berth/domain/host.h"

#include "run.h"
#include "shell_config.h"
#include "shell_peer.h"
#include "shell_vars.h"
#include "ssh.h"

enum {
    JOB_BOOT_MS = 300000,   /* for a machine that boots to let us in */
    JOB_AGAIN_MS = 60000,   /* after its SSH server was restarted */
    JOB_COMMAND_MS = 60000, /* of a script of our own */
    JOB_OUTPUT_MAX = 4096,
    JOB_PORT = 2376, /* of its engine */
};

enum job_at { JOB_WAITING, JOB_CONNECTING, JOB_COMMAND, JOB_RUNNING };

struct job {
    struct shell *shell;
    struct shell_pool *pool; /* a reference; NULL: it is not set */
    struct shell_prepare *prepare;
    enum job_at at;
    bool cancelled;
    bool rented; /* its host keys are ours to make */
    struct clock_timer timer;
    struct shell_peer target;
    struct key *planted; /* owned; NULL: a given machine's */
    struct key *final;   /* owned; likewise */
    struct ssh *ssh;     /* owned */
    struct ssh_connect connect;
    struct remote_command command;
    struct secret *input; /* owned; the command's */
    char *script;         /* owned; the command's */
    struct shell_vars vars;
    struct run run;
    char *engine; /* owned; of the endpoint */
};

/* In order of time. */
static void job_on_begin(struct clock_timer *timer);
static void job_connect(struct job *job, bool again);
static void job_on_connected(struct ssh_connect *connect, const struct fault *fault);
static void job_seal(struct job *job);
static void job_on_sealed(struct remote_command *command, const struct fault *fault);
static void job_look(struct job *job);
static void job_on_looked(struct remote_command *command, const struct fault *fault);
static void job_run(struct job *job, const char *seen_from);
static void job_on_step(struct run *run);
static void job_on_output(struct run *run, const char *data, size_t len);
static void job_on_step_end(struct run *run, enum shell_end end);
static void job_on_run(struct run *run, const struct fault *fault);
static void job_keep(struct job *job);
static void job_on_kept(struct remote_command *command, const struct fault *fault);
static void job_end(struct job *job, const struct fault *fault);

void
shell_job_start(struct shell *shell, struct shell_pool *pool, struct shell_prepare *prepare)
{
    const struct clock_port *clock = loop_clock(shell->loop);
    struct job *job = mem_new0(sizeof(*job));

    shell->jobs++;
    job->shell = shell;
    job->pool = pool;
    if (pool)
        pool->refs++;
    job->prepare = prepare;
    job->rented = !prepare->host->machine->ssh;
    job->timer.fire = job_on_begin;
    prepare->adapter = job;
    prepare->step = prepare->from_step;
    clock->timer_set(clock->self, &job->timer, clock->mono_ms(clock->self));
}

void
shell_job_cancel(struct shell_prepare *prepare)
{
    struct job *job = prepare->adapter;
    const struct remote *remote;

    if (!job || job->cancelled)
        return;
    job->cancelled = true;
    switch (job->at) {
    case JOB_WAITING:
        break;
    case JOB_CONNECTING:
        ssh_connect_cancel(job->ssh);
        break;
    case JOB_COMMAND:
        remote = ssh_remote(job->ssh);
        remote->cancel(remote->self, &job->command);
        break;
    case JOB_RUNNING:
        run_cancel(&job->run);
        break;
    }
}

/* --- The way to the machine --------------------------------------------------------------------- */

/* The step before the playbook's; one that begins in the middle goes through it without a word. */
static bool
job_is_told(const struct job *job)
{
    return job->prepare->from_step == 0;
}

static void
job_way_ends(struct job *job, enum shell_end end)
{
    struct shell_prepare *prepare = job->prepare;

    if (job_is_told(job) && prepare->on_step_end)
        prepare->on_step_end(prepare, end);
}

static void
job_way_failed(struct job *job, const struct fault *fault)
{
    job_way_ends(job, SHELL_FAILED);
    job_end(job, fault);
}

/* Return: whether the machine can be asked at all. */
static bool
job_is_possible(struct job *job, struct fault *fault)
{
    const struct shell_prepare *prepare = job->prepare;
    const struct host *host = prepare->host;

    if (job->cancelled) {
        fault_set(fault, FAULT_CANCELLED, "shell", "cancelled");
    } else if (!job->pool) {
        fault_set(fault, FAULT_PREPARE, "shell",
                  "the configuration says nothing of pool %s: it needs a section with its provider",
                  host->pool->name);
    } else if (job->rented) {
        job->target = (struct shell_peer){ .port = 22 };
        (void)snprintf(job->target.address, sizeof(job->target.address), "%s", prepare->address);
        (void)snprintf(job->target.user, sizeof(job->target.user), "%s",
                       job->pool->config.ssh_user ? job->pool->config.ssh_user : "admin");
        return true;
    } else {
        return shell_peer_parse(host->machine, &job->target, fault) == 0;
    }
    return false;
}

static void
job_on_begin(struct clock_timer *timer)
{
    struct job *job = CONTAINER_OF(timer, struct job, timer);
    struct shell_prepare *prepare = job->prepare;
    struct fault fault;

    if (!job_is_possible(job, &fault)) {
        job_end(job, &fault);
        return;
    }
    if (job->rented) {
        job->planted = shell_key_derive(job->shell, prepare->host, SHELL_KEY_PLANTED);
        job->final = shell_key_derive(job->shell, prepare->host, SHELL_KEY_FINAL);
    }
    memcpy(prepare->revision, job->pool->revision, sizeof(prepare->revision));
    prepare->step_count = playbook_step_count(job->pool->playbook) + 1;
    (void)snprintf(prepare->step_name, sizeof(prepare->step_name), "Connect to the machine");
    if (job_is_told(job))
        prepare->on_step(prepare);
    job_connect(job, false);
}

static void
job_connect(struct job *job, bool again)
{
    const struct machine *machine = job->prepare->host->machine;
    struct ssh_peer peer = {
        .address = job->target.address,
        .port = job->target.port,
        .user = job->target.user,
        .key = job->shell->user_key,
    };

    if (!job->rented) {
        peer.accepted[peer.accepted_count++] = job->target.host_key;
    } else {
        peer.accepted[peer.accepted_count++] = *key_public(job->final);
        if (!machine->sealed && !again)
            peer.accepted[peer.accepted_count++] = *key_public(job->planted);
    }
    job->at = JOB_CONNECTING;
    job->ssh = ssh_new(job->shell->loop, &peer);
    job->connect = (struct ssh_connect){
        .retry_for_ms = again ? JOB_AGAIN_MS : JOB_BOOT_MS,
        .done = job_on_connected,
    };
    ssh_connect_start(job->ssh, &job->connect);
}

static void
job_on_connected(struct ssh_connect *connect, const struct fault *fault)
{
    struct job *job = CONTAINER_OF(connect, struct job, connect);

    job->at = JOB_WAITING;
    if (fault) {
        job_way_failed(job, fault);
    } else if (job->rented && connect->accepted == 1) {
        job_seal(job);
    } else {
        job->prepare->sealed = job->rented;
        job_look(job);
    }
}

/* @script is taken. */
static void
job_command(struct job *job, char *script, const char *user,
            void (*done)(struct remote_command *command, const struct fault *fault))
{
    const struct remote *remote = ssh_remote(job->ssh);

    mem_free(job->script);
    job->script = script;
    job->command = (struct remote_command){
        .script = script,
        .user = user,
        .input = job->input ? secret_bytes(job->input) : NULL,
        .input_len = job->input ? secret_len(job->input) : 0,
        .output_limit = JOB_OUTPUT_MAX,
        .timeout_ms = JOB_COMMAND_MS,
        .done = done,
    };
    job->at = JOB_COMMAND;
    remote->run(remote->self, &job->command);
}

/* Return: whether it ended well; else the job has ended. */
static bool
job_commanded(struct job *job, const char *what, const struct fault *fault)
{
    struct remote_command *command = &job->command;
    struct fault failed;

    job->at = JOB_WAITING;
    secret_free(STEAL(job->input));
    if (!fault && command->exit_code == 0 && !job->cancelled)
        return true;
    if (job->cancelled) {
        fault_set(&failed, FAULT_CANCELLED, "shell", "cancelled"); /* when the end was certain */
    } else {
        fault_set(&failed, FAULT_PREPARE, "shell", "%s failed with exit code %d: %s", what,
                  command->exit_code, buf_text(&command->err));
    }
    job_way_failed(job, fault ? fault : &failed);
    return false;
}

/* Whoever can read the user data knows the planted key: it is replaced before anything else is done. */
static void
job_seal(struct job *job)
{
    char line[KEY_LINE_SIZE];
    char *script = mem_printf("set -e; umask 077; cd /etc/ssh\n"
                              "cat >ssh_host_ed25519_key.berth\n"
                              "echo '%s' >ssh_host_ed25519_key.pub\n"
                              "chmod 644 ssh_host_ed25519_key.pub\n"
                              "mv -f ssh_host_ed25519_key.berth ssh_host_ed25519_key\n"
                              "sync\n"
                              "systemctl try-restart ssh.service 2>/dev/null ||\n"
                              "    systemctl try-restart sshd.service\n",
                              key_public_line(key_public(job->final), "", line));

    job->input = key_private_text(job->final, "");
    job_command(job, script, "root", job_on_sealed);
}

static void
job_on_sealed(struct remote_command *command, const struct fault *fault)
{
    struct job *job = CONTAINER_OF(command, struct job, command);

    if (!job_commanded(job, "replacing the SSH host key", fault))
        return;
    ssh_free(STEAL(job->ssh));
    job_connect(job, true);
}

/* Where it sees us come from is who may reach it, unless the configuration says. */
static void
job_look(struct job *job)
{
    if (job->pool->config.orchestrator.count > 0) {
        job_way_ends(job, SHELL_CHANGED);
        job_run(job, NULL);
        return;
    }
    job_command(job, mem_strdup("printf %s \"${SSH_CONNECTION%% *}\""), NULL, job_on_looked);
}

static void
job_on_looked(struct remote_command *command, const struct fault *fault)
{
    struct job *job = CONTAINER_OF(command, struct job, command);
    CLEANUP(mem_freep) char *seen_from = NULL;
    struct fault none;

    if (!job_commanded(job, "asking the machine where we come from", fault))
        return;
    seen_from = mem_strdup(buf_text(&command->out));
    if (!shell_peer_is_address(seen_from)) {
        fault_set(&none, FAULT_PREPARE, "shell",
                  "the machine does not tell where it sees berthd come from: name it in the "
                  "pool's orchestrator");
        job_way_failed(job, &none);
        return;
    }
    job_way_ends(job, SHELL_CHANGED);
    job_run(job, seen_from);
}

/* --- The playbook ------------------------------------------------------------------------------- */

static void
job_run(struct job *job, const char *seen_from)
{
    struct shell_prepare *prepare = job->prepare;
    const struct shell_vars_for machine = {
        .pool = job->pool,
        .host = prepare->host,
        .address = job->target.address,
        .seen_from = seen_from,
        .key = job->final,
    };
    struct fault fault;

    if (shell_vars_make(job->shell, &machine, &job->vars, &fault) < 0) {
        job_end(job, &fault);
        return;
    }
    job->run = (struct run){
        .playbook = job->pool->playbook,
        .remote = ssh_remote(job->ssh),
        .clock = loop_clock(job->shell->loop),
        .host = prepare->host->name,
        .vars = job->vars.json,
        .fresh = shell_vars_fresh,
        .fresh_count = SHELL_VARS_FRESH,
        .secrets = job->vars.secrets,
        .secret_count = job->vars.secret_count,
        .tag = prepare->purpose == SHELL_RENEW ? SHELL_RENEWAL_TAG : NULL,
        .from_step = prepare->from_step > 0 ? prepare->from_step - 1 : 0,
        .on_step = job_on_step,
        .on_output = job_on_output,
        .on_step_end = job_on_step_end,
        .done = job_on_run,
    };
    job->at = JOB_RUNNING;
    run_start(&job->run);
}

static void
job_on_step(struct run *run)
{
    struct job *job = CONTAINER_OF(run, struct job, run);
    struct shell_prepare *prepare = job->prepare;
    size_t len = strlen(run->step_name);

    if (len >= sizeof(prepare->step_name))
        len = text_utf8_len(run->step_name, sizeof(prepare->step_name) - 1);
    memcpy(prepare->step_name, run->step_name, len);
    prepare->step_name[len] = '\0';
    prepare->step = run->step + 1;
    prepare->step_count = run->step_count + 1;
    prepare->on_step(prepare);
}

static void
job_on_output(struct run *run, const char *data, size_t len)
{
    struct job *job = CONTAINER_OF(run, struct job, run);

    if (job->prepare->on_output)
        job->prepare->on_output(job->prepare, data, len);
}

static void
job_on_step_end(struct run *run, enum shell_end end)
{
    struct job *job = CONTAINER_OF(run, struct job, run);

    if (job->prepare->on_step_end)
        job->prepare->on_step_end(job->prepare, end);
}

static void
job_on_run(struct run *run, const struct fault *fault)
{
    struct job *job = CONTAINER_OF(run, struct job, run);

    job->at = JOB_WAITING;
    if (fault) {
        job_end(job, fault);
    } else if (job->rented && job->prepare->purpose == SHELL_PREPARE) {
        job_keep(job);
    } else {
        job_end(job, NULL);
    }
}

/* The unit of its user data would end it, and may not have been started yet. */
static void
job_keep(struct job *job)
{
    /* Nothing is waited for: the shell that counts is ended at once, and cannot come back. */
    static const char script[] = "systemctl --quiet --no-reload mask " SHELL_UNPREPARED " &&\n"
                                 "    { systemctl --no-block stop " SHELL_UNPREPARED " ||\n"
                                 "    ! systemctl --quiet is-active " SHELL_UNPREPARED "; }\n";

    job_command(job, mem_strdup(script), "root", job_on_kept);
}

static void
job_on_kept(struct remote_command *command, const struct fault *fault)
{
    struct job *job = CONTAINER_OF(command, struct job, command);
    struct fault failed;

    job->at = JOB_WAITING;
    if (!fault && command->exit_code != 0) {
        fault = &failed;
        fault_set(&failed, FAULT_PREPARE, "shell",
                  "the machine would end itself: " SHELL_UNPREPARED
                  " could not be masked (exit code %d): %s",
                  command->exit_code, buf_text(&command->err));
    }
    job_end(job, fault);
}

/* --- The end ------------------------------------------------------------------------------------ */

static void
job_tell(struct job *job)
{
    struct shell_prepare *prepare = job->prepare;
    const struct vault_pool *vault = job->pool->vault;
    bool six = strchr(job->target.address, ':') != NULL;
    char line[KEY_LINE_SIZE];

    job->engine = mem_printf(six ? "tcp://[%s]:%d" : "tcp://%s:%d", job->target.address, JOB_PORT);
    prepare->endpoint = (struct host_endpoint){
        .engine = job->engine,
        .ca = vault->ca_path,
        .cert = vault->client_path,
        .key = vault->client_path,
    };
    prepare->certificate_ends_at_ms = job->vars.certificate_ends_at_ms;
    if (job->rented) {
        (void)snprintf(prepare->user, sizeof(prepare->user), "%s", job->target.user);
        (void)snprintf(prepare->host_key, sizeof(prepare->host_key), "%s",
                       key_public_line(key_public(job->final), "", line));
    }
}

static void
job_end(struct job *job, const struct fault *fault)
{
    struct shell_prepare *prepare = job->prepare;
    const struct clock_port *clock = loop_clock(job->shell->loop);

    if (!fault)
        job_tell(job);
    job->shell->jobs--;
    prepare->adapter = NULL;
    prepare->done(prepare, fault);

    clock->timer_clear(clock->self, &job->timer);
    ssh_free(job->ssh);
    shell_vars_fini(&job->vars);
    secret_free(job->input);
    key_free(job->planted);
    key_free(job->final);
    shell_pool_unref(job->pool);
    mem_free(job->script);
    mem_free(job->engine);
    mem_free(job);
}
