//! What orders do as they come: they trade, rest or go.

use super::super::session::Op;
use super::super::{
    Book, BookEvent, BookSpec, Outcome, Owner, Place, Position, Qty, SelfTrade, Side, Sink, TimeInForce,
};
use super::desk::{Desk, buy, by, limit, market, reducing, sell, sentence};

pub(super) fn earlier_orders_at_a_price_trade_first<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(3, 5, 100), sell(1, 5, 100), sell(2, 5, 100)]);
    assert_eq!(
        desk.submit(buy(4, 7, 100)),
        "4 in 7; 4 takes 5 of 3 at 100, 0 left; 4 takes 2 of 1 at 100, 3 left"
    );
    assert_eq!(desk.shows(), " | 1:3@100 2:5@100");
}

pub(super) fn better_prices_trade_first_at_the_makers_price<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 102), sell(2, 1, 100), sell(3, 1, 101)]);
    assert_eq!(
        desk.submit(buy(4, 4, 101)),
        "4 in 4; 4 takes 1 of 2 at 100, 0 left; 4 takes 1 of 3 at 101, 0 left; 4 rests 2 at 101"
    );
    assert_eq!(desk.shows(), "4:2@101 | 1:1@102");
    let mut desk = Desk::<B>::holding(&[buy(1, 1, 98), buy(2, 1, 100), buy(3, 1, 99)]);
    assert_eq!(
        desk.submit(sell(4, 4, 99)),
        "4 in 4; 4 takes 1 of 2 at 100, 0 left; 4 takes 1 of 3 at 99, 0 left; 4 rests 2 at 99"
    );
    assert_eq!(desk.shows(), "1:1@98 | 4:2@99");
}

pub(super) fn immediate_or_cancel_never_rests<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100), sell(2, 1, 102)]);
    let ioc = limit(3, Side::Buy, 3, 101, TimeInForce::Ioc);
    assert_eq!(desk.submit(ioc), "3 in 3; 3 takes 1 of 1 at 100, 0 left; 3 dropped 2 Unfilled");
    assert_eq!(desk.shows(), " | 2:1@102");
}

pub(super) fn fill_or_kill_trades_whole_or_is_refused<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100), sell(2, 1, 101), sell(3, 1, 102)]);
    let fok = |id, qty| limit(id, Side::Buy, qty, 101, TimeInForce::Fok);
    assert_eq!(desk.submit(fok(4, 3)), "4 refused FillOrKill");
    assert_eq!(
        desk.submit(fok(5, 2)),
        "5 in 2; 5 takes 1 of 1 at 100, 0 left; 5 takes 1 of 2 at 101, 0 left"
    );
    assert_eq!(desk.shows(), " | 3:1@102");
}

pub(super) fn fill_or_kill_does_not_count_its_owners_orders_under_a_policy_that_cancels<B: Book>() {
    let resting = [by(0, sell(1, 1, 100)), by(5, sell(2, 1, 100)), by(1, sell(3, 1, 100))];
    let fok = |qty| by(5, limit(4, Side::Buy, qty, 100, TimeInForce::Fok));
    for (self_trade, most) in [
        (SelfTrade::Allow, 3),
        (SelfTrade::CancelMaker, 2),
        (SelfTrade::CancelTaker, 1),
        (SelfTrade::CancelBoth, 1),
    ] {
        let spec = BookSpec { self_trade, ..BookSpec::default() };
        let mut desk = Desk::<B>::with_holding(spec, &resting);
        assert_eq!(desk.submit(fok(most + 1)), "4 refused FillOrKill", "{self_trade:?}");
        assert_eq!(desk.session.apply(Op::Submit(fok(most))).filled, Qty(most), "{self_trade:?}");
    }
}

pub(super) fn fill_or_kill_counts_what_reduce_only_makers_may_still_trade<B: Book>() {
    // Owner 0 is long 5 and sells 3 freely before two reduce-only orders, of which only 2 lots may trade.
    let mut desk = Desk::<B>::new();
    desk.position(0, 5);
    for order in [
        by(0, sell(1, 3, 100)),
        by(0, reducing(sell(2, 4, 100))),
        by(0, reducing(sell(3, 4, 101))),
        sell(4, 1, 102),
    ] {
        assert!(desk.session.apply(Op::Submit(order)).rests);
    }
    desk.told = desk.session.tape.events.len();
    let fok = |qty| by(5, limit(5, Side::Buy, qty, 102, TimeInForce::Fok));
    assert_eq!(desk.submit(fok(7)), "5 refused FillOrKill");
    assert_eq!(
        desk.submit(fok(6)),
        "5 in 6; 5 takes 3 of 1 at 100, 0 left; 2 cut 4 to 2; 5 takes 2 of 2 at 100, 0 left; \
         3 pulled 4 ReduceOnly; 5 takes 1 of 4 at 102, 0 left"
    );
}

