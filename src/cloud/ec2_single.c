#include "ec2_single.h"

#include <assert.h>
#include <string.h>

#include "ec2_console.h"

static void ec2_single_ask(struct ec2_job *job);
static void ec2_single_on_answer(struct ec2_ask *ask, const struct fault *fault);

void
ec2_single_begin(struct ec2_job *job)
{
    assert(job->call->in.id && job->call->in.id[0]);
    job->latest = true;
    ec2_single_ask(job);
}

static void
ec2_single_ask(struct ec2_job *job)
{
    struct ec2_query *query;

    if (job->call->verb == CLOUD_CONSOLE) {
        query = ec2_job_ask(job, EC2_CONSOLE_OUTPUT, ec2_single_on_answer);
        ec2_query_add(query, job->call->in.id, "InstanceId");
        /* Without it the machine's first minutes are told, and of some not before they are over. */
        ec2_query_add(query, job->latest ? "true" : NULL, "Latest");
    } else {
        query = ec2_job_ask(
            job, job->call->verb == CLOUD_STOP ? EC2_STOP_INSTANCES : EC2_START_INSTANCES,
            ec2_single_on_answer);
        ec2_query_add(query, job->call->in.id, "InstanceId.1");
    }
    ec2_ask_start(&job->ask);
}

/* Older machine types have no latest output. */
static bool
ec2_single_has_no_latest(const struct ec2_job *job)
{
    return job->call->verb == CLOUD_CONSOLE && job->latest && !job->cancelled &&
           strcmp(job->ask.error.code, "UnsupportedOperation") == 0;
}

static void
ec2_single_on_answer(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_job *job = ec2_job_answered(ask);

    if (fault && ec2_single_has_no_latest(job)) {
        job->latest = false;
        ec2_ask_fini(ask);
        ec2_single_ask(job);
        return;
    }
    if (!fault && job->call->verb == CLOUD_CONSOLE) {
        job->console = ec2_console_decode(ec2_xml_text(ec2_xml_root(ask->xml), "output"));
        job->call->out.console = (struct cloud_console){
            .text = job->console,
            .len = strlen(job->console),
        };
    }
    ec2_job_end(job, fault);
}
