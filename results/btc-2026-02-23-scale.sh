#!/bin/sh
# What the drawdown of btc-2026-02-23 depends on that it should not: tick, order size and message rate, each halved and doubled, on the
# same forty seeds. Prints the median over them and the mean of the paired differences with its 95 % interval (normal).
#
#   results/btc-2026-02-23-scale.sh PROGRAM
set -eu
program=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
markets="markets.BTC-PERP markets.BTC-SPOT"
flows="populations.flow.strategy.background populations.spot-flow.strategy.background"
maker=populations.makers.strategy.maker

# A name, then values to set.
one() {
    name=$1
    shift
    "$program" run btc-2026-02-23 --quiet -n 40 --out "$place/$name" --set duration=150m --set 'counterfactuals=[]' "$@"
    awk -F, -v name="$name" '
        FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; file++; next }
        file == 1 { base[$2] = $column["drawdown_pct"]; next }
        { here[++n] = $column["drawdown_pct"]; d = here[n] - base[$2]; sum += d; squares += d * d
          for (i = n; i > 1 && here[i - 1] > here[i]; i--) { t = here[i]; here[i] = here[i - 1]; here[i - 1] = t } }
        END {
            mean = sum / n; half = n > 1 ? 1.96 * sqrt((squares - n * mean * mean) / (n - 1) / n) : 0
            printf "%-22s median drawdown %.2f %%, difference %+.2f +- %.2f\n", name, (here[n / 2] + here[n / 2 + 1]) / 2, mean, half
        }' "$place/as-it-is/runs.csv" "$place/$name/runs.csv"
}

# Sets a key of both markets or both flows.
both() {
    for table in $1; do printf -- '--set %s.%s ' "$table" "$2"; done
}

one as-it-is
one half-tick $(both "$markets" 'tick="0.25"')
one double-tick $(both "$markets" 'tick="1"')
one half-order-size $(both "$flows" orders_per_rung=40)
one double-order-size $(both "$flows" orders_per_rung=10)
one half-message-rate $(both "$flows" 'lifetime_near="10s"') $(both "$flows" 'lifetime_far="12h"') --set "$maker.interval=\"4s\""
one double-message-rate $(both "$flows" 'lifetime_near="2500ms"') $(both "$flows" 'lifetime_far="3h"') --set "$maker.interval=\"1s\""
