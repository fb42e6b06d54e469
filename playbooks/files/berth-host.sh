#!/bin/sh
# berth-host: what the steps of Berth's docker-host.yml, the units that it brings, and people do on a host.
# Each command that changes something looks first, prints a line for each change, and nothing when all is as it should
# be. What a host is to be stands in /etc/berth/host.conf.
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
umask 022

RUN=/run/berth # forgotten at a boot
STATE=/var/lib/berth
ENGINE_PORT=2376
SWAP_FILE=/swapfile.berth
DATA=/var/lib/docker
ORCHESTRATOR='' SSH_CLOSED='' DEADMAN_S=0 SWAP_BYTES=0 DATA_DEVICE='' HOST_NAME=''
# shellcheck disable=SC1091 # is on the host
[ ! -e /etc/berth/host.conf ] || . /etc/berth/host.conf

say() { echo "$*"; }
die() {
    echo "berth-host $command: $*" >&2
    exit 1
}

in_container() { systemd-detect-virt --quiet --container; }

# put FILE: FILE becomes what comes on standard input; true if it was that already.
put() {
    put_text=$(cat)
    [ ! -e "$1" ] || [ "$(cat "$1")" != "$put_text" ] || return 0
    mkdir -p "$(dirname "$1")"
    printf '%s\n' "$put_text" >"$1.new"
    mv "$1.new" "$1"
    return 1
}

unit_is_stale() { [ "$(systemctl show --property NeedDaemonReload --value "$1")" = yes ]; }

# ---- SSH ----

# What sshd would do. The folder that it asks for is not there early in a boot, nor while systemd listens for it.
sshd_says() { mkdir -p /run/sshd && sshd -T; }

ssh_ports() {
    sshd_says | awk '$1 == "port" { print $2; n++ } END { exit !n }' || die "sshd does not say where it listens"
}

# The host key that sshd shows where it listens first.
shown_key() {
    # shellcheck disable=SC2046 # two words
    set -- $(sshd_says | awk '$1 == "port" { port = $2 }
        $1 == "listenaddress" && !n++ { sub(/:[0-9]+$/, "", $2); address = $2 }
        END { if (address == "0.0.0.0" || address == "[::]") address = "127.0.0.1"
              gsub(/[][]/, "", address); print port, address }')
    ssh-keyscan -T 5 -p "$1" -t ed25519 "$2" 2>/dev/null | awk '!/^#/ { print $2, $3; exit }'
}

# sshd shows the final host key and no other, and takes no passwords.
seal() {
    key=/etc/ssh/ssh_host_ed25519_key
    if grep -q '^HostKey' /etc/ssh/sshd_config.d/00-berth.conf; then
        for file in /etc/ssh/ssh_host_*; do
            case $file in "$key" | "$key.pub") continue ;; esac
            rm -f "$file"
            say "removed $file"
        done
    fi
    settings=$(sshd_says) || die "sshd does not accept its configuration"
    echo "$settings" | grep -qx 'passwordauthentication no' ||
        die "sshd still takes passwords: /etc/ssh/sshd_config must begin with 'Include /etc/ssh/sshd_config.d/*.conf'"
    want=$(awk '{ print $1, $2 }' "$key.pub")
    mark="$(echo "$settings" | sha256sum) $want"
    if [ "$(cat "$STATE/sshd" 2>/dev/null)" = "$mark" ] && [ "$(shown_key)" = "$want" ]; then
        return
    fi
    # A reload loses the socket on which systemd listens for sshd, and with it the way in.
    systemctl "$(systemctl is-active --quiet ssh.socket && echo restart || echo reload-or-restart)" ssh
    tries=0
    while [ "$(shown_key)" != "$want" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || die "sshd does not show the host key of $key.pub"
        sleep 0.2
    done
    echo "$mark" | put "$STATE/sshd" || true
    say "sshd shows $want"
}

# ---- the machine ----

check() {
    # Another word would leave SSH open, or the dead man asleep, and say nothing.
    case $SSH_CLOSED in
        True | true | yes | False | false | no | '') ;; *) die "berth_ssh_closed: $SSH_CLOSED is neither true nor false" ;;
    esac
    case $DEADMAN_S in '' | *[!0-9]*) die "berth_deadman_s: $DEADMAN_S is no number of seconds" ;; esac
    case $SWAP_BYTES in auto) ;; '' | *[!0-9]*) die "berth_swap_bytes: $SWAP_BYTES is neither auto nor a number of bytes" ;; esac
    case $HOST_NAME in -* | *[!a-zA-Z0-9.-]*) die "berth_host_name: $HOST_NAME is no name of a machine" ;; esac
    # shellcheck disable=SC1091 # is on the host
    . /etc/os-release
    case " $ID ${ID_LIKE:-} " in
        *" debian "* | *" ubuntu "*) ;;
        *) die "this machine runs ${PRETTY_NAME:-$ID}; a host takes Debian 12, Ubuntu 22.04 or 24.04" ;;
    esac
    [ -d /run/systemd/system ] || die "this machine was not started by systemd"
    ! systemctl cat snap.docker.dockerd.service >/dev/null 2>&1 ||
        die "this machine runs snap's Docker engine, which does not read /etc/docker: snap remove docker"
    [ -n "$ORCHESTRATOR" ] ||
        die "berth_orchestrator is empty, so nobody could reach this host: name the addresses of berthd (0.0.0.0/0: all)"
    for network in $ORCHESTRATOR; do
        case $network in *[!0-9a-fA-F.:/]*) die "berth_orchestrator: $network is no address or network" ;; esac
    done
    for device in $(ip -o route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p'); do
        case $device in
            docker* | br-*) die "this machine's own way out, $device, has the name of a network of containers: rename it" ;;
        esac
    done
}

