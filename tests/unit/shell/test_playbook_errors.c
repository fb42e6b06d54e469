/* What a wrong playbook gets: the place, what is wrong, and a word that may have been meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "playbook_data.h"

/* Files that are there: good.j2 and bad.j2. */
static int
open_file(const char *path, struct buf *data)
{
    if (strcmp(path, "/x/templates/good.j2") == 0 || strcmp(path, "/x/f.txt") == 0) {
        buf_append_string(data, "{{ a }}\n");
    } else if (strcmp(path, "/x/templates/bad.j2") == 0) {
        buf_append_string(data, "one\n{% if a %}\n{{ a | uper }}\n{% endif %}\n");
    } else {
        return -1;
    }
    return 0;
}

/* @text's only play, or the message. */
static void
check(const char *text, const char *expected)
{
    struct playbook *playbook = NULL;
    struct fault fault = { 0 };
    int status = playbook_parse("/x/p.yml", text, strlen(text), open_file, &playbook, &fault);

    if (expected) {
        assert_int_equal(status, -1);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_string_equal(fault.text, expected);
        assert_null(playbook);
        return;
    }
    if (status != 0) {
        fail_msg("%s", fault.text);
    }
    playbook_free(playbook);
}

/* The same of a play with this one task, which begins in line 3, column 5. */
static void
check_task(const char *task, const char *expected)
{
    CLEANUP(mem_freep) char *text = mem_printf("- hosts: all\n  tasks:\n  - %s\n", task);

    check(text, expected);
}

static void
test_plays(void **state)
{
    (void)state;
    check("", "p.yml:1:1: a playbook is a list of plays");
    check("a: 1", "p.yml:1:1: a playbook is a list of plays");
    check("- x", "p.yml:1:3: a play must be a mapping");
    check("- hosts: all\n", NULL);
    check("- name: x\n", "p.yml:1:3: the play names no hosts");
    check("- hosts: all\n  handlrs: []\n",
          "p.yml:2:3: \"handlrs\" is not supported in a play; did you mean \"handlers\"?");
    check("- hosts: all\n  roles: [x]\n", "p.yml:2:3: \"roles\" is not supported in a play");
    check("- hosts: all\n  become: perhaps\n", "p.yml:2:11: \"this\" must be true or false");
    check("- hosts: all\n  become: 'yes'\n  gather_facts: no\n", NULL);
    check("- hosts: all\n  tasks: 1\n", "p.yml:2:10: this must be a list of tasks");
    check("- hosts: all\n  vars:\n    a-b: 1\n",
          "p.yml:3:5: \"a-b\" is no name: letters, digits and _, a letter first");
    check("- hosts: all\n  vars:\n    in: 1\n", "p.yml:3:5: \"in\" cannot be a variable's name");
    check("- hosts: all\n  vars:\n    a: ['{{ b']\n", "p.yml:3:9: \"{{\" has no \"}}\"");
    check("- hosts: all\n  vars: { a: 1:30 }\n",
          "p.yml:2:14: '1:30' is read in more ways than one: quote it");
    check("- hosts: all\n\ttasks: []\n",
          "p.yml:2:1: found a tab character that violates indentation");
}

