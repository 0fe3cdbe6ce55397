#!/bin/sh
# Fits the size of the selling in btc-2026-02-23 to one number, the fall of the mark from 01:00 to 02:00: says for each size the median
# over two hundred replicates, how far it is from the 3.464 % that were observed, and at what size the straight line through them (least
# squares) meets that. Nothing else is looked at.
#
#   scenarios/fit/btc-2026-02-23.sh PROGRAM [SIZE ...]
#
# PROGRAM is a built firesale, the sizes are in coins.
set -eu
program=$1
shift
[ $# -gt 0 ] || set -- 4200 4400 4600 4800
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for size in "$@"; do
    "$program" run btc-2026-02-23 -n 200 --quiet --out "$place/$size" --set duration=2h --set 'counterfactuals=[]' \
        --set shocks.selling.event.meta_order.quantity="$size"
    awk -F, -v size="$size" '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
        $column["market"] == "BTC-PERP" && $column["time_s"] == 3600 { before[$2] = $column["mark"] }
        $column["market"] == "BTC-PERP" && $column["time_s"] == 7200 {
            fall[++n] = 100 * (1 - $column["mark"] / before[$2])
            for (i = n; i > 1 && fall[i - 1] > fall[i]; i--) { t = fall[i]; fall[i] = fall[i - 1]; fall[i - 1] = t }
        }
        END {
            median = n % 2 ? fall[(n + 1) / 2] : (fall[n / 2] + fall[n / 2 + 1]) / 2
            printf "%5d coins: median fall %.2f %%, observed %+.2f\n", size, median, 3.464 - median
        }' "$place/$size/series.csv" | tee -a "$place/medians"
done
[ $# -lt 2 ] || awk '
    { n++; x += $1; y += $5; xx += $1 * $1; xy += $1 * $5 }
    END {
        slope = (n * xy - x * y) / (n * xx - x * x)
        printf "%5.0f coins: 3.464 %% by the line through them\n", x / n + (3.464 - y / n) / slope
    }' "$place/medians"
