//! What a book does, fact by fact, for every implementation. Each fact is an order flow and the words it must cause.

use super::session::{Op, Session};
use super::{
    Book, BookEvent, BookSpec, MAX_PRICE, MAX_QTY, NewOrder, OrderId, OrderType, Outcome, Owner, PlainBook,
    Position, Price, Qty, SelfTrade, Side, Sink, TimeInForce,
};

/// A book whose owners and orders are small numbers and whose answers are short sentences.
struct Desk<B> {
    session: Session<B>,
    told: usize,
}

impl<B: Book> Desk<B> {
    fn new() -> Self {
        Self::with(BookSpec::default())
    }

    fn with(spec: BookSpec) -> Self {
        Self { session: Session::new(spec), told: 0 }
    }

    /// Lets orders rest without listening.
    fn holding(orders: &[NewOrder]) -> Self {
        Self::with_holding(BookSpec::default(), orders)
    }

    fn with_holding(spec: BookSpec, orders: &[NewOrder]) -> Self {
        let mut desk = Self::with(spec);
        for order in orders {
            assert!(desk.session.apply(Op::Submit(*order)).rests, "{order:?}");
        }
        desk.told = desk.session.tape.events.len();
        desk
    }

    fn says(&mut self, op: Op) -> String {
        self.session.apply(op);
        let sentences: Vec<String> = self.session.tape.events[self.told..].iter().map(sentence).collect();
        self.told = self.session.tape.events.len();
        sentences.join("; ")
    }

    fn submit(&mut self, order: NewOrder) -> String {
        self.says(Op::Submit(order))
    }

    fn cancel(&mut self, id: u64) -> String {
        self.says(Op::Cancel(OrderId(id)))
    }

    fn amend(&mut self, id: u64, price: i64, qty: i64) -> String {
        self.says(Op::Amend(OrderId(id), Price(price), Qty(qty)))
    }

    fn position(&mut self, owner: u32, position: i64) {
        self.session.apply(Op::Move(Owner(owner), Position(position)));
    }

    /// The book as `id:lots@price` in priority order, bids | asks.
    fn shows(&self) -> String {
        let half = |side| {
            let orders: Vec<String> = self
                .session
                .book
                .orders(side)
                .map(|order| format!("{}:{}@{}", order.id, order.qty, order.price))
                .collect();
            orders.join(" ")
        };
        format!("{} | {}", half(Side::Buy), half(Side::Sell))
    }
}

fn sentence(event: &BookEvent) -> String {
    match event {
        BookEvent::Accepted(order) => format!("{} in {}", order.id, order.qty),
        BookEvent::Trade(t) => {
            format!("{} takes {} of {} at {}, {} left", t.taker, t.qty, t.maker, t.price, t.maker_remaining)
        }
        BookEvent::Rested { id, price, qty, .. } => format!("{id} rests {qty} at {price}"),
        BookEvent::Cancelled { id, qty, resting: true, reason, .. } => {
            format!("{id} pulled {qty} {reason:?}")
        }
        BookEvent::Cancelled { id, qty, resting: false, reason, .. } => {
            format!("{id} dropped {qty} {reason:?}")
        }
        BookEvent::Reduced { id, from, to, .. } => format!("{id} cut {from} to {to}"),
        BookEvent::Rejected { id, reason, .. } => format!("{id} refused {reason:?}"),
    }
}

/// Owner = id unless said otherwise, so that orders are strangers to each other.
fn limit(id: u64, side: Side, qty: i64, price: i64, tif: TimeInForce) -> NewOrder {
    let order_type = OrderType::Limit { price: Price(price), tif };
    NewOrder { id: OrderId(id), owner: Owner(id as u32), side, qty: Qty(qty), order_type, reduce_only: false }
}

fn buy(id: u64, qty: i64, price: i64) -> NewOrder {
    limit(id, Side::Buy, qty, price, TimeInForce::Gtc)
}

fn sell(id: u64, qty: i64, price: i64) -> NewOrder {
    limit(id, Side::Sell, qty, price, TimeInForce::Gtc)
}

fn market(id: u64, side: Side, qty: i64, worst: Option<i64>) -> NewOrder {
    NewOrder {
        order_type: OrderType::Market { worst: worst.map(Price) },
        ..limit(id, side, qty, 1, TimeInForce::Gtc)
    }
}

fn by(owner: u32, order: NewOrder) -> NewOrder {
    NewOrder { owner: Owner(owner), ..order }
}

