#!/bin/sh
# A file with the content that comes on standard input.  It is complete in each moment: what is new is
# written beside it and takes its place.
target=${dest:?}
if [ "${target%/}" != "$target" ]; then
    mkdir -p -- "$target"
fi
if [ -d "$target" ]; then
    [ -n "${source_name:-}" ] || fail "$target is a folder"
    target=${target%/}/$source_name
fi
folder=${target%/*}
folder=${folder:-/}
[ -d "$folder" ] || fail "the folder $folder is not there"
if [ -e "$target" ] && [ "${force:-yes}" = no ]; then
    exit 0
fi

sum=
if [ -f "$target" ] && [ ! -L "$target" ]; then
    sum=$(sha256sum <"$target")
fi
if [ "${sum%% *}" = "${content_sha256:?}" ]; then
    attributes "$target"
    finish
fi

temp=$(mktemp "${folder%/}/.berth.XXXXXXXX")
trap 'rm -f -- "$temp"' EXIT
cat >"$temp"
sum=$(sha256sum <"$temp")
[ "${sum%% *}" = "$content_sha256" ] || fail "the content of $target did not arrive as it was sent"
if [ -e "$target" ] && [ ! -L "$target" ]; then
    chown --reference="$target" -- "$temp"
    base=--reference=$target
else
    base=$(printf '%o' "$((0666 & ~$(umask)))")
fi
# A mode in digits needs no other one before it, which might let others read what it forbids.
case ${mode:-} in
[0-7]*) ;;
*) chmod "$base" -- "$temp" ;;
esac
attributes "$temp"
mv -fT -- "$temp" "$target"
trap - EXIT
changes
finish
