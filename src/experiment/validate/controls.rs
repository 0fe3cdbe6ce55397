//! What must be identical, to the last record: worlds where nobody can be liquidated, paired runs up to the moment at
//! which they may differ, and mechanisms of zero strength. No statistics here, and no tolerance.
//!
//! What can go wrong: a control that compares two runs in which nothing happens passes for nothing. Each one therefore
//! also demands that its mechanism acts, or that the same world with leverage behaves otherwise.

use super::crowd::{INITIAL, SALE_AT, SLOWEST, crowd, maker_accounts, seconds};
use super::ladder::{SIZE, bare, fully_funded, jump, level, long_due_at, meta_order};
use super::report::Control;
use crate::clearing::{LiquidationStyle, Reason, Stage};
use crate::engine::Simulation;
use crate::event::{Assignment, Event, Record};
use crate::market::BookEvent;
use crate::mechanisms::Mechanism;
use crate::rng::Seed;
use crate::scenario::{PopulationStrategy, Scenario};
use crate::units::{Position, Price, Side, Time};
use crate::world::MarkRule;

/// Large enough to bear everything, and so small that it bears nothing [whole units of money].
const FUND_RICH: i64 = 1_000_000;
const FUND_POOR: i64 = 1;

/// Runs all controls. Those in which chance plays a part use this seed.
pub(super) fn all(seed: Seed) -> Vec<Control> {
    vec![
        fully_funded_longs_meet_a_sale(seed),
        fully_funded_longs_meet_a_jump(seed),
        a_fully_funded_short_has_a_trigger(seed),
        a_wall_of_bids_ends_the_fall(seed),
        same_until_forced_liquidation(seed),
        same_until_insurance_fund(seed),
        same_until_adl(seed),
        same_until_maker_withdrawal(seed),
        nothing_sold(seed),
        nothing_jumps(seed),
        nothing_in_the_fund(seed),
        nothing_makes_makers_withdraw(seed),
    ]
}

/// Runs a scenario and keeps everything that was said.
fn tape(scenario: &Scenario, seed: Seed) -> Vec<Record> {
    let mut records = Vec::new();
    let mut simulation = Simulation::new(scenario, seed, &mut records);
    simulation.step_until(scenario.duration, &mut records);
    records
}

fn without(scenario: &Scenario, mechanism: Mechanism) -> Scenario {
    Scenario { mechanisms: scenario.mechanisms.with(mechanism, false), ..scenario.clone() }
}

fn liquidations(records: &[Record]) -> usize {
    records.iter().filter(|record| matches!(record.event, Event::Liquidation { .. })).count()
}

/// Lowest price of a trade since the shock, below the initial price, in ticks.
fn fall(records: &[Record]) -> i64 {
    let price = |record: &Record| match record.event {
        Event::Book { event: BookEvent::Trade(trade), .. } => Some(trade.price),
        _ => None,
    };
    INITIAL.0 - records.iter().filter_map(price).min().unwrap_or(INITIAL).0
}

/// Compares the falls with and without forced liquidation: (amplification, liquidations, tapes identical).
fn amplification(scenario: &Scenario, seed: Seed) -> (f64, usize, bool) {
    let (on, off) = (tape(scenario, seed), tape(&without(scenario, Mechanism::ForcedLiquidation), seed));
    (fall(&on) as f64 / fall(&off) as f64, liquidations(&on), on == off)
}

fn unlevered(fact: &'static str, funded: &Scenario, levered: &Scenario, seed: Seed) -> Control {
    let (one, none, same) = amplification(funded, seed);
    // How much leverage amplifies is a matter of luck and of who takes over; that it acts is not.
    let (more, some, levered_same) = amplification(levered, seed);
    Control {
        fact,
        found: format!("{none} liquidations, amplification {one}; with leverage {some} and {more:.2}"),
        // Exactly one: both falls are the same number of ticks.
        pass: none == 0 && same && one.to_bits() == 1.0_f64.to_bits() && some > 0 && !levered_same,
    }
}

const LEVERS: [u16; 3] = [10, 20, 50];

fn fully_funded_longs_meet_a_sale(seed: Seed) -> Control {
    let fact = "fully funded longs: a sale liquidates nobody";
    unlevered(fact, &crowd(&[1], FUND_RICH), &crowd(&LEVERS, FUND_RICH), seed)
}

fn fully_funded_longs_meet_a_jump(seed: Seed) -> Control {
    let jumps =
        |leverages: &[u16]| Scenario { shocks: vec![jump(SALE_AT, -500.0)], ..crowd(leverages, FUND_RICH) };
    unlevered("fully funded longs: a jump liquidates nobody", &jumps(&[1]), &jumps(&LEVERS), seed)
}

