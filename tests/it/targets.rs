//! Facts about targets in whole runs, and about those that are shipped.

use crate::support::{checked, scenario};
use firesale::experiment::{Arm, Cancel, Design};
use firesale::record::targets::{
    COLUMNS, HOURLY_COLUMNS, Hour, Purpose, Statistic, Target, Window, read, read_hourly,
};
use firesale::record::{RunKey, RunRecord, tables};
use firesale::scenario::{Sheet, shipped};
use firesale::units::{MarketId, Time};

fn target(statistic: &str, window: Window, reference: Option<Window>) -> Target {
    Target {
        id: statistic.to_owned(),
        statistic: Statistic::find(statistic).expect("it is one"),
        market: MarketId(0),
        window,
        reference,
        observed: 1.0,
        tolerance: 1.0,
        scale: 1.0,
        purpose: Purpose::Show,
        scope: String::new(),
    }
}

fn simulate(design: &Design, cell: u32) -> RunRecord {
    design.simulate(RunKey { cell, replicate: 0 }, &Cancel::default()).unwrap()
}

fn metric(record: &RunRecord, name: &str) -> f64 {
    let index = tables::metrics().position(|column| column.name == name).expect("it is a metric");
    record.metrics[index].expect("it has a value")
}

/// Where a statistic over the whole run is a metric too, both say the same: they are computed apart from each other.
#[test]
fn statistics_and_metrics_agree() {
    let scenario = scenario("long-squeeze", &["duration=20m"]);
    let whole = Window { from: Time::ZERO, to: scenario.duration };
    let names = [
        "fall_pct",
        "liquidated_long_usd",
        "liquidated_short_usd",
        "long_share",
        "volume_usd",
        "open_interest_change_coins_pct",
    ];
    let targets = names.map(|name| target(name, whole, None)).to_vec();
    let record = simulate(&Design::compared(&scenario, 1, 1, false, targets), 0);
    let end = metric(&record, "open_interest_end_coins") / metric(&record, "open_interest_start_coins");
    let expected = [
        -metric(&record, "return_pct"),
        metric(&record, "liquidated_long_usd"),
        metric(&record, "liquidated_short_usd"),
        metric(&record, "long_share_of_liquidations"),
        metric(&record, "volume_usd"),
        (end - 1.0) * 100.0,
    ];
    assert!(expected[1] > 0.0, "the squeeze liquidates: {expected:?}");
    for ((name, found), expected) in names.iter().zip(&record.targets).zip(expected) {
        let found = found.unwrap();
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{name}: {found} and {expected}");
    }
}

/// What a stream tells is a part of what is liquidated, and depth in the burn-in is seen too.
#[test]
fn streams_tell_less_and_the_burn_in_is_seen() {
    let scenario = scenario("long-squeeze", &["duration=20m"]);
    let whole = Window { from: Time::ZERO, to: scenario.duration };
    let calm = Window { from: Time::ZERO - scenario.burn_in, to: Time::ZERO };
    let targets = vec![
        target("liquidated_long_usd", whole, None),
        target("reported_long_usd", whole, None),
        target("depth_bid_1pct_survival", whole, Some(calm)),
        target("depth_bid_1pct_usd_mean", calm, None),
        target("volume_multiple", whole, Some(calm)),
    ];
    let record = simulate(&Design::compared(&scenario, 1, 1, false, targets), 0);
    let values: Vec<f64> = record.targets.iter().map(|value| value.unwrap()).collect();
    let [liquidated, reported, survival, depth, multiple, normal_depth, normal_volume] = values[..] else {
        panic!("{values:?}")
    };
    assert!((normal_depth - depth).abs() < 1e-9 * depth && normal_volume > 0.0, "{values:?}");
    assert!(0.0 < reported && reported < liquidated, "{values:?}");
    assert!(survival < 1.0 && depth > 0.0 && multiple > 1.0, "{values:?}");
    let least = metric(&record, "depth_bid_1pct_usd_min");
    assert!((survival - least / depth).abs() < 1e-9, "{survival} of {depth} for {least}");
}

