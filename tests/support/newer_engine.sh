#!/usr/bin/env bash
# newer_engine.sh ROOT [SUITE]: puts the Docker engine of a newer Debian (trixie) with all that it needs below
# ROOT, from the archive that this machine's apt uses, without touching what is installed here or apt's own
# lists.  Tests run it when BERTH_ENGINE_ROOT names ROOT.  What is there already is kept.
set -euo pipefail

root=$1 suite=${2:-trixie}
[ ! -e "$root/complete" ] || exit 0
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keyring ] || {
    echo "newer_engine: $keyring is not here: this is no Debian" >&2
    exit 1
}
# shellcheck disable=SC2016 # apt's, not ours
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' |
    grep -m 1 '/debian/*$') || {
    echo "newer_engine: apt knows no archive of Debian" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
mkdir -p "$work"/{state/lists/partial,cache/archives/partial}
: >"$work/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
cat >"$work/apt.conf" <<CONFIG
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "";
Debug::NoLocking "true";
CONFIG
export APT_CONFIG=$work/apt.conf
apt-get -qq update
apt-get -qq install --download-only --no-install-recommends --yes docker.io iptables mount dash >/dev/null

rm -rf "${root:?}"
mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,etc,proc,sys,dev,run,tmp,var}
for name in bin sbin lib lib64; do
    ln -s "usr/$name" "$root/$name"
done
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --extract --keep-directory-symlink --no-same-owner --directory "$root"
done
# What update-alternatives would do.
ln -sf xtables-nft-multi "$root/usr/sbin/iptables"
ln -sf xtables-nft-multi "$root/usr/sbin/ip6tables"
: >"$root/complete"