fn reducing(order: NewOrder) -> NewOrder {
    NewOrder { reduce_only: true, ..order }
}

fn earlier_orders_at_a_price_trade_first<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(3, 5, 100), sell(1, 5, 100), sell(2, 5, 100)]);
    assert_eq!(
        desk.submit(buy(4, 7, 100)),
        "4 in 7; 4 takes 5 of 3 at 100, 0 left; 4 takes 2 of 1 at 100, 3 left"
    );
    assert_eq!(desk.shows(), " | 1:3@100 2:5@100");
}

fn better_prices_trade_first_at_the_makers_price<B: Book>() {
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

fn immediate_or_cancel_never_rests<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100), sell(2, 1, 102)]);
    let ioc = limit(3, Side::Buy, 3, 101, TimeInForce::Ioc);
    assert_eq!(desk.submit(ioc), "3 in 3; 3 takes 1 of 1 at 100, 0 left; 3 dropped 2 Unfilled");
    assert_eq!(desk.shows(), " | 2:1@102");
}

fn fill_or_kill_trades_whole_or_is_refused<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100), sell(2, 1, 101), sell(3, 1, 102)]);
    let fok = |id, qty| limit(id, Side::Buy, qty, 101, TimeInForce::Fok);
    assert_eq!(desk.submit(fok(4, 3)), "4 refused FillOrKill");
    assert_eq!(
        desk.submit(fok(5, 2)),
        "5 in 2; 5 takes 1 of 1 at 100, 0 left; 5 takes 1 of 2 at 101, 0 left"
    );
    assert_eq!(desk.shows(), " | 3:1@102");
}

fn fill_or_kill_does_not_count_its_owners_orders_under_a_policy_that_cancels<B: Book>() {
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

fn fill_or_kill_counts_what_reduce_only_makers_may_still_trade<B: Book>() {
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

fn post_only_never_takes<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100)]);
    let post = |price| limit(2, Side::Buy, 1, price, TimeInForce::PostOnly);
    assert_eq!(desk.submit(post(100)), "2 refused PostOnly");
    assert_eq!(desk.submit(by(1, post(100))), "2 refused PostOnly");
    assert_eq!(desk.submit(post(99)), "2 in 1; 2 rests 1 at 99");
    assert_eq!(desk.submit(limit(3, Side::Sell, 1, 99, TimeInForce::PostOnly)), "3 refused PostOnly");
}

fn a_market_order_trades_up_to_its_worst_price_and_never_rests<B: Book>() {
    let resting = [buy(1, 1, 100), buy(2, 1, 90), buy(3, 1, 80)];
    let mut desk = Desk::<B>::holding(&resting);
    assert_eq!(
        desk.submit(market(4, Side::Sell, 9, Some(90))),
        "4 in 9; 4 takes 1 of 1 at 100, 0 left; 4 takes 1 of 2 at 90, 0 left; 4 dropped 7 Unfilled"
    );
    assert_eq!(desk.submit(market(5, Side::Sell, 1, None)), "5 in 1; 5 takes 1 of 3 at 80, 0 left");
    assert_eq!(desk.submit(market(4, Side::Sell, 1, None)), "4 in 1; 4 dropped 1 Unfilled");
    assert_eq!(desk.submit(market(4, Side::Sell, 1, Some(0))), "4 refused Price");
}

fn reduce_only_is_clipped_at_submission<B: Book>() {
    let mut desk = Desk::<B>::holding(&[buy(1, 9, 100)]);
    assert_eq!(desk.submit(reducing(sell(2, 5, 100))), "2 refused ReduceOnly");
    desk.position(2, -3);
    assert_eq!(desk.submit(reducing(sell(2, 5, 100))), "2 refused ReduceOnly");
    desk.position(2, 3);
    assert_eq!(desk.submit(reducing(sell(2, 5, 100))), "2 in 3; 2 takes 3 of 1 at 100, 6 left");
    desk.position(2, 3);
    assert_eq!(desk.submit(reducing(sell(2, 5, 101))), "2 in 3; 2 rests 3 at 101");
}