/// A short at leverage 1 is due at p > 2 p0 / (1 + mmr): for 200 ticks and 1 %, first at 397.
fn a_fully_funded_short_has_a_trigger(seed: Seed) -> Control {
    let mut scenario = bare(Price(200), MarkRule::Last);
    scenario.duration = seconds(300);
    scenario.levels = (201..500).map(|price| level(Side::Sell, Price(price), SIZE)).collect();
    scenario.positions = vec![fully_funded(&scenario, Position(-SIZE))];
    // One tick a second, up to 440.
    scenario.shocks = vec![meta_order(Side::Buy, 240 * SIZE, Time::ZERO, 240)];
    let mark = tape(&scenario, seed).iter().find_map(|record| match record.event {
        Event::Liquidation { mark, .. } => Some(mark),
        _ => None,
    });
    Control {
        fact: "a fully funded short is liquidated above 2 p0/(1+mmr) = 396.04",
        found: mark.map_or("never".to_owned(), |mark| format!("at mark {mark}")),
        pass: mark == Some(Price(397)),
    }
}

/// Infinite depth: under twenty bids lies one that takes everything, so the sale's own fall is the whole fall.
fn a_wall_of_bids_ends_the_fall(seed: Seed) -> Control {
    let mut scenario = bare(INITIAL, MarkRule::BestBid);
    scenario.levels = (0..20).map(|depth| level(Side::Buy, Price(INITIAL.0 - depth), SIZE)).collect();
    scenario.levels.push(level(Side::Buy, Price(INITIAL.0 - 20), 1 << 30));
    scenario.positions = (1..=40).map(|depth| long_due_at(&scenario, Price(INITIAL.0 - depth))).collect();
    // The sale trades with the wall itself.
    scenario.shocks = vec![meta_order(Side::Sell, 20 * SIZE + 1, Time::ZERO, 0)];
    let (amplification, liquidations, _) = amplification(&scenario, seed);
    Control {
        fact: "infinite depth: liquidations do not move the price",
        found: format!("{liquidations} liquidations, amplification {amplification}"),
        pass: liquidations == 20 && amplification.to_bits() == 1.0_f64.to_bits(),
    }
}

/// Compares a run with a mechanism to the run without it: all records before its first act are the same, and the tapes
/// part there or later.
fn same_until(
    fact: &'static str,
    mechanism: Mechanism,
    (scenario, seed): (&Scenario, Seed),
    acts: impl Fn(&Event) -> bool,
) -> Control {
    let (on, off) = (tape(scenario, seed), tape(&without(scenario, mechanism), seed));
    let act = on.iter().position(|record| acts(&record.event));
    let parted = parting(&on, &off);
    let (found, pass) = match (act, parted) {
        (Some(act), Some(parted)) => {
            (format!("first act is record {act}, tapes part at {parted}"), parted >= act)
        }
        (None, _) => ("never acts".to_owned(), false),
        (_, None) => ("acts, but the tapes are identical".to_owned(), false),
    };
    Control { fact, found, pass }
}

/// Returns the place of the first record that differs, from 0; the end of the shorter tape is one.
fn parting(a: &[Record], b: &[Record]) -> Option<usize> {
    let shorter = a.len().min(b.len());
    let differs = a.iter().zip(b).position(|(a, b)| a != b);
    differs.or((a.len() != b.len()).then_some(shorter))
}

/// The switch also decides whether the fund pays for those who close at a loss beyond their margin.
fn same_until_forced_liquidation(seed: Seed) -> Control {
    let fact = "forced_liquidation: same tape until it first acts";
    let scenario = crowd(&LEVERS, FUND_RICH);
    same_until(fact, Mechanism::ForcedLiquidation, (&scenario, seed), |event| match event {
        Event::Liquidation { .. } => true,
        Event::Transfer(transfer) => transfer.reason == Reason::FundCover,
        _ => false,
    })
}

fn same_until_insurance_fund(seed: Seed) -> Control {
    let fact = "insurance_fund: same tape until it first acts";
    let scenario = crowd(&LEVERS, FUND_RICH);
    same_until(fact, Mechanism::InsuranceFund, (&scenario, seed), |event| match event {
        Event::Assigned { how, .. } => *how == Assignment::Takeover,
        Event::Transfer(transfer) => transfer.reason == Reason::FundCover,
        _ => false,
    })
}

fn same_until_adl(seed: Seed) -> Control {
    let fact = "adl: same tape until it first acts";
    let mut scenario = crowd(&LEVERS, FUND_POOR);
    scenario.world.venues[0].liquidation.waterfall = vec![Stage::AutoDeleverage];
    same_until(fact, Mechanism::Adl, (&scenario, seed), |event| {
        matches!(event, Event::Assigned { how: Assignment::Deleverage, .. })
    })
}

/// A withdrawal is an order that is not sent, so the tapes must part at a quote of a maker that only the run without
/// withdrawal has; the sale makes the price run at the latest. Orders are numbered when they are decided on, so another
/// one, decided on while those quotes are on their way, may show the parting first, by its number.
fn same_until_maker_withdrawal(seed: Seed) -> Control {
    let scenario = crowd(&LEVERS, FUND_RICH);
    let (on, off) = (tape(&scenario, seed), tape(&without(&scenario, Mechanism::MakerWithdrawal), seed));
    let (found, pass) = match parting(&on, &off).filter(|&at| at < off.len()) {
        Some(at) => {
            let missing = off[at..].iter().find_map(|record| Some((quoter(record)?, record.time)));
            let is_near = |time: Time| time - off[at].time <= SLOWEST;
            let stays_away = |(maker, time): (u32, Time)| {
                let until_then = on[at..].iter().take_while(|record| record.time <= time);
                is_near(time) && !until_then.filter_map(quoter).any(|other| other == maker)
            };
            let seconds = off[at].time.as_secs_f64();
            (
                format!("tapes part at record {at}, {seconds:.2} s into the run"),
                missing.is_some_and(stays_away),
            )
        }
        None => ("never acts".to_owned(), false),
    };
    Control { fact: "maker_withdrawal: same tape until a maker stays away", found, pass }
}