static void
test_tasks(void **state)
{
    (void)state;
    check_task("command: x", NULL);
    check_task("x", "p.yml:3:5: a task must be a mapping");
    check_task("name: x", "p.yml:3:5: the task names no module");
    check_task("comand: x", "p.yml:3:5: \"comand\" is not supported; did you mean \"command\"?");
    check_task("ansible.builtin.comand: x",
               "p.yml:3:5: \"ansible.builtin.comand\" is not supported; did you mean \"command\"?");
    check_task("lineinfile: {}", "p.yml:3:5: \"lineinfile\" is not supported");
    check_task("{ command: x, wen: y }",
               "p.yml:3:19: \"wen\" is not supported; did you mean \"when\"?");
    check_task("{ command: x, with_items: [1] }",
               "p.yml:3:19: \"with_items\" is not supported; use loop");
    check_task("{ command: x, shell: y }",
               "p.yml:3:19: a task has one module: command and shell cannot be together");
    check_task("{ command: x, retries: 3 }", "p.yml:3:19: retries needs until");
    check_task("{ command: x, listen: y }", "p.yml:3:19: only a handler can listen");
    check_task("{ command: x, notify: y }", "p.yml:3:27: there is no handler \"y\"");
    check_task("{ command: x, register: a b }",
               "p.yml:3:29: \"a b\" is no name: letters, digits and _, a letter first");
    check_task("{ command: x, timeout: soon }", "p.yml:3:28: \"this\" must be a whole number");
    check_task("{ command: x, timeout: -1 }",
               "p.yml:3:28: \"this\" must be between 0 and 2147483647");
    check_task("{ command: x, timeout: 100000 }",
               "p.yml:3:28: this must be a day (86400) at the most");
    check_task("{ command: x, no_log: '{{ a }}' }",
               "p.yml:3:27: {{ }} is not supported here; write true or false");
    check_task("{ command: x, loop: 3 }", "p.yml:3:25: loop must be a list");
    check_task("{ meta: clear_facts }", "p.yml:3:13: \"action\" must be one of: flush_handlers");
    check_task("{ command: x, args: { creats: /y } }",
               "p.yml:3:27: \"creats\" is not supported in command; did you mean \"creates\"?");
    check("- hosts: all\n  tasks:\n  - command: x\n    notify: restrat\n"
          "  handlers:\n  - name: restart\n    command: y\n",
          "p.yml:4:13: there is no handler \"restrat\"; did you mean \"restart\"?");
}

static void
test_arguments(void **state)
{
    (void)state;
    check_task("copy: src=a dest=b",
               "p.yml:3:11: the arguments of copy must be a mapping (NAME: VALUE)");
    check_task("copy: { dest: /a }", "p.yml:3:5: copy needs one of \"src\" and \"content\"");
    check_task("copy: { content: a }", "p.yml:3:5: copy needs \"dest\"");
    check_task("copy: { content: a, dest: b }",
               "p.yml:3:31: \"dest\" must be a path from / on, without variables of the shell");
    check_task("copy: { content: a, dest: '{{ b }}' }", NULL);
    check_task("copy: { content: a, dest: /b, mode: 0644 }",
               "p.yml:3:41: \"mode\" must be in quotes, as in \"0644\"");
    check_task("copy: { content: a, dest: /b, mode: '9' }",
               "p.yml:3:41: \"mode\" must be a mode, such as \"0644\" or \"u=rw,go=r\"");
    check_task("copy: { content: '[{{ a }}]', dest: /b }",
               "p.yml:3:22: Ansible reads a content that begins with [ and has {{ }} as data; "
               "use template");
    check_task("copy: { src: f.txt, dest: /b }", NULL);
    check_task("copy: { src: g.txt, dest: /b }",
               "p.yml:3:18: the file \"g.txt\" cannot be read, beside the playbook or in files/");
    check_task("copy: { src: '{{ a }}', dest: /b }",
               "p.yml:3:18: {{ }} is not supported in \"src\"");
    check_task("copy: { src: f.txt, dest: /b, backup: yes }",
               "p.yml:3:35: \"backup\" is not supported in copy");
    check_task("template: { src: good.j2, dest: /b }", NULL);
    check_task("template: { src: bad.j2, dest: /b }",
               "bad.j2:3: the filter \"uper\" is not supported; did you mean \"upper\"?");
    check_task("file: { path: /a, state: dir }",
               "p.yml:3:30: \"state\" must be one of: file directory absent touch link");
    check_task("file: { path: /a, src: b }", "p.yml:3:5: \"src\" and \"state: link\" go together");
    check_task("file: { path: /a, recurse: yes }",
               "p.yml:3:5: \"recurse\" needs \"state: directory\"");
    check_task("systemd: { state: started }",
               "p.yml:3:5: systemd needs \"name\", or \"daemon_reload: true\"");
    check_task("systemd_service: { daemon_reload: true }", NULL);
    check_task("apt: { name: [a, { b: c }] }", "p.yml:3:18: \"name\" must be a list of texts");
    check_task("command: echo $HOME",
               "p.yml:3:14: command has no variables of the shell ($); use shell");
    check_task("shell: echo creates=/x", "p.yml:3:12: \"creates=\" belongs below args:");
    check_task("command:", "p.yml:3:5: command needs a command, and only one");
    check_task("set_fact: { a-b: 1 }",
               "p.yml:3:17: \"a-b\" is no name: letters, digits and _, a letter first");
}