# What somebody else wrote for the engine.
keep() {
    if [ -e /etc/docker/daemon.json ] && [ ! -e /etc/berth/host.conf ]; then
        cp --preserve /etc/docker/daemon.json /etc/docker/daemon.json.before-berth
        say "kept /etc/docker/daemon.json as daemon.json.before-berth"
    fi
}

name() {
    [ -n "$HOST_NAME" ] || return 0
    echo "$HOST_NAME" | put /etc/hostname || say "set /etc/hostname"
    if ! grep -qE "^127\.0\.1\.1[[:space:]]+$HOST_NAME\$" /etc/hosts; then
        { sed "/^127\.0\.1\.1[[:space:]]/d" /etc/hosts; echo "127.0.1.1 $HOST_NAME"; } | put /etc/hosts ||
            say "set /etc/hosts"
    fi
    if [ "$(hostname)" != "$HOST_NAME" ]; then
        hostname "$HOST_NAME"
        say "this machine is $HOST_NAME"
    fi
}

# Whether a process holds a lock of the package tools.
packages_busy() {
    for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
        if [ -e "$lock" ] && grep -q ":$(stat -c %i "$lock") " /proc/locks; then
            return 0
        fi
    done
    systemctl show --property ActiveState --value apt-daily.service apt-daily-upgrade.service | grep -q '^\(de\)\?activating$'
}

wait_for_packages() { while packages_busy; do sleep 1; done; }

settle() {
    if unit_is_stale apt-daily.timer || unit_is_stale apt-daily-upgrade.timer || unit_is_stale apt-daily-upgrade.service; then
        systemctl daemon-reload
    fi
    if command -v cloud-init >/dev/null; then
        timeout 300 cloud-init status --wait >/dev/null || true
    fi
    wait_for_packages
}

kernel() {
    grep -v '^ *\(#\|$\)' /etc/sysctl.d/60-berth.conf | while IFS=' =' read -r name value; do
        [ "$(sysctl -n "$name" 2>/dev/null)" != "$value" ] || continue
        if sysctl -q -w "$name=$value" 2>/dev/null; then
            say "$name = $value"
        elif ! in_container; then
            die "the kernel refuses $name = $value"
        fi
    done
}

# A folder's free bytes.
free_bytes() { df -B1 --output=avail "$1" | tail -n 1; }

# In whole MiB.
swap_wanted() {
    wanted=$SWAP_BYTES
    if [ "$wanted" = auto ]; then
        memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) * 1024))
        wanted=$(printf '%s\n' "$memory" 4294967296 "$(($(free_bytes /) / 10))" | sort -n | head -n 1)
    fi
    echo $((wanted / 1048576 * 1048576))
}

swap_remove() {
    ! grep -q "^$SWAP_FILE " /proc/swaps || swapoff "$SWAP_FILE"
    rm -f "$SWAP_FILE"
    sed -i "\|^$SWAP_FILE |d" /etc/fstab
}

