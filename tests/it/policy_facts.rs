//! What a venue does under each rule that a leverage policy may add, worked out by hand on the bench: one unit of money a tick and
//! lot, mark at the last trade, maintenance 1 % up to a notional of 20,000.

use crate::bench::{A, Bench, MARKET, Rules, limit};
use firesale::clearing::{LiquidationStyle, Stage};
use firesale::event::{Event, Refusal};
use firesale::market::{
    BeyondBand, Book as _, HaltRule, OrderType, Place, PriceBand, TriggerSource, TriggerWhen,
};
use firesale::units::{AccountId, Money, Price, Qty, Rate, Side, Time};
use firesale::world::{Order, Request, Safeguards, Trigger, VolatilityMargin};

const TENTH: Rate = Rate(100_000_000);
const FIFTH: Rate = Rate(200_000_000);

fn refusals(bench: &Bench, why: Refusal) -> usize {
    bench.count(|event| matches!(event, Event::Refused { reason, .. } if *reason == why))
}

fn liquidations(bench: &Bench) -> usize {
    bench.count(|event| matches!(event, Event::Liquidation { .. }))
}

/// A long that is due, and who stands on the other side.
struct Fall {
    bench: Bench,
    hedger: AccountId,
    long: AccountId,
}

/// A long of 10 at 1,000 with 200 behind it and bids at `bids`; a sale of one lot makes 988 the mark. Equity is 80 then, and 99
/// are needed.
fn fall(rules: &Rules, bids: &[(i64, i64)]) -> Fall {
    let mut bench = Bench::new(rules);
    let (hedger, seller, long) = (bench.unmargined(), bench.unmargined(), bench.isolated(200));
    bench.seed(long, hedger, A, 10, 200);
    bench.submit(hedger, A, Side::Buy, 1, limit(988));
    for &(price, qty) in bids {
        bench.submit(hedger, A, Side::Buy, qty, limit(price));
    }
    bench.submit(seller, A, Side::Sell, 1, MARKET);
    assert!(liquidations(&bench) > 0, "it is due");
    Fall { bench, hedger, long }
}

fn partial(buffer: Rate) -> Rules {
    Rules { style: LiquidationStyle::Partial { step: FIFTH, buffer }, ..Rules::default() }
}

#[test]
fn a_partial_liquidation_stops_when_there_is_a_buffer() {
    // 2 at 987 lose 26: equity 200 - 26 + 8 x (987 - 1,000) = 70 on 8; 79 are needed. 2 more: 70 on 6, and 60 are enough.
    // With a tenth more 66 are; with three tenths more 77, and 2 more go.
    for (buffer, lots) in [(Rate::ZERO, 6), (TENTH, 6), (Rate(3 * TENTH.0), 4)] {
        let Fall { bench, long, .. } = fall(&partial(buffer), &[(987, 100)]);
        assert_eq!(bench.state(long, A).1, lots, "{buffer:?}");
        assert_eq!(liquidations(&bench), 1);
    }
    // All of it at once without the rule.
    let rules = Rules { style: LiquidationStyle::IocToBankruptcy, ..Rules::default() };
    let Fall { bench, long, .. } = fall(&rules, &[(987, 100)]);
    assert_eq!(bench.state(long, A).1, 0);
}

#[test]
fn a_fee_above_the_maintenance_rate_lets_no_partial_liquidation_help() {
    let rules = Rules { fees: [0, 0, 12_500_000], ..partial(TENTH) };
    let Fall { bench, long, .. } = fall(&rules, &[(987, 100)]);
    assert_eq!(bench.state(long, A).1, 0, "each step's fee takes all that the closed part had left");
    assert_eq!(liquidations(&bench), 1);
}

#[test]
fn a_partial_liquidation_that_finds_nobody_goes_down_the_waterfall_whole() {
    // Bankrupt at 980: one step finds 2 above it, the next nobody. The fund takes over 8 and bears nothing at the mark of 985.
    let rules = Rules { waterfall: vec![Stage::InsuranceFund], fund: 100, ..partial(TENTH) };
    let Fall { bench, long, .. } = fall(&rules, &[(985, 2), (900, 100)]);
    assert_eq!(bench.state(long, A), (0, 0, 0, 0));
    let fund = bench.world.fund_accounts[0];
    assert_eq!(bench.world.accounts.lots(fund, A).0, 8);
}

