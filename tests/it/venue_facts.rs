//! What a venue does in single cases, request by request, worked out by hand. One unit of money a tick and lot; maintenance
//! is 1 % up to a notional of 20,000.

use crate::bench::{A, ALL_ON, B, Bench, MARKET, Rules, limit};
use firesale::clearing::{LiquidationStyle, Stage};
use firesale::event::{Assignment, Event, Refusal};
use firesale::market::{
    Book as _, BookEvent, MAX_PRICE, OrderType, Place, RejectReason, SelfTrade, TimeInForce,
};
use firesale::units::{AccountId, Money, OrderId, Position, Price, Qty, Side};
use firesale::world::{MarkRule, Order, Request, Switches};

fn order(bench: &mut Bench, account: AccountId, side: Side, qty: Qty, order_type: OrderType) -> Order {
    let id = bench.world.next_order_id();
    Order { account, market: A, id, side, qty, order_type, reduce_only: false, leverage: 10, trigger: None }
}

#[test]
fn a_trade_with_oneself_realises_what_its_two_sides_would() {
    let mut bench = Bench::new(&Rules { self_trade: SelfTrade::Allow, ..Rules::default() });
    let (hedger, own) = (bench.unmargined(), bench.unmargined());
    bench.seed(own, hedger, A, 10, 0);
    bench.submit(own, A, Side::Buy, 5, limit(1_100));
    bench.submit(own, A, Side::Sell, 5, MARKET);
    // 5 sold at 1,100 that cost 1,000 each: 500. 5 are left, and 5 more cost 5,500.
    assert_eq!(bench.state(own, A), (500, 10, 10_500, 0));
}

#[test]
fn a_position_that_nobody_buys_does_not_hold_up_another_market() {
    let mut bench = Bench::new(&Rules::default());
    let (hedger, seller) = (bench.unmargined(), bench.unmargined());
    let (in_a, in_b) = (bench.isolated(500), bench.isolated(500));
    // Equity at 950 is 500 - 500 = 0, below 95.
    bench.seed(in_a, hedger, A, 10, 500);
    bench.seed(in_b, hedger, B, 10, 500);
    bench.submit(hedger, A, Side::Buy, 1, limit(950));
    bench.submit(hedger, B, Side::Buy, 1, limit(950));
    bench.submit(hedger, B, Side::Buy, 20, limit(940));
    bench.submit(seller, A, Side::Sell, 1, MARKET);
    assert_eq!(bench.state(in_a, A).1, 10, "no bid is left in A");
    bench.submit(seller, B, Side::Sell, 1, MARKET);
    assert_eq!(bench.state(in_a, A).1, 10);
    // 10 at 940: a loss of 600, 100 more than the margin.
    assert_eq!(bench.state(in_b, B), (0, 0, 0, 0));
    assert_eq!(bench.world.ledger.uncovered[0], Money(-100));
    assert_eq!(bench.world.mark(B), Price(940));
    // A bid in A, and the first goes too.
    bench.submit(hedger, A, Side::Buy, 10, limit(960));
    assert_eq!(bench.state(in_a, A), (100, 0, 0, 0));
}

#[test]
fn an_amended_order_needs_its_margin_like_a_new_one() {
    let mut bench = Bench::new(&Rules::default());
    let account = bench.isolated(1_000);
    let id = bench.submit(account, A, Side::Buy, 1, limit(1_000));
    assert_eq!(bench.world.accounts.get(account).reserved, Money(100));
    let amend = |qty| Request::Amend { account, market: A, id, price: Price(1_000), qty: Qty(qty) };
    // 11 at 1,000 and leverage 10 need 1,100.
    let told = bench.ask(amend(11)).to_vec();
    let refused = Event::Refused { market: A, account, id, reason: Refusal::InsufficientMargin };
    assert_eq!(told.iter().map(|record| record.event).collect::<Vec<_>>(), [refused]);
    assert_eq!(bench.world.market(A).book.level(Side::Buy, Price(1_000)), Qty(1), "it rests as it was");
    // 10 need all there is, what the order had set aside included.
    bench.ask(amend(10));
    assert_eq!(bench.world.accounts.get(account).reserved, Money(1_000));
    assert_eq!(bench.world.market(A).book.level(Side::Buy, Price(1_000)), Qty(10));
    // A smaller one is never refused.
    bench.ask(amend(9));
    assert_eq!(bench.world.accounts.get(account).reserved, Money(900));
}

