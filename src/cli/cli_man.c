/* Manual pages, from the table of commands and the texts below. */

#include <string.h>

#include "berth/cli/help.h"
#include "berth/cli/man.h"

enum { MAN_TEXT_MAX = 4096 };

/* Sections of berth(1) that no command tells; in man(7) already. */
static const char man_berth_head[] =
    ".SH NAME\nberth \\- command line of Berth, a small container cloud\n"
    ".SH SYNOPSIS\n.B berth\n.I COMMAND\n.RI [ ARGUMENTS ]\n.RI [ FLAGS ]\n"
    ".SH DESCRIPTION\n"
    "Berth keeps a pool of Docker hosts, places containers on them under memory limits, and "
    "forgets\n"
    "nothing that it promised.\n.BR berthd (8)\ndoes the work;\n.B berth\nis how an operator "
    "speaks\n"
    "to it.\n.PP\n"
    "Sizes are written like\n.IR 512m ,\n.IR 1.5g\nor in bytes, durations like\n.IR 90s ,\n.IR 15m "
    ",\n"
    ".I 1h30m\nor in seconds. Flags may stand anywhere;\n.B \\-\\-\nends them.\n";

static const char man_berth_tail[] =
    ".SH DAEMON AND TOKEN\n"
    "The address is\n.BR \\-\\-url ,\nelse\n.BR BERTH_URL ,\nelse that of the context, else the "
    "socket\n"
    "of a data directory of this machine\n(\\fI/var/lib/berth\\fP, \\fI$XDG_DATA_HOME/berth\\fP), "
    "else\n"
    "http://127.0.0.1:7070.\nThe token is\n.BR \\-\\-token ,\nelse\n.BR BERTH_TOKEN ,\nelse the "
    "file\n"
    ".BR BERTH_TOKEN_FILE ,\nelse that of the context, else\n.I admin.token\nof those data "
    "directories.\n"
    "A context's token is shown to the context's address only.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B BERTH_URL\nAddress of the daemon.\n"
    ".TP\n.B BERTH_TOKEN\nThe token.\n"
    ".TP\n.B BERTH_TOKEN_FILE\nA file that holds the token and that others can't read.\n"
    ".TP\n.B BERTH_CONTEXT\nName of the context to use.\n"
    ".TP\n.B NO_COLOR\nSet: no colours.\n"
    ".TP\n.B COLUMNS\nWidth of a terminal that does not tell its own.\n"
    ".SH FILES\n"
    ".TP\n.I ~/.config/berth/contexts.yaml\nContexts, mode 0600.\n"
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nIt was done.\n.TP\n.B 1\nIt failed.\n.TP\n.B 2\nThe command line or the request is "
    "wrong.\n"
    ".TP\n.B 3\nThere is no such thing.\n.TP\n.B 4\nThe token does not allow it.\n"
    ".TP\n.B 5\nA conflict: a name that is taken, or a state that does not allow it.\n"
    ".TP\n.B 6\nThe daemon can't be reached, or did not answer in time.\n"
    ".TP\n.B 130\nInterrupted while waiting.\n.PP\n.B berth exec\npasses on the code of its "
    "command.\n"
    ".SH SEE ALSO\n.BR berthd (8)\n";

static const char man_berthd[] =
    ".TH BERTHD 8 \"\" \"berth " BERTH_VERSION "\" \"Berth\"\n"
    ".SH NAME\nberthd \\- daemon of Berth, a small container cloud\n"
    ".SH SYNOPSIS\n.B berthd\n.RB [ \\-\\-config\n.IR FILE ]\n.RB [ \\-\\-check\\-config ]\n"
    ".RB [ \\-\\-version ]\n"
    ".SH DESCRIPTION\n"
    "Keeps a pool of Docker hosts in one SQLite database, places containers on them under memory\n"
    "limits, watches them, and finds them again after any crash. Without a configuration file it\n"
    "serves the Docker engine of this machine.\n.PP\n"
    "The first start writes an admin's token to\n.IR <data_dir>/admin.token .\n"
    ".SH OPTIONS\n"
    ".TP\n.BI \\-\\-config \" FILE\"\nRead this YAML file.\n"
    ".TP\n.B \\-\\-check\\-config\nCheck the file, tell what is wrong, and leave.\n"
    ".TP\n.B \\-\\-version\nPrint the version and leave.\n"
    ".SH CONFIGURATION\n"
    ".TP\n.B cluster\nName of this Berth, for people.\n"
    ".TP\n.B data_dir\nDatabase, token and images.\n"
    ".TP\n.B listen\nA list of unix:PATH and http://ADDRESS:PORT.\n"
    ".TP\n.BR log.level \", \" log.format\nHow much to tell, and how; stderr, with journald's "
    "priorities\n"
    "under systemd.\n"
    ".TP\n.B housekeeping.interval_s\nSeconds between two rounds.\n"
    ".TP\n.B retention.*\nHow much history is kept.\n"
    ".TP\n.BI pools. NAME\nprovider (local, static), its parameters, labels, overcommit, reserve "
    "and policy.\n"
    ".SH SIGNALS\n"
    ".TP\n.B SIGHUP\nRead the configuration again; a bad file leaves the old one in force.\n"
    ".TP\n.BR SIGTERM \", \" SIGINT\nStop; containers run on.\n"
    ".SH SEE ALSO\n.BR berth (1)\n";