#[test]
fn a_slow_liquidation_pauses_between_two_steps() {
    let pause = Time(30 * Time::SECOND.0);
    let rules = Rules { style: LiquidationStyle::Slow { step: FIFTH, pause }, ..Rules::default() };
    let Fall { mut bench, hedger, long } = fall(&rules, &[(985, 2), (982, 100)]);
    // One step of 2 at 985: equity 200 - 150 = 50 and 79 are needed.
    assert_eq!(bench.state(long, A).1, 8);
    bench.wait(29);
    bench.submit(hedger, A, Side::Buy, 1, limit(500));
    assert_eq!((bench.state(long, A).1, liquidations(&bench)), (8, 1), "it waits");
    // At the end of the pause the next 2 at 982, a fifth of what there was, and 2 more each half a minute.
    for (lots, steps) in [(6, 2), (4, 3)] {
        bench.wait(30);
        bench.submit(hedger, A, Side::Buy, 1, limit(500));
        assert_eq!((bench.state(long, A).1, liquidations(&bench)), (lots, steps));
    }
    // Before the next one the price is back at 1,000, and it is left alone.
    bench.submit(hedger, A, Side::Sell, 1, limit(1_000));
    let buyer = bench.unmargined();
    bench.submit(buyer, A, Side::Buy, 1, limit(1_000));
    bench.wait(31);
    bench.submit(hedger, A, Side::Buy, 1, limit(500));
    assert_eq!((bench.state(long, A).1, liquidations(&bench)), (4, 3));
    // And in the index again: when the mark falls, so does it.
    bench.submit(buyer, A, Side::Sell, 95, MARKET);
    assert!(liquidations(&bench) > 3, "{:?}", bench.state(long, A));
}

#[test]
fn a_position_whose_liquidation_pauses_cannot_be_increased() {
    let pause = Time(30 * Time::SECOND.0);
    let rules = Rules { style: LiquidationStyle::Slow { step: FIFTH, pause }, ..Rules::default() };
    let Fall { mut bench, hedger, long } = fall(&rules, &[(985, 2), (982, 100)]);
    bench.submit(hedger, A, Side::Sell, 5, limit(990));
    bench.submit(long, A, Side::Buy, 1, limit(990));
    assert_eq!(refusals(&bench, Refusal::BelowMaintenance), 1);
    assert_eq!(bench.state(long, A).1, 8);
}

fn banded(beyond: BeyondBand) -> Rules {
    let price_band = Some(PriceBand { reach: 0.05, beyond });
    Rules { safeguards: Safeguards { price_band, ..Safeguards::default() }, ..Rules::default() }
}

/// Bids of 5 at 960 and 949, the mark at 1,000: a band of 5 % ends at 950.
fn thin_bids(rules: &Rules) -> (Bench, AccountId) {
    let mut bench = Bench::new(rules);
    let (maker, seller) = (bench.unmargined(), bench.unmargined());
    for price in [960, 949] {
        bench.submit(maker, A, Side::Buy, 5, limit(price));
    }
    (bench, seller)
}

#[test]
fn a_band_clips_what_would_trade_beyond_it() {
    let (mut bench, seller) = thin_bids(&banded(BeyondBand::Clip));
    bench.submit(seller, A, Side::Sell, 8, MARKET);
    assert_eq!(bench.state(seller, A).1, -5, "949 lies beyond");
    let (mut bench, seller) = thin_bids(&banded(BeyondBand::Clip));
    bench.submit(seller, A, Side::Sell, 8, limit(900));
    assert_eq!(bench.state(seller, A).1, -5);
    assert_eq!(bench.world.market(A).book.level(Side::Sell, Price(950)), Qty(3), "it rests at the border");
    let (mut bench, seller) = thin_bids(&Rules::default());
    bench.submit(seller, A, Side::Sell, 8, MARKET);
    assert_eq!(bench.state(seller, A).1, -8, "without a band");
}

#[test]
fn a_band_rejects_what_would_trade_beyond_it() {
    for (qty, traded, refused) in [(8, 0, 1), (5, -5, 0)] {
        for order_type in [MARKET, limit(900)] {
            let (mut bench, seller) = thin_bids(&banded(BeyondBand::Reject));
            bench.submit(seller, A, Side::Sell, qty, order_type);
            assert_eq!(bench.state(seller, A).1, traded, "{qty} {order_type:?}");
            assert_eq!(refusals(&bench, Refusal::BeyondBand), refused);
        }
    }
    // A bid far below trades with nobody, and rests.
    let (mut bench, buyer) = thin_bids(&banded(BeyondBand::Reject));
    bench.submit(buyer, A, Side::Buy, 1, limit(500));
    assert_eq!(bench.world.market(A).book.level(Side::Buy, Price(500)), Qty(1));
}

