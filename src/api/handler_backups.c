#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "handlers.h"
#include "request.h"

/* The copy is a file without a name by the time it is sent: nothing stays behind. */
struct backup_run {
    struct engine_wait wait;
    struct store_backup backup;
    struct request *request;
    char *path; /* owned */
};

static void handler_backups_on_durable(struct engine_wait *wait, const struct fault *fault);
static void handler_backups_on_done(struct store_backup *backup, const struct fault *fault);

/* "backup-12-3.tmp", and the journal of one. */
static bool
handler_backups_is_temp(const char *name)
{
    static const char start[] = "backup-";
    static const char end[] = ".tmp";
    const char *at = name + strlen(start);

    if (strncmp(name, start, strlen(start)) != 0)
        return false;
    at += strspn(at, "0123456789-");
    return strncmp(at, end, strlen(end)) == 0;
}

void
handler_backups_clean(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of its own
        if (handler_backups_is_temp(entry->d_name))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
}

void
handler_backups_create(struct request *request)
{
    struct api_server *server = request->server;
    struct backup_run *run = mem_new0(sizeof(*run));

    run->request = request;
    run->path = mem_printf("%s/backup-%ld-%llu.tmp", server->temp_dir ? server->temp_dir : "/tmp",
                           (long)getpid(), (unsigned long long)++server->backup_count);
    run->backup.path = run->path;
    run->backup.done = handler_backups_on_done;
    run->wait.done = handler_backups_on_durable;
    request_suspend(request);
    engine_wait_durable(server->engine, &run->wait);
}

/* Whatever was seen before it was asked for is in it.  When the disk takes nothing, what it has is
 * worth a copy all the more. */
static void
handler_backups_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct backup_run *run = CONTAINER_OF(wait, struct backup_run, wait);

    (void)fault;
    engine_backup_start(run->request->server->engine, &run->backup);
}

static void
handler_backups_answer(struct request *request, const struct backup_run *run)
{
    int fd = open(run->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        request_refuse(request, FAULT_STORAGE, "the copy cannot be read");
        return;
    }
    request->reply.response = MHD_create_response_from_fd64((uint64_t)run->backup.size_bytes, fd);
    if (!request->reply.response) {
        (void)close(fd);
        request_refuse(request, FAULT_BUG, "the copy cannot be sent");
        return;
    }
    request->reply.status = MHD_HTTP_OK;
    request->reply.type = "application/vnd.sqlite3";
}

static void
handler_backups_on_done(struct store_backup *backup, const struct fault *fault)
{
    struct backup_run *run = CONTAINER_OF(backup, struct backup_run, backup);
    struct request *request = run->request;

    if (fault) {
        request_fail(request, fault);
    } else {
        handler_backups_answer(request, run);
    }
    (void)unlink(run->path);
    mem_free(run->path);
    mem_free(run);
    request_finish(request);
}
