/* A playbook's plays, and the steps that they make. */
#include "playbook.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/digest.h"
#include "berth/base/secret.h"
#include "berth/base/suggest.h"

#include "playbook_data.h"

enum { PLAYBOOK_TASKS_MAX = 500, PLAYBOOK_PLAYS_MAX = 50 };

typedef int playbook_read_play_fn(struct playbook_reader *reader, struct playbook_at at);

static playbook_read_play_fn playbook_play_become;
static playbook_read_play_fn playbook_play_become_user;
static playbook_read_play_fn playbook_play_environment;
static playbook_read_play_fn playbook_play_gather_facts;
static playbook_read_play_fn playbook_play_handlers;
static playbook_read_play_fn playbook_play_hosts;
static playbook_read_play_fn playbook_play_name;
static playbook_read_play_fn playbook_play_tags;
static playbook_read_play_fn playbook_play_tasks;
static playbook_read_play_fn playbook_play_vars;

static const struct {
    const char *name;
    playbook_read_play_fn *read;
} playbook_play_keywords[] = {
    { "become", playbook_play_become },
    { "become_user", playbook_play_become_user },
    { "environment", playbook_play_environment },
    { "gather_facts", playbook_play_gather_facts },
    { "handlers", playbook_play_handlers },
    { "hosts", playbook_play_hosts },
    { "name", playbook_play_name },
    { "tags", playbook_play_tags },
    { "tasks", playbook_play_tasks },
    { "vars", playbook_play_vars },
};

/* In the order in which they run. */
static int playbook_read(struct playbook_reader *reader, struct playbook_at at);
static int playbook_read_play(struct playbook_reader *reader, struct playbook_at at);
static int playbook_check_notify(struct playbook_reader *reader, struct playbook_at at);
static int playbook_make_steps(struct playbook_reader *reader);
static void playbook_make_revision(struct playbook *playbook);

const char *
playbook_play_keyword(size_t index)
{
    return index < ARRAY_LEN(playbook_play_keywords) ? playbook_play_keywords[index].name : NULL;
}

static int
playbook_open(const char *path, struct buf *data)
{
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t len;
    int status;

    if (!file)
        return -1;
    while ((len = fread(piece, 1, sizeof(piece), file)) > 0 && !data->overflow)
        buf_append(data, piece, len);
    status = ferror(file) ? -1 : 0;
    (void)fclose(file);
    return status;
}

int
playbook_load(const char *path, struct playbook **ret_playbook, struct fault *fault)
{
    struct buf data;
    int status;

    buf_init(&data, PLAYBOOK_FILE_SIZE_MAX);
    if (playbook_open(path, &data) < 0) {
        status = fault_set(fault, FAULT_NOT_FOUND, "playbook", "%s cannot be read: %s", path,
                           strerrordesc_np(errno));
    } else if (data.overflow) {
        status = fault_set(fault, FAULT_INVALID, "playbook", "%s is larger than %d bytes", path,
                           PLAYBOOK_FILE_SIZE_MAX);
    } else {
        status =
            playbook_parse(path, buf_text(&data), data.len, playbook_open, ret_playbook, fault);
    }
    buf_fini(&data);
    return status;
}

int
playbook_parse(const char *path, const char *data, size_t len, playbook_open_fn *open,
               struct playbook **ret_playbook, struct fault *fault)
{
    CLEANUP(playbook_freep) struct playbook *playbook = mem_new0(sizeof(*playbook));
    const char *slash = strrchr(path, '/');
    struct playbook_reader reader = {
        .playbook = playbook, .path = path, .open = open, .fault = fault
    };

    buf_init(&playbook->text, PLAYBOOK_FILE_SIZE_MAX);
    buf_append(&playbook->text, data, len);
    playbook->files = mem_new0(PLAYBOOK_FILES_MAX * sizeof(*playbook->files));
    if (yaml_parse_marked(slash ? slash + 1 : path, data, len, &playbook->yaml, fault) < 0)
        return -1;
    if (playbook_read(&reader, (struct playbook_at){ playbook->yaml.json, playbook->yaml.marks }) <
        0)
        return -1;
    if (playbook_make_steps(&reader) < 0)
        return -1;
    playbook_make_revision(playbook);
    *ret_playbook = STEAL(playbook);
    return 0;
}

