//! What acts between a perpetual and spot, and what depends on both, in whole runs of a small scenario.

use crate::agents::{PERP, SPOT, audited, count, is_trade, lowest, scenario, tape};
use crate::support::run;
use firesale::event::{Event, Record};
use firesale::market::{Book as _, BookEvent, OrderType};
use firesale::record::Auditor;
use firesale::scenario::Scenario;
use firesale::units::{MarketId, Side, Time};

const STILL: [&str; 3] = [
    "populations.retail.strategy.retail.opens_per_day=0",
    "populations.retail.strategy.retail.closes_per_day=0",
    "shocks.sale.event.meta_order.quantity=0",
];

#[test]
fn flight_of_no_strength_leaves_no_trace() {
    let plain = tape(&scenario(&[]));
    for rule in ["{ cap = 1 }", "{ exponent = 0 }"] {
        let flight = format!("populations.flow.strategy.background.flight={rule}");
        assert_eq!(tape(&scenario(&[&flight])), plain, "{rule}");
    }
    let acts = "populations.flow.strategy.background.flight={ reference = 0.001 }";
    assert_ne!(tape(&scenario(&[acts])), plain);
}

/// Orders are taken back three times as often for 28 minutes, and a third of the depth is left of rungs that had the time.
#[test]
fn a_book_from_which_orders_flee_is_as_thin_as_they_are_fast() {
    let depth_of = |flight: &[&str]| {
        let far = "populations.flow.strategy.background.lifetime_far=1m";
        let many = "populations.flow.strategy.background.orders_per_rung=100";
        let scenario = scenario(&[&STILL[..], &["duration=30m", far, many], flight].concat());
        let mut simulation = firesale::engine::Simulation::new(
            &scenario,
            firesale::rng::Seed { master: 1, replicate: 0 },
            &mut (),
        );
        let (mut sum, mut samples) = (0.0, 0.0);
        for step in 12..180 {
            simulation.step_until(Time(10 * step * Time::SECOND.0), &mut ());
            let state = simulation.world().market(PERP);
            let book = &state.book;
            assert!(state.reference.volatility() > 3e-6, "or the multiplier is not at its cap");
            for side in [Side::Buy, Side::Sell] {
                sum += book.depth_within(side, 150.0).0 as f64;
                samples += 1.0;
            }
        }
        sum / samples
    };
    let flight = "populations.flow.strategy.background.flight={ reference = 0.000001, cap = 3 }";
    let (usual, thin) = (depth_of(&[]), depth_of(&[flight]));
    assert!((3.0 * thin / usual - 1.0).abs() < 0.1, "{thin} lots against {usual}");
}

/// Depth within 1 % over the same two minutes of a sale, in which prices move, over that before it; the mean of eight replicates.
#[test]
fn a_sale_thins_the_book_more_where_orders_flee() {
    let left = |changes: &[&str]| {
        let scenario = scenario(changes);
        let of = |replicate: u32| {
            let seed = firesale::rng::Seed { master: 1, replicate };
            let mut simulation = firesale::engine::Simulation::new(&scenario, seed, &mut ());
            let mut depth = |from: i64, to: i64| {
                let mut sum = 0.0;
                for step in from..to {
                    simulation.step_until(Time(5 * step * Time::SECOND.0), &mut ());
                    let book = &simulation.world().market(PERP).book;
                    sum += [Side::Buy, Side::Sell]
                        .map(|side| book.depth_within(side, 100.0).0 as f64)
                        .iter()
                        .sum::<f64>();
                }
                sum / (to - from) as f64
            };
            let before = depth(0, 24);
            depth(30, 54) / before
        };
        (0..8).map(of).sum::<f64>() / 8.0
    };
    let flight = "populations.flow.strategy.background.flight={ reference = 0.003, cap = 100 }";
    let (plain, fled) = (left(&[]), left(&[flight]));
    assert!(fled < 0.85 * plain, "{fled} against {plain}");
}

