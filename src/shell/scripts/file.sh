#!/bin/sh
# A file, folder or link with its attributes, or none.
: "${path:?}"

there() {
    [ -e "$1" ] || [ -L "$1" ]
}

# Each folder that is missing on the way gets the attributes, too.
make_folders() {
    at=$path
    set --
    while [ ! -d "$at" ]; do
        set -- "$at" "$@"
        at=$(dirname -- "$at")
    done
    for at; do
        mkdir -- "$at"
        changes
        attributes "$at"
    done
}

snapshot() {
    find "$path" -printf '%i %U %G %m\n' | sha256sum
}

recurse_attributes() {
    was=$(snapshot)
    [ -z "${owner:-}" ] || find "$path" -mindepth 1 ! -user "$owner" -exec chown -h -- "$owner" '{}' +
    [ -z "${group:-}" ] || find "$path" -mindepth 1 ! -group "$group" -exec chgrp -h -- "$group" '{}' +
    [ -z "${mode:-}" ] || find "$path" -mindepth 1 ! -type l -exec chmod -- "$mode" '{}' +
    [ "$was" = "$(snapshot)" ] || changes
}

do_directory() {
    if there "$path"; then
        [ -d "$path" ] || fail "$path is there and is no folder"
        path=$(readlink -f -- "$path")
        attributes "$path"
    else
        make_folders
    fi
    [ "${recurse:-no}" = no ] || recurse_attributes
}

do_link() {
    if [ "${force:-no}" = no ]; then
        case ${src:?} in
        /*) there "$src" || fail "$src is not there; force: true makes the link all the same" ;;
        *) there "$(dirname -- "$path")/$src" || fail "$src is not there; force: true makes the link all the same" ;;
        esac
    fi
    if [ -L "$path" ]; then
        [ "$(readlink -- "$path")" != "$src" ] || return 0
    elif [ -d "$path" ]; then
        [ "${force:-no}" = yes ] || fail "$path is a folder"
        rmdir -- "$path"
    elif [ -e "$path" ] && [ "${force:-no}" = no ]; then
        fail "$path is a file; force: true replaces it"
    fi
    temp=$(dirname -- "$path")/.berth.$$.link
    ln -s -- "$src" "$temp"
    mv -fT -- "$temp" "$path"
    changes
}

case ${state:-} in
absent)
    if there "$path"; then
        rm -rf -- "$path"
        changes
    fi
    ;;
directory) do_directory ;;
link) do_link ;;
touch)
    [ -e "$path" ] || : >"$path"
    touch -- "$path"
    attributes "$path"
    changes
    ;;
file | '')
    [ -e "$path" ] || fail "$path is not there; \"file\" makes none"
    path=$(readlink -f -- "$path")
    [ -z "${state:-}" ] || [ -f "$path" ] || fail "$path is no file"
    attributes "$path"
    ;;
esac
finish