pub(super) fn post_only_never_takes<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100)]);
    let post = |price| limit(2, Side::Buy, 1, price, TimeInForce::PostOnly);
    assert_eq!(desk.submit(post(100)), "2 refused PostOnly");
    assert_eq!(desk.submit(by(1, post(100))), "2 refused PostOnly");
    assert_eq!(desk.submit(post(99)), "2 in 1; 2 rests 1 at 99");
    assert_eq!(desk.submit(limit(3, Side::Sell, 1, 99, TimeInForce::PostOnly)), "3 refused PostOnly");
}

pub(super) fn a_market_order_trades_up_to_its_worst_price_and_never_rests<B: Book>() {
    let resting = [buy(1, 1, 100), buy(2, 1, 90), buy(3, 1, 80)];
    let mut desk = Desk::<B>::holding(&resting);
    assert_eq!(
        desk.submit(market(4, Side::Sell, 9, Some(90))),
        "4 in 9; 4 takes 1 of 1 at 100, 0 left; 4 takes 1 of 2 at 90, 0 left; 4 dropped 7 Unfilled"
    );
    assert_eq!(desk.submit(market(5, Side::Sell, 1, None)), "5 in 1; 5 takes 1 of 3 at 80, 0 left");
    assert_eq!(desk.submit(market(4, Side::Sell, 1, None)), "4 in 1; 4 dropped 1 Unfilled");
    assert_eq!(desk.submit(market(4, Side::Sell, 1, Some(0))), "4 refused Price");
    for worst in [None, Some(1), Some(i64::MAX)] {
        assert_eq!(desk.submit(market(4, Side::Buy, 1, worst)), "4 in 1; 4 dropped 1 Unfilled");
    }
}

pub(super) fn reduce_only_is_clipped_at_submission<B: Book>() {
    let mut desk = Desk::<B>::holding(&[buy(1, 9, 100)]);
    assert_eq!(desk.submit(reducing(sell(2, 5, 100))), "2 refused ReduceOnly");
    desk.position(2, -3);
    assert_eq!(desk.submit(reducing(sell(2, 5, 100))), "2 refused ReduceOnly");
    desk.position(2, 3);
    assert_eq!(desk.submit(reducing(sell(2, 5, 100))), "2 in 3; 2 takes 3 of 1 at 100, 6 left");
    desk.position(2, 3);
    assert_eq!(desk.submit(reducing(sell(2, 5, 101))), "2 in 3; 2 rests 3 at 101");
}

pub(super) fn a_reduce_only_maker_is_cut_to_what_is_left_to_reduce<B: Book>() {
    let mut desk = Desk::<B>::new();
    desk.position(1, 5);
    desk.submit(reducing(sell(1, 5, 100)));
    desk.position(1, 3);
    assert_eq!(desk.submit(buy(2, 2, 100)), "2 in 2; 1 cut 5 to 3; 2 takes 2 of 1 at 100, 1 left");
    assert_eq!(desk.shows(), " | 1:1@100");
    desk.position(1, 0);
    assert_eq!(desk.submit(buy(3, 2, 100)), "3 in 2; 1 pulled 1 ReduceOnly; 3 rests 2 at 100");
    assert_eq!(desk.shows(), "3:2@100 | ");
}

pub(super) fn two_reduce_only_makers_share_one_position<B: Book>() {
    let mut desk = Desk::<B>::new();
    desk.position(1, 5);
    desk.submit(reducing(sell(1, 4, 100)));
    desk.submit(by(1, reducing(sell(2, 4, 101))));
    assert_eq!(
        desk.submit(buy(3, 9, 101)),
        "3 in 9; 3 takes 4 of 1 at 100, 0 left; 2 cut 4 to 1; 3 takes 1 of 2 at 101, 0 left; 3 rests 4 at 101"
    );
    assert_eq!(desk.session.tape.positions[1], Position(0));
}

pub(super) fn a_reduce_only_taker_asks_again_before_every_fill<B: Book>() {
    // The owner of orders 1 and 2 is short and meets himself: the trade moves nothing, so he may go on reducing.
    let spec = BookSpec { self_trade: SelfTrade::Allow, ..BookSpec::default() };
    let mut desk = Desk::<B>::with_holding(spec, &[by(2, sell(1, 2, 100)), sell(3, 9, 101)]);
    desk.position(2, -4);
    assert_eq!(
        desk.submit(reducing(buy(2, 4, 101))),
        "2 in 4; 2 takes 2 of 1 at 100, 0 left; 2 takes 2 of 3 at 101, 7 left"
    );
    assert_eq!(desk.session.tape.positions[2], Position(-2));
}

