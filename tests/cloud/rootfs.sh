#!/usr/bin/env bash
# rootfs.sh ROOT [SUITE]: makes ROOT a Debian as a cloud's image has it: systemd, sshd, users admin and ubuntu who may
# become root, no host key. Further packages lie in /var/lib/packages in it, and apt there knows no other archive, so
# that a machine without a way out can install them. What this very script made already is kept. Takes root and debootstrap.
set -euo pipefail

root=$1 suite=${2:-bookworm}
mkdir -p "$(dirname "$root")"
exec 9>"$root.lock"
flock 9
version=$(cksum <"$0")
[ "$(cat "$root/complete" 2>/dev/null)" != "$version" ] || exit 0
echo "making the machines' file system, which takes a minute or two" >&2
# shellcheck disable=SC2016 # apt's, not ours
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' |
    grep -m 1 '/debian/*$') || {
    echo "rootfs: apt knows no archive of Debian" >&2
    exit 1
}
base=systemd,systemd-sysv,dbus,openssh-server,iproute2,iptables,sudo,ca-certificates,kmod,procps
later=(docker.io chrony unattended-upgrades nftables curl python3 python3-apt needrestart ufw systemd-resolved)
[ "$suite" = bookworm ] || later+=(docker-cli)

rm -rf "${root:?}"
umask 022
debootstrap --variant=minbase --include="$base" "$suite" "$root" "$mirror" >/dev/null
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

inside apt-get -qq install --download-only --no-install-recommends --yes "${later[@]}" >&2
mkdir -p "$root/var/lib/packages"
mv "$root"/var/cache/apt/archives/*.deb "$root/var/lib/packages/"
(cd "$root/var/lib/packages" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
echo 'deb [trusted=yes] file:/var/lib/packages ./' >"$root/etc/apt/sources.list"
rm -rf "$root"/var/lib/apt/lists/* "$root"/etc/resolv.conf
inside apt-get -qq update >&2

for user in admin ubuntu; do
    inside useradd --create-home --shell /bin/bash "$user"
    echo "$user ALL=(ALL) NOPASSWD:ALL" >"$root/etc/sudoers.d/$user"
done
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/etc/hostname"
: >"$root/etc/machine-id"
# With control groups v1 they arrive read-only, and a Docker engine writes there. The memory that the kernel tells of is
# that of the whole; a machine's own stands in a file.
cat >"$root/etc/systemd/system/machine.service" <<'UNIT'
[Unit]
DefaultDependencies=no
Before=sysinit.target docker.service
[Service]
Type=oneshot
ExecStart=-/bin/sh -c 'for c in /sys/fs/cgroup/*; do mount -o remount,rw,bind $c; done'
ExecStart=-/bin/mount --bind /var/lib/cloud/meminfo /proc/meminfo
[Install]
WantedBy=sysinit.target
UNIT
# What cloud-init does with scripts: once, late.
cat >"$root/etc/systemd/system/user-data.service" <<'UNIT'
[Unit]
After=network.target ssh.service
ConditionPathExists=/var/lib/cloud/user-data
ConditionPathExists=!/var/lib/cloud/done
[Service]
Type=oneshot
ExecStartPre=/usr/bin/touch /var/lib/cloud/done
ExecStart=/var/lib/cloud/user-data
StandardOutput=journal+console
[Install]
WantedBy=multi-user.target
UNIT
inside systemctl --quiet enable machine.service user-data.service
echo "$version" >"$root/complete"
