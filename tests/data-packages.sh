#!/bin/sh
# Makes a small results folder of every verb and holds each table against its data package with a published validator (frictionless).
#
#   tests/data-packages.sh PROGRAM FRICTIONLESS
set -eu
program=$1
frictionless=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
fund=venues.exchange.insurance_fund=1000
"$program" run long-squeeze -n 2 --quiet --out "$place/run"
"$program" targets btc-2026-02-23-light -n 2 --quiet --out "$place/targets"
"$program" sweep long-squeeze --vary "$fund,2000" -n 3 --tables --quiet --out "$place/sweep"
"$program" amplify depth-leverage -n 2 --quiet --out "$place/amplify"
"$program" compare long-squeeze --set "$fund" --policies leverage-10,halt -n 4 --quiet --out "$place/compare"
# The validator knows gzip, and no Zstandard.
"$program" sweep long-squeeze --vary "$fund,2000" -n 3 --tables --compress gz --quiet --out "$place/packed"
for folder in run targets sweep amplify compare packed; do
    if ! "$frictionless" validate "$place/$folder/datapackage.json" >"$place/said" 2>&1; then
        cat "$place/said"
        echo "$folder: not what its data package says" >&2
        exit 1
    fi
    echo "$folder: $(grep -c VALID "$place/said") tables valid"
done
