//! The auditor replays every shipped scenario and agrees, and finds what is planted.

use crate::support::{run, scenario};
use firesale::event::{Event, Observer, Record};
use firesale::record::Auditor;
use firesale::scenario::shipped::SHIPPED;
use firesale::units::{Money, Qty};

#[test]
fn the_auditor_agrees_with_every_shipped_scenario() {
    for shipped in SHIPPED {
        let scenario = scenario(shipped.name, &[]);
        let mut auditor = Auditor::new(&scenario.world);
        let simulation = run(&scenario, 0, &mut auditor);
        simulation.world().assert_conserved_in_full();
        let report =
            auditor.finish(simulation.world()).unwrap_or_else(|e| panic!("{}: {e:#?}", shipped.name));
        assert!(report.trades > 100, "{}: {report:?}", shipped.name);
        match shipped.name {
            "leverage-one" => assert_eq!(report.liquidations, 0),
            // A position of the calm day may be liquidated by itself.
            "calm" => assert!(report.liquidations <= 2, "{report:?}"),
            _ => assert!(report.liquidations > 10, "{}: {report:?}", shipped.name),
        }
    }
}

#[test]
fn the_auditor_agrees_when_the_fund_is_empty_and_positions_are_deleveraged() {
    let changes = [
        "duration=30m",
        "venues.exchange.insurance_fund=0",
        "venues.exchange.liquidation.fee=0",
        "populations.retail.strategy.retail.notional_median=1700",
    ];
    for waterfall in ["[\"auto_deleverage\"]", "[\"insurance_fund\", \"auto_deleverage\"]", "[]"] {
        let change = format!("venues.exchange.liquidation.waterfall={waterfall}");
        let mut changes = changes.to_vec();
        changes.push(&change);
        let scenario = scenario("long-squeeze", &changes);
        let mut auditor = Auditor::new(&scenario.world);
        let simulation = run(&scenario, 1, &mut auditor);
        let report = auditor.finish(simulation.world()).unwrap_or_else(|e| panic!("{waterfall}: {e:#?}"));
        assert_eq!(report.deleveraged > 0, waterfall.contains("auto_deleverage"), "{waterfall}: {report:?}");
    }
}

#[test]
fn the_auditor_agrees_with_liquidation_at_market() {
    let changes =
        ["duration=30m", "venues.exchange.liquidation.style=market", "venues.exchange.insurance_fund=100"];
    let scenario = scenario("long-squeeze", &changes);
    let mut auditor = Auditor::new(&scenario.world);
    let simulation = run(&scenario, 2, &mut auditor);
    let report = auditor.finish(simulation.world()).unwrap_or_else(|e| panic!("{e:#?}"));
    assert!(report.liquidations > 0);
}

/// Hands every record on, one of them changed.
struct Liar<'a> {
    auditor: &'a mut Auditor,
    lie: fn(&mut Event) -> bool,
    told: bool,
}

impl Observer for Liar<'_> {
    fn on(&mut self, record: &Record) {
        let mut record = *record;
        if !self.told {
            self.told = (self.lie)(&mut record.event);
        }
        self.auditor.on(&record);
    }
}

#[test]
fn the_auditor_finds_one_wrong_unit() {
    use firesale::market::BookEvent;
    let lies: [fn(&mut Event) -> bool; 5] = [
        |event| match event {
            Event::Transfer(transfer) => {
                transfer.amount += Money(1);
                true
            }
            _ => false,
        },
        |event| match event {
            Event::Book { event: BookEvent::Trade(trade), .. } => {
                trade.qty += Qty(1);
                true
            }
            _ => false,
        },
        |event| match event {
            Event::Liquidation { equity, .. } => {
                *equity += Money(1);
                true
            }
            _ => false,
        },
        |event| match event {
            Event::Mark { mark, .. } => {
                mark.0 += 1;
                true
            }
            _ => false,
        },
        |event| match event {
            Event::Assigned { value, .. } => {
                *value += Money(1);
                true
            }
            _ => false,
        },
    ];
    let scenario = scenario("long-squeeze", &["duration=15m"]);
    for (index, lie) in lies.into_iter().enumerate() {
        let mut auditor = Auditor::new(&scenario.world);
        let mut liar = Liar { auditor: &mut auditor, lie, told: false };
        let simulation = run(&scenario, 0, &mut liar);
        assert!(liar.told, "lie {index} had an occasion");
        assert!(auditor.finish(simulation.world()).is_err(), "lie {index} was believed");
    }
}
