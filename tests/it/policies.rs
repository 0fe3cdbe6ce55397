//! The shipped policies and the keys they are made of, on shipped scenarios.

use crate::support::{checked, run, scenario};
use firesale::clearing::{LiquidationStyle, MarginMode, OpenPosition, Stage, initial_margin};
use firesale::engine::Simulation;
use firesale::event::{Event, Record};
use firesale::record::Auditor;
use firesale::rng::Seed;
use firesale::scenario::{Adaptation, Scenario, shipped};
use firesale::units::{AccountId, Money, Rate, Time};
use std::collections::BTreeMap;
use std::path::Path;

/// The changes that a policy file makes, by the file's name.
fn policies() -> BTreeMap<String, Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/policies");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let table: toml::Table = text.parse().unwrap();
            let keys: Vec<&str> = table.keys().map(String::as_str).collect();
            assert_eq!(keys, ["set", "title"], "{}", path.display());
            let changes = table["set"].as_array().unwrap();
            let changes = changes.iter().map(|change| change.as_str().unwrap().to_owned()).collect();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), changes)
        })
        .collect()
}

fn under(name: &str, changes: &[String]) -> Scenario {
    scenario(name, &changes.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn every_policy_holds_in_every_leveraged_scenario_and_changes_it() {
    let policies = policies();
    assert!(policies.len() >= 14, "{:?}", policies.keys());
    for name in shipped::SHIPPED.iter().map(|shipped| shipped.name) {
        let own = scenario(name, &[]);
        for (policy, changes) in &policies {
            let changed = under(name, changes);
            // leverage-one has no fund to make larger.
            let is_nothing = own.world.venues.iter().all(|venue| venue.insurance_fund == Money::ZERO);
            let may_do_nothing = policy == "larger-fund" && is_nothing;
            assert!(changed.world != own.world || may_do_nothing, "{policy} does nothing in {name}");
            let same = Scenario { world: own.world.clone(), ..changed };
            assert_eq!(same, own, "{policy} changes more than rules in {name}");
        }
    }
}

#[test]
fn a_policy_does_what_its_name_says() {
    let policies = policies();
    let squeeze = |policy: &str| under("long-squeeze", &policies[policy]).world;
    let rows = |policy: &str| {
        let world = squeeze(policy);
        let rows = world.markets[0].brackets.rows().to_vec();
        rows.into_iter().map(|row| (row.maintenance.0, row.max_leverage)).collect::<Vec<_>>()
    };
    assert_eq!(rows("no-adl"), [(5_000_000, 100), (10_000_000, 50), (25_000_000, 20)], "as they are");
    assert_eq!(rows("leverage-125"), rows("no-adl"));
    for (cap, expected) in [(50, [50, 50, 20]), (20, [20; 3]), (10, [10; 3]), (5, [5; 3])] {
        let found: Vec<u16> = rows(&format!("leverage-{cap}")).iter().map(|row| row.1).collect();
        assert_eq!(found, expected);
    }
    assert_eq!(rows("flat-margin"), [(5_000_000, 100)]);
    assert_eq!(rows("higher-maintenance"), [(10_000_000, 50), (20_000_000, 25), (50_000_000, 10)]);
    let rules = |policy: &str| squeeze(policy).venues[0].liquidation.clone();
    let step = Rate(200_000_000);
    let partial = LiquidationStyle::Partial { step, buffer: Rate(100_000_000) };
    assert_eq!((rules("partial-liquidation").style, rules("partial-liquidation").fee), (partial, Rate::ZERO));
    let slow = LiquidationStyle::Slow { step, pause: Time(30 * Time::SECOND.0) };
    assert_eq!(rules("slow-liquidation").style, slow);
    assert_eq!(rules("no-adl").waterfall, [Stage::InsuranceFund]);
    assert_eq!(squeeze("larger-fund").venues[0].insurance_fund, Money(2_000_000_000_000));
    let safeguards = |policy: &str| squeeze(policy).markets[0].safeguards.clone();
    assert!(safeguards("price-band").price_band.is_some() && safeguards("halt").halt.is_some());
    assert!(safeguards("volatility-margin").volatility_margin.is_some());
    // In the market of coins too, but for margin.
    let btc = |policy: &str| under("btc-2026-02-23", &policies[policy]).world.markets[1].clone();
    assert!(btc("price-band").safeguards.price_band.is_some());
    assert_eq!(btc("leverage-5"), btc("no-adl"));
}

fn records(scenario: &Scenario) -> Vec<Record> {
    let mut auditor = Auditor::new(&scenario.world);
    let mut records = Vec::new();
    let simulation = run(scenario, 0, &mut (&mut auditor, &mut records));
    simulation.world().assert_conserved_in_full();
    let name = &scenario.name;
    auditor.finish(simulation.world()).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
    records
}

/// The squeeze comes earlier and is harder, so that each rule has something to do.
#[test]
fn a_squeeze_under_each_policy_is_sound_and_another_one() {
    let harder = [
        "duration=8m",
        "burn_in=1m",
        "shocks.sale.event.meta_order.at=1m",
        "shocks.sale.event.meta_order.quantity=700",
        "populations.retail.strategy.retail.notional_median=1700",
    ];
    let base = records(&scenario("long-squeeze", &harder));
    let mut same = Vec::new();
    for (policy, changes) in policies() {
        let all: Vec<&str> = harder.into_iter().chain(changes.iter().map(String::as_str)).collect();
        let found = records(&scenario("long-squeeze", &all));
        let halts = found.iter().filter(|record| matches!(record.event, Event::Halted { .. })).count();
        assert_eq!(halts > 0, policy == "halt", "{policy}");
        if found == base {
            same.push(policy);
        }
    }
    // Nobody there wants more than 50x of the 100x that there are, or has more than the first bracket.
    assert_eq!(same, ["flat-margin", "leverage-125", "leverage-50"]);
}

/// The positions of retail at the very start.
fn start(changes: &[&str]) -> Vec<(AccountId, OpenPosition, Money)> {
    let scenario = scenario("long-squeeze", changes);
    let simulation = Simulation::new(&scenario, Seed { master: 1, replicate: 0 }, &mut ());
    let world = simulation.world();
    world.assert_conserved_in_full();
    let open = world.accounts.positions().map(|(_, position)| *position);
    let retail = open.filter(|position| position.mode == MarginMode::Isolated && !position.lots.is_zero());
    retail.map(|position| (position.account, position, world.accounts.get(position.account).cash)).collect()
}

const CAP: &str = "markets.*.margin.max_leverage=10";

#[test]
fn who_has_more_than_a_cap_allows_adapts_in_one_of_three_ways_on_the_same_dice() {
    let own = start(&[]);
    let same = |found: &[(AccountId, OpenPosition, Money)]| {
        found.iter().zip(&own).all(|(a, b)| {
            (a.1.lots, a.1.cost, a.1.margin, a.1.leverage, a.2)
                == (b.1.lots, b.1.cost, b.1.margin, b.1.leverage, b.2)
        })
    };
    for word in ["keep", "same_notional", "same_equity"] {
        assert!(same(&start(&[&format!("adaptation={word}")])), "{word} without a rule");
    }
    assert!(same(&start(&[CAP, "adaptation=keep"])));
    let above = own.iter().filter(|(_, position, _)| position.leverage > 10).count();
    assert!((1_500..2_500).contains(&above), "a half wants 20x or 50x: {above}");

    let notional = start(&[CAP, "adaptation=same_notional"]);
    let equity = start(&[CAP]);
    assert!(!same(&notional) && !same(&equity));
    for ((drawn, same_notional), same_equity) in own.iter().zip(&notional).zip(&equity) {
        let (before, after) = (&drawn.1, &same_notional.1);
        let leverage = before.leverage.min(10);
        let needed = initial_margin(Money(before.cost.0.abs()), leverage);
        assert_eq!(
            (after.account, after.lots, after.cost, after.leverage, after.margin, same_notional.2),
            (before.account, before.lots, before.cost, leverage, needed, drawn.2)
        );
        let after = &same_equity.1;
        assert_eq!((after.account, after.leverage), (before.account, leverage));
        // Margin and cash are what they were, but for one who has not enough for a single lot.
        let (had, has) = (before.margin + drawn.2, after.margin + same_equity.2);
        assert!(has == had || (has > had && after.lots.size().0 == 1), "{before:?} {after:?}");
        assert_eq!(after.cost.0 * before.lots.0, before.cost.0 * after.lots.0, "the same entry");
        let expected = before.lots.0 as f64 * f64::from(leverage) / f64::from(before.leverage);
        assert!((after.lots.0 as f64 - expected).abs() <= 1.0 + expected.abs() / 1e4, "{before:?} {after:?}");
    }
}

#[test]
fn who_is_too_near_for_a_higher_maintenance_has_less_leverage() {
    // 50x and a maintenance of 4 %, with which the highest leverage is 12.
    let rule = "markets.*.margin.maintenance_factor=8";
    for adaptation in ["same_notional", "same_equity"] {
        let found = start(&[rule, &format!("adaptation={adaptation}")]);
        let most = found.iter().map(|(_, position, _)| position.leverage).max();
        assert_eq!(most, Some(12), "{adaptation}");
    }
    let kept = start(&[rule, "adaptation=keep"]);
    assert_eq!(kept.iter().map(|(_, position, _)| position.leverage).max(), Some(50));
    // They keep it until the market opens.
    let early = ["duration=1s", "burn_in=1s", "sample_every=1s", "shocks={}", rule];
    let count = |adaptation: &str| {
        let records = records(&scenario("long-squeeze", &[&early[..], &[adaptation]].concat()));
        records.iter().filter(|record| matches!(record.event, Event::Liquidation { .. })).count()
    };
    // Of those who adapt a few are that near to the price.
    let (adapted, kept) = (count("adaptation=same_equity"), count("adaptation=keep"));
    assert!(adapted < 50 && kept > 500, "{adapted} and {kept}");
}

/// Whoever opens later has what a cap allows, whatever those at the start did, and is not refused for it.
#[test]
fn who_opens_later_obeys_a_cap() {
    let busy = [
        "duration=10m",
        "burn_in=1m",
        "shocks.sale.event.meta_order.quantity=0",
        "populations.retail.strategy.retail.opens_per_day=500",
        "populations.retail.strategy.retail.idle=1000",
    ];
    for (rule, highest) in [(CAP, 10), ("adaptation=keep", 50)] {
        let scenario = scenario("long-squeeze", &[&busy[..], &[rule]].concat());
        let mut records = Vec::new();
        let simulation = run(&scenario, 0, &mut records);
        let world = simulation.world();
        // Longs and shorts of the start come first, then those that were idle.
        let open = world.accounts.positions().map(|(_, position)| position);
        let late = open.filter(|position| {
            position.mode == MarginMode::Isolated && position.account.0 >= 4_100 && !position.lots.is_zero()
        });
        let leverages: Vec<u16> = late.map(|position| position.leverage).collect();
        assert!(leverages.len() > 200, "{}", leverages.len());
        assert_eq!(leverages.iter().max(), Some(&highest), "{rule}");
        let refused = records.iter().filter(|record| matches!(record.event, Event::Refused { .. })).count();
        assert!(refused < 20, "{refused} were refused");
    }
}

/// What is wrong with a squeeze that is changed.
fn refused(changes: &[&str]) -> String {
    let text = shipped::find("long-squeeze").unwrap().text;
    checked("long-squeeze", text, changes).unwrap_err()
}

#[test]
fn what_says_nothing_or_cannot_be_is_refused() {
    for (changes, said) in [
        (&["venues.*.liquidation.step=0.1"][..], "says nothing of the style `ioc_to_bankruptcy`"),
        (
            &["venues.*.liquidation.style=slow", "venues.*.liquidation.buffer=0.1"][..],
            "says nothing of the style `slow`",
        ),
        (
            &["venues.*.liquidation.style=partial", "venues.*.liquidation.pause=1s"][..],
            "says nothing of the style `partial`",
        ),
        (&["markets.*.margin.volatility.reference=0.01"][..], "needs a volatility"),
        (&["markets.*.margin.volatility.cap=2", "markets.*.volatility_half_life=5m"][..], "reference"),
        (&["markets.*.price_band.beyond=clip"][..], "bps"),
        (&["markets.*.halt.window=1h"][..], "move_bps"),
        (
            &["venues.*.insurance_fund=9000000000000", "venues.*.insurance_fund_factor=2"][..],
            "larger than can be booked",
        ),
        (&["adaptation=none"][..], "adaptation"),
    ] {
        let found = refused(changes);
        assert!(found.contains(said), "{found}");
    }
    let spot = |changes: &[&str]| {
        let text = shipped::find("btc-2026-02-23").unwrap().text;
        checked("btc", text, changes)
    };
    assert!(spot(&["markets.BTC-SPOT.margin={}"]).unwrap_err().contains("a spot market has no margin"));
    assert!(spot(&["markets.BTC-SPOT.margin.cap=5"]).unwrap_err().contains("a spot market has no margin"));
    let same = spot(&["markets.BTC-SPOT.margin.max_leverage=5"]).unwrap();
    assert_eq!(same.world, spot(&[]).unwrap().world);
    assert_eq!(same.adaptation, Adaptation::SameEquity);
}
