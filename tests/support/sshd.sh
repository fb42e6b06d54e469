#!/bin/bash
# A real OpenSSH server on loopback, for tests.
#
#   sshd.sh serve FOLDER [OPTION...]
#
# FOLDER holds host_key (a private key), authorized_keys, and gets the log. Each OPTION is a line of
# sshd_config that comes first, and so wins. It prints "PORT PID" once the server listens, and ends it, and what
# it began, when its standard input ends. Without root one can log in as oneself only. 77: there is no sshd.
set -u

if [ "${1:-}" != serve ] || [ $# -lt 2 ]; then
    echo "sshd.sh serve FOLDER [OPTION...]" >&2
    exit 2
fi
folder=$2
shift 2
sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || { echo "there is no sshd: install openssh-server" >&2; exit 77; }
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd # sshd insists on it
chmod 600 "$folder/host_key"

pid=
end() {
    local all
    [ -n "$pid" ] || return
    all="$pid $(pgrep -P "$pid" | tr '\n' ' ')"
    # shellcheck disable=SC2086  # a list
    kill -TERM $all 2>/dev/null
    # shellcheck disable=SC2086
    kill -CONT $all 2>/dev/null # one that was stopped
    wait "$pid"
}
trap end EXIT
trap 'exit 143' TERM INT HUP

for _ in $(seq 20); do
    port=$((20000 + RANDOM % 12000))
    {
        [ $# = 0 ] || printf '%s\n' "$@"
        cat <<END
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host_key
PidFile none
AuthorizedKeysFile $folder/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 500
MaxSessions 100
PrintMotd no
PrintLastLog no
LogLevel DEBUG1
END
    } >"$folder/sshd_config"
    # A session of its own: all that logged in is found by it.
    setsid "$sshd" -D -e -f "$folder/sshd_config" >/dev/null 2>"$folder/log" </dev/null &
    pid=$!
    until grep -qs "Server listening" "$folder/log" || ! kill -0 "$pid" 2>/dev/null; do
        read -rt 0.02 <> <(:) || :
    done
    ! kill -0 "$pid" 2>/dev/null || break
    wait "$pid"
    grep -q "Address already in use" "$folder/log" || { cat "$folder/log" >&2; exit 1; }
done

echo "$port $pid"
exec >&-
cat >/dev/null # until whoever started this has gone