void
playbook_free(struct playbook *playbook)
{
    if (!playbook)
        return;
    for (size_t i = 0; i < playbook->play_count; i++) {
        struct playbook_play *play = &playbook->plays[i];

        for (size_t k = 0; k < play->task_count; k++)
            playbook_task_fini(&play->tasks[k]);
        for (size_t k = 0; k < play->handler_count; k++)
            playbook_task_fini(&play->handlers[k]);
        mem_free(play->tasks);
        mem_free(play->handlers);
    }
    for (size_t i = 0; i < playbook->file_count; i++) {
        mem_free(playbook->files[i].path);
        buf_fini(&playbook->files[i].data);
    }
    mem_free(playbook->plays);
    mem_free(playbook->steps);
    mem_free(playbook->files);
    buf_fini(&playbook->text);
    yaml_marked_fini(&playbook->yaml);
    mem_free(playbook);
}

static int
playbook_read(struct playbook_reader *reader, struct playbook_at at)
{
    size_t count = json_array_size(at.json);

    if (!json_is_array(at.json) || count == 0)
        return playbook_refuse(reader, at.mark, "a playbook is a list of plays");
    if (count > PLAYBOOK_PLAYS_MAX)
        return playbook_refuse(reader, at.mark, "more than %d plays", PLAYBOOK_PLAYS_MAX);
    reader->playbook->plays = mem_new0(count * sizeof(*reader->playbook->plays));
    for (size_t i = 0; i < count; i++) {
        reader->play = &reader->playbook->plays[i];
        reader->playbook->play_count = i + 1;
        if (playbook_read_play(reader, playbook_item(at, i)) < 0)
            return -1;
    }
    return 0;
}

static int
playbook_read_play_keyword(struct playbook_reader *reader, struct playbook_at at, const char *key)
{
    struct suggest suggest;

    suggest_init(&suggest, key);
    for (size_t i = 0; i < ARRAY_LEN(playbook_play_keywords); i++) {
        if (strcmp(playbook_play_keywords[i].name, key) == 0)
            return playbook_play_keywords[i].read(reader, playbook_member(at, key));
        suggest_offer(&suggest, playbook_play_keywords[i].name);
    }
    return playbook_refuse(reader, yaml_mark_key(at.mark, key),
                           "\"%.60s\" is not supported in a play%s%s%s", key,
                           suggest.best ? "; did you mean \"" : "",
                           suggest.best ? suggest.best : "", suggest.best ? "\"?" : "");
}

static int
playbook_read_play(struct playbook_reader *reader, struct playbook_at at)
{
    const char *key;
    json_t *value;

    reader->play->gather_facts = true;
    reader->play->name = "";
    if (!json_is_object(at.json))
        return playbook_refuse(reader, at.mark, "a play must be a mapping");
    json_object_foreach(mem_unconst(at.json), key, value)
    {
        if (playbook_read_play_keyword(reader, at, key) < 0)
            return -1;
    }
    if (!json_object_get(at.json, "hosts"))
        return playbook_refuse(reader, at.mark, "the play names no hosts");
    return playbook_check_notify(reader, at);
}

static int
playbook_play_hosts(struct playbook_reader *reader, struct playbook_at at)
{
    const char *hosts;

    return playbook_read_text(reader, at, &hosts);
}

static int
playbook_play_name(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_text(reader, at, &reader->play->name);
}

static int
playbook_play_become(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_bool(reader, at, &reader->play->become);
}

static int
playbook_play_become_user(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_text(reader, at, &reader->play->become_user);
}

static int
playbook_play_gather_facts(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_bool(reader, at, &reader->play->gather_facts);
}

static int
playbook_play_vars(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_mapping(reader, at, false, &reader->play->vars);
}

static int
playbook_play_environment(struct playbook_reader *reader, struct playbook_at at)
{
    return playbook_read_mapping(reader, at, true, &reader->play->environment);
}

