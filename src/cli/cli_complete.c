/* Completion: three thin scripts, and the one that knows. */

#include <string.h>

#include "berth/base/mem.h"
#include "berth/cli/complete.h"

/* bash splits words at '=' and ':'; what completion returns replaces the last piece only. */
static const char complete_bash[] =
    "# bash completion of berth: berth completion bash > /etc/bash_completion.d/berth\n"
    "_berth() {\n"
    "    local words=() line=${COMP_LINE:0:COMP_POINT} word cut\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line != *[[:space:]] ]] || words+=('')\n"
    "    word=${words[-1]}\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r line _; do\n"
    "        if [[ $line == :file ]]; then\n"
    "            [[ $word != --*=* ]] || word=${word#*=}\n"
    "            mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$word\")\n"
    "            compopt -o filenames 2>/dev/null\n"
    "        elif [[ $line == \"$word\"* ]]; then\n"
    "            COMPREPLY+=(\"$line\")\n"
    "        fi\n"
    "    done < <(\"${words[0]}\" __complete -- \"${words[@]:1}\" 2>/dev/null)\n"
    "    cut=${word%\"${word##*[=:]}\"}\n"
    "    [[ -z $cut ]] || COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
    "    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n"
    "}\n"
    "complete -F _berth berth\n";

static const char complete_zsh[] =
    "#compdef berth\n"
    "# zsh completion of berth: berth completion zsh > \"${fpath[1]}/_berth\"\n"
    "_berth() {\n"
    "    local line word text\n"
    "    local -a candidates\n"
    "    for line in \"${(@f)$(\"${words[1]}\" __complete -- \"${(@)words[2,CURRENT]}\" "
    "2>/dev/null)}\"; do\n"
    "        word=${line%%$'\\t'*} text=${line#*$'\\t'}\n"
    "        if [[ $word == :file ]]; then\n"
    "            [[ ${words[CURRENT]} != --*=* ]] || compset -P '*='\n"
    "            _files\n"
    "        elif [[ -n $word ]]; then\n"
    "            candidates+=(\"${word//:/\\\\:}:$text\")\n"
    "        fi\n"
    "    done\n"
    "    (( ${#candidates} == 0 )) || _describe berth candidates\n"
    "}\n"
    "if [[ $funcstack[1] == _berth ]]; then _berth \"$@\"; else compdef _berth berth; fi\n";

static const char complete_fish[] =
    "# fish completion of berth: berth completion fish > ~/.config/fish/completions/berth.fish\n"
    "function __berth_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l last (commandline -ct)\n"
    "    for line in ($words[1] __complete -- $words[2..-1] \"$last\" 2>/dev/null)\n"
    "        if test \"$line\" = :file\n"
    "            __fish_complete_path (string replace -r '^--[^=]*=' '' -- $last)\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c berth -f -a '(__berth_complete)'\n";

/* What the words before the last one tell. */
struct complete_state {
    const struct cli_command *command;
    const struct cli_group *group;
    const struct cli_flag *open; /* a flag that wants the last word as its value */
    const char *path[2];
    size_t path_len;
    size_t args;     /* arguments so far */
    bool only_words; /* after "--", or what is not ours */
};

const char *
cli_complete_script(const char *shell)
{
    static const struct {
        const char *shell;
        const char *script;
    } scripts[] = { { "bash", complete_bash }, { "zsh", complete_zsh }, { "fish", complete_fish } };

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        if (strcmp(scripts[i].shell, shell) == 0)
            return scripts[i].script;
    }
    return NULL;
}

