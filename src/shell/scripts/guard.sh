#!/bin/sh
# Whether a command is not needed: what it creates is there, or what it removes is not.
there() {
    # A pattern is one, but no more: nothing is split.
    IFS=
    # shellcheck disable=SC2086
    set -- $1
    [ -e "$1" ] || [ -L "$1" ]
}
if [ -n "${creates:-}" ] && there "$creates"; then
    printf 'skipped, since %s exists' "$creates"
    exit 93
fi
if [ -n "${removes:-}" ] && ! there "$removes"; then
    printf 'skipped, since %s does not exist' "$removes"
    exit 93
fi
