#pragma once

/*
 * A playbook that was read: what the runner goes through, and how it is read.
 */

#include "berth/base/yaml.h"

#include "jinja.h"
#include "module.h"
#include "playbook.h"

enum {
    PLAYBOOK_FILES_MAX = 200,
    PLAYBOOK_FILES_SIZE_MAX = 16 << 20, /* of all files together */
    PLAYBOOK_NESTING_MAX = 16,          /* lists and mappings within a task's value */
};

/* A file that a task names. */
struct playbook_file {
    char *path; /* owned */
    struct buf data;
};

/* `when` and its like: all of them must be true. */
struct playbook_conditions {
    struct jinja **list; /* owned */
    const json_t *texts; /* borrowed: the list as it is written, or its only text or boolean */
    size_t count;
    bool given;
    bool constant; /* of a count of 0: a boolean, this one */
};

struct playbook_task {
    const char *name; /* as it is written, or the module's; borrowed */
    const struct module *module;
    json_t *args;                     /* owned: by name, as written */
    const struct playbook_file *file; /* borrowed: copy's or template's src */
    struct jinja *template;           /* owned: of file */
    struct playbook_conditions when;
    struct playbook_conditions changed_when;
    struct playbook_conditions failed_when;
    struct playbook_conditions until;
    struct playbook_conditions that; /* assert's */
    const char *registered;          /* borrowed; NULL: nothing is */
    const json_t *environment;       /* borrowed, an object; NULL: none. So are these: */
    const json_t *vars;
    const json_t *loop; /* a list, or a text that makes one */
    json_t *notify;     /* owned: a list of texts; NULL: nobody. So are these: */
    json_t *listen;
    json_t *tags;            /* its own and its play's */
    const char *become_user; /* NULL: as the play has it */
    int become;              /* -1: as the play has it */
    int64_t timeout_ms;      /* 0: the usual one */
    int64_t delay_ms;
    int64_t retries; /* -1: not given */
    bool ignore_errors;
    bool no_log;
};

struct playbook_play {
    const char *name;
    const json_t *vars;
    const json_t *environment;
    const json_t *tags;
    const char *become_user;
    bool become;
    bool gather_facts;
    struct playbook_task *tasks; /* owned */
    size_t task_count;
    struct playbook_task *handlers; /* owned */
    size_t handler_count;
};

struct playbook_step {
    const struct playbook_play *play;
    const struct playbook_task *task; /* NULL: the play's facts are gathered */
    bool is_handler;                  /* only if it was notified */
};

struct playbook {
    struct yaml_marked yaml;
    struct playbook_play *plays; /* owned */
    size_t play_count;
    struct playbook_step *steps; /* owned */
    size_t step_count;
    struct playbook_file *files; /* owned; never moved: room for PLAYBOOK_FILES_MAX */
    size_t file_count;
    size_t files_size;
    struct buf text;
    char revision[PLAYBOOK_REVISION_SIZE];
};

/** playbook_open_fn - the contents of a file. Return: 0, or -1: it cannot be read. */
typedef int playbook_open_fn(const char *path, struct buf *data);

/** playbook_parse() - playbook_load() of a text that is there already. @open: for the files it names. */
int playbook_parse(const char *path, const char *data, size_t len, playbook_open_fn *open,
                   struct playbook **ret_playbook, struct fault *fault);

/** playbook_is_notified() - whether @name is the handler's, or one that it listens to. */
bool playbook_is_notified(const struct playbook_task *handler, const char *name);

/** playbook_step_is_selected() - whether a run with @tag (NULL: all) does the step; handlers and facts: always. */
bool playbook_step_is_selected(const struct playbook_step *step, const char *tag);

/** playbook_step_uses() - whether the word @name stands anywhere in the step or a file it names. */
bool playbook_step_uses(const struct playbook_step *step, const char *name);

/* Who reads. */
struct playbook_reader {
    struct playbook *playbook;
    const char *path;
    playbook_open_fn *open;
    struct fault *fault;
    struct playbook_play *play;
    struct playbook_task *task;
    bool in_handler;
};

/* A value, and its mark. */
struct playbook_at {
    const json_t *json;
    const json_t *mark;
};

/** playbook_refuse() - FAULT_INVALID "FILE:LINE:COLUMN: ...". Return: -1. */
int playbook_refuse(const struct playbook_reader *reader, const json_t *mark, const char *format,
                    ...) PRINTF_LIKE(3, 4);
/** playbook_pass_on() - the same of what @why says. */
int playbook_pass_on(const struct playbook_reader *reader, const json_t *mark,
                     const struct fault *why);

static inline struct playbook_at
playbook_member(struct playbook_at of, const char *key)
{
    return (struct playbook_at){ json_object_get(of.json, key), yaml_mark_value(of.mark, key) };
}

static inline struct playbook_at
playbook_item(struct playbook_at of, size_t index)
{
    return (struct playbook_at){ json_array_get(of.json, index), yaml_mark_item(of.mark, index) };
}

/* Readers of values: 0, or -1 after playbook_refuse(). */
int playbook_read_text(const struct playbook_reader *reader, struct playbook_at at,
                       const char **ret_text);
int playbook_read_bool(const struct playbook_reader *reader, struct playbook_at at,
                       bool *ret_value);
int playbook_read_number(const struct playbook_reader *reader, struct playbook_at at,
                         int64_t *ret_value);
/** playbook_read_texts() - a text or a list of texts, as a list; owned. */
int playbook_read_texts(const struct playbook_reader *reader, struct playbook_at at,
                        json_t **ret_list);
int playbook_read_conditions(const struct playbook_reader *reader, struct playbook_at at,
                             struct playbook_conditions *conditions);
/** playbook_read_name() - a variable's name. */
int playbook_read_name(const struct playbook_reader *reader, struct playbook_at at,
                       const char **ret_name);
/** playbook_check_name() - @name, which stands at @mark, can be a variable's. */
int playbook_check_name(const struct playbook_reader *reader, const json_t *mark, const char *name);
/** playbook_read_mapping() - of names to anything; @words: to scalars only. */
int playbook_read_mapping(const struct playbook_reader *reader, struct playbook_at at, bool words,
                          const json_t **ret_mapping);
/** playbook_check_templates() - all texts within @at are good templates. */
int playbook_check_templates(const struct playbook_reader *reader, struct playbook_at at);
void playbook_conditions_fini(struct playbook_conditions *conditions);

/** playbook_read_task() - one task or handler, into reader->task. */
int playbook_read_task(struct playbook_reader *reader, struct playbook_at at);
void playbook_task_fini(struct playbook_task *task);

/** playbook_read_file() - the file @src that a task names, of the kind "templates" or "files"; borrowed
 * from the playbook. */
int playbook_read_file(struct playbook_reader *reader, struct playbook_at at, const char *folder,
                       const struct playbook_file **ret_file);

/** playbook_keyword() / playbook_play_keyword() - the @index-th keyword of tasks or plays that there
 * is, for the page on them; NULL: no more. */
const char *playbook_keyword(size_t index);
const char *playbook_play_keyword(size_t index);
