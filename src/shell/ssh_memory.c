#include "ssh_memory.h"

#include <stdlib.h>
#include <string.h>

#include "berth/base/secret.h"

/* What stands before each block. */
struct ssh_memory_head {
    size_t size;
    max_align_t block[];
};

static struct ssh_memory_head *
ssh_memory_head(void *block)
{
    return CONTAINER_OF(block, struct ssh_memory_head, block);
}

void *
ssh_memory_resize(struct ssh_memory *memory, void *block, size_t size)
{
    size_t old = block ? ssh_memory_head(block)->size : 0;
    struct ssh_memory_head *head = NULL;

    if (size < SSH_MEMORY_MAX && memory->used + size < SSH_MEMORY_MAX)
        head = malloc(sizeof(*head) + size);
    if (!head)
        return NULL;
    head->size = size;
    memory->used += sizeof(*head) + size;
    if (block)
        memcpy(head->block, block, old < size ? old : size);
    ssh_memory_free(memory, block);
    return head->block;
}

void
ssh_memory_free(struct ssh_memory *memory, void *block)
{
    struct ssh_memory_head *head;

    if (!block)
        return;
    head = ssh_memory_head(block);
    memory->used -= sizeof(*head) + head->size;
    secret_wipe(head->block, head->size);
    free(head);
}
