//! Mechanisms and shocks are separate: what does not act changes nothing, to the record.

use crate::support::{run, scenario};
use firesale::clearing::Reason;
use firesale::event::{Assignment, Event, Record};
use firesale::mechanisms::Mechanism;
use firesale::record::TapeHasher;
use firesale::scenario::{Scenario, Shock, ShockKind};
use firesale::units::{MarketId, Qty, Time};

fn squeeze(changes: &[&str]) -> Scenario {
    let mut all = vec!["duration=30m"];
    all.extend(changes);
    scenario("long-squeeze", &all)
}

fn hash(scenario: &Scenario) -> String {
    let mut hasher = TapeHasher::new();
    run(scenario, 1, &mut hasher);
    hasher.finish()
}

fn records(scenario: &Scenario) -> Vec<Record> {
    let mut records = Vec::new();
    run(scenario, 1, &mut records);
    records
}

fn reason(event: &Event) -> Option<Reason> {
    match event {
        Event::Transfer(transfer) => Some(transfer.reason),
        _ => None,
    }
}

/// A mechanism, changes under which it acts, and what it does.
type Acts<'a> = (Mechanism, &'a [&'a str], fn(&Event) -> bool);

#[test]
fn runs_that_differ_in_a_mechanism_have_the_same_tape_until_it_first_acts() {
    // Large positions, so that more is lost than they hold.
    let changes = [
        "venues.exchange.liquidation.waterfall=[\"insurance_fund\", \"auto_deleverage\"]",
        "populations.retail.strategy.retail.notional_median=1700",
    ];
    let poor = ["venues.exchange.insurance_fund=0", "venues.exchange.liquidation.fee=0"];
    // What each mechanism does, with or without a rival for the same position.
    let acts: [Acts<'_>; 3] = [
        (Mechanism::ForcedLiquidation, &[], |event| matches!(event, Event::Liquidation { .. })),
        (Mechanism::InsuranceFund, &[], |event| {
            matches!(event, Event::Assigned { how: Assignment::Takeover, .. })
                || reason(event) == Some(Reason::FundCover)
        }),
        (Mechanism::Adl, &poor, |event| matches!(event, Event::Assigned { how: Assignment::Deleverage, .. })),
    ];
    for (mechanism, more, acts) in acts {
        let on = squeeze(&[&changes[..], more].concat());
        let off = Scenario { mechanisms: on.mechanisms.with(mechanism, false), ..on.clone() };
        let (on, off) = (records(&on), records(&off));
        let first = on.iter().position(|record| acts(&record.event));
        let first = first.unwrap_or_else(|| panic!("{} never acts", mechanism.name()));
        let differs = on.iter().zip(&off).position(|(a, b)| a != b).expect("it acts");
        // Deleveraging takes a counterparty's orders back before it takes lots.
        let by_its_own = on[differs..first].iter().all(|record| {
            matches!(&record.event, Event::Book { event: firesale::market::BookEvent::Cancelled { .. }, .. })
        });
        assert!(differs <= first && by_its_own, "{} at {first}, differs at {differs}", mechanism.name());
        assert!(!off.iter().any(|record| acts(&record.event)), "{} acts while it is off", mechanism.name());
    }
}

#[test]
fn shocks_of_no_strength_leave_no_trace() {
    let without = Scenario { shocks: Vec::new(), ..squeeze(&[]) };
    let mut with = squeeze(&[]);
    for shock in &mut with.shocks {
        match &mut shock.kind {
            ShockKind::MetaOrder(spec) => {
                spec.qty = Qty(0);
                spec.also = None;
            }
            ShockKind::FundamentalJump { bps, .. } => *bps = 0.0,
        }
    }
    let market = MarketId(0);
    let kind = ShockKind::FundamentalJump { market, at: Time::SECOND, bps: 0.0 };
    with.shocks.push(Shock { name: "nothing".to_owned(), kind });
    assert_eq!(hash(&with), hash(&without));
    assert_ne!(hash(&squeeze(&[])), hash(&without));
}
