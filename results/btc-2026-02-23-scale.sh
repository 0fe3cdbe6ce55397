#!/bin/sh
# What the drawdown of btc-2026-02-23 depends on that it should not: tick, order size and message rate, each halved and doubled, on the
# same seeds. Prints the median over them, its change, and the mean of the paired differences with its 95 % interval (normal). Below the
# line: how fast the book refills and makers look, which is no resolution, for comparison.
#
#   results/btc-2026-02-23-scale.sh PROGRAM [SEEDS [NAME]]
#
# With a name that row alone is made, beside the scenario as it is.
set -eu
program=$1
seeds=${2:-40}
wanted=${3:-}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
markets="markets.BTC-PERP markets.BTC-SPOT"
perp=populations.flow.strategy.background
spot=populations.spot-flow.strategy.background
maker=populations.makers.strategy.maker
sales="shocks.early.event.meta_order shocks.selling.event.meta_order"

# A name, then values to set.
one() {
    name=$1
    shift
    case $name in as-it-is | "${wanted:-$name}") ;; *) return 0 ;; esac
    "$program" run btc-2026-02-23 --quiet -n "$seeds" --out "$place/$name" --set duration=150m --set 'counterfactuals=[]' "$@"
    awk -F, -v name="$name" '
        function median(x, n,   i, j, t) {
            for (i = 2; i <= n; i++) for (j = i; j > 1 && x[j - 1] > x[j]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
            return (x[int((n + 1) / 2)] + x[int(n / 2) + 1]) / 2
        }
        FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; file++; next }
        file == 1 { base[$2] = $column["drawdown_pct"]; all[++m] = base[$2]; next }
        { here[++n] = $column["drawdown_pct"]; messages += $column["messages"]; d = here[n] - base[$2]; sum += d; squares += d * d }
        END {
            mean = sum / n; half = n > 1 ? 1.96 * sqrt((squares - n * mean * mean) / (n - 1) / n) : 0
            was = median(all, m); is = median(here, n)
            printf "%-22s %5.2f M messages, median drawdown %.2f %% (%+5.1f %%), difference %+.2f +- %.2f\n", name, messages / n / 1e6, is, 100 * (is / was - 1), mean, half
        }' "$place/as-it-is/runs.csv" "$place/$name/runs.csv"
}

# Sets a key of several tables.
all() {
    for table in $1; do printf -- '--set %s.%s ' "$table" "$2"; done
}

one as-it-is
one half-tick $(all "$markets" 'tick="0.25"')
one double-tick $(all "$markets" 'tick="1"')
# Half as large and twice as many, or the other way round, at the same volume: market orders, and the slices of the sale.
one half-order-size --set $perp.market_orders_per_second=1.3 --set $perp.market_order_median=0.25 \
    --set $spot.market_orders_per_second=1 --set $spot.market_order_median=0.05 $(all "$sales" 'slice_every="1s"')
one double-order-size --set $perp.market_orders_per_second=0.325 --set $perp.market_order_median=1 \
    --set $spot.market_orders_per_second=0.25 --set $spot.market_order_median=0.2 $(all "$sales" 'slice_every="4s"')
# Messages of the resting book, which are nearly all: at a given depth and life of orders it is their number that decides.
one half-message-rate $(all "$perp $spot" orders_per_rung=12)
one double-message-rate $(all "$perp $spot" orders_per_rung=48)
echo
one half-refill $(all "$perp $spot" 'lifetime_near="10s"') $(all "$perp $spot" 'lifetime_far="12h"') --set "$maker.interval=\"4s\""
one double-refill $(all "$perp $spot" 'lifetime_near="2500ms"') $(all "$perp $spot" 'lifetime_far="3h"') --set "$maker.interval=\"1s\""
