#!/bin/sh
# What a playbook may want to know of the machine: lines of NAME=VALUE.
set -u

fact() {
    printf '%s=%s\n' "$1" "$2"
}

os_release() {
    # shellcheck disable=SC1091
    (. /etc/os-release 2>/dev/null && eval "printf '%s' \"\${$1:-}\"")
}

id=$(os_release ID)
case $id in
debian) fact ansible_distribution Debian ;;
ubuntu) fact ansible_distribution Ubuntu ;;
*) fact ansible_distribution "$(os_release NAME)" ;;
esac
version=$(os_release VERSION_ID)
major=${version%%.*}
if [ "$id" = debian ] && [ -r /etc/debian_version ]; then
    case $(cat /etc/debian_version) in
    [0-9]*) version=$(cat /etc/debian_version) ;;
    esac
fi
fact ansible_distribution_version "$version"
fact ansible_distribution_major_version "$major"
fact ansible_distribution_release "$(os_release VERSION_CODENAME)"
fact ansible_architecture "$(uname -m)"
fact ansible_kernel "$(uname -r)"
fact ansible_hostname "$(uname -n | cut -d. -f1)"
fact ansible_memtotal_mb "$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)"
fact ansible_processor_vcpus "$(nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo)"
# "default via GATEWAY dev INTERFACE ... src ADDRESS"; of a route to a far address.
route=$(ip -4 route get 8.8.8.8 2>/dev/null | head -n 1)
case $route in
*" dev "*" src "*)
    interface=${route#* dev }
    address=${route#* src }
    fact ansible_default_ipv4.interface "${interface%% *}"
    fact ansible_default_ipv4.address "${address%% *}"
    case $route in
    *" via "*)
        gateway=${route#* via }
        fact ansible_default_ipv4.gateway "${gateway%% *}"
        ;;
    esac
    ;;
esac
if [ "$(cat /proc/1/comm 2>/dev/null)" = systemd ]; then
    fact ansible_service_mgr systemd
fi
fact ansible_os_family "$(case $id in debian | ubuntu) echo Debian ;; *) echo unknown ;; esac)"
fact ansible_user_id "$(id -un)"
