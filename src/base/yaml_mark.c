#include "yaml_mark.h"

#include <errno.h>
#include <stdlib.h>

#include "berth/base/yaml.h"

enum { YAML_MARK_COLUMN_BITS = 20, YAML_MARK_COLUMN_MAX = (1 << YAML_MARK_COLUMN_BITS) - 1 };

json_int_t
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): as everybody says it */
yaml_mark_pack(size_t line, size_t column)
{
    if (column > YAML_MARK_COLUMN_MAX)
        column = YAML_MARK_COLUMN_MAX;
    return (json_int_t)(line << YAML_MARK_COLUMN_BITS | column);
}

json_t *
yaml_mark_new(const json_t *node, json_int_t at, json_t **ret_inside)
{
    json_t *mark;

    if (!json_is_array(node) && !json_is_object(node))
        return json_integer(at);
    *ret_inside = json_is_array(node) ? json_array() : json_object();
    mark = json_array();
    (void)json_array_append_new(mark, json_integer(at));
    (void)json_array_append_new(mark, *ret_inside);
    return mark;
}

void
yaml_mark_set(json_t *inside, const char *key, json_int_t key_at, json_t *mark)
{
    json_t *pair = json_array();

    (void)json_array_append_new(pair, json_integer(key_at));
    (void)json_array_append_new(pair, mark);
    (void)json_object_set_new(inside, key, pair);
}

/* Of letters, and of the digits and signs of numbers and dates alone. */
static bool
yaml_mark_is_numeric(const char *text)
{
    size_t sign = strspn(text, "+-");
    bool digits = text[sign] >= '0' && text[sign] <= '9';

    if (strncmp(text + sign, "0x", 2) == 0 || strncmp(text + sign, "0b", 2) == 0) {
        return text[sign + 2] &&
               !text[sign + 2 + strspn(text + sign + 2, "0123456789abcdefABCDEF_")];
    }
    if (text[sign] == '.' && text[sign + 1] >= '0' && text[sign + 1] <= '9')
        return !text[strspn(text, "+-.0123456789_eE")];
    if (!digits || text[strspn(text, "+-0123456789_:.")])
        return false;
    return strpbrk(text, "_:") || text[strlen(text) - 1] == '.';
}

static bool
yaml_mark_is_date(const char *text)
{
    size_t year = strspn(text, "0123456789");
    size_t month = year == 4 && text[4] == '-' ? strspn(text + 5, "0123456789") : 0;

    return month > 0 && month <= 2 && text[5 + month] == '-' && text[6 + month] >= '0' &&
           text[6 + month] <= '9';
}

bool
yaml_mark_is_ambiguous(const char *text)
{
    static const char *const words[] = { ".inf",  ".Inf", ".INF", "-.inf", "-.Inf", "-.INF",
                                         "+.inf", ".nan", ".NaN", ".NAN",  "=",     "<<" };
    /* A version (1.2.3) and an address have two dots. */
    const char *dot = strchr(text, '.');

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    if (dot && strchr(dot + 1, '.'))
        return false;
    return yaml_mark_is_numeric(text) || yaml_mark_is_date(text);
}

json_t *
yaml_mark_plain(const char *text)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {
        { "yes", true }, { "Yes", true },  { "YES", true },  { "on", true },
        { "On", true },  { "ON", true },   { "no", false },  { "No", false },
        { "NO", false }, { "off", false }, { "Off", false }, { "OFF", false },
    };
    char *end;
    long long number;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i].text) == 0)
            return json_boolean(words[i].value);
    }
    if (text[0] != '0' || text[1] == '\0' || text[strspn(text, "01234567")])
        return NULL;
    errno = 0;
    number = strtoll(text, &end, 8);
    return errno == 0 ? json_integer(number) : NULL;
}

void
yaml_marked_fini(struct yaml_marked *marked)
{
    json_decref(marked->json);
    json_decref(marked->marks);
    *marked = (struct yaml_marked){ 0 };
}

struct yaml_place
yaml_place(const json_t *mark)
{
    json_int_t at = json_integer_value(json_is_array(mark) ? json_array_get(mark, 0) : mark);

    return (struct yaml_place){
        .line = (unsigned)(at >> YAML_MARK_COLUMN_BITS) + 1,
        .column = (unsigned)(at & YAML_MARK_COLUMN_MAX) + 1,
    };
}

const json_t *
yaml_mark_key(const json_t *mark, const char *key)
{
    return json_array_get(json_object_get(json_array_get(mark, 1), key), 0);
}

const json_t *
yaml_mark_value(const json_t *mark, const char *key)
{
    return json_array_get(json_object_get(json_array_get(mark, 1), key), 1);
}

const json_t *
yaml_mark_item(const json_t *mark, size_t index)
{
    return json_array_get(json_array_get(mark, 1), index);
}