static int
playbook_play_tags(struct playbook_reader *reader, struct playbook_at at)
{
    json_t *tags = NULL;

    if (playbook_read_texts(reader, at, &tags) < 0)
        return -1;
    json_decref(tags);
    reader->play->tags = at.json;
    return 0;
}

static int
playbook_read_tasks(struct playbook_reader *reader, struct playbook_at at,
                    struct playbook_task **list, size_t *count)
{
    size_t size = json_array_size(at.json);

    if (json_is_null(at.json))
        return 0;
    if (!json_is_array(at.json))
        return playbook_refuse(reader, at.mark, "this must be a list of tasks");
    if (size > PLAYBOOK_TASKS_MAX)
        return playbook_refuse(reader, at.mark, "more than %d tasks", PLAYBOOK_TASKS_MAX);
    *list = mem_new0((size + 1) * sizeof(**list));
    for (size_t i = 0; i < size; i++) {
        reader->task = &(*list)[i];
        *count = i + 1;
        if (playbook_read_task(reader, playbook_item(at, i)) < 0)
            return -1;
    }
    return 0;
}

static int
playbook_play_tasks(struct playbook_reader *reader, struct playbook_at at)
{
    reader->in_handler = false;
    return playbook_read_tasks(reader, at, &reader->play->tasks, &reader->play->task_count);
}

static int
playbook_play_handlers(struct playbook_reader *reader, struct playbook_at at)
{
    reader->in_handler = true;
    return playbook_read_tasks(reader, at, &reader->play->handlers, &reader->play->handler_count);
}

static bool
playbook_has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    }
    return false;
}

bool
playbook_is_notified(const struct playbook_task *handler, const char *name)
{
    return strcmp(handler->name, name) == 0 || playbook_has_text(handler->listen, name);
}

/* Whom the task notifies must be there. */
static int
playbook_check_notified(struct playbook_reader *reader, const struct playbook_task *task,
                        struct playbook_at at)
{
    for (size_t i = 0; i < json_array_size(task->notify); i++) {
        const char *name = json_string_value(json_array_get(task->notify, i));
        struct suggest suggest;
        bool found = false;

        suggest_init(&suggest, name);
        for (size_t k = 0; k < reader->play->handler_count && !found; k++) {
            found = playbook_is_notified(&reader->play->handlers[k], name);
            suggest_offer(&suggest, reader->play->handlers[k].name);
        }
        if (!found) {
            return playbook_refuse(reader, yaml_mark_value(at.mark, "notify"),
                                   "there is no handler \"%.60s\"%s%s%s", name,
                                   suggest.best ? "; did you mean \"" : "",
                                   suggest.best ? suggest.best : "", suggest.best ? "\"?" : "");
        }
    }
    return 0;
}

static int
playbook_check_notify(struct playbook_reader *reader, struct playbook_at at)
{
    struct playbook_at tasks = playbook_member(at, "tasks");
    struct playbook_at handlers = playbook_member(at, "handlers");

    for (size_t i = 0; i < reader->play->task_count; i++) {
        if (playbook_check_notified(reader, &reader->play->tasks[i], playbook_item(tasks, i)) < 0)
            return -1;
    }
    for (size_t i = 0; i < reader->play->handler_count; i++) {
        if (playbook_check_notified(reader, &reader->play->handlers[i],
                                    playbook_item(handlers, i)) < 0)
            return -1;
    }
    return 0;
}

static void
playbook_add_step(struct playbook_reader *reader, const struct playbook_task *task, bool is_handler)
{
    struct playbook *playbook = reader->playbook;

    if (playbook->step_count < PLAYBOOK_STEPS_MAX) {
        playbook->steps[playbook->step_count] =
            (struct playbook_step){ .play = reader->play, .task = task, .is_handler = is_handler };
    }
    playbook->step_count++;
}

static void
playbook_add_handlers(struct playbook_reader *reader)
{
    for (size_t i = 0; i < reader->play->handler_count; i++)
        playbook_add_step(reader, &reader->play->handlers[i], true);
}

