//! Agents in a perpetual and its spot market: what each does there, conserved and audited, and that none of it happens at zero
//! strength.

use crate::support::{checked, run};
use firesale::event::{Event, Record};
use firesale::market::{Book as _, BookEvent, OrderType, TimeInForce};
use firesale::record::{AuditReport, Auditor, TapeHasher};
use firesale::scenario::Scenario;
use firesale::units::{MarketId, Side, Time};

const PERP: MarketId = MarketId(0);
const SPOT: MarketId = MarketId(1);
const TEXT: &str = include_str!("two_markets.toml");

fn scenario(changes: &[&str]) -> Scenario {
    checked("two-markets", TEXT, changes).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Returns the problems of a scenario that is refused.
fn refused(changes: &[&str]) -> String {
    checked("two-markets", TEXT, changes).expect_err("it is refused")
}

/// Runs a scenario, asserts that everything is conserved and that the auditor agrees, and returns its report and what was said.
fn audited(scenario: &Scenario) -> (AuditReport, Vec<Record>) {
    let mut observer = (Auditor::new(&scenario.world), Vec::new());
    let simulation = run(scenario, 1, &mut observer);
    simulation.world().assert_conserved_in_full();
    let (auditor, records) = observer;
    (auditor.finish(simulation.world()).unwrap_or_else(|problems| panic!("{problems:#?}")), records)
}

fn tape(scenario: &Scenario) -> String {
    let mut hasher = TapeHasher::new();
    run(scenario, 1, &mut hasher);
    hasher.finish()
}

fn count(records: &[Record], what: impl Fn(&Event) -> bool) -> usize {
    records.iter().filter(|record| what(&record.event)).count()
}

fn is_trade(event: &Event, at: MarketId) -> bool {
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
    let first = on.iter().zip(&off).position(|(a, b)| a != b).expect("it acts");
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
fn lowest(records: &[Record]) -> i64 {
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

/// Depth within 1 % over the same two minutes of a sale, in which prices move, and before it.
#[test]
fn a_sale_thins_the_book_more_where_orders_flee() {
    let left = |changes: &[&str]| {
        let mut simulation = firesale::engine::Simulation::new(
            &scenario(changes),
            firesale::rng::Seed { master: 1, replicate: 0 },
            &mut (),
        );
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
    let flight = "populations.flow.strategy.background.flight={ reference = 0.003, cap = 100 }";
    let (plain, fled) = (left(&[]), left(&[flight]));
    assert!(fled < 0.8 * plain, "{fled} against {plain}");
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
        // A buyer closes a short; the hedgers, who are its other side, net it with their own of retail's longs.
        let (lots, _) = of_seller(&[&closes(share), "shocks.sale.event.meta_order.side=buy"]);
        assert_eq!(lots, -left, "{share}");
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
