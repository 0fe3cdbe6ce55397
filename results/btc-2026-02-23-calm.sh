#!/bin/sh
# Twenty days of btc-2026-02-23 without its sale, beside the calm ranges of the real week (scenarios/fit/btc-2026-02-23-calm.targets.csv):
# what the days are like, whether each median is within its tolerance, and what forced liquidation adds to a day's drawdown.
#
#   results/btc-2026-02-23-calm.sh PROGRAM
#
# Exits with 1 if a range is missed.
set -eu
program=$(realpath "$1")
here=$(cd "$(dirname "$0")/../scenarios" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
"$program" show btc-2026-02-23 --resolved --set duration=24h --set 'counterfactuals=["forced_liquidation"]' \
    --set shocks.early.event.meta_order.quantity=0 --set shocks.selling.event.meta_order.quantity=0 >day.toml
cp "$here/fit/btc-2026-02-23-calm.targets.csv" day.targets.csv
"$program" run day.toml -n 20 --out run 2>/dev/null
"$program" targets day.toml -n 20 --out day --quiet 2>/dev/null

echo
echo "the real week, day by day: root mean square of hourly returns, median and 95 % quantile of their size, median range [%]"
awk -F, '
    function sort(x, n,   i, j, t) { for (i = 2; i <= n; i++) for (j = i; j > 1 && x[j - 1] > x[j]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t } }
    function quantile(x, n, p,   at, i) { at = 1 + (n - 1) * p; i = int(at); return x[i] + (at - i) * ((i < n ? x[i + 1] : x[i]) - x[i]) }
    /^#/ || /^time/ { next }
    $1 >= "2026-02-23" { next }
    { if (last > 0) {
          r = 100 * log($4 / last); n++; size[n] = r < 0 ? -r : r; range[n] = 100 * ($2 / $3 - 1); squares += r * r
          if (n == 24) {
              sort(size, n); sort(range, n)
              printf "  24 h to %s  %.2f  %.2f  %.2f  %.2f\n", $1, sqrt(squares / n), quantile(size, n, .5), quantile(size, n, .95), quantile(range, n, .5)
              n = squares = 0 } }
      last = $4 }' "$here/btc-2026-02-23.BTC-PERP.hourly.csv"

echo
awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i
              printf "%-16s %10s %10s %10s %10s %10s\n", "a day", "observed", "tolerance", "5 %", "median", "95 %"; next }
    { off = $column["median"] - $column["observed"]; tolerance = $column["tolerance"]
      is_in = off <= tolerance && -off <= tolerance; missed += !is_in
      printf "%-16s %10.4g %10.4g %10.4g %10.4g %10.4g  %s\n", $column["id"], $column["observed"], tolerance, $column["p05"], \
          $column["median"], $column["p95"], is_in ? "within" : "MISSED" }
    END { printf "%d missed\n", missed; exit missed > 0 }' day/targets.csv && missed=0 || missed=1

echo
for metric in volume_over_spot_volume volume_usd spot_volume_usd liquidated_usd liquidated_peak_minute_usd; do
    awk -F, -v metric="$metric" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == metric) at = i; next }
        $1 == 0 { print $at }' day/runs.csv | LC_ALL=C sort -g | awk -v metric="$metric" '
        { x[NR] = $1 }
        END { printf "%-28s least %9.4g, median %9.4g, most %9.4g\n", metric, x[1], (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2, x[NR] }'
done
exit $missed
