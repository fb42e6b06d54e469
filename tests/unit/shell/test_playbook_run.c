/* The runner: what it tells, where it begins, what it hides, and how it ends when it cannot go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "local_remote.h"
#include "playbook_data.h"
#include "redact.h"
#include "run.h"

enum { DEADLINE_MS = 60000 };

struct fixture {
    struct loop *loop;
    struct local_remote *local;
    struct playbook *playbook;
    struct run run;
    struct buf trace; /* "NAME=END " for each step */
    struct buf output;
    bool is_done;
    bool cancels; /* when the first step begins */
    struct fault fault;
};

static int
no_file(const char *path, struct buf *data)
{
    (void)path;
    (void)data;
    return -1;
}

static void
on_step(struct run *run)
{
    struct fixture *fixture = CONTAINER_OF(run, struct fixture, run);

    if (fixture->cancels) {
        run_cancel(run);
    }
}

static void
on_step_end(struct run *run, enum shell_end end)
{
    static const char *const names[] = { "ok", "changed", "skipped", "failed" };
    struct fixture *fixture = CONTAINER_OF(run, struct fixture, run);

    buf_printf(&fixture->trace, "%s=%s%s ", run->step_name, names[end],
               run->ignored ? ",ignored" : "");
}

static void
on_output(struct run *run, const char *data, size_t len)
{
    buf_append(&CONTAINER_OF(run, struct fixture, run)->output, data, len);
}

static void
on_done(struct run *run, const struct fault *fault)
{
    struct fixture *fixture = CONTAINER_OF(run, struct fixture, run);

    fixture->is_done = true;
    if (fault) {
        fixture->fault = *fault;
    }
}

static bool
is_done(void *cookie)
{
    return ((const struct fixture *)cookie)->is_done;
}

/* A play without facts, with these tasks (and what else stands behind them). */
static void
setup(struct fixture *fixture, const char *tasks)
{
    CLEANUP(mem_freep)
    char *text = mem_printf("- hosts: all\n  gather_facts: false\n  tasks:\n%s", tasks);

    *fixture = (struct fixture){ .fault = { .kind = FAULT_NONE } };
    fixture->loop = loop_new();
    fixture->local = local_remote_new(fixture->loop);
    buf_init(&fixture->trace, 0);
    buf_init(&fixture->output, 0);
    if (playbook_parse("p.yml", text, strlen(text), no_file, &fixture->playbook, &fixture->fault) <
        0) {
        fail_msg("%s", fixture->fault.text);
    }
    fixture->run = (struct run){
        .playbook = fixture->playbook,
        .remote = local_remote_get(fixture->local),
        .clock = loop_clock(fixture->loop),
        .host = "here",
        .on_step = on_step,
        .on_step_end = on_step_end,
        .on_output = on_output,
        .done = on_done,
    };
}

static void
play(struct fixture *fixture)
{
    run_start(&fixture->run);
    assert_false(fixture->is_done);
    assert_true(loop_run_until(fixture->loop, is_done, fixture, DEADLINE_MS));
}

static void
teardown(struct fixture *fixture)
{
    playbook_free(fixture->playbook);
    buf_fini(&fixture->trace);
    buf_fini(&fixture->output);
    local_remote_free(fixture->local);
    loop_free(fixture->loop);
}

/* Runs @tasks from step @from and compares what it did and how it ended. */
static void
check(const char *tasks, uint32_t from, const char *trace, const char *fault)
{
    struct fixture fixture;

    setup(&fixture, tasks);
    fixture.run.from_step = from;
    play(&fixture);
    assert_string_equal(buf_text(&fixture.trace), trace);
    assert_string_equal(fixture.fault.text, fault);
    teardown(&fixture);
}

