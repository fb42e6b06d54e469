/*
 * libyaml's events as a JSON tree.  Our own loop and not its document loader, because only so can
 * depth, aliases and duplicate keys be refused before they cost anything.
 */
#include "berth/base/yaml.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "berth/base/text.h"

#include "yaml_mark.h"

enum {
    YAML_SIZE_MAX = 1024 * 1024,
    YAML_DEPTH_MAX = 64,
};

/* An open list or mapping. */
struct yaml_level {
    json_t *node;  /* borrowed from the tree */
    char *key;     /* owned: of a mapping, the key whose value comes next; or NULL */
    json_t *marks; /* borrowed: of what is in node; NULL unless positions are wanted */
    json_int_t key_mark;
};

struct yaml_reader {
    yaml_parser_t parser;
    const char *name;
    const char *data;
    struct fault *fault;
    json_t *root;  /* owned; NULL until the document's first node */
    json_t *marks; /* owned; of root */
    bool marked;   /* positions are wanted, and scalars as YAML 1.1 has them */
    bool has_document;
    struct yaml_level levels[YAML_DEPTH_MAX];
    size_t depth;
    json_t *last_marks; /* borrowed: of the list or mapping that was put into the tree last */
};

/* In the order in which they run. */
static int yaml_read(struct yaml_reader *reader);
static int yaml_read_error(struct yaml_reader *reader);
static int yaml_read_event(struct yaml_reader *reader, const yaml_event_t *event);
static int yaml_read_scalar(struct yaml_reader *reader, const yaml_event_t *event);
static int yaml_read_open(struct yaml_reader *reader, json_t *node, const yaml_event_t *event);
static int yaml_read_node(struct yaml_reader *reader, json_t *node, const yaml_mark_t *mark);

static int PRINTF_LIKE(3, 4)
    yaml_refuse(struct yaml_reader *reader, const yaml_mark_t *mark, const char *format, ...)
{
    char what[FAULT_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    text_line_vprintf(what, sizeof(what), format, args);
    va_end(args);
    return fault_set(reader->fault, FAULT_INVALID, "yaml.parse", "%s:%zu:%zu: %s", reader->name,
                     mark->line + 1, mark->column + 1, what);
}

/* Leaves root and marks to the caller, unless it fails. */
static int
yaml_parse_as(struct yaml_reader *reader, size_t len)
{
    int status;

    if (len > YAML_SIZE_MAX)
        return yaml_refuse(reader, &reader->parser.mark, "is larger than %d bytes", YAML_SIZE_MAX);
    if (!yaml_parser_initialize(&reader->parser))
        abort(); /* out of memory */
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->data, len);
    status = yaml_read(reader);
    yaml_parser_delete(&reader->parser);
    while (reader->depth > 0)
        mem_free(reader->levels[--reader->depth].key);
    if (status != 0) {
        json_decref(reader->root);
        json_decref(reader->marks);
    } else if (!reader->root) {
        reader->root = json_object();
    }
    return status;
}

int
yaml_parse(const char *name, const char *data, size_t len, json_t **ret_json, struct fault *fault)
{
    struct yaml_reader reader = { .name = name, .data = len > 0 ? data : "", .fault = fault };
    int status = yaml_parse_as(&reader, len);

    if (status == 0)
        *ret_json = reader.root;
    return status;
}

int
yaml_parse_marked(const char *name, const char *data, size_t len, struct yaml_marked *ret_marked,
                  struct fault *fault)
{
    struct yaml_reader reader = {
        .name = name, .data = len > 0 ? data : "", .fault = fault, .marked = true
    };
    int status = yaml_parse_as(&reader, len);

    if (status == 0)
        *ret_marked = (struct yaml_marked){ .json = reader.root, .marks = reader.marks };
    return status;
}

