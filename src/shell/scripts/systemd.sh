#!/bin/sh
# A unit of systemd: masked, enabled, running.
if [ "${daemon_reload:-no}" = yes ]; then
    systemctl daemon-reload
fi
[ -n "${name:-}" ] || finish

if [ -n "${masked:-}" ]; then
    now=no
    [ "$(systemctl is-enabled -- "$name" 2>/dev/null || :)" != masked ] || now=yes
    if [ "$now" != "$masked" ]; then
        action=mask
        [ "$masked" = yes ] || action=unmask
        systemctl "$action" -- "$name"
        changes
    fi
fi

if [ -n "${enabled:-}${state:-}" ] && [ "$(systemctl show -p LoadState --value -- "$name")" = not-found ]; then
    fail "there is no unit $name"
fi

if [ -n "${enabled:-}" ]; then
    now=yes
    word=$(systemctl is-enabled -- "$name" 2>/dev/null) || now=no
    case $word in indirect | alias) now=no ;; esac
    if [ "$now" != "$enabled" ]; then
        action=enable
        [ "$enabled" = yes ] || action=disable
        systemctl "$action" -- "$name"
        changes
    fi
fi

active=$(systemctl show -p ActiveState --value -- "$name")
action=
case ${state:-}:$active in
started:active | started:activating) ;;
started:*) action=start ;;
stopped:active | stopped:activating | stopped:deactivating) action=stop ;;
restarted:active | restarted:activating) action=restart ;;
reloaded:active | reloaded:activating) action=reload ;;
restarted:* | reloaded:*) action=start ;;
esac
if [ -n "$action" ]; then
    systemctl "$action" -- "$name"
    changes
fi
finish