/// A venue where every trade takes 4 lots off everybody's position.
struct Shrinking(Vec<BookEvent>);

impl Sink for Shrinking {
    fn on(&mut self, event: BookEvent, _place: Place) {
        self.0.push(event);
    }

    fn reducible(&self, _owner: Owner, _side: Side) -> Qty {
        let trades = self.0.iter().filter(|event| matches!(event, BookEvent::Trade(_))).count();
        Qty(5 - 4 * trades as i64)
    }
}

pub(super) fn a_reduce_only_taker_stops_where_its_bound_ends<B: Book>() {
    let mut book = B::new(BookSpec::default());
    let mut venue = Shrinking(Vec::new());
    for order in [sell(1, 1, 100), sell(2, 9, 100), sell(3, 1, 90), sell(4, 1, 90)] {
        book.submit(order, &mut venue);
    }
    venue.0.clear();
    for (qty, words) in [
        (5, "5 in 5; 5 takes 1 of 3 at 90, 0 left; 5 takes 1 of 4 at 90, 0 left; 5 dropped 3 ReduceOnly"),
        (4, "5 in 4; 5 takes 1 of 1 at 100, 0 left; 5 takes 1 of 2 at 100, 8 left; 5 dropped 2 ReduceOnly"),
    ] {
        let outcome = book.submit(reducing(buy(5, qty, 100)), &mut venue);
        assert_eq!(outcome, Outcome { filled: Qty(2), resting: None });
        let told: Vec<String> = venue.0.drain(..).map(|event| sentence(&event)).collect();
        assert_eq!(told.join("; "), words);
    }
}

pub(super) fn meeting_oneself_follows_the_policy<B: Book>() {
    for (self_trade, words, book) in [
        (
            SelfTrade::Allow,
            "4 in 3; 4 takes 1 of 1 at 100, 0 left; 4 takes 1 of 2 at 100, 0 left; 4 rests 1 at 100",
            "4:1@100 | 3:1@101",
        ),
        (
            SelfTrade::CancelTaker,
            "4 in 3; 4 takes 1 of 1 at 100, 0 left; 4 dropped 2 SelfTrade",
            " | 2:1@100 3:1@101",
        ),
        (
            SelfTrade::CancelMaker,
            "4 in 3; 4 takes 1 of 1 at 100, 0 left; 2 pulled 1 SelfTrade; 4 rests 2 at 100",
            "4:2@100 | 3:1@101",
        ),
        (
            SelfTrade::CancelBoth,
            "4 in 3; 4 takes 1 of 1 at 100, 0 left; 2 pulled 1 SelfTrade; 4 dropped 2 SelfTrade",
            " | 3:1@101",
        ),
    ] {
        let spec = BookSpec { self_trade, ..BookSpec::default() };
        let mut desk =
            Desk::<B>::with_holding(spec, &[sell(1, 1, 100), by(4, sell(2, 1, 100)), sell(3, 1, 101)]);
        assert_eq!(desk.submit(buy(4, 3, 100)), words, "{self_trade:?}");
        assert_eq!(desk.shows(), book, "{self_trade:?}");
    }
}

/// Hears trades and whose order is next.
#[derive(Default)]
struct Foreman(Vec<String>);

impl Sink for Foreman {
    fn on(&mut self, event: BookEvent, _place: Place) {
        if let BookEvent::Trade(trade) = event {
            self.0.push(format!("trade of {}", trade.maker));
        }
    }

    fn nears(&mut self, owner: Owner, place: Place) {
        assert_ne!(place, Place::NONE);
        self.0.push(format!("{} is near", owner.0));
    }
}

/// Of the fast books.
pub(super) fn who_is_next_is_heard_before_the_trade_that_takes_all_of_an_order<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 2, 100), sell(2, 2, 100), sell(3, 2, 100), sell(4, 2, 101)]);
    let mut foreman = Foreman::default();
    desk.session.book.submit(buy(5, 3, 100), &mut foreman);
    assert_eq!(foreman.0, ["2 is near", "trade of 1", "trade of 2"]);
    foreman.0.clear();
    desk.session.book.submit(buy(6, 4, 101), &mut foreman);
    assert_eq!(foreman.0, ["3 is near", "trade of 2", "trade of 3", "trade of 4"]);
}