#[test]
fn the_index_is_the_middle_of_spot_in_the_perpetuals_own_ticks() {
    for mark in ["median", "index"] {
        let scenario = scenario(&[&format!("markets.COIN-PERP.mark={mark}")]);
        let mut simulation = firesale::engine::Simulation::new(
            &scenario,
            firesale::rng::Seed { master: 1, replicate: 0 },
            &mut (),
        );
        let mut seen = std::collections::BTreeSet::new();
        for step in 0..120 {
            simulation.step_until(Time(5 * step * Time::SECOND.0), &mut ());
            let spot = simulation.world().market(SPOT).book.mid_twice().expect("it is quoted");
            let index = simulation.world().market(PERP).reference.index.expect("it was observed");
            // Half ticks of .01 in ticks of .1.
            assert!((index - spot as f64 / 20.0).abs() < 1e-6, "{mark}: {index} and {spot}");
            seen.insert(spot);
        }
        assert!(seen.len() > 50, "it moves");
    }
}

const FUNDING: &str = "markets.COIN-PERP.funding={ interval = \"1m\" }";

#[test]
fn funding_is_paid_each_interval_and_not_where_it_is_switched_off() {
    let (report, records) = audited(&scenario(&[FUNDING]));
    let paid = records.iter().filter(|record| matches!(record.event, Event::Funding { .. }));
    let times: Vec<i64> = paid.map(|record| record.time.0.div_euclid(Time::SECOND.0)).collect();
    assert_eq!(
        times,
        (-1..=10).map(|minute| 60 * minute).collect::<Vec<_>>(),
        "two minutes of burn-in and ten"
    );
    assert_eq!(report.fundings, 12);
    assert_eq!(tape(&scenario(&[FUNDING, "mechanisms.funding=false"])), tape(&scenario(&[])));
}

/// Intervals are counted from midnight.
#[test]
fn a_run_that_begins_within_an_interval_ends_it() {
    let begin = ["start=2026-02-23T07:56:30Z", "markets.COIN-PERP.funding={ interval = \"4h\" }"];
    let (_, records) = audited(&scenario(&begin));
    let paid = records.iter().find(|record| matches!(record.event, Event::Funding { .. }));
    // The first observation from 08:00:00 on; they are five seconds apart from the start on.
    assert_eq!(paid.map(|record| record.time), Some(Time(210 * Time::SECOND.0)));
}

const ARBITRAGE: &str = "populations.arbitrage.strategy.arbitrageur={ perpetual = \"COIN-PERP\", spot = \"COIN-SPOT\", count = 5, limit = 50, order = 2, interval = \"1s\" }";

/// Largest size of the basis in hundredths of a percent, seen each ten seconds, and the lowest middle of spot.
fn basis_and_spot(scenario: &Scenario) -> (f64, f64) {
    let mut simulation =
        firesale::engine::Simulation::new(scenario, firesale::rng::Seed { master: 1, replicate: 1 }, &mut ());
    let (mut basis, mut lowest) = (0.0_f64, f64::INFINITY);
    for step in 0..=60 {
        simulation.step_until(Time(10 * step * Time::SECOND.0), &mut ());
        let middle =
            |market: MarketId| simulation.world().market(market).book.mid_twice().expect("it is quoted");
        let (perpetual, spot) = (middle(PERP) as f64 / 10.0, middle(SPOT) as f64 / 100.0);
        basis = basis.max((perpetual / spot - 1.0).abs() * 1e4);
        lowest = lowest.min(spot);
    }
    (basis, lowest)
}

#[test]
fn arbitrage_hands_a_sale_on_to_spot() {
    let (_, records) = audited(&scenario(&[ARBITRAGE]));
    let (_, without) = audited(&scenario(&[]));
    let [more, fewer] = [&records, &without].map(|records| count(records, |event| is_trade(event, SPOT)));
    assert!(more as f64 > 1.5 * fewer as f64, "{more} trades of spot against {fewer}");
    let ((near, low), (far, high)) =
        (basis_and_spot(&scenario(&[ARBITRAGE])), basis_and_spot(&scenario(&[])));
    assert!(near < 0.7 * far && low < high, "{near} against {far} bps, spot at {low} against {high}");
    // They are there without the mechanism and do nothing.
    let (_, off) = audited(&scenario(&[ARBITRAGE, "mechanisms.arbitrage=false"]));
    let trades = |records: &[Record]| count(records, |event| is_trade(event, PERP) || is_trade(event, SPOT));
    assert_eq!((trades(&off), lowest(&off)), (trades(&without), lowest(&without)));
}

