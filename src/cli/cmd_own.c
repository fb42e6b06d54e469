/* berth help, completion, __complete, __generate */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "berth/base/text.h"
#include "berth/cli/ask.h"
#include "berth/cli/complete.h"
#include "berth/cli/help.h"
#include "berth/cli/man.h"

#include "cmd.h"

enum { OWN_COMPLETE_TIMEOUT_S = 2 };

static int
cmd_own_print(struct cli *cli, struct buf *text)
{
    int code = cli_term_write(&cli->term, buf_text(text), text->len, false);

    buf_fini(text);
    return code;
}

int
cmd_own_help(struct cli *cli)
{
    const struct cli_command *command;
    struct buf text;
    size_t used;

    buf_init(&text, 0);
    command = cli_table_find(cli->args.words, cli->args.word_count, &used);
    if (command) {
        cli_help_command(command, &text);
    } else if (used == 1 && cli->args.word_count == 1) {
        cli_help_group(cli_table_group_find(cli->args.words[0]), &text);
    } else if (cli->args.word_count == 0) {
        cli_help_overview(&text);
    } else {
        cli_term_note("there is no command '%s'", cli->args.words[cli->args.word_count - 1]);
        return EXIT_USAGE;
    }
    return cmd_own_print(cli, &text);
}

int
cmd_own_completion(struct cli *cli)
{
    const char *script = cli_complete_script(cli_args_word(&cli->args, 0));

    return cli_term_write(&cli->term, script, strlen(script), true);
}

/* --- __complete ---------------------------------------------------------------------------------- */

/* Where the words of a kind come from. */
static const struct {
    enum cli_words kind;
    const char *path;
    const char *word;
    const char *also; /* another member that is as good; NULL: none */
    const char *text; /* what to tell about it */
} own_sources[] = {
    { CLI_WORDS_INSTANCE, "/v1/instances?state=live", "id", "name", "blueprint" },
    { CLI_WORDS_HOST, "/v1/hosts?state=live", "name", NULL, "state" },
    { CLI_WORDS_BLUEPRINT, "/v1/blueprints", "name", NULL, "image" },
    { CLI_WORDS_POOL, "/v1/pools", "name", NULL, "provider" },
    { CLI_WORDS_TOKEN, "/v1/tokens", "id", NULL, "name" },
    { CLI_WORDS_OPERATION, "/v1/operations", "id", NULL, "kind" },
};

/* What @word and the one behind it give to @flag: "--url X", "--url=X"; NULL when it is another. */
static const char *
cmd_own_value(const char *flag, const char *const word[2])
{
    size_t len = strlen(flag);

    if (strncmp(word[0], flag, len) != 0)
        return NULL;
    if (word[0][len] == '=')
        return word[0] + len + 1;
    return word[0][len] ? NULL : word[1];
}

/* The daemon that the words before choose. */
static void
cmd_own_wish(struct cli *cli)
{
    const char *const *words = cli->args.words;
    const struct {
        const char *flag;
        const char **value;
    } flags[] = {
        { "--url", &cli->wish.url },
        { "--token", &cli->wish.token },
        { "--context", &cli->wish.context },
    };

    for (size_t i = 0; i + 1 < cli->args.word_count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(flags); k++) {
            const char *value = cmd_own_value(flags[k].flag, words + i);

            if (value)
                *flags[k].value = value;
        }
    }
}

static void
cmd_own_offer(const char *prefix, struct buf *out, const char *word, const char *text)
{
    if (!word || !*word)
        return;
    buf_append(out, prefix, prefix[0] ? strcspn(prefix, "=") + 1 : 0);
    buf_printf(out, "%s\t%s\n", word, text);
}

static void
cmd_own_rows(struct cli *cli, enum cli_words kind, const char *prefix, struct buf *out)
{
    struct cli_call call = { .method = "GET" };
    struct fault fault;
    const json_t *item;
    size_t source = 0;
    size_t i;

    while (source < ARRAY_LEN(own_sources) && own_sources[source].kind != kind)
        source++;
    if (source == ARRAY_LEN(own_sources))
        return;
    call.path = own_sources[source].path;
    /* No word about failures: nobody asked. */
    (void)cli_ask_quietly(cli, &call, &fault);
    json_array_foreach(json_object_get(call.json, "items"), i, item)
    {
        const char *text = json_in_string(item, own_sources[source].text, "");

        cmd_own_offer(prefix, out, json_in_string(item, own_sources[source].word, NULL), text);
        if (own_sources[source].also)
            cmd_own_offer(prefix, out, json_in_string(item, own_sources[source].also, NULL), text);
    }
    cli_client_call_fini(&call);
}

static void
cmd_own_contexts(const char *prefix, struct buf *out)
{
    CLEANUP(json_freep) json_t *contexts = NULL;
    const json_t *context;
    size_t i;

    if (cli_context_load(&contexts, NULL) < 0)
        return;
    json_array_foreach(json_object_get(contexts, "contexts"), i, context)
    {
        cmd_own_offer(prefix, out, json_in_string(context, "name", NULL),
                      json_in_string(context, "url", ""));
    }
}

int
cmd_own_complete(struct cli *cli)
{
    static const char *const nothing[] = { "" };
    bool empty = cli->args.word_count == 0;
    const char *prefix;
    enum cli_words kind;
    struct buf out;

    buf_init(&out, 0);
    kind = cli_complete_words(empty ? nothing : cli->args.words, empty ? 1 : cli->args.word_count,
                              &out, &prefix);
    cli->timeout_s = OWN_COMPLETE_TIMEOUT_S;
    cmd_own_wish(cli);
    if (kind == CLI_WORDS_FILE) {
        buf_append_string(&out, ":file\n");
    } else if (kind == CLI_WORDS_CONTEXT) {
        cmd_own_contexts(prefix, &out);
    } else if (kind != CLI_WORDS_NONE) {
        cmd_own_rows(cli, kind, prefix, &out);
    }
    return cmd_own_print(cli, &out);
}

/* --- __generate ---------------------------------------------------------------------------------- */

static int
cmd_own_write(const char *text, size_t len, const char *folder, const char *name)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    bool good = file && fwrite(text, 1, len, file) == len;

    if (file && fclose(file) != 0)
        good = false;
    if (!good)
        cli_term_note("cannot write %s: %s", path, strerrordesc_np(errno));
    return good ? EXIT_OK : EXIT_FAILED;
}

static int
cmd_own_page(const char *folder, const char *name, void (*page)(struct buf *out))
{
    struct buf text;
    int code;

    buf_init(&text, 0);
    page(&text);
    code = cmd_own_write(buf_text(&text), text.len, folder, name);
    buf_fini(&text);
    return code;
}

int
cmd_own_generate(struct cli *cli)
{
    static const struct {
        const char *shell;
        const char *name;
    } scripts[] = { { "bash", "berth" }, { "zsh", "_berth" }, { "fish", "berth.fish" } };
    const char *folder = cli_args_word(&cli->args, 0);
    int code;

    /* What fails here is told when the first file is made. */
    (void)mkdir(folder, 0755);
    code = cmd_own_page(folder, "berth.1", cli_man_berth);
    if (code == EXIT_OK)
        code = cmd_own_page(folder, "berthd.8", cli_man_berthd);
    for (size_t i = 0; code == EXIT_OK && i < ARRAY_LEN(scripts); i++) {
        const char *text = cli_complete_script(scripts[i].shell);

        code = cmd_own_write(text, strlen(text), folder, scripts[i].name);
    }
    return code;
}