swap() {
    # A container's swap is its machine's.
    ! in_container || return 0
    if [ "$SWAP_BYTES" = 0 ]; then
        [ -e "$SWAP_FILE" ] || return 0
        swap_remove
        say "removed $SWAP_FILE"
        return
    fi
    if grep -q "^$SWAP_FILE " /proc/swaps; then
        if [ "$SWAP_BYTES" = auto ] || [ "$(stat -c %s "$SWAP_FILE")" = "$(swap_wanted)" ]; then
            return
        fi
    elif [ "$(wc -l </proc/swaps)" -gt 1 ]; then
        return # swap of its own
    fi
    swap_remove
    size=$(swap_wanted)
    [ "$size" -lt "$(free_bytes /)" ] || die "berth_swap_bytes: the disk has no room for $size bytes"
    (umask 077 && fallocate -l "$size" "$SWAP_FILE" && mkswap "$SWAP_FILE" >/dev/null)
    if ! swapon "$SWAP_FILE" 2>/dev/null; then
        # A file with holes, on some file systems.
        dd if=/dev/zero of="$SWAP_FILE" bs=1M count=$((size / 1048576)) status=none
        mkswap "$SWAP_FILE" >/dev/null
        swapon "$SWAP_FILE"
    fi
    echo "$SWAP_FILE none swap sw 0 0" >>/etc/fstab
    say "made $SWAP_FILE of $size bytes"
}

disk() {
    [ -n "$DATA_DEVICE" ] || return 0
    [ -b "$DATA_DEVICE" ] || die "berth_data_device: there is no disk $DATA_DEVICE"
    udevadm settle 2>/dev/null || true
    signs=$(wipefs --noheadings --no-act "$DATA_DEVICE") || die "$DATA_DEVICE can't be read"
    if [ -z "$signs" ]; then
        mkfs.ext4 -q -m 1 -L berth-docker "$DATA_DEVICE"
        say "formatted $DATA_DEVICE"
    fi
    kind=$(blkid -p -s TYPE -o value "$DATA_DEVICE" || true)
    uuid=$(blkid -p -s UUID -o value "$DATA_DEVICE" || true)
    if [ -z "$kind" ] || [ -z "$uuid" ]; then
        die "$DATA_DEVICE is neither blank nor a file system; name a partition of it, or wipe it (wipefs --all)"
    fi
    if [ "$(findmnt --noheadings --output UUID "$DATA" || true)" = "$uuid" ]; then
        return
    fi
    [ -z "$(ls -A "$DATA" 2>/dev/null)" ] || die "$DATA holds files already; move them away, then run this again"
    mkdir -p "$DATA"
    grep -q "^UUID=$uuid " /etc/fstab || echo "UUID=$uuid $DATA $kind defaults,noatime,nofail 0 2" >>/etc/fstab
    systemctl daemon-reload
    mount "$DATA"
    say "mounted $DATA_DEVICE at $DATA"
}

# ---- packages ----

fetch() {
    if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mmin -60 2>/dev/null | head -n 1)" ]; then
        apt-get -qq update >&2
    fi
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-install-recommends "$@" >&2 </dev/null ||
        die "could not install $*"
    say "installed $*"
}

install() {
    [ $# -gt 0 ] || return 0
    wait_for_packages
    fetch "$@"
}

packages() {
    set --
    command -v dockerd >/dev/null || set -- "$@" docker.io
    # Where the kernel has it, the engine starts nothing without this.
    [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || command -v apparmor_parser >/dev/null ||
        set -- "$@" apparmor
    install "$@"
    command -v docker >/dev/null || install docker-cli # which newer packages of the engine leave out
}

# Before the first upgrade, which is early enough: what it brings along takes longer to install than the engine.
upgrades() { command -v unattended-upgrade >/dev/null || fetch unattended-upgrades; }

time_sync() {
    # A container's time is its machine's.
    ! in_container || return 0
    for unit in chrony systemd-timesyncd ntpsec ntp; do
        systemctl cat "$unit.service" >/dev/null 2>&1 || continue
        systemctl is-active --quiet "$unit" || {
            systemctl --quiet enable --now "$unit"
            say "started $unit"
        }
        return
    done
    install chrony
}

# ---- the packet filter ----

# The orchestrator's networks of IP version $1.
networks() {
    for network in $ORCHESTRATOR; do
        case $1$network in 4*:*) ;; 4* | 6*:*) echo "$network" ;; esac
    done
}

