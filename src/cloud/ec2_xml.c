#include "ec2_xml.h"

#include <assert.h>
#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/buf.h"
#include "berth/base/secret.h"

/* Node 0 is no element: what has no parent, child or neighbour points there. */
struct ec2_xml_element {
    uint32_t parent;
    uint32_t child; /* the first */
    uint32_t last;  /* the last child */
    uint32_t next;  /* beside it */
    uint32_t name;  /* in texts */
    uint32_t text;  /* in texts; 0: "" */
};

struct ec2_xml {
    struct ec2_xml_element *at; /* [cap], owned */
    uint32_t count;
    uint32_t cap;
    struct buf texts; /* NUL-terminated strings */
};

struct ec2_xml_reader {
    struct ec2_xml *xml;
    XML_Parser parser;
    uint32_t open; /* the innermost element that has not ended */
    uint32_t depth;
    struct buf text;     /* of the innermost element, so far */
    const char *refused; /* static: why no more is read; NULL: go on */
};

static void
ec2_xml_refuse(struct ec2_xml_reader *reader, const char *why)
{
    if (!reader->refused)
        reader->refused = why;
    (void)XML_StopParser(reader->parser, XML_FALSE);
}

static uint32_t
ec2_xml_keep(struct ec2_xml_reader *reader, const char *text, size_t len)
{
    struct buf *texts = &reader->xml->texts;
    uint32_t at = (uint32_t)texts->len;

    buf_append(texts, text, len);
    buf_append_char(texts, '\0');
    if (texts->overflow)
        ec2_xml_refuse(reader, "it has too much text");
    return texts->overflow ? 0 : at;
}

static uint32_t
ec2_xml_add(struct ec2_xml *xml)
{
    if (xml->count == xml->cap) {
        xml->cap = xml->cap ? 2 * xml->cap : 64;
        xml->at = mem_resize(xml->at, xml->cap, sizeof(*xml->at));
    }
    xml->at[xml->count] = (struct ec2_xml_element){ 0 };
    return xml->count++;
}

static void
ec2_xml_on_start(void *cookie, const XML_Char *name, const XML_Char **attributes)
{
    struct ec2_xml_reader *reader = cookie;
    struct ec2_xml *xml = reader->xml;
    uint32_t at;

    (void)attributes;
    if (reader->refused)
        return;
    if (reader->depth == EC2_XML_DEPTH_MAX || xml->count == EC2_XML_NODES_MAX) {
        ec2_xml_refuse(reader, "it has too many elements");
        return;
    }
    at = ec2_xml_add(xml);
    xml->at[at].parent = reader->open;
    if (xml->at[reader->open].last) {
        xml->at[xml->at[reader->open].last].next = at;
    } else {
        xml->at[reader->open].child = at;
    }
    xml->at[reader->open].last = at;
    xml->at[at].name = ec2_xml_keep(reader, name, strlen(name));
    reader->open = at;
    reader->depth++;
    buf_clear(&reader->text);
}

static bool
ec2_xml_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
ec2_xml_on_end(void *cookie, const XML_Char *name)
{
    struct ec2_xml_reader *reader = cookie;
    struct ec2_xml_element *element = &reader->xml->at[reader->open];
    const char *text = buf_text(&reader->text);
    size_t len = reader->text.len;

    (void)name;
    if (reader->refused)
        return;
    while (len > 0 && ec2_xml_is_blank(text[len - 1]))
        len--;
    while (len > 0 && ec2_xml_is_blank(*text))
        text++, len--;
    if (!element->child && len > 0)
        element->text = ec2_xml_keep(reader, text, len);
    reader->open = element->parent;
    reader->depth--;
    buf_clear(&reader->text);
}

static void
ec2_xml_on_text(void *cookie, const XML_Char *text, int len)
{
    struct ec2_xml_reader *reader = cookie;

    if (reader->refused)
        return;
    buf_append(&reader->text, text, (size_t)len);
    if (reader->text.overflow)
        ec2_xml_refuse(reader, "it has too much text");
}