fn a_reduce_only_maker_is_cut_to_what_is_left_to_reduce<B: Book>() {
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

fn two_reduce_only_makers_share_one_position<B: Book>() {
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

fn a_reduce_only_taker_asks_again_before_every_fill<B: Book>() {
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
    fn on(&mut self, event: BookEvent) {
        self.0.push(event);
    }

    fn reducible(&self, _owner: Owner, _side: Side) -> Qty {
        let trades = self.0.iter().filter(|event| matches!(event, BookEvent::Trade(_))).count();
        Qty(5 - 4 * trades as i64)
    }
}

fn a_reduce_only_taker_stops_where_its_bound_ends<B: Book>() {
    let mut book = B::new(BookSpec::default());
    let mut venue = Shrinking(Vec::new());
    for order in [sell(1, 1, 100), sell(2, 9, 100)] {
        book.submit(order, &mut venue);
    }
    venue.0.clear();
    let outcome = book.submit(reducing(buy(3, 5, 100)), &mut venue);
    assert_eq!(outcome, Outcome { filled: Qty(2), resting: None });
    let words: Vec<String> = venue.0.iter().map(sentence).collect();
    assert_eq!(
        words.join("; "),
        "3 in 5; 3 takes 1 of 1 at 100, 0 left; 3 takes 1 of 2 at 100, 8 left; 3 dropped 3 ReduceOnly"
    );
}

fn meeting_oneself_follows_the_policy<B: Book>() {
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

fn a_cancel_takes_the_order_and_no_other<B: Book>() {
    let mut desk = Desk::<B>::holding(&[buy(1, 1, 100), buy(2, 2, 100), buy(3, 3, 100), buy(4, 4, 99)]);
    assert_eq!(desk.cancel(2), "2 pulled 2 Requested");
    assert_eq!(desk.shows(), "1:1@100 3:3@100 4:4@99 | ");
    assert_eq!(desk.cancel(1), "1 pulled 1 Requested");
    assert_eq!(desk.cancel(3), "3 pulled 3 Requested");
    assert_eq!(desk.session.book.best(Side::Buy), Some(Price(99)));
    assert_eq!(desk.cancel(4), "4 pulled 4 Requested");
    assert!(desk.session.book.is_empty());
    assert_eq!(desk.session.book.best(Side::Buy), None);
}

fn a_stale_handle_says_nothing_and_is_never_another_orders<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100), sell(2, 1, 100)]);
    desk.submit(buy(3, 1, 100));
    desk.cancel(2);
    desk.submit(sell(4, 1, 100));
    desk.submit(sell(5, 1, 100));
    for id in [1, 2] {
        assert_eq!(desk.cancel(id), "");
        assert_eq!(desk.amend(id, 100, 1), "");
        assert_eq!(desk.session.book.get(desk.session.handle(OrderId(id)).unwrap()), None);
        assert_eq!(desk.session.book.find(OrderId(id)), None);
    }
    assert_eq!(desk.shows(), " | 4:1@100 5:1@100");
}

fn a_smaller_size_keeps_its_place_and_nothing_else_does<B: Book>() {
    let resting = [buy(1, 5, 100), buy(2, 5, 100)];
    for (price, qty, words, book) in [
        (100, 3, "1 cut 5 to 3", "1:3@100 2:5@100 | "),
        (100, 6, "1 pulled 5 Requested; 1 in 6; 1 rests 6 at 100", "2:5@100 1:6@100 | "),
        (100, 5, "1 pulled 5 Requested; 1 in 5; 1 rests 5 at 100", "2:5@100 1:5@100 | "),
        (101, 3, "1 pulled 5 Requested; 1 in 3; 1 rests 3 at 101", "1:3@101 2:5@100 | "),
        (99, 5, "1 pulled 5 Requested; 1 in 5; 1 rests 5 at 99", "2:5@100 1:5@99 | "),
    ] {
        let mut desk = Desk::<B>::holding(&resting);
        assert_eq!(desk.amend(1, price, qty), words);
        assert_eq!(desk.shows(), book);
        assert!(
            desk.session.book.get(desk.session.handle(OrderId(1)).unwrap()).is_some(),
            "the new handle is live"
        );
    }
}

fn an_amended_order_may_trade<B: Book>() {
    let mut desk = Desk::<B>::holding(&[buy(1, 5, 100), sell(2, 2, 101)]);
    assert_eq!(
        desk.amend(1, 101, 5),
        "1 pulled 5 Requested; 1 in 5; 1 takes 2 of 2 at 101, 0 left; 1 rests 3 at 101"
    );
}