#[test]
fn nobody_amends_or_cancels_the_order_of_another() {
    let mut bench = Bench::new(&Rules::default());
    let (owner, other) = (bench.isolated(1_000), bench.isolated(1_000));
    let id = bench.submit(owner, A, Side::Buy, 1, limit(1_000));
    let amend = Request::Amend { account: other, market: A, id, price: Price(900), qty: Qty(1) };
    assert!(bench.ask(amend).is_empty());
    assert!(bench.ask(Request::Cancel { account: other, market: A, id, place: Place::NONE }).is_empty());
    let gone = Request::Amend { account: owner, market: A, id: OrderId(99), price: Price(900), qty: Qty(1) };
    assert!(bench.ask(gone).is_empty());
    assert_eq!(bench.world.market(A).book.level(Side::Buy, Price(1_000)), Qty(1));
}

#[test]
fn who_is_the_other_side_of_seeded_longs_and_shorts_realises_the_difference() {
    let mut bench = Bench::new(&Rules::default());
    let hedger = bench.unmargined();
    let (long, short) = (bench.isolated(1_000), bench.isolated(1_100));
    bench.seed_at(long, hedger, A, (10, 1_000), 1_000);
    bench.seed_at(short, hedger, A, (-10, 1_100), 1_100);
    // 10 sold at 1,000 and bought back at 1,100.
    assert_eq!(bench.state(hedger, A), (-1_000, 0, 0, 0));
    bench.agree();
}

#[test]
fn what_closing_earns_stays_in_a_margin_that_is_below_zero() {
    let switches = Switches { forced_liquidation: false, ..ALL_ON };
    let mut bench = Bench::new(&Rules { switches, ..Rules::default() });
    let (hedger, account) = (bench.unmargined(), bench.isolated(100));
    bench.seed(account, hedger, A, 10, 100);
    // 5 at 900 lose 500; 2 at 1,100 earn 200.
    bench.submit(hedger, A, Side::Buy, 5, limit(900));
    bench.submit(account, A, Side::Sell, 5, MARKET);
    assert_eq!(bench.state(account, A), (0, 5, 5_000, -400));
    bench.submit(hedger, A, Side::Buy, 2, limit(1_100));
    bench.submit(account, A, Side::Sell, 2, MARKET);
    assert_eq!(bench.state(account, A), (0, 3, 3_000, -200));
}

#[test]
fn a_fund_bears_two_positions_only_if_it_can_bear_both() {
    let rules = |fund| Rules {
        style: LiquidationStyle::IocToBankruptcy,
        waterfall: vec![Stage::InsuranceFund],
        fund,
        ..Rules::default()
    };
    // Two longs are bankrupt at 950 and the mark is 940: each would cost the fund 100 at the mark. What it does not take over
    // is sold at 930, 200 below what is owed.
    for (fund, taken, left) in [(200, 2, (200, 0)), (199, 1, (0, -1)), (99, 0, (0, -301))] {
        let mut bench = Bench::new(&rules(fund));
        let (hedger, seller) = (bench.unmargined(), bench.unmargined());
        for _ in 0..2 {
            let account = bench.isolated(500);
            bench.seed(account, hedger, A, 10, 500);
        }
        bench.submit(hedger, A, Side::Buy, 1, limit(940));
        bench.submit(hedger, A, Side::Buy, 40, limit(930));
        bench.submit(seller, A, Side::Sell, 1, MARKET);
        let is_takeover = |event: &Event| matches!(event, Event::Assigned { how: Assignment::Takeover, .. });
        assert_eq!(bench.count(is_takeover), taken, "fund {fund}");
        let ledger = &bench.world.ledger;
        assert_eq!((ledger.fund[0].0, ledger.uncovered[0].0), left, "fund {fund}");
        let held = bench.world.accounts.lots(bench.world.fund_accounts[0], A);
        assert_eq!(held, Position(10 * taken as i64), "fund {fund}");
    }
}

#[test]
fn a_margin_below_zero_pays_no_liquidation_fee() {
    let mut bench = Bench::new(&Rules { fees: [0, 0, 30_000_000], ..Rules::default() });
    let (hedger, seller, account) = (bench.unmargined(), bench.unmargined(), bench.isolated(500));
    bench.seed(account, hedger, A, 10, 500);
    // 5 are sold at 850 and lose 750; nobody buys the rest.
    bench.submit(hedger, A, Side::Buy, 6, limit(850));
    bench.submit(seller, A, Side::Sell, 1, MARKET);
    assert_eq!(bench.state(account, A), (0, 5, 5_000, -250));
    // 2 are sold at 1,100 and earn 200, which the debt takes; at that mark the rest is sound again.
    bench.submit(hedger, A, Side::Buy, 2, limit(1_100));
    assert_eq!(bench.state(account, A), (0, 3, 3_000, -50));
    assert_eq!(bench.world.ledger.fund[0], Money(0));
}

