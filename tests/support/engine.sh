#!/usr/bin/env bash
# A Docker engine of one's own, for a machine on which none runs.
#
#   engine.sh serve DIR [USER]   root: runs dockerd with all it has under DIR, its socket DIR/docker.sock
#                                (readable by USER's group), until standard input ends; then stops it.
#
# Sourced, it gives the functions below.  An engine is named by its URL: unix:///path or tcp://host:port.
#
# The engine leaves the machine's packet filter and forwarding alone: a bridge of its own, published ports
# through docker-proxy.  So its containers can be reached, but reach nothing themselves.

# engine_curl URL PATH [CURL_ARGUMENT...]: one call to the engine's API.
engine_curl() {
    local url=$1 path=$2
    shift 2
    case $url in
        unix://*) curl --silent --show-error --max-time 60 --unix-socket "${url#unix://}" "$@" "http://engine$path" ;;
        tcp://*) curl --silent --show-error --max-time 60 "$@" "http://${url#tcp://}$path" ;;
        *)
            echo "engine: can't speak to $url (unix:// or tcp:// is needed)" >&2
            return 2
            ;;
    esac
}

engine_answers() {
    [ "$(engine_curl "$1" /_ping --max-time 5 2>/dev/null)" = OK ]
}

# wait_until SECONDS COMMAND...: polls until COMMAND succeeds; fails when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# engine_sample_root DIR: what the sample image holds: busybox alone; its command serves /www on port 8080 and ends on SIGTERM.
engine_sample_root() {
    local root=$1
    mkdir -p "$root"/{bin,etc,proc,sys,dev,www} && mkdir -m 1777 "$root/tmp"
    cp /bin/busybox "$root/bin/busybox"
    "$root/bin/busybox" --list | grep -v '^busybox$' | while read -r applet; do
        ln -s busybox "$root/bin/$applet"
    done
    echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
    echo 'Berth runs this page in a container of its own.' >"$root/www/index.html"
    cat >"$root/bin/serve" <<'SERVE'
#!/bin/sh
trap exit TERM
httpd -f -p 8080 -h /www &
wait
SERVE
    chmod 755 "$root/bin/serve"
}

# engine_sample_image URL NAME: the sample image in an engine, made here, from no registry.
engine_sample_image() {
    local url=$1 name=$2 root answer
    engine_curl "$url" "/images/$name/json" --fail --output /dev/null 2>/dev/null && return 0
    root=$(mktemp -d)
    engine_sample_root "$root"
    answer=$(tar --directory="$root" --owner=0 --group=0 --create . | engine_curl "$url" \
        "/images/create?fromSrc=-&repo=${name%:*}&tag=${name##*:}&changes=CMD%20%5B%22serve%22%5D&changes=EXPOSE%208080" \
        --request POST --header 'Content-Type: application/x-tar' --upload-file -) || true
    rm -r "$root"
    if ! engine_curl "$url" "/images/$name/json" --fail --output /dev/null; then
        echo "engine: the sample image could not be made: $answer" >&2
        return 1
    fi
}

# engine_sample_archive FILE NAME: the sample image as `docker save` writes it, made without an engine.
engine_sample_archive() {
    local file=$1 name=$2 work digest config architecture=amd64
    [ "$(uname -m)" = x86_64 ] || architecture=arm64
    work=$(mktemp -d)
    engine_sample_root "$work/root"
    tar --directory="$work/root" --owner=0 --group=0 --create --file="$work/layer.tar" .
    rm -r "$work/root"
    digest=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
    cat >"$work/config.json" <<CONFIG
{"architecture": "$architecture", "os": "linux", "created": "2020-01-01T00:00:00Z",
 "config": {"Cmd": ["serve"], "Env": ["PATH=/bin"], "ExposedPorts": {"8080/tcp": {}}},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$digest"]}}
CONFIG
    config=$(sha256sum "$work/config.json" | cut -d ' ' -f 1).json
    mv "$work/config.json" "$work/$config"
    printf '[{"Config": "%s", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]\n' "$config" "$name" >"$work/manifest.json"
    tar --directory="$work" --create --file="$file" "$config" layer.tar manifest.json
    rm -r "$work"
}

# Makes a bridge and names it: berth-dev0, or the next one when another engine like this runs.
engine_bridge() {
    local number name
    for number in 0 1 2 3 4 5 6 7 8 9; do
        name=berth-dev$number
        if ip link add "$name" type bridge 2>/dev/null; then
            ip addr add "172.30.7$number.1/24" dev "$name"
            ip link set "$name" up
            echo "$name"
            return
        fi
    done
    echo "engine: no bridge could be made (ip link add berth-dev0 type bridge)" >&2
    return 1
}

# In a container the control groups may be mounted read-only, or not at all: say so now, not at each start.
engine_cgroups() {
    [ -w /sys/fs/cgroup ] && [ -n "$(ls /sys/fs/cgroup)" ] && return 0
    echo "engine: /sys/fs/cgroup can't be written: Docker can't limit memory here (in a container: run it --privileged)" >&2
    return 1
}

engine_serve() {
    local dir=$1 user=${2:-root} bridge pid
    mkdir -p "$dir"
    engine_cgroups
    bridge=$(engine_bridge)
    echo '{}' >"$dir/daemon.json"
    rm -f "$dir/pid"
    dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$dir/exec" \
        --pidfile "$dir/pid" --host "unix://$dir/docker.sock" --group "$(id -gn "$user")" \
        --bridge "$bridge" --iptables=false --ip-masq=false --ip-forward=false \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$bridge" \
        --containerd-namespace berth-dev --containerd-plugins-namespace berth-dev-plugins \
        --log-level warn --shutdown-timeout 5 </dev/null >"$dir/log" 2>&1 &
    pid=$!
    # The reader ends with whoever holds the other end of standard input, even if that was killed.
    trap '' INT HUP
    trap 'kill "$pid" 2>/dev/null' TERM
    while kill -0 "$pid" 2>/dev/null && ! engine_input_ended; do :; done
    kill "$pid" 2>/dev/null || true
    wait "$pid" || true
    ip link delete "$bridge" || true
    # The engine binds its data folder to itself where it is not on a shared mount, and may leave that.
    ! mountpoint --quiet "$dir/data" || umount "$dir/data" || true
    find /sys/fs/cgroup -maxdepth 2 -type d -name "$bridge" -exec rmdir {} + || true
}

# True once standard input has ended; waits for that a second at the most.
engine_input_ended() {
    local status=0
    read -r -t 1 _ || status=$?
    [ "$status" -eq 1 ]
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    case ${1:-} in
        serve) engine_serve "${2:?a directory}" "${3:-root}" ;;
        *)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
            exit 2
            ;;
    esac
fi