# Rules of IP version $1 as iptables-restore reads them. Interfaces docker* and br-* belong to containers. What returns
# from a chain that -g went to is done with ours.
rules() {
    version=$1 refuse="REJECT --reject-with icmp-admin-prohibited"
    [ "$version" = 4 ] || refuse="REJECT --reject-with icmp6-adm-prohibited"
    echo '*filter'
    for chain in INPUT HOST ENGINE CONTACT SSH FORWARD CONTAINER PUBLISHED; do
        echo ":BERTH-$chain - [0:0]"
    done
    # To this machine. The orchestrator's packets to the engine are counted: the dead man looks there.
    echo "-A BERTH-INPUT -i lo -j RETURN
-A BERTH-INPUT -i docker+ -g BERTH-HOST
-A BERTH-INPUT -i br-+ -g BERTH-HOST
-A BERTH-INPUT -p tcp --dport $ENGINE_PORT -j BERTH-ENGINE
-A BERTH-CONTACT -j RETURN
-A BERTH-HOST -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
    if [ "$version" = 6 ]; then
        for kind in router-solicitation neighbour-solicitation neighbour-advertisement; do
            echo "-A BERTH-HOST -p icmpv6 --icmpv6-type $kind -j RETURN"
        done
    fi
    echo "-A BERTH-HOST -j $refuse"
    for network in $(networks "$version"); do
        echo "-A BERTH-ENGINE -s $network -m conntrack --ctstate ESTABLISHED -j BERTH-CONTACT
-A BERTH-ENGINE -s $network -j ACCEPT
-A BERTH-SSH -s $network -j RETURN
-A BERTH-PUBLISHED -s $network -j RETURN"
    done
    echo "-A BERTH-ENGINE -j DROP
-A BERTH-SSH -j DROP
-A BERTH-PUBLISHED -j DROP"
    case $SSH_CLOSED in
        True | true | yes)
            ports=$(ssh_ports)
            for port in $ports; do
                echo "-A BERTH-INPUT -p tcp --dport $port -j BERTH-SSH"
            done
            ;;
    esac
    # From containers: not to the link's own services (credentials are among them) but its resolver, nor to what other
    # containers publish. To containers: from the orchestrator, whether by a published port or straight.
    echo "-A BERTH-FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A BERTH-FORWARD -i docker+ -g BERTH-CONTAINER
-A BERTH-FORWARD -i br-+ -g BERTH-CONTAINER
-A BERTH-FORWARD -o docker+ -g BERTH-PUBLISHED
-A BERTH-FORWARD -o br-+ -g BERTH-PUBLISHED"
    if [ "$version" = 4 ]; then
        echo "-A BERTH-CONTAINER -d 169.254.169.253 -p udp --dport 53 -j ACCEPT
-A BERTH-CONTAINER -d 169.254.169.253 -p tcp --dport 53 -j ACCEPT
-A BERTH-CONTAINER -d 169.254.0.0/16 -j $refuse"
    else
        echo "-A BERTH-CONTAINER -d fd00:ec2::253 -p udp --dport 53 -j ACCEPT
-A BERTH-CONTAINER -d fd00:ec2::253 -p tcp --dport 53 -j ACCEPT
-A BERTH-CONTAINER -d fd00:ec2::/32 -j $refuse"
    fi
    echo "-A BERTH-CONTAINER -m conntrack --ctstate DNAT -j $refuse
COMMIT"
}

versions() {
    echo 4
    [ ! -e /proc/net/if_inet6 ] || echo 6
}

tables() { [ "$1" = 4 ] && echo iptables || echo ip6tables; }

# is_first TABLES CHAIN TARGET: whether CHAIN begins with a jump to TARGET.
is_first() { [ "$("$1" -w -S "$2" 2>/dev/null | grep -m 1 '^-A')" = "-A $2 -j $3" ]; }

put_first() {
    is_first "$@" && return
    while "$1" -w -D "$2" -j "$3" 2>/dev/null; do :; done
    "$1" -w -I "$2" 1 -j "$3"
}

# The engine keeps what it finds in DOCKER-USER, and jumps there before its own rules; others may have put theirs before
# that, and let a packet through that no rule of ours has seen.
firewall_load() {
    for version in $(versions); do
        tables=$(tables "$version")
        "$tables" -w -N DOCKER-USER 2>/dev/null || true
        rules "$version" | "$tables-restore" -w --noflush
        put_first "$tables" INPUT BERTH-INPUT
        put_first "$tables" DOCKER-USER BERTH-FORWARD
        put_first "$tables" FORWARD DOCKER-USER
    done
    firewall_mark | put "$RUN/firewall" || true
}