static void
playbook_add_play(struct playbook_reader *reader)
{
    const struct playbook_play *play = reader->play;

    if (play->gather_facts)
        playbook_add_step(reader, NULL, false);
    for (size_t i = 0; i < play->task_count; i++) {
        if (module_is(play->tasks[i].module, "meta")) {
            playbook_add_handlers(reader);
        } else {
            playbook_add_step(reader, &play->tasks[i], false);
        }
    }
    playbook_add_handlers(reader);
}

static int
playbook_make_steps(struct playbook_reader *reader)
{
    struct playbook *playbook = reader->playbook;

    playbook->steps = mem_new0(PLAYBOOK_STEPS_MAX * sizeof(*playbook->steps));
    for (size_t i = 0; i < playbook->play_count; i++) {
        reader->play = &playbook->plays[i];
        playbook_add_play(reader);
    }
    if (playbook->step_count <= PLAYBOOK_STEPS_MAX)
        return 0;
    playbook->step_count = PLAYBOOK_STEPS_MAX;
    return playbook_refuse(reader, NULL, "more than %d steps", PLAYBOOK_STEPS_MAX);
}

int
playbook_read_file(struct playbook_reader *reader, struct playbook_at at, const char *folder,
                   const struct playbook_file **ret_file)
{
    const char *src = json_string_value(at.json);
    const char *slash = strrchr(reader->path, '/');
    int len = slash ? (int)(slash - reader->path) + 1 : 0;
    struct playbook *playbook = reader->playbook;
    struct playbook_file *file = &playbook->files[playbook->file_count];

    if (!src || !*src)
        return playbook_refuse(reader, at.mark, "this must be a file's name");
    if (playbook->file_count == PLAYBOOK_FILES_MAX)
        return playbook_refuse(reader, at.mark, "more than %d files are named", PLAYBOOK_FILES_MAX);
    playbook->file_count++;
    buf_init(&file->data, PLAYBOOK_FILE_SIZE_MAX);
    file->path =
        *src == '/' ? mem_strdup(src) : mem_printf("%.*s%s/%s", len, reader->path, folder, src);
    if (reader->open(file->path, &file->data) < 0) {
        mem_free(file->path);
        file->path = mem_printf("%.*s%s", *src == '/' ? 0 : len, reader->path, src);
        buf_clear(&file->data);
        if (reader->open(file->path, &file->data) < 0) {
            return playbook_refuse(
                reader, at.mark, "the file \"%.80s\" cannot be read, beside the playbook or in %s/",
                src, folder);
        }
    }
    playbook->files_size += file->data.len;
    if (file->data.overflow || playbook->files_size > PLAYBOOK_FILES_SIZE_MAX)
        return playbook_refuse(reader, at.mark, "the file \"%.80s\" is too large", src);
    *ret_file = file;
    return 0;
}

/* The length goes in as well, so that no text can be moved from one file to the next. */
static void
playbook_digest(struct digest *digest, const struct buf *data)
{
    char len[24];

    (void)snprintf(len, sizeof(len), "%zu:", data->len);
    digest_add(digest, len, strlen(len));
    digest_add(digest, buf_text(data), data->len);
}

static void
playbook_make_revision(struct playbook *playbook)
{
    CLEANUP(digest_freep) struct digest *digest = digest_new();
    uint8_t code[TEXT_SHA256_SIZE];

    playbook_digest(digest, &playbook->text);
    for (size_t i = 0; i < playbook->file_count; i++)
        playbook_digest(digest, &playbook->files[i].data);
    digest_end(digest, code);
    text_hex(code, (PLAYBOOK_REVISION_SIZE - 1) / 2, playbook->revision);
}

const char *
playbook_revision(const struct playbook *playbook)
{
    return playbook->revision;
}

uint32_t
playbook_step_count(const struct playbook *playbook)
{
    return (uint32_t)playbook->step_count;
}

const char *
playbook_step_name(const struct playbook *playbook, uint32_t step)
{
    assert(step < playbook->step_count);
    return playbook->steps[step].task ? playbook->steps[step].task->name : "Gathering Facts";
}
