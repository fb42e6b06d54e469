/* Texts with {{ }}, {% %} and {# #} in them. */
#include "jinja.h"

#include <string.h>

#include "jinja_node.h"

/* What a template's reader knows beside its tokens. */
struct jinja_template {
    struct jinja_reader reader;
    const char *text;     /* what was not read yet */
    const char *text_end; /* of all */
    bool strip;           /* all white space that comes next is dropped (-%}) */
    bool trim;            /* so is a newline that comes next */
};

/* In the order in which they run. */
static int jinja_finish(struct jinja_reader *reader, struct jinja *jinja, struct jinja **ret_jinja,
                        unsigned *ret_line);
static struct jinja_node *jinja_read_body(struct jinja_template *template);
static struct jinja_node **jinja_read_text(struct jinja_template *template,
                                           struct jinja_node **tail);
static bool jinja_read_inside(struct jinja_template *template, const char *close);
static bool jinja_read_tag(struct jinja_template *template, struct jinja_node **ret_node);
static bool jinja_ends_tag(struct jinja_reader *reader);
static struct jinja_node *jinja_read_block(struct jinja_template *template);
static struct jinja_node *jinja_read_if(struct jinja_template *template);
static struct jinja_node *jinja_read_for(struct jinja_template *template);
static struct jinja_node *jinja_read_raw(struct jinja_template *template);

bool
jinja_is_template(const char *text)
{
    const char *brace = text;

    while ((brace = strchr(brace, '{'))) {
        if (brace[1] == '{' || brace[1] == '%' || brace[1] == '#')
            return true;
        brace++;
    }
    return false;
}

int
jinja_parse_expression(const char *text, struct jinja **ret_jinja, unsigned *ret_line,
                       struct fault *fault)
{
    struct jinja *jinja = mem_new0(sizeof(*jinja));
    struct jinja_reader reader = {
        .jinja = jinja, .start = text, .at = text, .end = text + strlen(text), .fault = fault
    };

    jinja->is_expression = true;
    jinja_next(&reader);
    jinja->root = jinja_parse(&reader);
    if (!reader.failed && reader.token != JINJA_TOKEN_END) {
        (void)jinja_refuse(&reader, "\"%.*s\" is not expected here", (int)reader.token_len,
                           reader.token_at);
    }
    return jinja_finish(&reader, jinja, ret_jinja, ret_line);
}

static size_t
jinja_count_newlines(const char *data, size_t len)
{
    size_t count = 0;

    while (count < len && data[len - 1 - count] == '\n')
        count++;
    return count;
}

/* As Jinja2 has them: \r\n and \r are newlines. Return: the length. */
static size_t
jinja_unify_newlines(char *text)
{
    size_t len = 0;

    for (const char *at = text; *at; at++) {
        if (*at == '\r' && at[1] == '\n')
            continue;
        text[len++] = *at;
        if (*at == '\r')
            text[len - 1] = '\n';
    }
    text[len] = '\0';
    return len;
}

int
jinja_parse_template(const char *text, struct jinja **ret_jinja, unsigned *ret_line,
                     struct fault *fault)
{
    CLEANUP(mem_freep) char *copy = mem_strdup(text);
    size_t len = jinja_unify_newlines(copy);
    struct jinja *jinja = mem_new0(sizeof(*jinja));
    struct jinja_template template = {
        .reader = { .jinja = jinja, .start = copy, .at = copy, .end = copy, .fault = fault },
        .text = copy,
        .text_end = copy + len,
    };

    jinja->newlines = jinja_count_newlines(copy, len);
    if (jinja->newlines > 0)
        template.text_end--;
    if (strncmp(copy, "#jinja2:", 8) == 0)
        (void)jinja_refuse(&template.reader, "settings in a line #jinja2: are not supported");
    jinja->root = jinja_read_body(&template);
    if (!template.reader.failed && template.reader.token == JINJA_TOKEN_NAME) {
        (void)jinja_refuse(&template.reader, "{%% %.*s %%} without what it belongs to",
                           (int)template.reader.token_len, template.reader.token_at);
    }
    return jinja_finish(&template.reader, jinja, ret_jinja, ret_line);
}

static int
jinja_finish(struct jinja_reader *reader, struct jinja *jinja, struct jinja **ret_jinja,
             unsigned *ret_line)
{
    if (!reader->failed) {
        *ret_jinja = jinja;
        return 0;
    }
    *ret_line = 1;
    for (const char *c = reader->start; c < reader->failed_at; c++)
        *ret_line += *c == '\n';
    jinja_free(jinja);
    return -1;
}

void
jinja_free(struct jinja *jinja)
{
    struct jinja_node *older;

    if (!jinja)
        return;
    for (struct jinja_node *node = jinja->nodes; node; node = older) {
        older = node->older;
        json_decref(node->value);
        mem_free(node->text);
        mem_free(node);
    }
    mem_free(jinja);
}

