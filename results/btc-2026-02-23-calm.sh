#!/bin/sh
# Ten days of btc-2026-02-23 without its sale, beside the calm ranges of the real week: statistics of 240 hours of the mark, and what the
# days' books and volumes are.
#
#   results/btc-2026-02-23-calm.sh PROGRAM
set -eu
program=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
(
    cd "$place"
    "$program" run btc-2026-02-23 -n 10 --out calm --set duration=24h --set 'counterfactuals=[]' \
        --set shocks.early.event.meta_order.quantity=0 --set shocks.selling.event.meta_order.quantity=0 2>/dev/null
)
sorted() { LC_ALL=C sort -g; }

# Prints the quantile P of the sorted numbers on its input (type 7), with a name.
quantile() {
    awk -v name="$1" -v p="$2" '
        { x[NR] = $1 }
        END { at = 1 + (NR - 1) * p; i = int(at); y = i < NR ? x[i + 1] : x[i]; printf "%-52s %8.4g\n", name, x[i] + (at - i) * (y - x[i]) }'
}

echo
awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["market"] != "BTC-PERP" { next }
    { mark = $column["mark"]; time = $column["time_s"]
      if (time > 0) { if (mark > high) high = mark; if (mark < low) low = mark }
      if (time % 3600 == 0) {
          if (time > 0) print 100 * log(mark / begin), 100 * (high / low - 1)
          begin = high = low = mark } }' "$place/calm/series.csv" >"$place/hours"
awk '{ n++; s += $1 * $1 } END { printf "%-52s %8.4g\n", "hours: return, root mean square [%]", sqrt(s / n) }' "$place/hours"
awk '{ print $1 < 0 ? -$1 : $1 }' "$place/hours" | sorted >"$place/sizes"
quantile "hours: size of the return, median [%]" 0.5 <"$place/sizes"
quantile "hours: size of the return, 95 % quantile [%]" 0.95 <"$place/sizes"
awk '{ print $2 }' "$place/hours" | sorted | quantile "hours: highest over lowest, median [%]" 0.5
for metric in worst_1h_pct liquidated_peak_minute_usd spread_bps_mean depth_bid_1pct_usd_mean depth_ask_1pct_usd_mean \
    volume_over_spot_volume; do
    awk -F, -v metric="$metric" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == metric) at = i; next }
        { print $at }' "$place/calm/runs.csv" | sorted >"$place/days"
    quantile "days: $metric, least" 0 <"$place/days"
    quantile "days: $metric, median" 0.5 <"$place/days"
    quantile "days: $metric, most" 1 <"$place/days"
done
awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["market"] == "BTC-PERP" && $column["time_s"] > 0 && $column["time_s"] % 28800 == 0 { print $column["funding_rate_pct"] }
    ' "$place/calm/series.csv" | sorted >"$place/funding"
quantile "settlements: funding rate, least [%]" 0 <"$place/funding"
quantile "settlements: funding rate, median [%]" 0.5 <"$place/funding"
quantile "settlements: funding rate, most [%]" 1 <"$place/funding"
