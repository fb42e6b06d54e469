#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/yaml.h"
#include "berth/cli/file.h"

static const char where[] = "cli.file";

enum {
    FILE_MAX_BYTES = 4 * 1024 * 1024,
    FILE_STEP = 65536,
};

int
cli_file_read(const char *name, struct buf *ret_text, struct fault *fault)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(name, "rbe");
    size_t got = 1;
    bool broken;

    buf_init(ret_text, FILE_MAX_BYTES);
    while (file && got > 0) {
        char *room = buf_reserve(ret_text, FILE_STEP);

        if (!room)
            break;
        got = fread(room, 1, FILE_STEP, file);
        ret_text->len += got;
    }
    broken = !file || ferror(file);
    if (broken) {
        fault_set(fault, FAULT_NOT_FOUND, where, "cannot read %s: %s", name,
                  strerrordesc_np(errno));
    }
    if (file && !is_stdin)
        (void)fclose(file);
    if (!broken && ret_text->overflow)
        fault_set(fault, FAULT_TOO_LARGE, where, "%s is larger than 4 MiB", name);
    if (!broken && !ret_text->overflow) {
        buf_append(ret_text, "", 0);
        return 0;
    }
    buf_fini(ret_text);
    return -1;
}

/* Append @document, or what it lists. */
static void
cli_file_add(json_t *list, json_t *document)
{
    if (json_is_array(document)) {
        json_array_extend(list, document);
        json_decref(document);
    } else {
        json_array_append_new(list, document);
    }
}

static bool
cli_file_is_mark(const char *line, size_t len)
{
    return len >= 3 && strncmp(line, "---", 3) == 0 &&
           (len == 3 || line[3] == ' ' || line[3] == '\r');
}

/* Is there more than comments and blank lines? */
static bool
cli_file_has_content(const char *text, size_t len)
{
    bool comment = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            comment = false;
        } else if (text[i] == '#') {
            comment = true;
        } else if (!comment && !strchr(" \t\r", text[i])) {
            return true;
        }
    }
    return false;
}

/* One document of @len bytes, before which stand @lines others: errors count them. */
static int
cli_file_document(const char *text, size_t len, const char *name, size_t lines, json_t *list,
                  struct fault *fault)
{
    struct buf padded;
    json_t *document = NULL;
    int result;

    if (!cli_file_has_content(text, len))
        return 0;
    buf_init(&padded, 0);
    for (size_t i = 0; i < lines; i++)
        buf_append_char(&padded, '\n');
    buf_append(&padded, text, len);
    result = yaml_parse(name, padded.data, padded.len, &document, fault);
    buf_fini(&padded);
    if (result == 0)
        cli_file_add(list, document);
    return result;
}

static int
cli_file_yaml(const char *text, size_t len, const char *name, json_t *list, struct fault *fault)
{
    const char *end = text + len;
    const char *begin = text;
    size_t begin_line = 0;
    size_t line = 0;

    for (const char *at = text; at < end;) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        size_t line_len = eol ? (size_t)(eol - at) : (size_t)(end - at);

        if (cli_file_is_mark(at, line_len)) {
            if (cli_file_document(begin, (size_t)(at - begin), name, begin_line, list, fault) < 0)
                return -1;
            /* The mark itself is a good beginning of a document. */
            begin = line_len > 3 ? at + 3 : at + line_len;
            begin_line = line;
        }
        at += line_len + (eol ? 1 : 0);
        line++;
    }
    return cli_file_document(begin, (size_t)(end - begin), name, begin_line, list, fault);
}

int
cli_file_documents(const char *name, const char *text, size_t len, json_t **ret_list,
                   struct fault *fault)
{
    CLEANUP(json_freep) json_t *list = json_array();
    size_t blank = strspn(text, " \t\r\n");
    json_t *document = NULL;

    /* What begins so may be YAML's flow style as well. */
    if ((text[blank] == '{' || text[blank] == '[') &&
        json_in_parse(text, len, &document, NULL) == 0) {
        cli_file_add(list, document);
    } else if (cli_file_yaml(text, len, name, list, fault) < 0) {
        return -1;
    }
    *ret_list = STEAL(list);
    return 0;
}
