#include "ssh_wrap.h"

#include <inttypes.h>
#include <string.h>

/*
 * One line comes first: token, bytes of the script, bytes of the input, seconds.  Then the script, the
 * token again (a script that was cut off never runs), the input, and nothing more until the end: when
 * standard input ends, the other side has gone.  `read` takes single bytes from a pipe and `head -c` not
 * one too many, so that each finds what is its own.
 *
 * The left side of the pipe feeds the script, then waits for that end.  It stands in the same group of
 * processes (the shell leads it: setsid), so the group's number cannot be another's by then.  The
 * right side runs the script in a shell of its own, which gets it through a pipe: another process'
 * arguments can be read by everybody.  $$ in a script is that shell, and what it is killed by is seen.
 * The first shell, which may have a word to say about the end of the others, says it to nobody.
 * Each step of a playbook pays for what is started here: a shell reads its own number from /proc, and
 * where there is no input nobody waits for it.
 *
 * Nothing in here may contain a single quote.
 */
static const char ssh_wrap_text[] =
    "exec 3<&0 </dev/null\n"
    "read -r t n m l <&3 || exit 125\n"
    "s=$(head -c \"$n\" <&3; echo .)\n"
    "s=${s%.}\n"
    "read -r e <&3\n"
    "[ \"$e\" = \"$t\" ] || exit 125\n"
    "mark() { printf \"\\036%s%s\\n\" \"$t\" \"$1\"; }\n"
    "mark + >&2\n"
    "mark +\n"
    "exec 6>&2 2>/dev/null\n"
    "{\n"
    "    exec 6>&-\n"
    "    trap \"\" TERM\n"
    "    read -r w x </proc/self/stat\n"
    "    echo \"$w\"\n"
    "    [ \"$m\" = 0 ] || timeout \"$l\" head -c \"$m\" <&3\n"
    "    exec >/dev/null\n"
    "    timeout \"$l\" cat <&3\n"
    "    kill -s TERM -- \"-$$\"\n"
    "    sleep 5\n"
    "    kill -s KILL -- \"-$$\"\n"
    "} | {\n"
    "    read -r w\n"
    "    exec 2>&6 6>&- 4<&0\n"
    "    printf \"%s\\n#\" \"$s\" | /bin/sh -c \"s=\\$(cat <&5) && case \\$s in *#) ;; *) exit 125 "
    ";; esac\n"
    "        exec 5<&-; eval \\\"unset s; \\$s\\\"\" 5<&0 <&4 4<&-\n"
    "    c=$?\n"
    "    kill -s KILL \"$w\" 2>/dev/null\n"
    "    mark \" $c\" >&2\n"
    "    mark \" $c\"\n"
    "} 3<&-\n";

void
ssh_wrap_command(struct buf *buf, const char *user)
{
    buf_append_string(buf, "exec ");
    if (user)
        buf_printf(buf, "sudo -n -H -u %s ", user);
    buf_append_string(buf, "setsid -w /bin/sh -c '");
    buf_append_string(buf, ssh_wrap_text);
    buf_append_string(buf, "'");
}

void
ssh_wrap_head(struct buf *buf, const char token[SSH_TOKEN_SIZE],
              const struct remote_command *command, int64_t limit_s)
{
    size_t len = strlen(command->script);

    buf_printf(buf, "%s %zu %zu %" PRId64 "\n", token, len, command->input_len, limit_s);
    buf_append(buf, command->script, len);
    buf_printf(buf, "%s\n", token);
}