const MAKERS: &str = "populations.two-makers.strategy.maker={ market = \"COIN-PERP\", count = 2, levels = 5, quote = \"0.5\", half_spread_bps = 1, spacing_bps = 2, inventory_limit = \"10\", interval = \"2s\", hedge = { market = \"COIN-SPOT\" } }";

#[test]
fn makers_lay_their_inventory_off_on_spot_unless_hedging_is_switched_off() {
    let unhedged = MAKERS.replace(", hedge = { market = \"COIN-SPOT\" }", "");
    // Coins of both makers in each market at the end, the makers' accounts being those before the shock's.
    let held = |changes: &[&str]| {
        let mut auditor = Auditor::new(&scenario(changes).world);
        let simulation = run(&scenario(changes), 1, &mut auditor);
        auditor.finish(simulation.world()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let accounts = simulation.world().accounts.len() as u32;
        let lots = |market| {
            let own = (accounts - 3..accounts - 1).map(firesale::units::AccountId);
            own.map(|account| simulation.world().accounts.lots(account, market).0).sum::<i64>()
        };
        [lots(PERP) as f64 / 1e3, lots(SPOT) as f64 / 1e4]
    };
    let early = "duration=4m";
    let [perpetual, spot] = held(&[MAKERS, early]);
    // They bought from the sale, and sold coins that they do not have.
    assert!(perpetual > 5.0 && spot < -2.0, "{perpetual} and {spot} coins");
    let [alone, nothing] = held(&[&unhedged, early]);
    assert!(alone > 5.0 && nothing == 0.0, "{alone} and {nothing} coins");
    assert!(perpetual + spot < alone, "{perpetual} and {spot} coins, without a hedge {alone}");
    assert_eq!(tape(&scenario(&[MAKERS, "mechanisms.hedging=false"])), tape(&scenario(&[&unhedged])));
}

/// A fund that takes positions over and sells them piece by piece: its account is the first one.
#[test]
fn a_fund_unloads_what_it_took_over_where_its_venue_says_so() {
    let large = [
        "populations.retail.strategy.retail.notional_median=10000",
        "populations.flow.strategy.background.depth_scale=0.3",
    ];
    let unloading = "venues.exchange.unloading={ interval = \"5s\", share = 0.2 }";
    let of_fund = |changes: &[&str]| {
        let mut observer = (Auditor::new(&scenario(changes).world), Vec::new());
        let simulation = run(&scenario(changes), 1, &mut observer);
        let report = observer.0.finish(simulation.world()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let fund = simulation.world().fund_accounts[0];
        let is_sent = |event: &Event| matches!(event, Event::Book { event: BookEvent::Accepted(order), .. } if order.owner.0 == fund.0 && order.reduce_only);
        let sent = count(&observer.1, is_sent);
        (report.takeovers, sent, simulation.world().accounts.lots(fund, PERP).0.abs())
    };
    let (takeovers, sent, kept) = of_fund(&large);
    assert!(takeovers > 0 && sent == 0 && kept > 0, "{takeovers} takeovers, {kept} lots kept, {sent} orders");
    let (takeovers, sent, left) = of_fund(&[&large[..], &[unloading]].concat());
    assert!(
        takeovers > 0 && sent > 10 && left < kept.div_euclid(2),
        "{takeovers}, {left} of {kept} lots, {sent} orders"
    );
}

#[test]
fn a_new_position_is_no_larger_than_the_cap() {
    let cap = 800.0;
    let small = [
        "populations.retail.strategy.retail.notional_cap=800",
        "populations.retail.strategy.retail.idle=300",
        "populations.retail.strategy.retail.stake=1",
        "populations.retail.strategy.retail.spare=50",
    ];
    let opened = |changes: &[&str]| {
        let (_, records) = audited(&scenario(changes));
        let first = |record: &Record| match record.event {
            Event::Book { market: PERP, event: BookEvent::Accepted(order) } => {
                let is_opening = matches!(order.order_type, OrderType::Market { .. }) && !order.reduce_only;
                is_opening.then_some((order.owner.0, order.qty.0))
            }
            _ => None,
        };
        let scenario = scenario(changes);
        let simulation = firesale::engine::Simulation::new(
            &scenario,
            firesale::rng::Seed { master: 1, replicate: 1 },
            &mut (),
        );
        let accounts = &simulation.world().accounts;
        let is_retail = |owner: u32| {
            accounts.mode(firesale::units::AccountId(owner)) == firesale::clearing::MarginMode::Isolated
        };
        // At prices between 9,000 and 11,000, a lot being a thousandth of a coin.
        let sizes = records.iter().filter_map(first).filter(|(owner, _)| is_retail(*owner));
        sizes.map(|(_, lots)| lots as f64 * 10.0).collect::<Vec<f64>>()
    };
    let sizes = opened(&small);
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    assert!(sizes.len() > 20, "{} openings", sizes.len());
    assert!((0.85 * cap..1.15 * cap).contains(&largest), "{largest}");
    let free = opened(&[&small[1..], &["populations.retail.strategy.retail.notional_cap=100000"]].concat());
    assert!(free.iter().copied().fold(0.0, f64::max) > 3.0 * cap);
}

/// Seller's lots at the end, and open interest at the start and at the end, in lots.
fn of_seller(changes: &[&str]) -> (i64, [i128; 2]) {
    let scenario = scenario(&[&STILL[..2], changes].concat());
    let mut auditor = Auditor::new(&scenario.world);
    let mut simulation = firesale::engine::Simulation::new(
        &scenario,
        firesale::rng::Seed { master: 1, replicate: 1 },
        &mut auditor,
    );
    let start = simulation.world().open_interest(PERP);
    simulation.step_until(scenario.duration, &mut auditor);
    auditor.finish(simulation.world()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let seller = firesale::units::AccountId(simulation.world().accounts.len() as u32 - 1);
    (simulation.world().accounts.lots(seller, PERP).0, [start, simulation.world().open_interest(PERP)])
}

#[test]
fn what_a_meta_order_closes_was_there_from_the_start_and_leaves_the_open_interest() {
    let closes = |share: &str| format!("shocks.sale.event.meta_order.closes={share}");
    let (opened, [start, _]) = of_seller(&[]);
    assert_eq!(opened, -150_000);
    for (share, left, held) in [("0.9", -15_000, 135_000), ("1", 0, 150_000)] {
        let (lots, [with, _]) = of_seller(&[&closes(share)]);
        assert_eq!((lots, with - start), (left, held), "{share}");
        let buyer = "shocks.sale.event.meta_order.side=buy";
        let (lots, [with, _]) = of_seller(&[&closes(share), buyer]);
        assert_eq!((lots, with - start), (-left, held), "{share}");
    }
    assert_eq!(tape(&scenario(&[&closes("0")])), tape(&scenario(&[])));
    // The rest of the world does the same: what was open is closed instead of opened anew.
    let (_, all) = audited(&scenario(&[&closes("1")]));
    let (_, none) = audited(&scenario(&[]));
    assert_eq!(lowest(&all), lowest(&none));
}

#[test]
fn passive_open_interest_is_there_from_start_to_end_and_nobody_trades_it() {
    let passive = "markets.COIN-PERP.passive_open_interest=1234.567";
    let (_, plain) = of_seller(&[]);
    let (_, with) = of_seller(&[passive]);
    assert_eq!(with.map(|lots| lots - 1_234_567), plain);
    assert_eq!(tape(&scenario(&["markets.COIN-PERP.passive_open_interest=0"])), tape(&scenario(&[])));
    let (_, records) = audited(&scenario(&[passive]));
    let (_, without) = audited(&scenario(&[]));
    let trades = |records: &[Record]| count(records, |event| is_trade(event, PERP) || is_trade(event, SPOT));
    assert_eq!((trades(&records), lowest(&records)), (trades(&without), lowest(&without)));
}