fn a_refused_amendment_changes_nothing<B: Book>() {
    let spec = BookSpec { min_notional: 100, ..BookSpec::default() };
    let mut desk = Desk::<B>::with_holding(spec, &[buy(1, 5, 100), buy(2, 5, 100)]);
    desk.position(3, 5);
    desk.submit(reducing(sell(3, 5, 200)));
    desk.position(3, 0);
    for (id, price, qty, words) in [
        (1, 100, 0, "1 refused Quantity"),
        (1, 100, MAX_QTY.0 + 1, "1 refused Quantity"),
        (1, 0, 5, "1 refused Price"),
        (1, MAX_PRICE.0 + 1, 5, "1 refused Price"),
        (1, 10, 9, "1 refused MinNotional"),
        (3, 201, 5, "3 refused ReduceOnly"),
        (3, 200, 6, "3 refused ReduceOnly"),
    ] {
        assert_eq!(desk.amend(id, price, qty), words);
        assert_eq!(desk.shows(), "1:5@100 2:5@100 | 3:5@200");
    }
    assert_eq!(desk.amend(3, 200, 4), "3 cut 5 to 4");
    desk.position(3, 2);
    assert_eq!(desk.amend(3, 200, 9), "3 pulled 4 Requested; 3 in 2; 3 rests 2 at 200");
}

fn the_smallest_notional_binds_limit_orders_that_may_open<B: Book>() {
    let spec = BookSpec { min_notional: 1000, ..BookSpec::default() };
    let mut desk = Desk::<B>::with(spec);
    assert_eq!(desk.submit(buy(1, 9, 100)), "1 refused MinNotional");
    assert_eq!(desk.submit(buy(1, 10, 100)), "1 in 10; 1 rests 10 at 100");
    assert_eq!(desk.submit(market(2, Side::Sell, 1, Some(1))), "2 in 1; 2 takes 1 of 1 at 100, 9 left");
    desk.position(3, 1);
    assert_eq!(desk.submit(reducing(sell(3, 1, 100))), "3 in 1; 3 takes 1 of 1 at 100, 8 left");
}

fn the_first_broken_rule_is_named_and_nothing_changes<B: Book>() {
    let spec = BookSpec { min_notional: 100, ..BookSpec::default() };
    let mut desk = Desk::<B>::with_holding(spec, &[sell(1, 1, 100)]);
    let id_1 = |order| NewOrder { id: OrderId(1), ..order };
    for (order, words) in [
        (reducing(id_1(buy(2, 0, 0))), "1 refused Quantity"),
        (id_1(buy(2, -1, 100)), "1 refused Quantity"),
        (buy(2, MAX_QTY.0 + 1, 100), "2 refused Quantity"),
        (reducing(id_1(buy(2, 1, 0))), "1 refused Price"),
        (buy(2, 1, MAX_PRICE.0 + 1), "2 refused Price"),
        (id_1(buy(2, 1, 99)), "1 refused MinNotional"),
        (reducing(limit(2, Side::Buy, 1, 100, TimeInForce::PostOnly)), "2 refused ReduceOnly"),
        (reducing(limit(2, Side::Buy, 9, 100, TimeInForce::Fok)), "2 refused ReduceOnly"),
    ] {
        assert_eq!(desk.submit(order), words, "{order:?}");
        assert_eq!(desk.shows(), " | 1:1@100", "{order:?}");
    }
}

fn any_price_and_quantity_in_range_is_taken<B: Book>() {
    let most = MAX_QTY.0;
    let far = MAX_PRICE.0;
    let mut desk =
        Desk::<B>::holding(&[buy(1, most, 1), sell(2, most, far), buy(3, 1, 70_000), sell(4, 1, 1 << 40)]);
    assert_eq!(desk.session.book.mid_twice(), Some(70_000 + (1 << 40)));
    assert_eq!(desk.amend(1, 1, most - 1), format!("1 cut {most} to {}", most - 1));
    assert_eq!(
        desk.submit(market(5, Side::Sell, most, None)),
        format!("5 in {most}; 5 takes 1 of 3 at 70000, 0 left; 5 takes {} of 1 at 1, 0 left", most - 1)
    );
    assert_eq!(
        desk.submit(buy(5, most, far)),
        format!(
            "5 in {most}; 5 takes 1 of 4 at {}, 0 left; 5 takes {} of 2 at {far}, 1 left",
            1_u64 << 40,
            most - 1
        )
    );
    assert_eq!(desk.shows(), format!(" | 2:1@{far}"));
}

