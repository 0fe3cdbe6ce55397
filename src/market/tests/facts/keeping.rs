//! What happens to orders that rest, what is refused, and what a book tells when it is read.

use super::super::{Book, BookSpec, MAX_PRICE, MAX_QTY, NewOrder, OrderId, Price, Qty, Side, TimeInForce};
use super::desk::{Desk, buy, limit, market, reducing, sell};

pub(super) fn a_cancel_takes_the_order_and_no_other<B: Book>() {
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

pub(super) fn a_stale_handle_says_nothing_and_is_never_another_orders<B: Book>() {
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

pub(super) fn a_smaller_size_keeps_its_place_and_nothing_else_does<B: Book>() {
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

pub(super) fn an_amended_order_may_trade<B: Book>() {
    let mut desk = Desk::<B>::holding(&[buy(1, 5, 100), sell(2, 2, 101)]);
    assert_eq!(
        desk.amend(1, 101, 5),
        "1 pulled 5 Requested; 1 in 5; 1 takes 2 of 2 at 101, 0 left; 1 rests 3 at 101"
    );
}

pub(super) fn a_refused_amendment_changes_nothing<B: Book>() {
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

pub(super) fn the_smallest_notional_binds_limit_orders_that_may_open<B: Book>() {
    let spec = BookSpec { min_notional: 1000, ..BookSpec::default() };
    let mut desk = Desk::<B>::with(spec);
    assert_eq!(desk.submit(buy(1, 9, 100)), "1 refused MinNotional");
    assert_eq!(desk.submit(buy(1, 10, 100)), "1 in 10; 1 rests 10 at 100");
    assert_eq!(desk.submit(market(2, Side::Sell, 1, Some(1))), "2 in 1; 2 takes 1 of 1 at 100, 9 left");
    desk.position(3, 1);
    assert_eq!(desk.submit(reducing(sell(3, 1, 100))), "3 in 1; 3 takes 1 of 1 at 100, 8 left");
}

pub(super) fn the_first_broken_rule_is_named_and_nothing_changes<B: Book>() {
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

pub(super) fn a_quote_at_no_price_is_refused_however_empty_the_book<B: Book>() {
    let orders = [sell(1, 1, 100), buy(2, 1, 90)];
    for holding in [&orders[..0], &orders[..1], &orders[1..], &orders[..]] {
        let mut desk = Desk::<B>::holding(holding);
        for tif in [TimeInForce::Gtc, TimeInForce::PostOnly] {
            for (side, price) in [i64::MIN, -1, 0, MAX_PRICE.0 + 1, i64::MAX - 1, i64::MAX]
                .into_iter()
                .flat_map(|price| [Side::Buy, Side::Sell].map(|side| (side, price)))
            {
                assert_eq!(desk.submit(limit(3, side, 1, price, tif)), "3 refused Price", "{side:?} {price}");
            }
        }
        assert_eq!(desk.session.book.len(), holding.len());
        assert_eq!(desk.submit(buy(4, 1, 1)), "4 in 1; 4 rests 1 at 1");
        assert_eq!(desk.submit(sell(5, 1, MAX_PRICE.0)), format!("5 in 1; 5 rests 1 at {}", MAX_PRICE.0));
    }
}

/// Of books that know every live id.
pub(super) fn a_live_id_is_refused_and_a_dead_one_is_not<B: Book>() {
    let mut desk = Desk::<B>::holding(&[sell(1, 1, 100), buy(2, 1, 90)]);
    assert_eq!(desk.submit(buy(1, 1, 100)), "1 refused DuplicateId");
    assert_eq!(desk.submit(reducing(buy(1, 1, 100))), "1 refused DuplicateId");
    assert_eq!(desk.shows(), "2:1@90 | 1:1@100");
    assert_eq!(desk.submit(buy(3, 1, 100)), "3 in 1; 3 takes 1 of 1 at 100, 0 left");
    assert_eq!(desk.submit(buy(1, 1, 91)), "1 in 1; 1 rests 1 at 91");
}

pub(super) fn any_price_and_quantity_in_range_is_taken<B: Book>() {
    let most = MAX_QTY.0;
    let far = MAX_PRICE.0;
    let mut desk =
        Desk::<B>::holding(&[buy(1, most, 1), sell(2, most, far), buy(3, 1, 70_000), sell(4, 1, 1 << 50)]);
    assert_eq!(desk.session.book.mid_twice(), Some(70_000 + (1 << 50)));
    assert_eq!(desk.amend(1, 1, most - 1), format!("1 cut {most} to {}", most - 1));
    assert_eq!(
        desk.submit(market(5, Side::Sell, most, None)),
        format!("5 in {most}; 5 takes 1 of 3 at 70000, 0 left; 5 takes {} of 1 at 1, 0 left", most - 1)
    );
    assert_eq!(
        desk.submit(buy(5, most, far)),
        format!(
            "5 in {most}; 5 takes 1 of 4 at {}, 0 left; 5 takes {} of 2 at {far}, 1 left",
            1_u64 << 50,
            most - 1
        )
    );
    assert_eq!(desk.shows(), format!(" | 2:1@{far}"));
}

pub(super) fn reads_agree_with_the_orders<B: Book>() {
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
    // Nothing rests below one tick, nor at prices that differ from a level's in high bits alone.
    for price in [-5, 0, i64::MIN].map(Price) {
        assert_eq!((book.level(Side::Buy, price), book.level(Side::Sell, price)), (Qty(0), Qty(0)));
    }
    for high in (14..63).map(|bit| 10_010 + (1 << bit)).chain([i64::MAX]) {
        assert_eq!(book.level(Side::Sell, Price(high)), Qty(0));
    }
    assert_eq!(book.depth_to(Side::Buy, Price(9_901)), Qty(3));
    assert_eq!(book.depth_to(Side::Buy, Price(9_900)), Qty(7));
    assert_eq!(book.depth_to(Side::Sell, Price(10_100)), Qty(24));
    assert_eq!(book.depth_within(Side::Sell, 10.0), Qty(8));
    assert_eq!(book.depth_within(Side::Buy, 99.0), Qty(3));
    assert_eq!(book.depth_within(Side::Buy, 100.0), Qty(7));
    assert_eq!((book.depth_within(Side::Buy, 99.5), book.depth_within(Side::Sell, 99.5)), (Qty(3), Qty(8)));
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

pub(super) fn a_clone_goes_its_own_way<B: Book>() {
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
