#!/bin/sh
# Packages of Debian and Ubuntu; their names are the arguments.
export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical LC_ALL=C
wait_s=${lock_timeout:-60}

get() {
    apt-get -y -q -o DPkg::Lock::Timeout="$wait_s" -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold "$@"
}

# When the lists were fetched last, in seconds since the epoch; 0: never.
fetched() {
    stat -c %Y /var/lib/apt/periodic/update-success-stamp 2>/dev/null ||
        stat -c %Y /var/lib/apt/lists 2>/dev/null || echo 0
}

# The lists have a lock for which apt-get itself does not wait.
update() {
    until_s=$(($(date +%s) + wait_s))
    while ! said=$(apt-get -q update 2>&1); do
        case $said in
        *"Could not get lock"*) [ "$(date +%s)" -lt "$until_s" ] || fail "$said" ;;
        *) fail "$said" ;;
        esac
        sleep 2
    done
    printf '%s\n' "$said"
}

# installed NAME[=VERSION]
installed() {
    has=$(dpkg-query -W -f '${db:Status-Status} ${Version}' -- "${1%%=*}" 2>/dev/null) || return 1
    [ "${has%% *}" = installed ] || return 1
    case $1 in
    *=*)
        # shellcheck disable=SC2254
        case ${has#* } in ${1#*=}) ;; *) return 1 ;; esac
        ;;
    esac
}

packages() {
    dpkg-query -W -f '${Package} ${Architecture} ${Version} ${db:Status-Status}\n' | sha256sum
}

if [ "${update_cache:-no}" = yes ] || [ "${cache_valid_time:-0}" -gt 0 ]; then
    last=$(fetched)
    if [ "$((last + ${cache_valid_time:-0}))" -lt "$(date +%s)" ]; then
        update
        if [ $# -eq 0 ] && [ "$last" != "$(fetched)" ]; then
            changes
        fi
    fi
fi

for package; do
    shift
    case $package in '' | -* | *[!a-zA-Z0-9.+:=~*_-]*) fail "'$package' is no package's name" ;; esac
    case ${state:-present} in
    present) ! installed "$package" || continue ;;
    absent) installed "$package" || continue ;;
    esac
    set -- "$@" "$package"
done
[ $# -gt 0 ] || finish

was=$(packages)
case ${state:-present} in
absent)
    if [ "${purge:-no}" = yes ]; then
        get --purge remove "$@"
    else
        get remove "$@"
    fi
    ;;
*)
    case ${install_recommends:-} in
    yes) get -o APT::Install-Recommends=yes install "$@" ;;
    no) get -o APT::Install-Recommends=no install "$@" ;;
    *) get install "$@" ;;
    esac
    ;;
esac
[ "$was" = "$(packages)" ] || changes
finish