static void
ec2_xml_on_doctype(void *cookie, const XML_Char *name, const XML_Char *system,
                   const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    ec2_xml_refuse(cookie, "it has a document type");
}

/* expat counts in int, and a limit on the answer's size keeps far below it. */
static int
ec2_xml_read(struct ec2_xml_reader *reader, const char *data, size_t len)
{
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, ec2_xml_on_start, ec2_xml_on_end);
    XML_SetCharacterDataHandler(reader->parser, ec2_xml_on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, ec2_xml_on_doctype);
    if (len > INT_MAX) {
        reader->refused = "it is too large";
    } else if (XML_Parse(reader->parser, data, (int)len, XML_TRUE) != XML_STATUS_OK &&
               !reader->refused) {
        reader->refused = XML_ErrorString(XML_GetErrorCode(reader->parser));
    }
    return reader->refused ? -1 : 0;
}

int
ec2_xml_parse(const char *data, size_t len, struct ec2_xml **ret_xml, struct fault *fault)
{
    CLEANUP(ec2_xml_freep) struct ec2_xml *xml = mem_new0(sizeof(*xml));
    static const XML_Memory_Handling_Suite memory = { malloc, secret_block_resize,
                                                      secret_block_free };
    struct ec2_xml_reader reader = { .xml = xml,
                                     .parser = XML_ParserCreate_MM("UTF-8", &memory, NULL) };
    int ret;

    assert(reader.parser);
    buf_init_secret(&xml->texts, EC2_XML_TEXT_MAX); /* keys come in XML, too */
    buf_append_char(&xml->texts, '\0');
    buf_init_secret(&reader.text, EC2_XML_TEXT_MAX);
    (void)ec2_xml_add(xml);
    ret = ec2_xml_read(&reader, data, len);
    buf_fini(&reader.text);
    XML_ParserFree(reader.parser);
    if (ret < 0) {
        return fault_set(fault, FAULT_GARBLED, "ec2.xml", "the answer is not XML of EC2: %s",
                         reader.refused);
    }
    *ret_xml = STEAL(xml);
    return 0;
}

void
ec2_xml_free(struct ec2_xml *xml)
{
    if (!xml)
        return;
    buf_fini(&xml->texts);
    mem_free(xml->at);
    mem_free(xml);
}

static struct ec2_node
ec2_xml_node(const struct ec2_xml *xml, uint32_t at)
{
    return (struct ec2_node){ .xml = at ? xml : NULL, .at = at };
}

struct ec2_node
ec2_xml_root(const struct ec2_xml *xml)
{
    return ec2_xml_node(xml, xml->at[0].child);
}

const char *
ec2_xml_name(struct ec2_node node)
{
    return node.xml ? node.xml->texts.data + node.xml->at[node.at].name : "";
}

static bool
ec2_xml_is_called(struct ec2_node node, const char *name, size_t len)
{
    const char *own = ec2_xml_name(node);

    return strncmp(own, name, len) == 0 && own[len] == '\0';
}

struct ec2_node
ec2_xml_find(struct ec2_node node, const char *path)
{
    while (*path && node.xml) {
        size_t len = strcspn(path, "/");

        node = ec2_xml_node(node.xml, node.xml->at[node.at].child);
        while (node.xml && !ec2_xml_is_called(node, path, len))
            node = ec2_xml_node(node.xml, node.xml->at[node.at].next);
        path += len + (path[len] == '/');
    }
    return node;
}

struct ec2_node
ec2_xml_next(struct ec2_node node)
{
    const char *name = ec2_xml_name(node);
    struct ec2_node next = node;

    do {
        next = next.xml ? ec2_xml_node(next.xml, next.xml->at[next.at].next) : next;
    } while (next.xml && strcmp(ec2_xml_name(next), name) != 0);
    return next;
}

const char *
ec2_xml_text(struct ec2_node node, const char *path)
{
    node = ec2_xml_find(node, path);
    return node.xml ? node.xml->texts.data + node.xml->at[node.at].text : "";
}
