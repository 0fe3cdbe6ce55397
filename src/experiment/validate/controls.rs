//! Controls: what must not happen does not, to the bit.

use crate::clearing::Reason;
use crate::engine::Simulation;
use crate::event::{Assignment, Event, Observer, Record};
use crate::market::BookEvent;
use crate::mechanisms::Mechanism;
use crate::rng::Seed;
use crate::scenario::{Document, PopulationStrategy, Scenario, Shock, ShockKind, check, shipped};
use crate::units::{MarketId, Price, Time};
use rayon::prelude::*;
use serde::Serialize;

/// One control.
#[derive(Clone, Debug, Serialize)]
pub struct ControlReport {
    /// What must hold.
    pub name: String,
    /// What was seen.
    pub seen: String,
    /// Whether it held.
    pub pass: bool,
}

const SEED: Seed = Seed { master: 1, replicate: 0 };

type Control = fn() -> ControlReport;

const CONTROLS: [Control; 9] = [
    fully_funded_longs_meet_a_jump,
    fully_funded_longs_meet_a_sale,
    a_fully_funded_short_is_liquidated,
    forced_liquidation,
    insurance_fund,
    adl,
    maker_withdrawal,
    a_sale_of_nothing,
    a_jump_of_nothing,
];

/// How many parts the progress counts.
pub(super) fn parts() -> u64 {
    CONTROLS.len() as u64
}

/// Runs all controls.
pub(super) fn run(part_done: &(dyn Fn() + Sync)) -> Vec<ControlReport> {
    CONTROLS
        .par_iter()
        .map(|control| {
            let report = control();
            part_done();
            report
        })
        .collect()
}

/// Loads a shipped scenario with changes, for twenty minutes.
fn scenario(name: &str, changes: &[&str]) -> Scenario {
    let text = shipped::find(name).expect("a shipped scenario").text;
    let mut document = Document::parse(name, text.as_bytes()).expect("a shipped scenario parses");
    document.set("duration=20m");
    for change in changes {
        document.set(change);
    }
    match check(&document, name) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{}", document.render(&problems, false)),
    }
}

fn tape(scenario: &Scenario) -> Vec<Record> {
    let mut records = Vec::new();
    let mut simulation = Simulation::new(scenario, SEED, &mut records);
    simulation.step_until(scenario.duration, &mut records);
    records
}

fn without(scenario: &Scenario, mechanism: Mechanism) -> Scenario {
    Scenario { mechanisms: scenario.mechanisms.with(mechanism, false), ..scenario.clone() }
}

/// The largest relative fall of the mark after time zero.
#[derive(Default)]
struct Fall {
    peak: f64,
    worst: f64,
    liquidations: u64,
}

impl Observer for Fall {
    fn on(&mut self, record: &Record) {
        match record.event {
            Event::Mark { mark: Price(mark), .. } if record.time >= Time::ZERO => {
                self.peak = self.peak.max(mark as f64);
                self.worst = self.worst.max(1.0 - mark as f64 / self.peak);
            }
            Event::Liquidation { .. } => self.liquidations += 1,
            _ => {}
        }
    }
}

fn fall(records: &[Record]) -> Fall {
    let mut fall = Fall::default();
    for record in records {
        fall.on(record);
    }
    fall
}

fn fully_funded(scenario: &Scenario, name: &str) -> ControlReport {
    let with = tape(scenario);
    let same = with == tape(&without(scenario, Mechanism::ForcedLiquidation));
    let Fall { worst, liquidations, .. } = fall(&with);
    ControlReport {
        name: name.to_owned(),
        seen: format!(
            "fall {:.3} %, {liquidations} liquidations, tapes with and without forced liquidation {}: amplification {}",
            worst * 100.0,
            if same { "identical" } else { "differ" },
            if same { "exactly 1" } else { "not 1" }
        ),
        pass: same && liquidations == 0 && worst > 0.0,
    }
}

fn fully_funded_longs_meet_a_jump() -> ControlReport {
    let mut scenario = scenario("leverage-one", &[]);
    let (market, at) = (MarketId(0), Time(300 * Time::SECOND.0));
    let kind = ShockKind::FundamentalJump { market, at, bps: -3_000.0 };
    scenario.shocks = vec![Shock { name: "jump".to_owned(), kind }];
    fully_funded(&scenario, "fully funded longs and a fundamental value that falls by 30 %")
}

fn fully_funded_longs_meet_a_sale() -> ControlReport {
    fully_funded(&scenario("leverage-one", &[]), "fully funded longs and a large sale")
}

fn a_fully_funded_short_is_liquidated() -> ControlReport {
    let (last_safe, first_due) = super::cascade_law::fully_funded_short_bounds();
    let below = super::cascade_law::liquidates_fully_funded_short(last_safe);
    let above = super::cascade_law::liquidates_fully_funded_short(first_due);
    let verdict = |due| if due { "is liquidated" } else { "is not" };
    ControlReport {
        name: "a fully funded short is liquidated at the first tick above 2 p0 / (1 + m)".to_owned(),
        seen: format!("at mark {last_safe} it {}, at {first_due} it {}", verdict(below), verdict(above)),
        pass: !below && above,
    }
}

