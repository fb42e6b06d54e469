#include "berth/domain/template.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "berth/base/mem.h"

struct template_word {
    const char *name;
    size_t offset; /* of its value in struct template_values */
};

static const struct template_word template_words[] = {
    { "instance_id", offsetof(struct template_values, instance_id) },
    { "owner", offsetof(struct template_values, owner) },
};

/* The word that stands in the braces at @text ("{owner}..."), or NULL. */
static const struct template_word *
template_word_at(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(template_words); i++) {
        size_t len = strlen(template_words[i].name);

        if (strncmp(text + 1, template_words[i].name, len) == 0 && text[1 + len] == '}')
            return &template_words[i];
    }
    return NULL;
}

const char *
template_check(const char *text)
{
    while (*text) {
        const struct template_word *word;

        if (text[0] != '{' && text[0] != '}') {
            text++;
            continue;
        }
        if (text[1] == text[0]) {
            text += 2;
            continue;
        }
        if (text[0] == '}')
            return "must write a single brace as {{ or }}";
        word = template_word_at(text);
        if (!word)
            return "must use {instance_id} or {owner}, or {{ and }} for single braces";
        text += strlen(word->name) + 2;
    }
    return NULL;
}

void
template_expand(const char *text, const struct template_values *values, struct buf *buf)
{
    while (*text) {
        size_t plain = strcspn(text, "{}");
        const struct template_word *word;

        buf_append(buf, text, plain);
        text += plain;
        if (!*text)
            return;
        if (text[1] == text[0]) {
            buf_append_char(buf, text[0]);
            text += 2;
            continue;
        }
        word = template_word_at(text);
        assert(word);
        buf_append_string(
            buf, *(const char *const *)(const void *)((const char *)values + word->offset));
        text += strlen(word->name) + 2;
    }
}