# What is wanted, and what the kernel holds of it.
firewall_mark() {
    for version in $(versions); do
        rules "$version"
        "$(tables "$version")" -w -S | grep BERTH-
    done | sha256sum
}

firewall_is_loaded() {
    [ "$(cat "$RUN/firewall" 2>/dev/null)" = "$(firewall_mark)" ] || return 1
    for version in $(versions); do
        tables=$(tables "$version")
        is_first "$tables" INPUT BERTH-INPUT && is_first "$tables" DOCKER-USER BERTH-FORWARD &&
            is_first "$tables" FORWARD DOCKER-USER || return 1
    done
}

firewall() {
    command -v iptables >/dev/null || install iptables
    if ! firewall_is_loaded; then
        firewall_load
        say "loaded the packet filter"
    fi
    # Whether it is loaded again at each boot.
    ! unit_is_stale berth-firewall.service || systemctl daemon-reload
    if ! systemctl is-enabled --quiet berth-firewall.service 2>/dev/null ||
        ! systemctl is-active --quiet berth-firewall.service; then
        systemctl daemon-reload
        systemctl --quiet enable --now berth-firewall.service
        say "enabled berth-firewall.service"
    fi
}

# ---- the engine ----

engine_sum() {
    cat /etc/docker/daemon.json /etc/docker/tls/*.pem /etc/systemd/system/docker.service.d/berth.conf | sha256sum
}

# With what the engine starts: its unit calls this.
engine_mark() { engine_sum | put "$RUN/engine" || true; }

engine() {
    for file in ca cert key; do
        [ -s "/etc/docker/tls/$file.pem" ] ||
            die "/etc/docker/tls/$file.pem is empty: set berth_ca, berth_server_cert and berth_server_key"
    done
    if ! systemctl is-enabled --quiet docker.service; then
        systemctl --quiet enable docker.service
        say "enabled docker.service"
    fi
    if systemctl is-active --quiet docker.service && [ "$(cat "$RUN/engine" 2>/dev/null)" = "$(engine_sum)" ]; then
        return
    fi
    systemctl daemon-reload
    systemctl reset-failed docker.service docker.socket 2>/dev/null || true
    if ! systemctl restart docker.service; then
        journalctl --unit docker.service --lines 20 --no-pager --output cat >&2
        die "the engine does not start, see above"
    fi
    say "started the engine"
}

# ---- the dead man ----

# Packets of the orchestrator to the engine, in connections that stand.
contacts() {
    for version in $(versions); do
        "$(tables "$version")" -w -nvxL BERTH-CONTACT
    done | awk '$3 == "RETURN" { n += $1 } END { print n + 0 }'
}

deadman() {
    [ "$DEADMAN_S" -gt 0 ] || return 0
    now=$(cut -d. -f1 /proc/uptime) count=$(contacts) seen='' at=''
    [ ! -e "$RUN/contact" ] || read -r seen at <"$RUN/contact"
    if [ "$count" != "$seen" ]; then
        echo "$count $now" | put "$RUN/contact" || true
    elif [ $((now - at)) -ge "$DEADMAN_S" ]; then
        say "nobody has used the engine for $((now - at)) s: powering off"
        systemctl --no-block poweroff
    fi
}

timers() {
    if unit_is_stale berth-deadman.timer || unit_is_stale berth-deadman.service; then
        systemctl daemon-reload
    fi
    if [ "$DEADMAN_S" -gt 0 ]; then
        systemctl is-enabled --quiet berth-deadman.timer 2>/dev/null && systemctl is-active --quiet berth-deadman.timer &&
            return
        systemctl daemon-reload
        systemctl --quiet enable --now berth-deadman.timer
        say "the dead man looks every minute"
    elif systemctl is-enabled --quiet berth-deadman.timer 2>/dev/null; then
        systemctl --quiet disable --now berth-deadman.timer
        say "the dead man rests"
    fi
}

command=${1:-}
case $command in
    seal | check | keep | name | settle | kernel | swap | disk | packages | firewall | engine | deadman | timers | upgrades) "$command" ;;
    time) time_sync ;;
    firewall-load) firewall_load ;;
    engine-mark) engine_mark ;;
    *)
        echo "usage: berth-host seal|keep|check|name|settle|kernel|swap|disk|packages|time|firewall|engine|timers" >&2
        exit 2
        ;;
esac
