#include "launch_words.h"

#include <string.h>

#include "berth/domain/template.h"

/* Longest of one expanded word, as execve(2) takes them; templates can repeat their values. */
enum { WORD_MAX = 1 << 17 };

static char *
launch_words_expand(struct launch *launch, const struct template_values *values, const char *key,
                    const char *text)
{
    struct buf buf;

    buf_init(&buf, WORD_MAX);
    if (key) {
        buf_append_string(&buf, key);
        buf_append_char(&buf, '=');
    }
    template_expand(text, values, &buf);
    launch->overlong |= buf.overflow;
    return buf_take(&buf);
}

/* One array for all words: command, entrypoint, environment. */
static void
launch_words_make(struct launch *launch, const struct blueprint_spec *spec)
{
    const struct template_values values = {
        .instance_id = launch->id_text,
        .owner = launch->work.instance->owner,
    };
    size_t count = spec->command.count + spec->entrypoint.count + spec->env.count;
    char **word;

    if (launch->words)
        return;
    /* One to spare: there is always an array to point into. */
    launch->words = mem_resize(NULL, count + 1, sizeof(char *));
    launch->word_count = count;
    word = launch->words;
    for (size_t i = 0; i < spec->command.count; i++)
        *word++ = launch_words_expand(launch, &values, NULL, spec->command.at[i]);
    for (size_t i = 0; i < spec->entrypoint.count; i++)
        *word++ = launch_words_expand(launch, &values, NULL, spec->entrypoint.at[i]);
    for (size_t i = 0; i < spec->env.count; i++)
        *word++ = launch_words_expand(launch, &values, spec->env.at[i].key, spec->env.at[i].value);
}

void
launch_words_fill(struct launch *launch, struct docker_spec *ret_spec)
{
    const struct instance *instance = launch->work.instance;
    const struct blueprint_spec *spec = &instance->blueprint->spec;

    launch_words_make(launch, spec);
    *ret_spec = (struct docker_spec){
        .blueprint = spec,
        .cluster_id = launch->work.engine->info.cluster_id,
        .instance_id = launch->id_text,
        .generation = instance->generation,
        .blueprint_version = instance->blueprint->version,
        .owner = instance->owner,
        .command = launch->words,
        .command_count = spec->command.count,
        .entrypoint = launch->words + spec->command.count,
        .entrypoint_count = spec->entrypoint.count,
        .env = launch->words + spec->command.count + spec->entrypoint.count,
        .env_count = spec->env.count,
        .publish_address =
            strcmp(instance->host->address, "127.0.0.1") == 0 ? "127.0.0.1" : "0.0.0.0",
    };
}

void
launch_words_free(struct launch *launch)
{
    for (size_t i = 0; i < launch->word_count; i++)
        free(launch->words[i]);
    free(STEAL(launch->words));
    launch->word_count = 0;
}
