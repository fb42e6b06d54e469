#!/usr/bin/env bash
# `./dev run` leads to an answering container on an engine of its own, and SIGTERM (as Ctrl-C) leaves nothing
# running; the second time it finds what the first time left.
set -euo pipefail

TMP=${BERTH_TMP:?a scratch folder}
SOURCE=${BERTH_SOURCE:?the source folder}
# shellcheck source=tests/support/engine.sh
. "$SOURCE/tests/support/engine.sh"

fail() {
    echo "FAILED: $*" >&2
    cat "$TMP"/out* >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || { echo "skipped: starting an engine takes root"; exit 77; }
! engine_answers unix:///run/docker.sock || { echo "skipped: this machine's engine runs"; exit 77; }

rm -rf "$TMP" && mkdir -p "$TMP"
unset DOCKER_HOST
# Below 32768, where the kernel hands out no ports of its own accord.
export BERTH_DATA=$TMP/data BERTH_PORT=$((20000 + $$ % 10000))
dev=''
trap '[ -z "$dev" ] || kill "$dev" 2>/dev/null; wait' EXIT

shows_the_sample() {
    kill -0 "$dev" 2>/dev/null || fail "./dev run ended by itself"
    grep -q 'that was instance' "$1"
}

# run_once OUT SIGNAL
run_once() {
    : >"$1"
    "$SOURCE/dev" run </dev/null >"$1" 2>&1 &
    dev=$!
    wait_until 120 shows_the_sample "$1" || fail "no sample instance after two minutes"
    grep -q 'Berth runs this page' "$1" || fail "the sample did not answer"
    engine_answers "unix://$BERTH_DATA/engine/docker.sock" || fail "the engine of its own does not answer"
    kill -s "$2" "$dev"
    wait "$dev" || fail "./dev run ended with $?"
    dev=''
    ! pgrep -f "$BERTH_DATA" || fail "processes are left"
    ! engine_answers "unix://$BERTH_DATA/engine/docker.sock" || fail "the engine still answers"
}

run_once "$TMP/out1" TERM
run_once "$TMP/out2" TERM
echo "./dev run: started, answered and ended twice"
