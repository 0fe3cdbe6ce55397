#!/bin/sh
# Fits the size of the selling in btc-2026-02-23 to one number, the fall from 01:00 to 02:00: the size whose median fall over twenty
# replicates is nearest to what was observed.
#
#   scenarios/fit/btc-2026-02-23.sh PROGRAM [SIZE ...]
#
# PROGRAM is a built firesale, the sizes are in coins. Nothing else is looked at.
set -eu
program=$1
shift
[ $# -gt 0 ] || set -- 3300 3600 3900 4200
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for size in "$@"; do
    "$program" targets btc-2026-02-23 --quiet --json --out "$place/$size" --set duration=6h \
        --set shocks.selling.event.meta_order.quantity="$size" >"$place/$size.json"
    awk -F, -v size="$size" '
        $1 == 0 && $3 == "fall" { fall[++n] = $4 }
        END {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && fall[j - 1] > fall[j]; j--) { t = fall[j]; fall[j] = fall[j - 1]; fall[j - 1] = t }
            median = n % 2 ? fall[(n + 1) / 2] : (fall[n / 2] + fall[n / 2 + 1]) / 2
            printf "%5d coins: median fall %.2f %%, %.2f from what was observed\n", size, median, median - 3.464
        }' "$place/$size/target_values.csv"
done