/* Append @text so that man(7) shows it as it is. */
static void
cli_man_text(struct buf *out, const char *text)
{
    bool begin = true;

    for (; *text; text++) {
        if (begin && (*text == '.' || *text == '\''))
            buf_append_string(out, "\\&");
        if (*text == '\\') {
            buf_append_string(out, "\\e");
        } else if (*text == '-') {
            buf_append_string(out, "\\-");
        } else if (*text == '\n') {
            buf_append_string(out, "\n.PP\n");
        } else {
            buf_append_char(out, *text);
        }
        begin = *text == '\n';
    }
    buf_append_char(out, '\n');
}

static void
cli_man_flag(const struct cli_flag *flag, struct buf *out)
{
    struct buf text;

    buf_init(&text, MAN_TEXT_MAX);
    cli_help_flag(flag, &text);
    buf_append_string(out, ".TP\n.B \"");
    cli_man_text(out, buf_text(&text));
    out->len--; /* the line's end */
    buf_append_string(out, "\"\n");
    buf_clear(&text);
    cli_help_flag_text(flag, &text);
    cli_man_text(out, buf_text(&text));
    buf_fini(&text);
}

static void
cli_man_examples(const char *examples, struct buf *out)
{
    buf_append_string(out, ".PP\n.RS\n.nf\n");
    while (*examples) {
        size_t len = strcspn(examples, "\n");
        CLEANUP(mem_freep) char *line = mem_printf("%.*s", (int)len, examples);

        cli_man_text(out, line);
        examples += len + (examples[len] == '\n');
    }
    buf_append_string(out, ".fi\n.RE\n");
}

static void
cli_man_command(const struct cli_command *command, struct buf *out)
{
    const struct cli_flag *flag;
    struct buf usage;

    buf_init(&usage, MAN_TEXT_MAX);
    cli_help_usage(command, &usage);
    buf_append_string(out, ".SS \"");
    cli_man_text(out, buf_text(&usage));
    out->len--;
    buf_append_string(out, "\"\n");
    buf_fini(&usage);
    cli_man_text(out, command->summary);
    out->len--;
    buf_append_string(out, ".\n");
    if (command->text) {
        buf_append_string(out, ".PP\n");
        cli_man_text(out, command->text);
    }
    for (const struct cli_arg *arg = command->args; arg && arg->name; arg++) {
        buf_printf(out, ".TP\n.I %s\n", arg->name);
        cli_man_text(out, arg->doc);
    }
    for (size_t i = 0; (flag = cli_table_flag(command, i)); i++) {
        if (!cli_table_flag_is_common(flag))
            cli_man_flag(flag, out);
    }
    if (command->filters)
        buf_printf(out, ".PP\nKeys of \\-\\-filter that the daemon knows: %s.\n", command->filters);
    if (command->examples)
        cli_man_examples(command->examples, out);
}

static void
cli_man_group(const struct cli_group *group, struct buf *out)
{
    const struct cli_command *command;

    for (size_t i = 0; (command = cli_table_at(i)); i++) {
        if (!command->hidden && cli_table_in_group(command, group))
            cli_man_command(command, out);
    }
}

void
cli_man_berth(struct buf *out)
{
    const struct cli_group *group;
    const struct cli_flag *flag;

    buf_append_string(out, ".TH BERTH 1 \"\" \"berth " BERTH_VERSION "\" \"Berth\"\n");
    buf_append_string(out, man_berth_head);
    buf_append_string(out, ".SH FLAGS OF ALL COMMANDS\n");
    for (size_t i = 0; (flag = cli_table_flag(NULL, i)); i++)
        cli_man_flag(flag, out);
    buf_append_string(out, ".SH COMMANDS\n");
    cli_man_group(NULL, out);
    for (size_t i = 0; (group = cli_table_group(i)); i++) {
        buf_printf(out, ".SH BERTH %s\n", group->name);
        cli_man_text(out, group->summary);
        out->len--;
        buf_append_string(out, ".\n");
        cli_man_group(group, out);
    }
    buf_append_string(out, man_berth_tail);
}

void
cli_man_berthd(struct buf *out)
{
    buf_append_string(out, man_berthd);
}
