//! Agents in a perpetual and its spot market: what each does there, conserved and audited, and that none of it happens at zero
//! strength.

use crate::support::{checked, run};
use firesale::event::{Event, Record};
use firesale::market::{Book as _, BookEvent, OrderType, TimeInForce};
use firesale::record::{AuditReport, Auditor, TapeHasher};
use firesale::scenario::Scenario;
use firesale::units::{MarketId, Side, Time};

pub(crate) const PERP: MarketId = MarketId(0);
pub(crate) const SPOT: MarketId = MarketId(1);
const TEXT: &str = include_str!("two_markets.toml");

pub(crate) fn scenario(changes: &[&str]) -> Scenario {
    checked("two-markets", TEXT, changes).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Returns the problems of a scenario that is refused.
fn refused(changes: &[&str]) -> String {
    checked("two-markets", TEXT, changes).expect_err("it is refused")
}

/// Runs a scenario, asserts that everything is conserved and that the auditor agrees, and returns its report and what was said.
pub(crate) fn audited(scenario: &Scenario) -> (AuditReport, Vec<Record>) {
    let mut observer = (Auditor::new(&scenario.world), Vec::new());
    let simulation = run(scenario, 1, &mut observer);
    simulation.world().assert_conserved_in_full();
    let (auditor, records) = observer;
    (auditor.finish(simulation.world()).unwrap_or_else(|problems| panic!("{problems:#?}")), records)
}

pub(crate) fn tape(scenario: &Scenario) -> String {
    let mut hasher = TapeHasher::new();
    run(scenario, 1, &mut hasher);
    hasher.finish()
}

pub(crate) fn count(records: &[Record], what: impl Fn(&Event) -> bool) -> usize {
    records.iter().filter(|record| what(&record.event)).count()
}

pub(crate) fn is_trade(event: &Event, at: MarketId) -> bool {
    matches!(event, Event::Book { market, event: BookEvent::Trade(_) } if *market == at)
}

/// Orders that came to rest in a market.
fn rested(records: &[Record], at: MarketId) -> usize {
    count(
        records,
        |event| matches!(event, Event::Book { market, event: BookEvent::Rested { .. } } if *market == at),
    )
}

#[test]
fn activity_of_no_strength_leaves_no_trace() {
    let plain = tape(&scenario(&[]));
    for rule in ["{ cap = 1 }", "{ exponent = 0 }"] {
        let retail = format!("populations.retail.strategy.retail.activity={rule}");
        let flow = rule.replace(" }", ", refill_within_bps = 100 }");
        let flow = format!("populations.flow.strategy.background.activity={flow}");
        assert_eq!(tape(&scenario(&[&retail, &flow])), plain, "{rule}");
    }
}

#[test]
fn a_sale_brings_more_market_orders_and_trades_of_retail_where_activity_responds() {
    let flow = "populations.flow.strategy.background.activity={ reference = 0.003 }";
    let retail = "populations.retail.strategy.retail.activity={ reference = 0.003 }";
    let (_, plain) = audited(&scenario(&[]));
    for change in [flow, retail] {
        let (report, records) = audited(&scenario(&[change]));
        let [more, fewer] = [&records, &plain].map(|records| count(records, |event| is_trade(event, PERP)));
        assert!(more as f64 > 1.2 * fewer as f64, "{change}: {more} trades against {fewer}");
        assert!(report.liquidations > 0);
    }
}

/// The multiplier is at its cap all the time. The depth within 10 bps, sampled each ten seconds of 28 minutes, is that of the
/// steady flow: some 300 orders of exponential size that live for a minute, so that a mean of 13 lives is known to about 3 %.
#[test]
fn a_book_that_refills_faster_is_as_deep_as_before() {
    let steady = [
        "duration=30m",
        "populations.flow.strategy.background.market_orders_per_second=0",
        "populations.flow.strategy.background.orders_per_rung=100",
        "populations.retail.strategy.retail.opens_per_day=0",
        "populations.retail.strategy.retail.closes_per_day=0",
        "shocks.sale.event.meta_order.quantity=0",
    ];
    let fast = "populations.flow.strategy.background.activity={ reference = 0.000001, cap = 10, refill_within_bps = 50 }";
    let depth_of = |scenario: &Scenario| {
        let mut records = Vec::new();
        let mut simulation = firesale::engine::Simulation::new(
            scenario,
            firesale::rng::Seed { master: 1, replicate: 0 },
            &mut records,
        );
        let (mut sum, mut samples) = (0.0, 0.0);
        for step in 12..180 {
            simulation.step_until(Time(10 * step * Time::SECOND.0), &mut records);
            let book = &simulation.world().market(PERP).book;
            for side in [Side::Buy, Side::Sell] {
                sum += book.depth_within(side, 10.0).0 as f64;
                samples += 1.0;
            }
        }
        (sum / samples, rested(&records, PERP) as f64)
    };
    let (plain, orders) = depth_of(&scenario(&steady));
    let (refilled, more_orders) = depth_of(&scenario(&[&steady[..], &[fast]].concat()));
    assert!((refilled / plain - 1.0).abs() < 0.12, "{refilled} lots against {plain}");
    assert!(more_orders > 5.0 * orders, "{more_orders} orders against {orders}");
}

#[test]
fn the_background_flow_runs_in_a_spot_market() {
    let (_, records) = audited(&scenario(&[]));
    assert!(count(&records, |event| is_trade(event, SPOT)) > 100);
}

#[test]
fn activity_needs_a_volatility() {
    let changes =
        ["markets.COIN-PERP.volatility_half_life=0s", "populations.retail.strategy.retail.activity={}"];
    let said = refused(&changes);
    assert!(said.contains("markets.COIN-PERP.volatility_half_life = \"5m\""), "{said}");
}

#[test]
fn a_meta_order_sells_its_share_in_either_market() {
    let also = ["shocks.sale.event.meta_order.also=COIN-SPOT", "shocks.sale.event.meta_order.also_share=0.2"];
    // The accounts of the timeline are opened last.
    let sold = |records: &[Record], at: MarketId| {
        let accepted = |record: &Record| match record.event {
            Event::Book { market, event: BookEvent::Accepted(order) } if market == at => Some(order),
            _ => None,
        };
        let last = records.iter().filter_map(accepted).map(|order| order.owner).max();
        let orders = records.iter().filter_map(accepted).filter(|order| Some(order.owner) == last);
        orders.map(|order| order.qty.0).sum::<i64>()
    };
    let (_, records) = audited(&scenario(&also));
    // 120 and 30 coins in lots of .001 and .0001.
    assert_eq!((sold(&records, PERP), sold(&records, SPOT)), (120_000, 300_000));
    let nothing =
        ["shocks.sale.event.meta_order.also=COIN-SPOT", "shocks.sale.event.meta_order.also_share=0"];
    assert_eq!(tape(&scenario(&nothing)), tape(&scenario(&[])));
}

#[test]
fn the_other_market_of_a_meta_order_is_another_one_of_the_same_coin() {
    let said = refused(&["shocks.sale.event.meta_order.also=COIN-PERP"]);
    assert!(said.contains("is the market that it trades in anyway"), "{said}");
    let said = refused(&["shocks.sale.event.meta_order.also_share=0.5"]);
    assert!(said.contains("name the other market in `also`"), "{said}");
}

const STOPS: [&str; 3] = [
    "populations.retail.strategy.retail.stop_share=0.5",
    "populations.retail.strategy.retail.take_profit_share=0.3",
    "populations.retail.strategy.retail.take_profit_distance_bps=30",
];

fn is_stop_placed(event: &Event) -> bool {
    matches!(event, Event::StopPlaced { .. })
}

#[test]
fn stops_go_off_in_a_sale_and_close_no_more_than_there_is() {
    let (report, records) = audited(&scenario(&STOPS));
    let cancelled = count(&records, |event| matches!(event, Event::StopCancelled { .. }));
    assert!(report.stops > 20 && cancelled > 20, "{cancelled} cancelled, {report:?}");
    // Every order that a stop became was reduce-only.
    for (place, record) in records.iter().enumerate() {
        if let Event::StopTriggered { id, .. } = record.event {
            let next = records[place..].iter().find_map(|record| match record.event {
                Event::Book { event: BookEvent::Accepted(order), .. } => {
                    Some(order.id == id && order.reduce_only)
                }
                Event::Book { event: BookEvent::Rejected { id: other, .. }, .. } => Some(other == id),
                _ => None,
            });
            assert_eq!(next, Some(true), "{record:?}");
        }
    }
}

#[test]
fn stop_losses_that_are_switched_off_are_as_if_nobody_had_any() {
    let off = [&STOPS[..], &["mechanisms.stop_loss=false"]].concat();
    let nobody = [&STOPS[1..], &["populations.retail.strategy.retail.stop_share=0"]].concat();
    assert_eq!(tape(&scenario(&off)), tape(&scenario(&nobody)));
    assert_ne!(tape(&scenario(&STOPS)), tape(&scenario(&nobody)));
    let none = ["populations.retail.strategy.retail.stop_distance_bps=10"];
    assert_eq!(tape(&scenario(&none)), tape(&scenario(&[])), "a distance of nobody's stop");
    let (_, records) = audited(&scenario(&[&STOPS[..1], &["mechanisms.stop_loss=false"]].concat()));
    assert_eq!(count(&records, is_stop_placed), 0);
}

#[test]
fn accounts_that_top_up_are_liquidated_less() {
    let top_up = [
        "populations.retail.strategy.retail.top_up_share=1",
        "populations.retail.strategy.retail.looks_per_day=5000",
    ];
    let (topped, records) = audited(&scenario(&top_up));
    let (plain, _) = audited(&scenario(&[]));
    let is_top_up = |event: &Event| matches!(event, Event::Transfer(transfer) if transfer.reason == firesale::clearing::Reason::TopUp);
    assert!(count(&records, is_top_up) > 10);
    assert!(topped.liquidations < plain.liquidations, "{topped:?} against {plain:?}");
    let nobody = ["populations.retail.strategy.retail.looks_per_day=5000"];
    assert_eq!(tape(&scenario(&nobody)), tape(&scenario(&[])));
}

#[test]
fn panic_acts_by_orders_that_close_and_keeps_every_tick() {
    let panic = "populations.retail.strategy.retail.panic=20";
    let (_, on) = audited(&scenario(&[panic]));
    let (_, off) = audited(&scenario(&[panic, "mechanisms.panic=false"]));
    // An order has its number when it is sent, so what others send before it arrives is numbered otherwise.
    let what = |record: &Record| (record.time, core::mem::discriminant(&record.event));
    let first = on.iter().zip(&off).position(|(a, b)| what(a) != what(b)).expect("it acts");
    // Nothing else happens at that moment in the run without it, and it is a close.
    let is_close = |record: &Record| matches!(record.event, Event::Book { event: BookEvent::Accepted(order), .. } if order.reduce_only);
    assert!(
        is_close(&on[first]) && on[first].time < off[first].time,
        "{:?} against {:?}",
        on[first],
        off[first]
    );
    let closes = |records: &[Record]| records.iter().filter(|record| is_close(record)).count();
    assert!(closes(&on) as f64 > 1.2 * closes(&off) as f64, "{} against {}", closes(&on), closes(&off));
    assert_eq!(tape(&scenario(&["mechanisms.panic=false"])), tape(&scenario(&[])));
}

const TREND: &str = "populations.trend.strategy.trend_follower={ market = \"COIN-PERP\", accounts = 20, capital = 20000, leverage = 10, half_life = \"2m\", gain = 1, volatility = 0.01, mean_interval = \"10s\" }";

/// Closing mark of the perpetual at its lowest.
pub(crate) fn lowest(records: &[Record]) -> i64 {
    let marks = records.iter().filter_map(|record| match record.event {
        Event::Mark { market, mark, .. } if market == PERP => Some(mark.0),
        _ => None,
    });
    marks.min().expect("the mark moves")
}

#[test]
fn trend_followers_deepen_a_sale_and_can_be_liquidated() {
    let (report, with) = audited(&scenario(&[TREND]));
    let (_, without) = audited(&scenario(&[]));
    assert!(lowest(&with) < lowest(&without), "{} against {}", lowest(&with), lowest(&without));
    assert_eq!(report.refusals, 0, "{report:?}");
    // A leverage of 50 and a turn of the price; the population's accounts come after the retail ones.
    let far = TREND.replace("leverage = 10", "leverage = 50");
    let scenario = scenario(&[&far]);
    let mut records = Vec::new();
    let simulation = run(&scenario, 1, &mut records);
    let first = simulation.world().accounts.len() as u32 - 1 - 20;
    let is_theirs = |event: &Event| matches!(event, Event::Liquidation { account, .. } if account.0 >= first && account.0 < first + 20);
    assert!(count(&records, is_theirs) > 0);
}

#[test]
fn trend_followers_without_gain_never_trade() {
    let still = TREND.replace("gain = 1", "gain = 0");
    let (_, with) = audited(&scenario(&[&still]));
    let (_, without) = audited(&scenario(&[]));
    let trades = |records: &[Record]| count(records, |event| is_trade(event, PERP) || is_trade(event, SPOT));
    assert_eq!((trades(&with), lowest(&with)), (trades(&without), lowest(&without)));
}

const HOLDERS: &str = "populations.coins.strategy.holder={ market = \"COIN-SPOT\", accounts = 300, coins_median = 2, trades_per_day = 300 }";

#[test]
fn holders_trade_what_they_have_and_owe_nothing() {
    let (report, records) = audited(&scenario(&[HOLDERS]));
    let (_, without) = audited(&scenario(&[]));
    let [more, fewer] = [&records, &without].map(|records| count(records, |event| is_trade(event, SPOT)));
    assert!(more > 2 * fewer, "{more} trades against {fewer}");
    assert_eq!(report.refusals, 0, "{report:?}");
    // They alone send such orders to the spot market.
    let sent = |records: &[Record]| {
        let ioc = |order: &firesale::market::NewOrder| {
            matches!(order.order_type, OrderType::Limit { tif: TimeInForce::Ioc, .. })
        };
        let is_sent = |event: &Event| matches!(event, Event::Book { market: SPOT, event: BookEvent::Accepted(order) } if ioc(order));
        count(records, is_sent) as f64
    };
    let usual = sent(&records);
    let fast = HOLDERS.replace(" }", ", activity = { reference = 0.000001, cap = 3 } }");
    let (_, records) = audited(&scenario(&[&fast]));
    let active = sent(&records);
    assert!(active > 2.5 * usual, "{active} orders against {usual}");
}

#[test]
fn holders_who_buy_dips_hold_the_price_and_those_who_panic_do_not() {
    let sale = ["shocks.sale.event.meta_order.market=COIN-SPOT", "shocks.sale.event.meta_order.quantity=40"];
    let low = |dip_buying: &str| {
        let holders = HOLDERS.replace(" }", &format!(", dip_buying = {dip_buying} }}"));
        let (_, records) = audited(&scenario(&[&holders, sale[0], sale[1]]));
        let trades = records.iter().filter_map(|record| match record.event {
            Event::Book { market, event: BookEvent::Trade(trade) } if market == SPOT => Some(trade.price.0),
            _ => None,
        });
        trades.min().expect("it trades")
    };
    let (panic, neutral, dip) = (low("-5"), low("0"), low("5"));
    assert!(panic < neutral && neutral < dip, "{panic}, {neutral}, {dip}");
}

#[test]
fn holders_without_a_rate_leave_the_rest_as_it_is() {
    let still = HOLDERS.replace("trades_per_day = 300", "trades_per_day = 0");
    let (_, with) = audited(&scenario(&[&still]));
    let (_, without) = audited(&scenario(&[]));
    let trades = |records: &[Record]| count(records, |event| is_trade(event, PERP) || is_trade(event, SPOT));
    assert_eq!((trades(&with), lowest(&with)), (trades(&without), lowest(&without)));
}

#[test]
fn who_needs_coins_or_leverage_is_told_where_there_are_some() {
    let cases = [
        (HOLDERS.replace("COIN-SPOT", "COIN-PERP"), "there are no coins to hold"),
        (TREND.replace("COIN-PERP", "COIN-SPOT"), "nobody has leverage"),
        ("populations.retail.strategy.retail.market=COIN-SPOT".to_owned(), "nobody has leverage"),
        (TREND.replace("leverage = 10", "leverage = 200"), "is above the highest leverage, 100"),
        (HOLDERS.replace(" }", ", coins_cap = 1000000000 }"), "an account has at most 1000000000000"),
        (
            "populations.value.strategy.fundamentalist={ market = \"COIN-SPOT\", accounts = 1, capital = 1 }"
                .to_owned(),
            "short = false makes a dip buyer",
        ),
    ];
    for (change, what) in cases {
        let said = refused(&[&change]);
        assert!(said.contains(what), "{change}: {said}");
    }
}