static int
yaml_read(struct yaml_reader *reader)
{
    bool more = true;

    while (more) {
        yaml_event_t event;
        int status;

        if (!yaml_parser_parse(&reader->parser, &event))
            return yaml_read_error(reader);
        status = yaml_read_event(reader, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (status != 0)
            return status;
    }
    return 0;
}

/* What libyaml refuses itself; of bytes that are no text it knows the offset only. */
static int
yaml_read_error(struct yaml_reader *reader)
{
    yaml_mark_t mark = reader->parser.problem_mark;
    const char *problem = reader->parser.problem ? reader->parser.problem : "cannot be read";

    if (reader->parser.error == YAML_READER_ERROR) {
        mark = (yaml_mark_t){ 0 };
        for (size_t i = 0; i < reader->parser.problem_offset; i++) {
            mark.column = reader->data[i] == '\n' ? 0 : mark.column + 1;
            mark.line += reader->data[i] == '\n';
        }
    }
    return yaml_refuse(reader, &mark, "%s", problem);
}

static int
yaml_read_event(struct yaml_reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->has_document)
            return yaml_refuse(reader, &event->start_mark, "only one document is allowed");
        reader->has_document = true;
        return 0;
    case YAML_ALIAS_EVENT:
        return yaml_refuse(reader, &event->start_mark, "aliases (*name) are not allowed");
    case YAML_SCALAR_EVENT:
        return yaml_read_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.tag)
            return yaml_refuse(reader, &event->start_mark, "tags (!name) are not allowed");
        return yaml_read_open(reader, json_array(), event);
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.tag)
            return yaml_refuse(reader, &event->start_mark, "tags (!name) are not allowed");
        return yaml_read_open(reader, json_object(), event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        assert(reader->depth > 0);
        reader->depth--;
        return 0;
    default:
        return 0;
    }
}

/* Whether @text is [-+]digits without needless zeros: 0644 stays text, as a file's mode should. */
static const char *
yaml_skip_whole(const char *text)
{
    size_t digits;

    text += *text == '-' || *text == '+';
    digits = strspn(text, "0123456789");
    return digits == 0 || (digits > 1 && *text == '0') ? NULL : text + digits;
}

/* A number as JSON, or NULL when @text is none or cannot be held exactly enough. */
static json_t *
yaml_number(const char *text)
{
    const char *end = yaml_skip_whole(text);
    size_t digits;
    long long whole;

    if (!end)
        return NULL;
    errno = 0;
    if (*end == '\0') {
        whole = strtoll(text, NULL, 10);
        return errno == 0 ? json_integer(whole) : NULL;
    }
    if (*end != '.')
        return NULL;
    end++;
    digits = strspn(end, "0123456789");
    end += digits;
    if (digits > 0 && (*end == 'e' || *end == 'E')) {
        end += 1 + (end[1] == '-' || end[1] == '+');
        digits = strspn(end, "0123456789");
        end += digits;
    }
    return digits > 0 && *end == '\0' ? json_real(strtod(text, NULL)) : NULL;
}

/* What a plain scalar stands for. */
static json_t *
yaml_plain(const char *text)
{
    static const struct {
        const char *text;
        json_type type;
    } words[] = {
        { "", JSON_NULL },       { "~", JSON_NULL },      { "null", JSON_NULL },
        { "Null", JSON_NULL },   { "NULL", JSON_NULL },   { "true", JSON_TRUE },
        { "True", JSON_TRUE },   { "TRUE", JSON_TRUE },   { "false", JSON_FALSE },
        { "False", JSON_FALSE }, { "FALSE", JSON_FALSE },
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i].text, text) == 0) {
            return words[i].type == JSON_NULL ? json_null()
                                              : json_boolean(words[i].type == JSON_TRUE);
        }
    }
    return yaml_number(text);
}

/* The level whose key this scalar is, or NULL when it is a value. */
static struct yaml_level *
yaml_needs_key(struct yaml_reader *reader)
{
    struct yaml_level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;

    return level && json_is_object(level->node) && !level->key ? level : NULL;
}