#[test]
fn an_amended_order_stays_within_the_band() {
    let (mut bench, maker) = thin_bids(&banded(BeyondBand::Clip));
    let id = bench.submit(maker, A, Side::Sell, 8, limit(1_000));
    bench.ask(Request::Amend { account: maker, market: A, id, price: Price(900), qty: Qty(8) });
    assert_eq!(bench.world.market(A).book.level(Side::Sell, Price(950)), Qty(3));
    let (mut bench, maker) = thin_bids(&banded(BeyondBand::Reject));
    let id = bench.submit(maker, A, Side::Sell, 8, limit(1_000));
    bench.ask(Request::Amend { account: maker, market: A, id, price: Price(900), qty: Qty(8) });
    assert_eq!(bench.world.market(A).book.level(Side::Sell, Price(1_000)), Qty(8), "it rests as it was");
}

#[test]
fn a_forced_sale_stays_within_the_band_and_goes_on_when_the_mark_has_moved() {
    // The mark is 988 and the band ends at 939: 4 are sold at 960, the mark follows, and the rest finds 930 within 912.
    let Fall { bench, long, .. } = fall(&banded(BeyondBand::Reject), &[(960, 4), (930, 100)]);
    let is_unfinished = |event: &Event| matches!(event, Event::Liquidated { left, .. } if left.0 == 6);
    assert_eq!(bench.count(is_unfinished), 1);
    assert_eq!(bench.state(long, A).1, 0);
    let Fall { bench, .. } = fall(&Rules::default(), &[(960, 4), (930, 100)]);
    assert_eq!(bench.count(is_unfinished), 0, "without a band");
}

fn halting() -> Rules {
    let rule = HaltRule {
        reach: Rate(30_000_000),
        window: Time(60 * Time::SECOND.0),
        pause: Time(20 * Time::SECOND.0),
    };
    Rules { safeguards: Safeguards { halt: Some(rule), ..Safeguards::default() }, ..Rules::default() }
}

/// A long of 10 that is due at 960, a stop of another's at 960 and a halt at 3 %: a trade at 1,000 and one at 960.
fn halted(rules: &Rules) -> (Bench, [AccountId; 3]) {
    let mut bench = Bench::new(rules);
    let (maker, seller) = (bench.unmargined(), bench.unmargined());
    let (long, stopped) = (bench.isolated(450), bench.isolated(2_000));
    bench.seed(long, maker, A, 10, 450);
    bench.seed(stopped, maker, A, 10, 2_000);
    for (price, qty) in [(1_000, 1), (960, 1), (955, 100)] {
        bench.submit(maker, A, Side::Buy, qty, limit(price));
    }
    let trigger = Trigger { price: Price(960), when: TriggerWhen::AtOrBelow, source: TriggerSource::Mark };
    let id = bench.world.next_order_id();
    bench.ask(Request::Submit(Order {
        account: stopped,
        market: A,
        id,
        side: Side::Sell,
        qty: Qty(10),
        order_type: MARKET,
        reduce_only: true,
        leverage: 10,
        trigger: Some(trigger),
    }));
    bench.submit(seller, A, Side::Sell, 1, MARKET);
    bench.submit(seller, A, Side::Sell, 1, MARKET);
    (bench, [maker, long, stopped])
}

#[test]
fn a_halt_stops_trading_stops_and_liquidations_for_a_while() {
    let (bench, [_, long, stopped]) = halted(&Rules::default());
    assert_eq!((bench.state(long, A).1, bench.state(stopped, A).1), (0, 0), "without a halt");

    let (mut bench, [maker, long, stopped]) = halted(&halting());
    let halts = |bench: &Bench| bench.count(|event| matches!(event, Event::Halted { .. }));
    assert_eq!((halts(&bench), bench.world.mark(A)), (1, Price(960)));
    assert!(bench.world.is_halted(A, bench.now()));
    let held = |bench: &Bench| (bench.state(long, A).1, bench.state(stopped, A).1);
    assert_eq!(held(&bench), (10, 10));
    // Nothing may come, of whatever kind, and everything may go.
    let resting = bench.world.open_orders(maker, A).map(|(id, _)| id).next().unwrap();
    bench.submit(maker, A, Side::Buy, 1, limit(100));
    bench.ask(Request::Amend { account: maker, market: A, id: resting, price: Price(956), qty: Qty(1) });
    assert_eq!(refusals(&bench, Refusal::Halted), 2);
    let other = bench.unmargined();
    bench.submit(other, A, Side::Sell, 1, OrderType::Market { worst: Some(Price(900)) });
    assert_eq!(refusals(&bench, Refusal::Halted), 3);
    bench.wait(19);
    bench.ask(Request::Amend { account: maker, market: A, id: resting, price: Price(955), qty: Qty(60) });
    assert_eq!(bench.world.market(A).book.level(Side::Buy, Price(955)), Qty(60));
    assert_eq!(held(&bench), (10, 10));
    // The first message after it lets what waited go; it is no new halt, since the fall before it is over.
    bench.wait(1);
    bench.ask(Request::Cancel { account: other, market: A, id: resting, place: Place::NONE });
    assert_eq!((held(&bench), halts(&bench)), ((0, 0), 1));
}

