#include "zone_files.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/buf.h"
#include "berth/base/log.h"

enum { ZONE_FILE_MAX = 1 << 20, ZONE_FILES_MAX = 1024 };

struct zone_file {
    char *name;        /* owned */
    struct zone *zone; /* owned; NULL: there is none of that name */
};

struct zone_files {
    struct zone_port port;
    const char *folder;
    struct zone_file *at; /* owned, [count], each owned */
    size_t count;
};

static const struct zone *zone_files_find(void *self, const char *name);

struct zone_files *
zone_files_new(const char *folder)
{
    struct zone_files *files = mem_new0(sizeof(*files));

    files->port = (struct zone_port){ .self = files, .find = zone_files_find };
    files->folder = folder ? folder : "/usr/share/zoneinfo";
    return files;
}

void
zone_files_free(struct zone_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->count; i++) {
        mem_free(files->at[i].name);
        zone_free(files->at[i].zone);
    }
    mem_free(files->at);
    mem_free(files);
}

const struct zone_port *
zone_files_port(struct zone_files *files)
{
    return &files->port;
}

static struct zone *
zone_files_read(const struct zone_files *files, const char *name)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", files->folder, name);
    FILE *file = fopen(path, "re");
    struct zone *zone = NULL;
    struct fault fault;
    char chunk[4096];
    struct buf buf;
    size_t got;

    if (!file)
        return NULL;
    buf_init(&buf, ZONE_FILE_MAX);
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_append(&buf, chunk, got);
    (void)fclose(file);
    if (buf.overflow || zone_parse((const uint8_t *)buf.data, buf.len, &zone, &fault) < 0)
        log_warn("zones", "%s is not a TZif file of version 2 or newer", path);
    buf_fini(&buf);
    return zone;
}

/* A name that was not found is remembered, too: it may be asked for in each round. */
static const struct zone *
zone_files_find(void *self, const char *name)
{
    struct zone_files *files = self;
    struct zone_file *file;

    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->at[i].name, name) == 0)
            return files->at[i].zone;
    }
    if (zone_name_check(name) || files->count == ZONE_FILES_MAX)
        return NULL;
    files->at = mem_resize(files->at, files->count + 1, sizeof(*files->at));
    file = &files->at[files->count++];
    *file = (struct zone_file){ .name = mem_strdup(name), .zone = zone_files_read(files, name) };
    return file->zone;
}
