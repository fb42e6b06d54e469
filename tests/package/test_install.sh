#!/usr/bin/env bash
# The Debian package installs, its daemon starts, an upgrade keeps data and changed configuration, a removal
# keeps both, a purge keeps neither.
set -euo pipefail
# shellcheck source=tests/package/root.sh
. "$(dirname "$0")/root.sh"

# with_version VERSION: the same package under another version, as $TMP/upgrade.deb.
with_version() {
    rm -rf "$TMP/unpacked"
    dpkg-deb --raw-extract "$DEB" "$TMP/unpacked"
    sed -i "s/^Version: .*/Version: $1/" "$TMP/unpacked/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$TMP/unpacked" "$TMP/upgrade.deb" >/dev/null
}

mode_of() { in_root stat --format '%U:%G %a' "$1"; }

daemon_answers() {
    kill -0 "$daemon" 2>/dev/null || fail "the installed daemon ended"
    in_root curl --silent --fail --output /dev/null --unix-socket /run/berth/berthd.sock http://berth/readyz
}

# The daemon as the unit starts it, as far as that goes without systemd.
daemon_starts_and_stops() {
    local daemon
    in_root install -d -o berth -g berth /run/berth
    chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin setpriv --reuid berth --regid berth --init-groups \
        /usr/sbin/berthd --config /etc/berth/berthd.yaml &
    daemon=$!
    wait_until 30 daemon_answers || fail "the installed daemon does not get ready"
    kill "$daemon"
    wait "$daemon" || fail "the installed daemon ended with $?"
}

if [ -z "${IN_ROOT:-}" ]; then
    package_build
    export DEB
    root_enter "$0"
fi

root_make
root_mount_kernel
ip link set lo up 2>/dev/null || true
cp "$DEB" "$ROOT/tmp/berth.deb"
check in_root dpkg --install /tmp/berth.deb

version=$(dpkg-deb --field "$DEB" Version)
check [ "$(in_root berthd --version)" = "berthd ${version%%-*}" ]
check in_root berth help >/dev/null
check [ -s "$ROOT/usr/share/man/man1/berth.1" ]
check [ -s "$ROOT/usr/share/bash-completion/completions/berth" ]
check in_root id berth
in_root id -nG berth | grep -qw docker || fail "berth is not in group docker"
check [ "$(mode_of /var/lib/berth)" = "berth:berth 700" ]
check [ "$(mode_of /etc/berth/berthd.yaml)" = "root:berth 640" ]
check in_root berthd --config /etc/berth/berthd.yaml --check-config
check in_root systemd-analyze verify /usr/lib/systemd/system/berthd.service
daemon_starts_and_stops
check [ -s "$ROOT/var/lib/berth/admin.token" ]

echo "# mine" >>"$ROOT/etc/berth/berthd.yaml"
before=$(sha256sum "$ROOT/var/lib/berth/admin.token")
with_version "$version+1"
cp "$TMP/upgrade.deb" "$ROOT/tmp/"
check in_root env DEBIAN_FRONTEND=noninteractive dpkg --install /tmp/upgrade.deb
# shellcheck disable=SC2016
check [ "$(in_root dpkg-query --show --showformat '${Version}' berth)" = "$version+1" ]
check grep -q '^# mine' "$ROOT/etc/berth/berthd.yaml"
check [ "$(mode_of /etc/berth/berthd.yaml)" = "root:berth 640" ]
daemon_starts_and_stops
check [ "$(sha256sum "$ROOT/var/lib/berth/admin.token")" = "$before" ]

check in_root dpkg --remove berth
check [ ! -e "$ROOT/usr/sbin/berthd" ]
check [ -e "$ROOT/etc/berth/berthd.yaml" ]
check [ -e "$ROOT/var/lib/berth/admin.token" ]
check in_root dpkg --purge berth
check [ ! -e "$ROOT/etc/berth" ]
check [ ! -e "$ROOT/var/lib/berth" ]
echo "the package installs, starts, upgrades, and goes"
