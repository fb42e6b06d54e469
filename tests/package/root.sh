# shellcheck shell=bash
# A throw-away root: this machine's own files with a layer of memory above them, in a mount and process
# namespace that takes everything with it.  For tests that install a package.  Sourced.

TMP=${BERTH_TMP:?a scratch folder}
SOURCE=${BERTH_SOURCE:?the source folder}
RELEASE=$SOURCE/build/release

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

check() {
    "$@" || fail "$*"
}

# package_build: sets DEB to the Debian package of the release build.
package_build() {
    [ "$(id -u)" -eq 0 ] || skip "installing a package takes root"
    [ -e "$RELEASE/CPackConfig.cmake" ] || skip "there is no release build ($RELEASE)"
    rm -rf "$TMP" && mkdir -p "$TMP"
    (cd "$RELEASE" && cpack -G DEB -B "$TMP/deb" >"$TMP/cpack.log" 2>&1) || {
        cat "$TMP/cpack.log"
        fail "cpack"
    }
    DEB=$(echo "$TMP"/deb/*.deb)
    [ -f "$DEB" ] || fail "no single package in $TMP/deb"
}

# root_make: sets ROOT. Call it inside root_enter.
root_make() {
    ROOT=$TMP/root
    mkdir -p "$TMP/memory" "$ROOT"
    mount -t tmpfs -o size=512m berth "$TMP/memory"
    mkdir "$TMP/memory/upper" "$TMP/memory/work"
    mount -t overlay -o "lowerdir=/,upperdir=$TMP/memory/upper,workdir=$TMP/memory/work" berth "$ROOT" 2>/dev/null ||
        skip "no overlay of this machine's root can be made here"
    mount -t tmpfs -o mode=755 berth "$ROOT/run"
    mount -t tmpfs -o mode=1777 berth "$ROOT/tmp"
    # What an earlier installation of the real thing left must not answer for this one.
    rm -rf "$ROOT/var/lib/berth" "$ROOT/etc/berth"
}

root_mount_kernel() {
    mount -t proc proc "$ROOT/proc"
    mount --rbind /dev "$ROOT/dev"
}

in_root() {
    chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"
}

# root_enter SCRIPT: runs SCRIPT again inside new namespaces, with IN_ROOT set; its status is ours.
root_enter() {
    IN_ROOT=1 exec unshare --mount --pid --fork --kill-child --propagation private bash "$1"
}

# wait_until SECONDS COMMAND...
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}