/* Blocks within blocks are bounded by jinja_deeper().  NOLINTBEGIN(misc-no-recursion) */

/* The tag that comes next, or block; none of a comment.  Return: false: it ends another's body, and its
 * word is the token, or it failed. */
static bool
jinja_read_tag(struct jinja_template *template, struct jinja_node **ret_node)
{
    if (template->text[1] == '#')
        return jinja_read_inside(template, "#}");
    if (template->text[1] == '%') {
        *ret_node = jinja_read_block(template);
        return *ret_node != NULL;
    }
    if (!jinja_read_inside(template, "}}"))
        return false;
    *ret_node = jinja_node_new(&template->reader, JINJA_EMIT);
    (*ret_node)->a = jinja_parse(&template->reader);
    return true;
}

/* Up to the text's end, or to a tag that ends a block: its word is the token that comes next then. */
static struct jinja_node *
jinja_read_body(struct jinja_template *template)
{
    struct jinja_reader *reader = &template->reader;
    struct jinja_node *first = NULL;
    struct jinja_node **tail = &first;

    if (!jinja_deeper(reader))
        return NULL;
    for (;;) {
        tail = jinja_read_text(template, tail);
        reader->token = JINJA_TOKEN_END;
        reader->token_at = template->text;
        if (reader->failed || template->text == template->text_end)
            break;
        if (!jinja_read_tag(template, tail))
            break;
        if (*tail)
            tail = &(*tail)->next;
        if (!jinja_ends_tag(reader))
            break;
    }
    reader->depth--;
    return reader->failed ? NULL : first;
}

/* White space at the text's start and end that the tags around it drop. */
static void
jinja_strip(struct jinja_template *template, const char **begin, const char **end)
{
    bool strips = *end < template->text_end && *end + 2 < template->text_end && (*end)[2] == '-';

    if (template->trim && *begin < *end && **begin == '\n')
        (*begin)++;
    while (template->strip && *begin < *end && strchr(" \t\n", **begin))
        (*begin)++;
    while (strips && *end > *begin && strchr(" \t\n", (*end)[-1]))
        (*end)--;
    template->strip = template->trim = false;
}

static struct jinja_node **
jinja_read_text(struct jinja_template *template, struct jinja_node **tail)
{
    const char *begin = template->text;
    const char *end = begin;
    struct jinja_node *node;

    while (end < template->text_end &&
           !(end[0] == '{' && end + 1 < template->text_end && strchr("{%#", end[1])))
        end++;
    template->text = end;
    jinja_strip(template, &begin, &end);
    if (begin == end)
        return tail;
    node = *tail = jinja_node_new(&template->reader, JINJA_TEXT);
    node->value = json_stringn(begin, (size_t)(end - begin));
    if (!node->value)
        (void)jinja_refuse(&template->reader, "the text is not valid UTF-8");
    return &node->next;
}

/* Behind the text in quotes that begins at @at, or at the template's end. */
static const char *
jinja_skip_quoted(const struct jinja_template *template, const char *at)
{
    const char *quote = at++;

    while (at < template->text_end && *at != *quote)
        at += *at == '\\' ? 2 : 1;
    return at < template->text_end ? at + 1 : template->text_end;
}

/* Where the tag that begins at @at ends: before @close, outside of quotes and braces. */
static const char *
jinja_find_close(const struct jinja_template *template, const char *at, const char *close)
{
    bool is_comment = *close == '#';
    size_t depth = 0;

    while (at + 1 < template->text_end) {
        if (depth == 0 && at[0] == close[0] && at[1] == close[1])
            return at;
        if (!is_comment && (*at == '"' || *at == '\'')) {
            at = jinja_skip_quoted(template, at);
            continue;
        }
        if (!is_comment && *at == '{') {
            depth++;
        } else if (*at == '}' && depth > 0) {
            depth--;
        }
        at++;
    }
    return NULL;
}

/* Makes what stands between the marks the reader's text. */
static bool
jinja_read_inside(struct jinja_template *template, const char *close)
{
    struct jinja_reader *reader = &template->reader;
    const char *begin = template->text + 2;
    const char *end = jinja_find_close(template, begin, close);

    reader->token_at = template->text;
    if (!end) {
        (void)jinja_refuse(reader, "\"%.2s\" has no \"%s\"", template->text, close);
        return false;
    }
    template->text = end + 2;
    if (begin < end && *begin == '+') {
        (void)jinja_refuse(reader, "\"%.2s+\" is not supported", begin - 2);
        return false;
    }
    begin += begin < end && *begin == '-';
    if (end > begin && end[-1] == '-') {
        template->strip = true;
        end--;
    }
    template->trim = *close != '}';
    reader->at = *close == '#' ? end : begin;
    reader->end = end;
    jinja_next(reader);
    return !reader->failed;
}