fn reads_agree_with_the_orders<B: Book>() {
    let resting =
        [buy(1, 1, 9_990), buy(2, 2, 9_990), buy(3, 4, 9_900), sell(4, 8, 10_010), sell(5, 16, 10_100)];
    let desk = Desk::<B>::holding(&resting);
    let book = &desk.session.book;
    assert_eq!(book.levels(Side::Buy).collect::<Vec<_>>(), [(Price(9_990), Qty(3)), (Price(9_900), Qty(4))]);
    assert_eq!(
        book.levels(Side::Sell).collect::<Vec<_>>(),
        [(Price(10_010), Qty(8)), (Price(10_100), Qty(16))]
    );
    assert_eq!((book.len(), book.mid_twice()), (5, Some(20_000)));
    assert_eq!(book.level(Side::Buy, Price(9_990)), Qty(3));
    assert_eq!(book.level(Side::Sell, Price(9_990)), Qty(0));
    assert_eq!(book.level(Side::Buy, Price(-5)), Qty(0));
    assert_eq!(book.depth_to(Side::Buy, Price(9_901)), Qty(3));
    assert_eq!(book.depth_to(Side::Buy, Price(9_900)), Qty(7));
    assert_eq!(book.depth_to(Side::Sell, Price(10_100)), Qty(24));
    assert_eq!(book.depth_within(Side::Sell, 10.0), Qty(8));
    assert_eq!(book.depth_within(Side::Buy, 99.0), Qty(3));
    assert_eq!(book.depth_within(Side::Buy, 100.0), Qty(7));
    let cost = book.cost_to_trade(Side::Buy, Qty(10));
    assert_eq!(
        (cost.filled, cost.value, cost.worst),
        (Qty(10), 8 * 10_010 + 2 * 10_100, Some(Price(10_100)))
    );
    assert_eq!(book.cost_to_trade(Side::Sell, Qty(100)).filled, Qty(7));
    assert_eq!(book.cost_to_trade(Side::Sell, Qty(0)).worst, None);
    for order in resting {
        let handle = book.find(order.id).expect("it is live");
        assert_eq!(book.get(handle).map(|found| (found.id, found.qty)), Some((order.id, order.qty)));
    }
}

fn a_clone_goes_its_own_way<B: Book>() {
    let mut desk = Desk::<B>::holding(&[buy(1, 1, 100), buy(2, 2, 100), sell(3, 3, 101)]);
    let before = desk.shows();
    let mut fork = Desk { session: desk.session.clone(), told: desk.told };
    fork.cancel(1);
    fork.submit(sell(4, 9, 100));
    assert_eq!(desk.shows(), before);
    desk.submit(buy(4, 1, 101));
    assert_eq!(desk.shows(), "1:1@100 2:2@100 | 3:2@101");
    assert_eq!(fork.shows(), " | 4:7@100 3:3@101");
}

/// Makes each fact a test of an implementation.
macro_rules! facts {
    ($($fact:ident)*) => {
        mod plain { $(#[test] fn $fact() { super::$fact::<super::PlainBook>(); })* }
    };
}

facts! {
    earlier_orders_at_a_price_trade_first
    better_prices_trade_first_at_the_makers_price
    immediate_or_cancel_never_rests
    fill_or_kill_trades_whole_or_is_refused
    fill_or_kill_does_not_count_its_owners_orders_under_a_policy_that_cancels
    fill_or_kill_counts_what_reduce_only_makers_may_still_trade
    post_only_never_takes
    a_market_order_trades_up_to_its_worst_price_and_never_rests
    reduce_only_is_clipped_at_submission
    a_reduce_only_maker_is_cut_to_what_is_left_to_reduce
    two_reduce_only_makers_share_one_position
    a_reduce_only_taker_asks_again_before_every_fill
    a_reduce_only_taker_stops_where_its_bound_ends
    meeting_oneself_follows_the_policy
    a_cancel_takes_the_order_and_no_other
    a_stale_handle_says_nothing_and_is_never_another_orders
    a_smaller_size_keeps_its_place_and_nothing_else_does
    an_amended_order_may_trade
    a_refused_amendment_changes_nothing
    the_smallest_notional_binds_limit_orders_that_may_open
    the_first_broken_rule_is_named_and_nothing_changes
    any_price_and_quantity_in_range_is_taken
    reads_agree_with_the_orders
    a_clone_goes_its_own_way
}
