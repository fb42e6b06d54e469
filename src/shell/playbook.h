#pragma once

/*
 * A playbook: a YAML file that Ansible runs as well, as far as docs/PLAYBOOKS.md goes.  It is read and
 * checked as a whole, with all the files it names, before anything of it runs; what is outside of the
 * subset is refused with FILE:LINE:COLUMN.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/json.h"
#include "berth/base/mem.h"

enum {
    PLAYBOOK_REVISION_SIZE = 17,     /* 16 hex digits and NUL */
    PLAYBOOK_STEPS_MAX = 1000,       /* tasks, and places where a handler may run */
    PLAYBOOK_FILE_SIZE_MAX = 1 << 20 /* of the playbook and of each file it names */
};

struct playbook;

/**
 * playbook_load() - read and check the playbook at @path
 * @path: files that it names (template, copy's src) are looked for beside it, and in templates/ and
 *        files/ there; they are read now, never again
 * @ret_playbook: owned
 *
 * Return: 0, or -1 with FAULT_INVALID "FILE:LINE:COLUMN: what is wrong", or FAULT_NOT_FOUND when the
 * playbook itself cannot be read.
 */
int playbook_load(const char *path, struct playbook **ret_playbook, struct fault *fault);

/** playbook_free() - NULL is fine. */
void playbook_free(struct playbook *playbook);
MEM_DEFINE_FREEP(struct playbook, playbook_free);

/** playbook_revision() - the first 16 hex digits of the SHA-256 over the playbook and all the files it
 * names; borrowed. */
const char *playbook_revision(const struct playbook *playbook);

/** playbook_step_count() - steps of all plays: their facts, tasks and handlers. A handler is a step
 * wherever it may run: at each flush_handlers and at the end of its play. */
uint32_t playbook_step_count(const struct playbook *playbook);

/** playbook_step_name() - of step @step < playbook_step_count(); as it is written, so it may hold
 * {{ }}; borrowed. */
const char *playbook_step_name(const struct playbook *playbook, uint32_t step);

/** playbook_uses() - whether the word @name stands anywhere in the playbook or a file that it names:
 * who gives variables can tell which of them are wanted. */
bool playbook_uses(const struct playbook *playbook, const char *name);

/** playbook_uses_tagged() - whether the word @name stands in a task that a run with @tag does, or in a file
 * that the task names. */
bool playbook_uses_tagged(const struct playbook *playbook, const char *name, const char *tag);