#[test]
fn a_quantity_beyond_every_book_is_rejected() {
    let mut bench = Bench::new(&Rules::default());
    let (hedger, account) = (bench.unmargined(), bench.isolated(2_000));
    bench.seed(account, hedger, A, 10, 1_000);
    let order = order(&mut bench, account, Side::Buy, Qty::MAX, MARKET);
    let told = bench.ask(Request::Submit(order));
    let is_rejected = |event: &Event| {
        matches!(event, Event::Book { event: BookEvent::Rejected { reason: RejectReason::Quantity, .. }, .. })
    };
    assert!(told.len() == 1 && is_rejected(&told[0].event), "{told:?}");
}

#[test]
fn an_order_that_only_reduces_sets_nothing_aside_at_any_price() {
    let mut bench = Bench::new(&Rules::default());
    let (hedger, account) = (bench.unmargined(), bench.isolated(2_000));
    bench.seed(account, hedger, A, 10, 1_000);
    let far = OrderType::Limit { price: MAX_PRICE, tif: TimeInForce::Gtc };
    let order = Order { reduce_only: true, ..order(&mut bench, account, Side::Sell, Qty(10), far) };
    bench.ask(Request::Submit(order));
    assert_eq!(bench.world.market(A).book.level(Side::Sell, MAX_PRICE), Qty(10));
    assert_eq!(bench.world.accounts.get(account).reserved, Money(0));
}

/// The book may be thin behind its best price: what a purchase at market cannot pay it does not buy.
#[test]
fn a_spot_purchase_at_market_stops_where_its_cash_ends() {
    let rules = Rules { has_spot: true, mark: MarkRule::Index, ..Rules::default() };
    let mut bench = Bench::new(&rules);
    let (issuer, seller, buyer) = (bench.unmargined(), bench.unmargined(), bench.isolated(24 * 880));
    bench.endow(seller, issuer, 100);
    // The mark, which a purchase is measured at if it is above the touch, comes down from 1,000 with a first trade.
    bench.submit(seller, B, Side::Sell, 3, limit(880));
    bench.submit(issuer, B, Side::Buy, 1, limit(880));
    assert_eq!(bench.world.mark(B), Price(880));
    bench.submit(seller, B, Side::Sell, 10, limit(881));
    bench.submit(seller, B, Side::Sell, 22, limit(1_066));
    bench.submit(buyer, B, Side::Buy, 24, MARKET);
    // All 24 could be paid for at 880 and no further.
    assert_eq!(bench.state(buyer, B), (22 * 880, 2, 0, 0));
    bench.submit(buyer, B, Side::Buy, 20, MARKET);
    assert_eq!(bench.state(buyer, B), (22 * 880 - 10 * 881, 12, 0, 0));
}

/// A perpetual that slips beyond all free cash takes its last fee from the margin, and the bid for a coin can still be paid.
#[test]
fn a_fee_takes_nothing_of_the_cash_behind_an_order_for_coins() {
    let rules = Rules { has_spot: true, fees: [0, 10_000_000, 0], ..Rules::default() };
    let mut bench = Bench::new(&rules);
    let (quoter, seller, account) = (bench.unmargined(), bench.unmargined(), bench.isolated(2_100));
    bench.submit(account, B, Side::Buy, 1, limit(1_000));
    for (price, qty) in [(1_000, 5), (1_300, 4), (1_301, 1)] {
        bench.submit(quoter, A, Side::Sell, qty, limit(price));
    }
    bench.submit(account, A, Side::Buy, 10, MARKET);
    // Fees of 50, 52 and 14; margins of 500 and, instead of 520, of the 498 that were left; the last fee out of them.
    assert_eq!(bench.state(account, A), (1_000, 10, 11_501, 500 + 498 - 14));
    bench.endow(seller, quoter, 1);
    bench.submit(seller, B, Side::Sell, 1, MARKET);
    assert_eq!(bench.state(account, B), (0, 1, 0, 0));
}
