#pragma once

/*
 * Where a listing that comes page by page has got to.  Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ec2_query.h"
#include "ec2_xml.h"

/* Zeroed: before the first page. */
struct ec2_pages {
    uint32_t count; /* that were read */
    char *next;     /* what the next is asked with; owned; NULL: there is none */
};

/** ec2_pages_ask() - @query asks for the next page. */
void ec2_pages_ask(const struct ec2_pages *pages, struct ec2_query *query);
/** ec2_pages_read() - @xml is one more page.
 * Return: false when the pages go on in a way that has no end: what was read is not all. */
bool ec2_pages_read(struct ec2_pages *pages, const struct ec2_xml *xml);
void ec2_pages_fini(struct ec2_pages *pages);
