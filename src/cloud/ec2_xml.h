#pragma once

/*
 * An answer of EC2, or of another service that speaks its query protocol, as a small tree.  Elements
 * have a name and either elements or text; attributes, comments and namespaces are dropped.  What is
 * no such answer is refused: a document type (and with it every entity but XML's own five), more than
 * EC2_XML_DEPTH_MAX levels, EC2_XML_NODES_MAX elements, EC2_XML_TEXT_MAX bytes of text.
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"

enum {
    EC2_XML_DEPTH_MAX = 32,
    EC2_XML_NODES_MAX = 512 * 1024,
    EC2_XML_TEXT_MAX = 16 * 1024 * 1024,
};

struct ec2_xml;

/** ec2_xml_parse() - read @len bytes.
 * Return: 0 and an owned tree, or -1 with FAULT_GARBLED. */
int ec2_xml_parse(const char *data, size_t len, struct ec2_xml **ret_xml, struct fault *fault);
/** ec2_xml_free() - NULL is fine. */
void ec2_xml_free(struct ec2_xml *xml);
MEM_DEFINE_FREEP(struct ec2_xml, ec2_xml_free);

/* A place in the tree: small, copied, valid as long as the tree. */
struct ec2_node {
    const struct ec2_xml *xml; /* NULL: there is no such element */
    uint32_t at;
};

/** ec2_xml_root() - the outermost element. */
struct ec2_node ec2_xml_root(const struct ec2_xml *xml);
/** ec2_xml_find() - the first element along @path ("instancesSet/item") below @node. */
struct ec2_node ec2_xml_find(struct ec2_node node, const char *path);
/** ec2_xml_next() - the next element beside @node with the same name. */
struct ec2_node ec2_xml_next(struct ec2_node node);

/** ec2_xml_name() - "" of none. Borrowed, as all texts here. */
const char *ec2_xml_name(struct ec2_node node);
/** ec2_xml_text() - the text of the first element along @path below @node (@path "": of @node
 * itself), without blanks around it; "" when there is none. */
const char *ec2_xml_text(struct ec2_node node, const char *path);
