/* Runs a playbook on this machine and tells, as JSON lines, how each step ended:
 *   play PLAYBOOK VARS [--tag TAG] [--from STEP] [--secret TEXT]
 * VARS is a JSON object. */
#include <stdio.h>
#include <string.h>

#include "../../src/shell/run.h"
#include "../unit/shell/local_remote.h"

struct play {
    struct run run;
    bool is_done;
    bool good;
    struct fault fault;
};

static void
play_on_step_end(struct run *run, enum shell_end end)
{
    static const char *const names[] = { "ok", "changed", "skipped", "failed" };
    CLEANUP(json_freep)
    json_t *line = json_pack("{ss sI ss sb}", "step", run->step_name, "index",
                             (json_int_t)run->step, "end", names[end], "ignored", run->ignored);
    char *text = json_dumps(line, JSON_COMPACT);

    puts(text);
    mem_free(text);
}

static void
play_on_output(struct run *run, const char *data, size_t len)
{
    (void)run;
    (void)fwrite(data, 1, len, stderr);
}

static void
play_on_done(struct run *run, const struct fault *fault)
{
    struct play *play = CONTAINER_OF(run, struct play, run);

    play->is_done = true;
    play->good = !fault;
    if (fault)
        play->fault = *fault;
}

static bool
play_is_done(void *cookie)
{
    return ((const struct play *)cookie)->is_done;
}

/* What stands behind @name among the arguments, or NULL. */
static const char *
play_option(int argc, char **argv, const char *name)
{
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    }
    return NULL;
}

static int
play_run(struct playbook *playbook, const json_t *vars, int argc, char **argv)
{
    struct loop *loop = loop_new();
    struct local_remote *local = local_remote_new(loop);
    const char *from = play_option(argc, argv, "--from");
    const char *secret = play_option(argc, argv, "--secret");
    struct play play = {
        .run = {
            .playbook = playbook,
            .remote = local_remote_get(local),
            .clock = loop_clock(loop),
            .host = "localhost",
            .vars = vars,
            .secrets = &secret,
            .secret_count = secret ? 1 : 0,
            .tag = play_option(argc, argv, "--tag"),
            .from_step = from ? (uint32_t)strtoul(from, NULL, 10) : 0,
            .on_output = play_on_output,
            .on_step_end = play_on_step_end,
            .done = play_on_done,
        },
    };

    run_start(&play.run);
    if (!loop_run_until(loop, play_is_done, &play, 300000))
        (void)fputs("no end\n", stderr);
    if (!play.good)
        (void)fprintf(stderr, "%s\n", play.fault.text);
    local_remote_free(local);
    loop_free(loop);
    return play.good ? 0 : 2;
}

int
main(int argc, char **argv)
{
    CLEANUP(playbook_freep) struct playbook *playbook = NULL;
    CLEANUP(json_freep) json_t *vars = NULL;
    struct fault fault;

    if (argc < 3) {
        (void)fputs("usage: play PLAYBOOK VARS\n", stderr);
        return 1;
    }
    if (json_in_parse(argv[2], strlen(argv[2]), &vars, &fault) < 0 ||
        playbook_load(argv[1], &playbook, &fault) < 0) {
        (void)fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    return play_run(playbook, vars, argc, argv);
}