/// Compares a run with a mechanism and without it: the tapes are the same up to the record at which it first acts.
fn same_until(mechanism: Mechanism, scenario: &Scenario, acts: impl Fn(&Event) -> bool) -> ControlReport {
    let (with, off) = (tape(scenario), tape(&without(scenario, mechanism)));
    let differs = with.iter().zip(&off).position(|(a, b)| a != b);
    let first = with.iter().zip(&off).position(|(a, b)| acts(&a.event) || acts(&b.event));
    ControlReport {
        name: format!("{}: same tape until it first acts", mechanism.name()),
        seen: format!(
            "{} and {} records; first difference at {}, first act at {}",
            with.len(),
            off.len(),
            differs.map_or("none".to_owned(), |at| at.to_string()),
            first.map_or("none".to_owned(), |at| at.to_string()),
        ),
        pass: differs.is_some() && first.is_some() && differs >= first,
    }
}

fn forced_liquidation() -> ControlReport {
    let scenario = scenario("long-squeeze", &[]);
    same_until(Mechanism::ForcedLiquidation, &scenario, |event| matches!(event, Event::Liquidation { .. }))
}

fn insurance_fund() -> ControlReport {
    let scenario = scenario("long-squeeze", &["populations.retail.strategy.retail.notional_median=1700"]);
    same_until(Mechanism::InsuranceFund, &scenario, |event| match event {
        Event::Assigned { how, .. } => *how != Assignment::Seed,
        Event::Transfer(transfer) => matches!(transfer.reason, Reason::FundCover | Reason::UncoveredLoss),
        _ => false,
    })
}

fn adl() -> ControlReport {
    let changes = [
        "venues.exchange.liquidation.waterfall=[\"auto_deleverage\"]",
        "populations.retail.strategy.retail.notional_median=1700",
    ];
    let scenario = scenario("long-squeeze", &changes);
    same_until(Mechanism::Adl, &scenario, |event| {
        matches!(event, Event::Assigned { how: Assignment::Deleverage, .. })
    })
}

/// A withdrawal is no event: what differs first must be a quote of a maker that only the run without withdrawal sends.
fn maker_withdrawal() -> ControlReport {
    let scenario = scenario("long-squeeze", &[]);
    let (with, off) = (tape(&scenario), tape(&without(&scenario, Mechanism::MakerWithdrawal)));
    let differs = with.iter().zip(&off).position(|(a, b)| a != b);
    let makers = makers(&scenario);
    let is_quote = |record: &Record| match record.event {
        Event::Book { event: BookEvent::Accepted(order), .. } => makers.contains(&order.owner.0),
        _ => false,
    };
    let quote = differs.is_some_and(|at| is_quote(&off[at]));
    ControlReport {
        name: "maker_withdrawal: same tape until it first acts".to_owned(),
        seen: format!(
            "first difference at record {}: {}",
            differs.map_or("none".to_owned(), |at| at.to_string()),
            if quote { "a quote that only the maker who stays sends" } else { "something else" }
        ),
        pass: quote,
    }
}

/// Returns the accounts of the makers: they follow the funds, the hedgers and the populations before them.
fn makers(scenario: &Scenario) -> std::ops::Range<u32> {
    let mut next = (scenario.world.venues.len() + scenario.world.markets.len()) as u32;
    for population in &scenario.populations {
        let accounts = match &population.strategy {
            PopulationStrategy::Background(_) => 2,
            PopulationStrategy::Maker { count, .. } => return next..next + count,
            PopulationStrategy::Retail { spec, .. } => spec.accounts,
            PopulationStrategy::Fundamentalist(spec) => spec.accounts,
        };
        next += accounts;
    }
    next..next
}

fn same_as_none(name: &str, scenario: &Scenario) -> ControlReport {
    let with = tape(scenario);
    let none = Scenario { shocks: Vec::new(), ..scenario.clone() };
    let same = with == tape(&none);
    ControlReport {
        name: name.to_owned(),
        seen: format!("{} records, {}", with.len(), if same { "identical" } else { "different" }),
        pass: same,
    }
}

fn a_sale_of_nothing() -> ControlReport {
    let scenario = scenario("long-squeeze", &["shocks.sale.event.meta_order.quantity=0"]);
    same_as_none("a sale of nothing leaves the tape identical", &scenario)
}

fn a_jump_of_nothing() -> ControlReport {
    let mut scenario = scenario("long-squeeze", &[]);
    let kind = ShockKind::FundamentalJump { market: MarketId(0), at: Time::SECOND, bps: 0.0 };
    scenario.shocks = vec![Shock { name: "jump".to_owned(), kind }];
    same_as_none("a jump of nothing leaves the tape identical", &scenario)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_control_holds() {
        for report in super::run(&|| {}) {
            assert!(report.pass, "{}: {}", report.name, report.seen);
        }
    }
}