/// A target is of its market: spot is followed beside the perpetual, and the premium is seen.
#[test]
fn spot_and_premium_are_seen() {
    let scenario = checked("two", include_str!("two_markets.toml"), &[]).unwrap();
    let markets = &scenario.world.markets;
    let at = |name: &str| markets.iter().position(|market| market.name == name).unwrap() as u16;
    let whole = Window { from: Time::ZERO, to: scenario.duration };
    let of =
        |market: u16, statistic: &str| Target { market: MarketId(market), ..target(statistic, whole, None) };
    let (spot, perpetual) = (at("COIN-SPOT"), at("COIN-PERP"));
    let targets = vec![
        of(spot, "volume_usd"),
        of(perpetual, "volume_usd"),
        of(perpetual, "fall_to_low_pct"),
        of(spot, "fall_to_low_pct"),
        of(perpetual, "premium_bps_mean"),
    ];
    let record = simulate(&Design::compared(&scenario, 1, 1, false, targets), 0);
    let values: Vec<f64> = record.targets.iter().map(|value| value.unwrap()).collect();
    for (value, name) in values.iter().zip(["spot_volume_usd", "volume_usd"]) {
        let expected = metric(&record, name);
        assert!((value - expected).abs() <= 1e-9 * expected, "{name}: {value} and {expected}");
    }
    // The sale is in the perpetual: it falls further than spot, and below it.
    assert!(values[2] > values[3] && values[3] >= 0.0, "{values:?}");
    assert!(metric(&record, "basis_bps_min") <= values[4] && values[4] < 0.0, "{values:?}");
}

#[test]
fn targets_do_not_change_a_run() {
    let scenario = scenario("long-squeeze", &["duration=10m"]);
    let whole = Window { from: Time::ZERO, to: scenario.duration };
    let plain = simulate(&Design::new(&scenario, 1, 1, true), 0);
    let targets = vec![target("depth_bid_1pct_usd_mean", whole, None)];
    let compared = Design::compared(&scenario, 1, 1, true, targets);
    let watched = simulate(&compared, 0);
    assert_eq!((&watched.tape_hash, &watched.tables), (&plain.tape_hash, &plain.tables));
    assert!(plain.targets.is_empty());
    let unlevered = simulate(&compared, compared.find_arm(Arm::Unlevered).unwrap() as u32);
    assert!(metric(&unlevered, "liquidated_long_usd").abs() < 1e-9);
}

/// The observed prices of the shipped targets are those of the hourly file beside them.
#[test]
fn observed_prices_are_those_of_the_hourly_file() {
    let name = "btc-2026-02-23";
    let scenario = scenario(name, &[]);
    let shipped = shipped::find(name).unwrap();
    let sheet = Sheet::parse(name, shipped.targets.unwrap(), COLUMNS).unwrap();
    let hourly = read_hourly(&Sheet::parse(name, shipped.hourly[0].1, HOURLY_COLUMNS).unwrap()).unwrap();
    let span = |time: Time| jiff::SignedDuration::from_nanos(time.0);
    let close = |time: Time| {
        let over =
            |hour: &&Hour| hour.begin + jiff::SignedDuration::from_hours(1) == scenario.start + span(time);
        hourly.hours.iter().find(over).unwrap_or_else(|| panic!("no hour ends at {time:?}")).close
    };
    let low = |window: Window| {
        let within = |hour: &&Hour| {
            (scenario.start + span(window.from)..scenario.start + span(window.to)).contains(&hour.begin)
        };
        hourly.hours.iter().filter(within).map(|hour| hour.low).fold(f64::INFINITY, f64::min)
    };
    let mut checked = 0;
    for target in read(&sheet, &scenario).unwrap() {
        let Window { from, to } = target.window;
        let expected = match target.statistic.name {
            "fall_pct" => (1.0 - close(to) / close(from)) * 100.0,
            "fall_to_low_pct" => (1.0 - low(target.window) / close(from)) * 100.0,
            "wick_pct" => (close(to) - low(target.window)) / close(from) * 100.0,
            "retraced" => {
                let fall = target.reference.unwrap();
                (close(to) - low(fall)) / (close(fall.from) - low(fall))
            }
            _ => continue,
        };
        // Written with three digits.
        assert!(
            (target.observed - expected).abs() < 0.001,
            "{}: {} and {expected}",
            target.id,
            target.observed
        );
        checked += 1;
    }
    assert!(checked >= 4, "{checked}");
}