#[test]
fn orders_may_be_taken_back_in_a_halt() {
    let (mut bench, [maker, ..]) = halted(&halting());
    let id = bench.world.open_orders(maker, A).map(|(id, _)| id).next().unwrap();
    bench.ask(Request::Cancel { account: maker, market: A, id, place: Place::NONE });
    assert_eq!(bench.world.market(A).book.level(Side::Buy, Price(955)), Qty(0));
}

#[test]
fn a_slow_liquidation_waits_for_the_end_of_a_halt() {
    let pause = Time(5 * Time::SECOND.0);
    let style = LiquidationStyle::Slow { step: FIFTH, pause };
    // A step of 2 at 965: 3.5 % below the trade at 1,000.
    let rules = Rules { style, ..halting() };
    let mut bench = Bench::new(&rules);
    let (maker, seller, long) = (bench.unmargined(), bench.unmargined(), bench.isolated(360));
    bench.seed(long, maker, A, 10, 360);
    for (price, qty) in [(1_000, 1), (972, 1), (969, 100)] {
        bench.submit(maker, A, Side::Buy, qty, limit(price));
    }
    for _ in 0..2 {
        bench.submit(seller, A, Side::Sell, 1, MARKET);
    }
    // At 972 equity is 80: below 97. 2 go at 969, which is 3.1 % below.
    assert_eq!((bench.state(long, A).1, bench.count(|e| matches!(e, Event::Halted { .. }))), (8, 1));
    bench.wait(10);
    let nothing =
        Request::Cancel { account: seller, market: A, id: firesale::units::OrderId(1), place: Place::NONE };
    bench.ask(nothing);
    assert_eq!(bench.state(long, A).1, 8, "the pause is over, the halt is not");
    bench.wait(10);
    bench.ask(nothing);
    assert_eq!(bench.state(long, A).1, 6);
}

#[test]
fn initial_margin_rises_with_volatility_for_new_exposure_alone() {
    let volatility_margin = Some(VolatilityMargin { reference: 0.4, cap: 4.0 });
    let guarded =
        Rules { safeguards: Safeguards { volatility_margin, ..Safeguards::default() }, ..Rules::default() };
    for (rules, refused) in [(guarded, 1), (Rules::default(), 0)] {
        let mut bench = Bench::new(&rules);
        let (maker, buyer) = (bench.unmargined(), bench.unmargined());
        let (early, late) = (bench.isolated(2_000), bench.isolated(2_000));
        bench.submit(maker, A, Side::Sell, 10, limit(1_001));
        bench.submit(maker, A, Side::Buy, 1, limit(999));
        bench.observe();
        let buy = |bench: &mut Bench, account, leverage| {
            let id = bench.world.next_order_id();
            bench.ask(Request::Submit(Order {
                account,
                market: A,
                id,
                side: Side::Buy,
                qty: Qty(1),
                order_type: MARKET,
                reduce_only: false,
                leverage,
                trigger: None,
            }));
            bench.state(account, A).1
        };
        assert_eq!(buy(&mut bench, early, 50), 1, "nothing has moved yet");
        // The middle rises from 1,000 to 1,100 within five seconds.
        bench.submit(buyer, A, Side::Buy, 9, MARKET);
        bench.submit(maker, A, Side::Sell, 10, limit(1_101));
        bench.submit(maker, A, Side::Buy, 1, limit(1_099));
        bench.observe();
        let margin = bench.state(early, A).3;
        assert_eq!(buy(&mut bench, late, 50), i64::from(refused == 0));
        assert_eq!(refusals(&bench, Refusal::LeverageAboveBracket), refused);
        // 50x over four is 12x; who has a position keeps what is behind it.
        let offered = bench.world.max_leverage(A, Money(1_000));
        assert_eq!(offered, if refused == 1 { 12 } else { 50 });
        assert_eq!(buy(&mut bench, late, 12), 1 + i64::from(refused == 0));
        assert_eq!(bench.state(early, A).3, margin);
    }
}