static void
test_expressions(void **state)
{
    (void)state;
    check_task("{ command: x, when: '{{ a }}' }",
               "p.yml:3:25: a condition is an expression: leave out the {{ }}");
    check_task("{ command: x, when: a = 1 }", "p.yml:3:25: \"=\" is not expected here");
    check_task("{ command: x, when: a is defned }",
               "p.yml:3:25: the test \"defned\" is not supported; did you mean \"defined\"?");
    check_task("{ command: x, when: [a, b and] }", "p.yml:3:29: a value is missing at the end");
    check_task("{ command: x, when: 1 }", "p.yml:3:25: a condition must be a text or a boolean");
    check_task("{ command: x, when: a.startswith('b') }",
               "p.yml:3:25: calls such as .startswith(...) are not supported; use a filter");
    check_task("{ command: x, when: lookup('b') }",
               "p.yml:3:25: calls such as lookup(...) are not supported");
    check_task("{ command: x, when: a < b < c }",
               "p.yml:3:25: comparisons in a row (a < b < c) are not supported; use \"and\"");
    check_task("{ command: x, when: a / b }",
               "p.yml:3:25: \"/\" is not supported; there are + - * // %");
    check_task("{ command: x, when: a if b }", "p.yml:3:25: \"if\" needs an \"else\" here");
    check_task("{ command: x, when: (a }", "p.yml:3:25: \")\" is missing");
    check_task("{ command: x, when: a not b }", "p.yml:3:25: \"in\" is missing after \"not\"");
    check_task("shell: \"{{ a | default(b=1) }}\"",
               "p.yml:3:12: arguments with a name are not supported");
    check_task("shell: \"{{ a | replace('b') }}\"",
               "p.yml:3:12: the filter \"replace\" has 2 to 2 arguments");
    check_task("shell: \"{{ 'a }}\"", "p.yml:3:12: \"{{\" has no \"}}\"");
    check_task("shell: \"a\\n{% set b = 1 %}\"",
               "p.yml:3:12: in line 2 of this text: {% set %} is not supported; there are if, for "
               "and raw");
    check_task("shell: \"{% if a %}b\"", "p.yml:3:12: {% endif %} is missing");
    check_task("shell: \"{% endfor %}\"", "p.yml:3:12: {% endfor %} without what it belongs to");
    check_task("shell: \"{% for a, b in c %}{% endfor %}\"",
               "p.yml:3:12: {% for NAME in LIST %} is all that is supported");
}

static void
test_limits(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 0);
    buf_append_string(&buf, "{ command: x, when: \"");
    for (int i = 0; i < 100; i++) {
        buf_append_char(&buf, '(');
    }
    buf_append_string(&buf, "\" }");
    check_task(buf_text(&buf), "p.yml:3:25: is nested too deeply; at most 40 levels are allowed");
    buf_clear(&buf);
    buf_append_string(&buf, "- hosts: all\n  tasks:\n");
    for (int i = 0; i <= 500; i++) {
        buf_append_string(&buf, "  - command: x\n");
    }
    check(buf_text(&buf), "p.yml:3:3: more than 500 tasks");
    buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plays),     cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