/* One that is complete; NULL: its word ends another's body, and is the token, or it failed. */
static struct jinja_node *
jinja_read_block(struct jinja_template *template)
{
    static const char *const ends[] = { "elif", "else", "endif", "endfor" };
    struct jinja_reader *reader = &template->reader;

    if (!jinja_read_inside(template, "%}"))
        return NULL;
    if (reader->token != JINJA_TOKEN_NAME)
        return jinja_refuse(reader, "a word is missing after \"{%%\"");
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (jinja_sees(reader, ends[i]))
            return NULL;
    }
    if (jinja_takes(reader, "if"))
        return jinja_read_if(template);
    if (jinja_takes(reader, "for"))
        return jinja_read_for(template);
    if (jinja_takes(reader, "raw"))
        return jinja_read_raw(template);
    return jinja_refuse(reader, "{%% %.*s %%} is not supported; there are if, for and raw",
                        (int)reader->token_len, reader->token_at);
}

/* The tag's expression has been read; what comes next is its body. */
static bool
jinja_ends_tag(struct jinja_reader *reader)
{
    if (!reader->failed && reader->token != JINJA_TOKEN_END) {
        (void)jinja_refuse(reader, "\"%.*s\" is not expected here", (int)reader->token_len,
                           reader->token_at);
    }
    return !reader->failed;
}

/* After "if" or "elif". */
static struct jinja_node *
jinja_read_if(struct jinja_template *template)
{
    struct jinja_reader *reader = &template->reader;
    struct jinja_node *first = jinja_node_new(reader, JINJA_IF);
    struct jinja_node *node = first;

    for (;;) {
        node->a = jinja_parse(reader);
        if (!jinja_ends_tag(reader))
            return NULL;
        node->b = jinja_read_body(template);
        if (reader->failed || !jinja_takes(reader, "elif"))
            break;
        node->c = jinja_node_new(reader, JINJA_IF);
        node = node->c;
    }
    if (!reader->failed && jinja_takes(reader, "else") && jinja_ends_tag(reader))
        node->c = jinja_read_body(template);
    if (!reader->failed && !jinja_takes(reader, "endif"))
        return jinja_refuse(reader, "{%% endif %%} is missing");
    return reader->failed ? NULL : first;
}

static struct jinja_node *
jinja_read_for(struct jinja_template *template)
{
    struct jinja_reader *reader = &template->reader;
    struct jinja_node *node = jinja_node_new(reader, JINJA_FOR);

    if (reader->token != JINJA_TOKEN_NAME)
        return jinja_refuse(reader, "a name is missing after \"for\"");
    node->text = jinja_token_text(reader);
    jinja_next(reader);
    if (!jinja_takes(reader, "in"))
        return jinja_refuse(reader, "{%% for NAME in LIST %%} is all that is supported");
    node->a = jinja_parse_chain(reader);
    if (!jinja_ends_tag(reader))
        return NULL;
    node->b = jinja_read_body(template);
    if (!reader->failed && jinja_takes(reader, "else") && jinja_ends_tag(reader))
        node->c = jinja_read_body(template);
    if (!reader->failed && !jinja_takes(reader, "endfor"))
        return jinja_refuse(reader, "{%% endfor %%} is missing");
    return reader->failed ? NULL : node;
}
/* NOLINTEND(misc-no-recursion) */

/* Whether the tag at @at is {% endraw %}. */
static bool
jinja_is_endraw(const struct jinja_template *template, const char *at)
{
    const char *word = at + 2;

    if (template->text_end - at < 10 || at[0] != '{' || at[1] != '%')
        return false;
    word += *word == '-';
    word += strspn(word, " \t\n");
    return template->text_end - word >= 8 && strncmp(word, "endraw", 6) == 0;
}

static struct jinja_node *
jinja_read_raw(struct jinja_template *template)
{
    struct jinja_reader *reader = &template->reader;
    struct jinja_node *node = jinja_node_new(reader, JINJA_TEXT);
    const char *begin = template->text;
    const char *end = begin;

    template->trim = false; /* Jinja2 keeps the newline after this one tag */
    while (end < template->text_end && !jinja_is_endraw(template, end))
        end++;
    if (end == template->text_end)
        return jinja_refuse(reader, "{%% endraw %%} is missing");
    template->text = end;
    jinja_strip(template, &begin, &end);
    node->value = json_stringn(begin, (size_t)(end - begin));
    if (!node->value)
        return jinja_refuse(reader, "the text is not valid UTF-8");
    if (!jinja_read_inside(template, "%}"))
        return NULL;
    (void)jinja_takes(reader, "endraw");
    return node;
}