static bool
cli_complete_begins(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

static void
cli_complete_offer(struct buf *out, const char *before, const char *word, const char *text)
{
    buf_printf(out, "%s%s\t%s\n", before, word, text);
}

/* The flag that @word ends with and that wants the next word; NULL: none. */
static const struct cli_flag *
cli_complete_opened(const struct cli_command *command, const char *word)
{
    const struct cli_flag *flag;

    if (word[0] != '-' || word[1] == '\0' || strchr(word, '='))
        return NULL;
    if (word[1] == '-') {
        flag = cli_table_flag_find(command, word + 2, strlen(word + 2));
    } else {
        flag = cli_table_flag_find(command, word + strlen(word) - 1, 1);
    }
    return flag && flag->type != CLI_SWITCH && flag->type != CLI_MAYBE ? flag : NULL;
}

static bool
cli_complete_ends_flags(const struct complete_state *state)
{
    const struct cli_arg *arg = state->command->args;

    for (size_t i = 0; arg && arg[i].name; i++) {
        if (arg[i].arity == CLI_REST && i <= state->args)
            return true;
    }
    return false;
}

static void
cli_complete_read(struct complete_state *state, const char *word)
{
    size_t used;

    if (state->open) {
        state->open = NULL;
    } else if (!state->only_words && strcmp(word, "--") == 0) {
        state->only_words = true;
    } else if (!state->only_words && word[0] == '-') {
        state->open = cli_complete_opened(state->command, word);
    } else if (state->command) {
        state->args++;
        state->only_words = state->only_words || cli_complete_ends_flags(state);
    } else if (state->path_len < ARRAY_LEN(state->path)) {
        state->path[state->path_len++] = word;
        state->command = cli_table_find(state->path, state->path_len, &used);
        state->group = cli_table_group_find(state->path[0]);
    }
}

static void
cli_complete_commands(const struct complete_state *state, const char *begin, struct buf *out)
{
    size_t skip = state->group ? strlen(state->group->name) + 1 : 0;
    const struct cli_command *command;
    const struct cli_group *group;

    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        if (!command->hidden && cli_table_in_group(command, state->group) &&
            cli_complete_begins(command->path + skip, begin))
            cli_complete_offer(out, "", command->path + skip, command->summary);
    }
    for (size_t i = 0; !state->group && (group = cli_table_group(i)); i++) {
        if (cli_complete_begins(group->name, begin))
            cli_complete_offer(out, "", group->name, group->summary);
    }
}

static void
cli_complete_flags(const struct complete_state *state, const char *begin, struct buf *out)
{
    const struct cli_flag *flag;

    for (size_t i = 0; (flag = cli_table_flag(state->command, i)); i++) {
        CLEANUP(mem_freep) char *word = mem_printf("--%s", flag->name);

        if (cli_complete_begins(word, begin))
            cli_complete_offer(out, "", word, flag->doc);
    }
}

static void
cli_complete_choices(const char *const *choices, const char *before, const char *begin,
                     struct buf *out)
{
    for (size_t i = 0; choices && choices[i]; i++) {
        if (cli_complete_begins(choices[i], begin))
            cli_complete_offer(out, before, choices[i], "");
    }
}

/* What is offered for an argument. */
static enum cli_words
cli_complete_arg(const struct complete_state *state, const char *begin, struct buf *out)
{
    const struct cli_arg *arg = state->command->args;
    size_t index = state->args;

    while (arg && arg->name && index > 0 &&
           (arg->arity == CLI_ONE || arg->arity == CLI_MAYBE_ONE)) {
        arg++;
        index--;
    }
    if (!arg || !arg->name || (index > 0 && arg->arity == CLI_REST))
        return CLI_WORDS_NONE;
    cli_complete_choices(arg->choices, "", begin, out);
    if (arg->words != CLI_WORDS_COMMAND)
        return arg->words;
    cli_complete_commands(&(struct complete_state){ 0 }, begin, out);
    return CLI_WORDS_NONE;
}

enum cli_words
cli_complete_words(const char *const *words, size_t count, struct buf *out, const char **ret_prefix)
{
    const char *last = words[count - 1];
    const char *equals = strchr(last, '=');
    struct complete_state state = { 0 };
    const struct cli_flag *flag;

    *ret_prefix = "";
    for (size_t i = 0; i + 1 < count; i++)
        cli_complete_read(&state, words[i]);
    flag = state.open;
    if (!flag && !state.only_words && cli_complete_begins(last, "--") && equals) {
        flag = cli_table_flag_find(state.command, last + 2, (size_t)(equals - last) - 2);
        if (!flag)
            return CLI_WORDS_NONE;
        *ret_prefix = last;
        last = equals + 1;
    }
    if (flag) {
        CLEANUP(mem_freep)
        char *before =
            mem_printf("%.*s", (int)(last - (**ret_prefix ? *ret_prefix : last)), *ret_prefix);

        cli_complete_choices(flag->choices, before, last, out);
        return flag->words;
    }
    if (!state.only_words && last[0] == '-') {
        cli_complete_flags(&state, last, out);
        return CLI_WORDS_NONE;
    }
    if (state.command)
        return cli_complete_arg(&state, last, out);
    cli_complete_commands(&state, last, out);
    return CLI_WORDS_NONE;
}