static void
test_ends(void **state)
{
    (void)state;
    check("  - {name: a, command: 'true'}\n  - {name: b, command: 'false'}\n"
          "  - {name: c, command: 'true'}\n",
          0, "a=changed b=failed ", "step \"b\": exit status 1");
    check("  - {name: a, shell: 'echo one >&2; echo two >&2; exit 7', ignore_errors: yes}\n"
          "  - {name: b, shell: 'echo one >&2; echo two >&2; exit 7'}\n",
          0, "a=failed,ignored b=failed ", "step \"b\": exit status 7: two");
    check("  - {name: a, command: 'true', when: nothing == 1}\n", 0, "a=failed ",
          "step \"a\": \"nothing\" is not defined");
    check("  - {name: a, command: 'true', when: result.rc == 1, vars: {result: {}}}\n", 0,
          "a=failed ", "step \"a\": \"result.rc\" is not defined");
    check("  - {name: a, shell: kill -9 $$}\n", 0, "a=failed ", "step \"a\": exit status 137");
    check("  - {name: a, shell: exit 93}\n", 0, "a=failed ", "step \"a\": exit status 93");
    check("  - {name: a, copy: {content: x, dest: '{{ b }}'}, vars: {b: relative}}\n", 0,
          "a=failed ",
          "step \"a\": \"dest\" must be a path from / on, without variables of the shell");
    check("  - {name: a, debug: {msg: '{{ b }}'}, vars: {b: '{{ c }}', c: '{{ b }}'}}\n", 0,
          "a=failed ", "step \"a\": the variable \"b\" is made of itself");
    check("  - {name: '{{ b }} {{ inventory_hostname }}', command: 'true', vars: {b: 7}}\n", 0,
          "7 here=changed ", "");
}

static const char resume[] =
    "  - {name: a, shell: echo 1, register: a, notify: told}\n"
    "  - {name: b, shell: echo 2, register: b}\n"
    "  - {name: c, set_fact: {c: '{{ a.stdout }}x'}}\n"
    "  - {name: d, shell: echo 4, changed_when: false, register: d}\n"
    "  - {name: e, shell: \"test {{ c }} = 1x\"}\n"
    "  - {name: f, command: 'true', when: a is changed and d is not changed}\n"
    "  handlers:\n"
    "  - {name: told, command: 'true'}\n"
    "  - {name: untold, command: 'true'}\n";

/* Repeated is what later steps use, and what that uses; who may have been notified is told. */
static void
test_resumes(void **state)
{
    (void)state;
    check(resume, 0, "a=changed b=changed c=ok d=ok e=changed f=changed told=changed ", "");
    check(resume, 4, "a=changed c=ok d=ok e=changed f=changed told=changed ", "");
    check(resume, 5, "a=changed d=ok f=changed told=changed ", "");
    check(resume, 6, "told=changed ", "");
    check(resume, 7, "", "");
    check(resume, 99, "", "");
}

/* Two halves of different pairs are worse than none: what is another in each run is brought anew. */
static void
test_brings_again_what_is_fresh(void **state)
{
    static const char *const fresh[] = { "cert", "key" };
    struct fixture fixture;

    (void)state;
    setup(&fixture, "  - {name: a, shell: \"test {{ where }} = here\", vars: {where: here}}\n"
                    "  - {name: b, shell: \"test {{ cert }} = new && echo x\", register: done}\n"
                    "  - {name: c, shell: \"test {{ key }} = new\", when: done is changed}\n"
                    "  - {name: d, command: 'true'}\n");
    fixture.run.vars = json_pack("{s:s, s:s}", "cert", "new", "key", "new");
    fixture.run.fresh = fresh;
    fixture.run.fresh_count = ARRAY_LEN(fresh);
    fixture.run.from_step = 3;
    play(&fixture);
    assert_string_equal(buf_text(&fixture.trace), "b=changed c=changed d=changed ");
    assert_string_equal(fixture.fault.text, "");
    json_decref(mem_unconst(fixture.run.vars));
    teardown(&fixture);
}

static void
test_tags(void **state)
{
    struct fixture fixture;

    (void)state;
    setup(&fixture, "  - {name: a, command: 'true'}\n"
                    "  - {name: b, command: 'true', tags: certificates, notify: told}\n"
                    "  - {name: c, command: 'true', tags: [other, always]}\n"
                    "  - {name: d, command: 'true', tags: [certificates, never]}\n"
                    "  handlers:\n"
                    "  - {name: told, command: 'true'}\n");
    assert_int_equal(playbook_step_count(fixture.playbook), 5);
    assert_string_equal(playbook_step_name(fixture.playbook, 4), "told");
    fixture.run.tag = "certificates";
    play(&fixture);
    assert_string_equal(buf_text(&fixture.trace), "b=changed c=changed d=changed told=changed ");
    assert_int_equal(fixture.run.step_count, 5);
    teardown(&fixture);
}

