#!/bin/sh
# berth-probe: proves that containers of this host are held. A container must get to another one, but not to the metadata
# service, to this machine, nor to the engine's API, must take a signal, and must be killed at its limit of memory.
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

ENGINE_PORT=2376
METADATA=169.254.169.254
PROBE=berth-probe

die() {
    echo "berth-probe: $*" >&2
    exit 1
}

# Where systemd listens for sshd, the folder that sshd asks for is gone while nobody is connected.
ssh_ports() {
    mkdir -p /run/sshd
    sshd -T | awk '$1 == "port" { print $2; n++ } END { exit !n }' || die "sshd does not say where it listens"
}

# An image of bash and a few of this machine's programs: no registry, no package.
probe_image() {
    programs="/bin/bash /usr/bin/dd /usr/bin/sleep /usr/bin/timeout"
    # shellcheck disable=SC2086 # words
    libraries=$(ldd $programs | grep -o '/lib[^ ]*' | sort -u)
    # shellcheck disable=SC2086 # words
    tar -chP --transform 's,^/*,,' $programs $libraries | docker import - "$PROBE" >/dev/null
}

probe_run() { docker run --pull never --cap-drop ALL "$@"; }

probe_clean() {
    docker rm --force "$PROBE-peer" >/dev/null 2>&1 || true
    docker rmi --force "$PROBE" >/dev/null 2>&1 || true
}

# probe_places PEER GATEWAY PORTS: "ADDRESS PORT" of whatever no container may reach; before them a port that nobody serves on
# another container: who is refused there has reached it.
probe_places() {
    echo "$1 1"
    echo "$METADATA 80"
    for address in "$2" $(ip -o -4 address show scope global | awk '$2 !~ /^(docker|br-)/ { sub("/.*", "", $4); print $4 }'); do
        for port in "$ENGINE_PORT" $3; do
            echo "$address $port"
        done
    done
}

# Tries all places of standard input at once, from a container; prints those that it reached.
probe_connect() {
    # shellcheck disable=SC2016 # the container's
    probe_run --rm --interactive "$PROBE" /bin/bash -c '
        try() {
            case $(timeout 3 bash -c "exec 3<>/dev/tcp/$1/$2" 2>&1 && echo open) in
                *open | *"onnection refused"*) echo "$1 $2" ;;
            esac
        }
        while read -r address port; do
            try "$address" "$port" &
        done
        wait'
}

probe_network() {
    probe_run --name "$PROBE-peer" --detach "$PROBE" /usr/bin/sleep 60 >/dev/null
    peer=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$PROBE-peer")
    gateway=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}' "$PROBE-peer")
    ports=$(ssh_ports)
    reached=$(probe_places "$peer" "$gateway" "$ports" | probe_connect)
    echo "$reached" | grep -qx "$peer 1" || die "containers can't reach each other, so that this would prove nothing"
    reached=$(echo "$reached" | grep -vx "$peer 1" | tr '\n' ',' || true)
    case $reached in
        '') ;;
        *"$METADATA"*) die "a container can reach the metadata service, and with it this machine's credentials" ;;
        *) die "a container can reach this machine (address and port: ${reached%,})" ;;
    esac
}

# AppArmor 4 confines runc, and engines that do not know it can no longer end a container in order.
probe_signal() {
    docker kill --signal TERM "$PROBE-peer" >/dev/null || die "the engine can't send signals to a container, see above"
}

probe_limits() {
    limits=$(docker info --format 'memory={{.MemoryLimit}} cpu={{.CPUCfsQuota}} processes={{.PidsLimit}}')
    case $limits in *=false*) die "this kernel's control groups do not limit everything: $limits" ;; esac
    # The kernel's own count: whether the engine hears of it in time is another matter.
    # shellcheck disable=SC2016 # the container's
    killed=$(probe_run --rm --network none --memory 32m --memory-swap 32m "$PROBE" /bin/bash -c '
        dd if=/dev/zero of=/dev/null bs=256M count=1 2>/dev/null
        status=$?
        for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
            [ ! -r "$file" ] || while read -r name count; do
                [ "$name" != oom_kill ] || echo "$status $count"
            done <"$file"
        done')
    case $killed in
        "137 "[1-9]*) ;;
        *) die "a container of 32 MiB took 256 MiB and was not killed for it (its exit code and kills: ${killed:-unknown})" ;;
    esac
}

trap probe_clean EXIT
probe_clean
probe_image
probe_network
probe_signal
probe_limits
