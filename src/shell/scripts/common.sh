#!/bin/sh
# What the scripts of several modules have in common; it stands before them.
set -eu
changed=

# fail TEXT: the module's message, and its end.
fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# changes: something was changed.
changes() {
    changed=1
}

# finish: say whether something was changed.
finish() {
    [ -z "$changed" ] || exit 93
    exit 0
}

# attributes PATH: owner, group and mode, as far as they are asked for.
attributes() {
    before=$(stat -c '%u %g %a' -- "$1")
    if [ -n "${owner:-}" ] && [ "$owner" != "$(stat -c %U -- "$1")" ] && [ "$owner" != "$(stat -c %u -- "$1")" ]; then
        chown -- "$owner" "$1"
    fi
    if [ -n "${group:-}" ] && [ "$group" != "$(stat -c %G -- "$1")" ] && [ "$group" != "$(stat -c %g -- "$1")" ]; then
        chgrp -- "$group" "$1"
    fi
    [ -z "${mode:-}" ] || chmod -- "$mode" "$1"
    [ "$before" = "$(stat -c '%u %g %a' -- "$1")" ] || changes
}