/* A machine that writes without end costs a bounded part of memory, and the rest of the run goes on. */
static void
test_output_is_bounded(void **state)
{
    (void)state;
    check("  - {name: a, raw: 'yes \"\" | head -n 500000; echo end', register: r}\n"
          "  - {name: b, assert: {that: [r.stdout_lines | length == 10000, r.stdout | length == "
          "500004]}}\n",
          0, "a=changed b=ok ", "");
    check("  - {name: a, raw: 'yes , | head -n 30000 | tr -d \"\\n\"', register: r}\n"
          "  - {name: b, debug: {msg: \"{{ (r.stdout | split(',')) | length }}\"}}\n",
          0, "a=changed b=failed ", "step \"b\": split makes more than 20000 parts");
    check("  - {name: a, raw: 'head -c 1000000 /dev/zero | tr \"\\0\" x; yes \"\" | head -n 70000 "
          ">&2; exit 3'}\n",
          0, "a=failed ", "step \"a\": exit status 3");
    check("  - {name: a, raw: 'yes x | head -n 70000 >&2; echo last >&2; exit 3'}\n", 0,
          "a=failed ", "step \"a\": exit status 3: last");
}

/* What is kept is bounded over the whole run; what is not kept does not count. */
static void
test_kept_results_are_bounded(void **state)
{
    static const char write[] = "yes \"\" | head -n 10000; yes \"\" | head -n 10000 >&2";
    CLEANUP(mem_freep)
    char *kept =
        mem_printf("  - {name: a, raw: '%s', loop: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "
                   "14, 15, 16, 17, 18, 19]}\n",
                   write);
    struct buf often;

    (void)state;
    check(kept, 0, "a=failed ", "step \"a\": the results that are kept have become too large");
    buf_init(&often, 0);
    for (int i = 0; i < 19; i++)
        buf_printf(&often, "  - {name: a, raw: '%s', changed_when: false}\n", write);
    check(
        buf_text(&often), 0,
        "a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok a=ok "
        "a=ok ",
        "");
    buf_fini(&often);
}

static void
test_hides(void **state)
{
    static const char *const secrets[] = { "hunter22", "line one\nline two\n", "abc" };
    struct fixture fixture;

    (void)state;
    setup(&fixture,
          "  - {name: a, shell: \"printf hunt; printf er; printf '22 abc\\nline two\\n'\"}\n"
          "  - {name: b, shell: echo visible, no_log: true}\n"
          "  - {name: c, shell: \"printf hunter2\"}\n"
          "  - {name: d hunter22, shell: \"echo hunter22 >&2; exit 1\"}\n");
    fixture.run.secrets = secrets;
    fixture.run.secret_count = ARRAY_LEN(secrets);
    play(&fixture);
    assert_string_equal(buf_text(&fixture.output), "*** abc\n***\nhunter2***\n");
    assert_string_equal(fixture.fault.text, "step \"d ***\": exit status 1: ***");
    teardown(&fixture);
    setup(&fixture, "  - {name: a, shell: 'echo visible >&2; exit 1', no_log: true}\n");
    play(&fixture);
    assert_string_equal(buf_text(&fixture.output), "");
    assert_string_equal(fixture.fault.text, "step \"a\" failed (no_log hides why)");
    teardown(&fixture);
}

/* Wherever the pieces end. */
static void
test_redacts(void **state)
{
    static const char *const secrets[] = { "aabaab", "aabb" };
    static const char text[] = "aabaabaabb-aaabaab-aab";
    struct redact_words words;

    (void)state;
    redact_words_init(&words, secrets, ARRAY_LEN(secrets));
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        struct redact redact;
        struct buf out;

        redact_init(&redact, &words);
        buf_init(&out, 0);
        redact_feed(&redact, text, cut, false, &out);
        redact_feed(&redact, text + cut, sizeof(text) - 1 - cut, true, &out);
        assert_string_equal(buf_text(&out), "******-a***-aab");
        redact_fini(&redact);
        buf_fini(&out);
    }
    redact_words_fini(&words);
}

