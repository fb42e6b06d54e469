#!/usr/bin/env bash
# Under a real systemd the unit of the package gets active (so berthd said READY), answers while hardened,
# reloads, and is started again when it hangs (the watchdog).
set -euo pipefail
# shellcheck source=tests/package/root.sh
. "$(dirname "$0")/root.sh"

# Runs inside the booted machine, after berthd; what it writes to /report ends in this test's output.
report_script() {
    cat <<'INSIDE'
#!/bin/bash
property() { systemctl show berthd.service --value --property "$1"; }
exec >/report 2>&1
trap 'journalctl --unit berthd --no-pager --output cat | tail -n 30; systemctl exit --force' EXIT
set -e
echo "state $(property ActiveState)"
curl --silent --fail --output /dev/null --unix-socket /run/berth/berthd.sock http://berth/readyz
echo "answers"
first=$(property MainPID)
grep -q '^CapEff:\s*0000000000000000$' "/proc/$first/status" && echo "without capabilities"
systemctl reload berthd.service
[ "$(property ActiveState)" = active ] && echo "reloads"
kill -STOP "$first"
for _ in $(seq 300); do
    [ "$(property NRestarts)" = 1 ] && [ "$(property ActiveState)" = active ] && break
    sleep 0.1
done
echo "restarts $(property NRestarts)"
curl --silent --fail --output /dev/null --unix-socket /run/berth/berthd.sock http://berth/readyz
echo "answers again"
systemctl stop berthd.service
echo "result $(property Result)"
INSIDE
}

prepare_boot() {
    local units=$ROOT/etc/systemd/system
    rm -rf "$units"/*.wants "$units"/*.requires
    mkdir -p "$units/berthd.service.d"
    printf '[Service]\nWatchdogSec=2\n' >"$units/berthd.service.d/quick.conf"
    report_script >"$ROOT/usr/local/bin/report" && chmod 755 "$ROOT/usr/local/bin/report"
    printf '[Unit]\nRequires=berth-report.service\nAllowIsolate=yes\n' >"$units/berth-test.target"
    printf '[Unit]\nAfter=berthd.service dbus.socket\nWants=berthd.service dbus.socket\n[Service]\nType=oneshot\nExecStart=%s\n' \
        /usr/local/bin/report >"$units/berth-report.service"
    # The machine is booted to look at one unit; nothing else of this machine shall start there.
    ln -sf /dev/null "$units/docker.service"
    ln -sf /dev/null "$units/docker.socket"
    ln -sf /dev/null "$units/containerd.service"
}

boot() {
    local unified=1
    [ -e /sys/fs/cgroup/cgroup.controllers ] || unified=0
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$unified timeout 120 systemd-nspawn --quiet -D "$ROOT" --boot --register=no \
        --keep-unit --private-network --capability=all --machine=berth-boot systemd.unit=berth-test.target \
        </dev/null >"$TMP/boot.log" 2>&1 || true
}

says() { grep -q "^$1" "$ROOT/report" || fail "the report does not say: $1"; }

if [ -z "${IN_ROOT:-}" ]; then
    command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is not installed"
    package_build
    export DEB
    root_enter "$0"
fi

root_make
mount -t proc proc "$ROOT/proc"
cp "$DEB" "$ROOT/tmp/berth.deb"
check in_root dpkg --install /tmp/berth.deb >/dev/null
umount "$ROOT/proc"
prepare_boot
boot
[ -e "$ROOT/report" ] || {
    tail -n 20 "$TMP/boot.log"
    skip "systemd does not boot in a container here"
}
cat "$ROOT/report"
says "state active"
says "answers"
says "without capabilities"
says "reloads"
says "restarts 1"
says "answers again"
says "result success"