static int
yaml_read_key(struct yaml_reader *reader, struct yaml_level *level, const yaml_event_t *event)
{
    const char *key = (const char *)event->data.scalar.value;

    if (*key == '\0' && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return yaml_refuse(reader, &event->start_mark, "a key is missing");
    if (json_object_get(level->node, key))
        return yaml_refuse(reader, &event->start_mark, "the key \"%.60s\" is there already", key);
    level->key = mem_strdup(key);
    level->key_mark = yaml_mark_pack(event->start_mark.line, event->start_mark.column);
    return 0;
}

static int
yaml_read_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    bool plain = !tag && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct yaml_level *level = yaml_needs_key(reader);
    json_t *node;

    if (tag && strcmp(tag, "!") != 0 && strcmp(tag, YAML_STR_TAG) != 0)
        return yaml_refuse(reader, &event->start_mark, "tags (!name) are not allowed");
    if (strlen(text) != event->data.scalar.length)
        return yaml_refuse(reader, &event->start_mark, "NUL characters are not allowed");
    if (level)
        return yaml_read_key(reader, level, event);
    if (plain && *text == '\0' && reader->depth == 0)
        return 0; /* a document of nothing but comments */
    if (plain && reader->marked && yaml_mark_is_ambiguous(text)) {
        return yaml_refuse(reader, &event->start_mark,
                           "'%.40s' is read in more ways than one: quote it", text);
    }
    node = plain ? yaml_plain(text) : NULL;
    if (plain && reader->marked && !node)
        node = yaml_mark_plain(text);
    if (!node)
        node = json_string(text);
    if (!node)
        return yaml_refuse(reader, &event->start_mark, "the text is not valid UTF-8");
    return yaml_read_node(reader, node, &event->start_mark);
}

/* A list or mapping begins. */
static int
yaml_read_open(struct yaml_reader *reader, json_t *node, const yaml_event_t *event)
{
    int status;

    if (yaml_needs_key(reader)) {
        json_decref(node);
        return yaml_refuse(reader, &event->start_mark, "a key must be text");
    }
    if (reader->depth == YAML_DEPTH_MAX) {
        json_decref(node);
        return yaml_refuse(reader, &event->start_mark,
                           "nested too deeply; at most %d levels are allowed", YAML_DEPTH_MAX);
    }
    status = yaml_read_node(reader, node, &event->start_mark);
    if (status == 0) {
        reader->levels[reader->depth++] = (struct yaml_level){
            .node = node,
            .marks = reader->last_marks,
        };
    }
    return status;
}

/* Remembers where @node stands, before it is put into the tree. */
static void
yaml_read_mark(struct yaml_reader *reader, const json_t *node, const yaml_mark_t *at)
{
    struct yaml_level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;
    json_t *mark = yaml_mark_new(node, yaml_mark_pack(at->line, at->column), &reader->last_marks);

    if (!level) {
        reader->marks = mark;
    } else if (level->key) {
        yaml_mark_set(level->marks, level->key, level->key_mark, mark);
    } else {
        (void)json_array_append_new(level->marks, mark);
    }
}

/* Puts @node, taken, into the tree. */
static int
yaml_read_node(struct yaml_reader *reader, json_t *node, const yaml_mark_t *mark)
{
    struct yaml_level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;
    char *key;
    int status;

    if (reader->marked)
        yaml_read_mark(reader, node, mark);
    if (!level) {
        assert(!reader->root);
        reader->root = node;
        return 0;
    }
    if (json_is_array(level->node)) {
        status = json_array_append_new(level->node, node);
    } else {
        key = STEAL(level->key);
        status = json_object_set_new(level->node, key, node);
        mem_free(key);
    }
    return status == 0 ? 0 : yaml_refuse(reader, mark, "the text is not valid UTF-8");
}
