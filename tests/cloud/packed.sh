#!/usr/bin/env bash
# packed.sh ROOT LAYER PACKAGE...: makes LAYER, which laid over ROOT has the packages installed, of those that lie in ROOT.
# What was made of this ROOT already is kept. Takes root.
set -euo pipefail

root=$1 layer=$2
shift 2
mkdir -p "$(dirname "$layer")"
exec 9>"$layer.lock"
flock 9
version="$(cat "$root/complete") $(cksum <"$0") $*"
[ "$(cat "$layer.complete" 2>/dev/null)" != "$version" ] || exit 0
echo "installing $* for the machines" >&2
rm -rf "${layer:?}" "$layer.work"
mkdir -p "$layer" "$layer.work" "$layer.root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$layer,workdir=$layer.work" "$layer.root"
trap 'umount "$layer.root" && rm -rf "$layer.root" "$layer.work"' EXIT
inside() { chroot "$layer.root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
printf '#!/bin/sh\nexit 101\n' >"$layer.root/usr/sbin/policy-rc.d"
chmod 755 "$layer.root/usr/sbin/policy-rc.d"
inside apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends --yes "$@" >/dev/null 2>&1
rm "$layer.root/usr/sbin/policy-rc.d"
echo "$version" >"$layer.complete"
