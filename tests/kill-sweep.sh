#!/bin/sh
# Kills a sweep with SIGKILL at random moments, goes on, and compares its tables with those of a sweep that nobody killed; every
# other sweep is done as a shard and merged.
#
#   tests/kill-sweep.sh PROGRAM [KILLS]
#
# PROGRAM is a built firesale, KILLS how many processes are killed (200 unless stated). Ends with 1 if a file differs.
set -eu
program=$(realpath "$1")
kills=${2:-200}
scenario=$(realpath "$(dirname "$0")/cli/sound.toml")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

# Becomes the program, so that the process that is killed is no shell.
sweep() {
    exec "$program" sweep "$scenario" -n 100 --arms forced_liquidation --threads 2 --quiet --set duration=5m \
        --vary populations.retail.strategy.retail.longs=100,150,200 "$@"
}

# The sums of all tables, in one line a file.
sums() { (cd "$1" && sha256sum ./*.csv ./*.toml manifest.json datapackage.json); }

(sweep --out whole)
sums whole >expected
killed=0
rounds=0
while [ "$killed" -lt "$kills" ]; do
    rounds=$((rounds + 1))
    shard=
    [ $((rounds % 2)) -eq 0 ] && shard="--shard 0/1"
    while :; do
        # shellcheck disable=SC2086
        sweep --out part $shard &
        process=$!
        sleep "0.$(od -An -N1 -tu1 /dev/urandom | tr -d ' ' | awk '{ printf "%03d", $1 * 2 }')"
        if ! kill -9 "$process" 2>/dev/null; then
            wait "$process"
            break
        fi
        if wait "$process"; then break; fi
        killed=$((killed + 1))
    done
    [ -z "$shard" ] || "$program" sweep merge part --quiet
    sums part >found
    cmp expected found || exit 1
    rm -rf part
done
echo "$killed kills in $rounds sweeps: the tables of each are those of a sweep that nobody killed"
