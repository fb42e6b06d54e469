#include "ec2_pages.h"

#include <string.h>

enum { PAGES_MAX = 200, PAGES_TOKEN_MAX = 4096 };

void
ec2_pages_ask(const struct ec2_pages *pages, struct ec2_query *query)
{
    ec2_query_add(query, pages->next, "NextToken");
}

bool
ec2_pages_read(struct ec2_pages *pages, const struct ec2_xml *xml)
{
    const char *next = ec2_xml_text(ec2_xml_root(xml), "nextToken");
    bool endless = ++pages->count >= PAGES_MAX || strlen(next) > PAGES_TOKEN_MAX ||
                   (pages->next && strcmp(pages->next, next) == 0);

    mem_free(STEAL(pages->next));
    if (!*next)
        return true;
    if (!endless)
        pages->next = mem_strdup(next);
    return !endless;
}

void
ec2_pages_fini(struct ec2_pages *pages)
{
    mem_free(pages->next);
    *pages = (struct ec2_pages){ 0 };
}