/// Returns the account of a maker whose quote reaches the book.
fn quoter(record: &Record) -> Option<u32> {
    match record.event {
        Event::Book { event: BookEvent::Accepted(order), .. } => {
            Some(order.owner.0).filter(|owner| maker_accounts().contains(owner))
        }
        _ => None,
    }
}

/// Compares two scenarios whose tapes must be one.
fn same(fact: &'static str, a: &Scenario, b: &Scenario, seed: Seed) -> Control {
    let (a, b) = (tape(a, seed), tape(b, seed));
    let parted = parting(&a, &b);
    let found = match parted {
        None => format!("{} records identical, {} of them liquidations", a.len(), liquidations(&a)),
        Some(at) => format!("tapes part at record {at}"),
    };
    Control { fact, found, pass: parted.is_none() }
}

fn nothing_sold(seed: Seed) -> Control {
    let none = Scenario { shocks: Vec::new(), ..crowd(&LEVERS, FUND_RICH) };
    let zero = Scenario { shocks: vec![meta_order(Side::Sell, 0, SALE_AT, 10)], ..none.clone() };
    same("a meta-order of no lots leaves the tape identical", &none, &zero, seed)
}

fn nothing_jumps(seed: Seed) -> Control {
    let none = Scenario { shocks: Vec::new(), ..crowd(&LEVERS, FUND_RICH) };
    let zero = Scenario { shocks: vec![jump(SALE_AT, 0.0)], ..none.clone() };
    same("a jump of 0 bps leaves the tape identical", &none, &zero, seed)
}

/// Positions are sold at any price, deficits arise and an empty fund pays none of them. It is no stage of the waterfall
/// here: a fund takes solvent positions over with whatever it has.
fn nothing_in_the_fund(seed: Seed) -> Control {
    let mut empty = crowd(&LEVERS, 0);
    empty.shocks = vec![meta_order(Side::Sell, 6_000, SALE_AT, 10)];
    empty.world.venues[0].liquidation.style = LiquidationStyle::Market;
    empty.world.venues[0].liquidation.waterfall.clear();
    let off = without(&empty, Mechanism::InsuranceFund);
    let is_deficit = |record: &&Record| match record.event {
        Event::Transfer(transfer) => transfer.reason == Reason::UncoveredLoss,
        _ => false,
    };
    let deficits = tape(&empty, seed).iter().filter(is_deficit).count();
    let control = same("an empty fund leaves the tape identical", &empty, &off, seed);
    Control {
        found: format!("{}, {deficits} deficits", control.found),
        pass: control.pass && deficits > 0,
        ..control
    }
}

fn nothing_makes_makers_withdraw(seed: Seed) -> Control {
    let mut never = crowd(&LEVERS, FUND_RICH);
    for population in &mut never.populations {
        if let PopulationStrategy::Maker { spec, .. } = &mut population.strategy
            && let Some(rule) = &mut spec.withdrawal
        {
            rule.move_bps = 1e6;
        }
    }
    let off = without(&never, Mechanism::MakerWithdrawal);
    same("makers that no move drives away leave the tape identical", &never, &off, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six seeds, each with an occasion for every mechanism. With seed 16 an order number shows the withdrawal before the missing quote does.
    #[test]
    fn every_control_holds() {
        for master in [1, 2, 3, 4, 5, 16] {
            for control in all(Seed { master, replicate: 0 }) {
                assert!(control.pass, "seed {master}, {}: {}", control.fact, control.found);
            }
        }
    }

    #[test]
    fn tapes_part_where_one_ends_before_the_other() {
        let records = tape(&crowd(&[1], FUND_RICH), Seed { master: 1, replicate: 0 });
        assert_eq!(parting(&records, &records), None);
        assert_eq!(parting(&records[..5], &records), Some(5));
        let mut other = records.clone();
        other[3].time = Time(1);
        assert_eq!(parting(&records, &other), Some(3));
    }

    #[test]
    fn the_makers_accounts_are_those_that_quote_as_makers() {
        let scenario = crowd(&[1], FUND_RICH);
        let simulation = Simulation::new(&scenario, Seed { master: 1, replicate: 0 }, &mut ());
        let owners: Vec<u32> =
            (2..8).map(|id| simulation.world().accounts.get(crate::units::AccountId(id)).owner.0).collect();
        // Agent 0 holds the hedges, agent 1 is the background with two accounts, agents 2 to 4 are the makers.
        assert_eq!(owners, [1, 1, 2, 3, 4, 5]);
        assert_eq!(maker_accounts(), 4..7);
    }
}