static void
test_breaks(void **state)
{
    struct fixture fixture;

    (void)state;
    setup(&fixture, "  - {name: a, shell: sleep 60, timeout: 1}\n");
    play(&fixture);
    assert_int_equal(fixture.fault.kind, FAULT_PREPARE);
    assert_string_equal(fixture.fault.text, "step \"a\": no end within 1 s");
    assert_string_equal(buf_text(&fixture.trace), "a=failed ");
    teardown(&fixture);

    setup(&fixture, "  - {name: a, shell: sleep 60}\n");
    fixture.run.timeout_ms = 100;
    play(&fixture);
    assert_int_equal(fixture.fault.kind, FAULT_TIMEOUT);
    teardown(&fixture);

    setup(&fixture, "  - {name: a, shell: sleep 60}\n");
    fixture.cancels = true;
    play(&fixture);
    assert_int_equal(fixture.fault.kind, FAULT_CANCELLED);
    teardown(&fixture);

    setup(&fixture, "  - {name: a, command: 'true', ignore_errors: true}\n"
                    "  - {name: b, command: 'true'}\n");
    local_remote_lose(fixture.local);
    play(&fixture);
    assert_int_equal(fixture.fault.kind, FAULT_LOST);
    assert_string_equal(buf_text(&fixture.trace), "");
    teardown(&fixture);
}

/* What the mode forbids is at no moment allowed, wherever the content stands then.  The machine's stat,
 * which is asked at each of its steps, tells. */
static void
test_secrets_are_never_open(void **state)
{
    char folder[] = "/tmp/berth-run-XXXXXX";
    struct fixture fixture;
    CLEANUP(mem_freep) char *tasks = NULL;

    (void)state;
    assert_non_null(mkdtemp(folder));
    tasks = mem_printf(
        "  - name: a\n"
        "    shell: |\n"
        "      umask 022; mkdir %s/bin; echo old >%s/old\n"
        "      printf '#!/bin/sh\\nfor at; do :; done; /usr/bin/stat -c %%%%a \"$at\" >>%s/modes\\n"
        "      exec /usr/bin/stat \"$@\"' >%s/bin/stat; chmod 755 %s/bin/stat\n"
        "  - {name: b, copy: {content: x, dest: %s/new, mode: '0600'}, environment: {PATH: "
        "'%s/bin:/usr/bin:/bin'}}\n"
        "  - {name: c, shell: 'echo -- >>%s/modes'}\n"
        "  - {name: d, copy: {content: x, dest: %s/old, mode: '0600'}, environment: {PATH: "
        "'%s/bin:/usr/bin:/bin'}}\n"
        "  - {name: e, shell: 'sort -u %s/modes; stat -c %%a %s/new %s/old; rm -r %s'}\n",
        folder, folder, folder, folder, folder, folder, folder, folder, folder, folder, folder,
        folder, folder, folder);
    setup(&fixture, tasks);
    play(&fixture);
    assert_string_equal(fixture.fault.text, "");
    assert_string_equal(buf_text(&fixture.output), "--\n600\n600\n600\n");
    teardown(&fixture);
}

static void
test_users_and_quotes(void **state)
{
    CLEANUP(json_freep) json_t *vars = json_pack("{ss}", "given", "it's {{ raw }} $(id)");
    struct fixture fixture;

    (void)state;
    setup(&fixture, "  - {name: a, raw: ':', become: yes}\n"
                    "  - {name: b, raw: ':', become: yes, become_user: other}\n"
                    "  - {name: c, shell: \"printf '%s' {{ given | quote }}\", environment: {E: "
                    "'{{ given }}'}}\n");
    fixture.run.vars = vars;
    play(&fixture);
    assert_string_equal(local_remote_log(fixture.local),
                        "root|:\n--\nother|:\n--\n|export E='it'\\''s {{ raw }} $(id)'\n"
                        "exec '/bin/sh' -c 'printf '\\''%s'\\'' '\\''it'\\''\"'\\''\"'\\''"
                        "s {{ raw }} $(id)'\\'''\n\n--\n");
    assert_string_equal(buf_text(&fixture.output), "it's {{ raw }} $(id)");
    assert_true(playbook_uses(fixture.playbook, "given"));
    assert_false(playbook_uses(fixture.playbook, "give"));
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_resumes),
        cmocka_unit_test(test_brings_again_what_is_fresh),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_kept_results_are_bounded),
        cmocka_unit_test(test_hides),
        cmocka_unit_test(test_redacts),
        cmocka_unit_test(test_breaks),
        cmocka_unit_test(test_secrets_are_never_open),
        cmocka_unit_test(test_users_and_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
