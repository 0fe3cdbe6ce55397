//! Properties of any stream of operations, for every implementation.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::audit::Audit;
use super::ops::{HABITS, POLICIES, Stream};
use super::session::{OWNERS, Op, Reply, Session};
use super::{
    Book, BookEvent, BookSpec, CancelReason, FastIdBook, NewOrder, OrderId, OrderType, Owner, PlainBook,
    Position, Price, Qty, RejectReason, Resting, Side, TimeInForce, Trade,
};

/// Operations on a narrow book, so that they meet; ids are given later.
fn op() -> impl Strategy<Value = Op> {
    let owner = (0..OWNERS).prop_map(Owner);
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let price = prop_oneof![20 => 95_i64..=105, 1 => 0_i64..=2, 1 => 1_i64..i64::MAX].prop_map(Price);
    let qty = prop_oneof![20 => 1_i64..=9, 1 => 0_i64..=1 << 37].prop_map(Qty);
    let tif = prop_oneof![
        4 => Just(TimeInForce::Gtc),
        1 => Just(TimeInForce::Ioc),
        1 => Just(TimeInForce::Fok),
        1 => Just(TimeInForce::PostOnly),
    ];
    let order_type = prop_oneof![
        6 => (price.clone(), tif).prop_map(|(price, tif)| OrderType::Limit { price, tif }),
        1 => proptest::option::of(price.clone()).prop_map(|worst| OrderType::Market { worst }),
    ];
    let order = (owner.clone(), side, qty.clone(), order_type, proptest::bool::weighted(0.25)).prop_map(
        |(owner, side, qty, order_type, reduce_only)| {
            Op::Submit(NewOrder { id: OrderId(0), owner, side, qty, order_type, reduce_only })
        },
    );
    let id = (0_u64..60).prop_map(OrderId);
    prop_oneof![
        6 => order,
        2 => id.clone().prop_map(Op::Cancel),
        1 => (id, price, qty).prop_map(|(id, price, qty)| Op::Amend(id, price, qty)),
        1 => (owner, -9_i64..=9).prop_map(|(owner, lots)| Op::Move(owner, Position(lots))),
    ]
}

/// A stream in which orders are numbered as they come; now and then an earlier number comes again.
pub(super) fn ops(length: usize) -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec((op(), 0_u64..40), 1..length).prop_map(|ops| {
        let number = |(index, (op, again))| match op {
            Op::Submit(order) if again == 0 => Op::Submit(NewOrder { id: OrderId(index >> 1), ..order }),
            Op::Submit(order) => Op::Submit(NewOrder { id: OrderId(index), ..order }),
            other => other,
        };
        (0..).zip(ops).map(number).collect()
    })
}

pub(super) fn spec() -> impl Strategy<Value = BookSpec> {
    let self_trade = proptest::sample::select(&POLICIES);
    let min_notional = prop_oneof![3 => Just(0), 1 => Just(300)];
    (self_trade, min_notional).prop_map(|(self_trade, min_notional)| BookSpec { self_trade, min_notional })
}

/// Applies a stream, checks everything that must hold after every operation, and returns what was said.
fn invariants_hold<B: Book>(spec: BookSpec, ops: impl IntoIterator<Item = Op>) -> Vec<BookEvent> {
    let mut session = Session::<B>::new(spec);
    let mut audit = Audit::default();
    let mut said = Vec::new();
    for op in ops {
        let positions = session.tape.positions;
        let before = session.resting();
        session.tape.events.clear();
        let reply = session.apply(op);
        for event in &session.tape.events {
            audit.hear(*event);
        }
        audit.operation_ended();
        audit.every_lot_is_somewhere();
        assert_eq!(session.resting(), audit.resting(), "the events alone rebuild the book");
        halves_are_sound(&session.book);
        answer_fits(op, reply, &session, &before);
        nobody_opened_with_reduce_only(&session.tape.events, positions, &before);
        said.extend_from_slice(&session.tape.events);
    }
    said
}

/// Applies long streams of every habit under every policy; each answer that a book knows must come up often.
fn long_streams_reach_every_answer<B: Book>() {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (seed, habit) in (0..).zip(HABITS) {
        for self_trade in POLICIES {
            let spec = BookSpec { self_trade, min_notional: habit.mid };
            let mut stream = Stream::new(seed, habit);
            for event in invariants_hold::<B>(spec, std::iter::repeat_with(|| stream.next()).take(1000)) {
                *counts.entry(kind(event)).or_default() += 1;
            }
        }
    }
    // All but a reduce-only taker that stops midway: honest positions shrink by its fills alone.
    assert_eq!(counts.len(), 17, "{counts:?}");
    for (kind, count) in counts {
        assert!(count >= 5, "{kind} came up {count} times");
    }
}

/// Names the answers that are different things to a caller.
fn kind(event: BookEvent) -> String {
    match event {
        BookEvent::Accepted(_) => "accepted".into(),
        BookEvent::Trade(Trade { maker_remaining: Qty::ZERO, .. }) => "trade, maker done".into(),
        BookEvent::Trade(_) => "trade, maker stays".into(),
        BookEvent::Rested { .. } => "rested".into(),
        BookEvent::Cancelled { resting, reason, .. } => format!("cancelled, resting {resting}, {reason:?}"),
        BookEvent::Reduced { .. } => "reduced".into(),
        BookEvent::Rejected { reason, .. } => format!("rejected, {reason:?}"),
    }
}

fn halves_are_sound<B: Book>(book: &B) {
    if let (Some(bid), Some(ask)) = (book.best(Side::Buy), book.best(Side::Sell)) {
        assert!(bid < ask, "crossed: {bid} and {ask}");
    }
    for side in [Side::Buy, Side::Sell] {
        let levels: Vec<(Price, Qty)> = book.levels(side).collect();
        assert_eq!(levels.first().map(|level| level.0), book.best(side));
        assert!(levels.is_sorted_by(|a, b| if side == Side::Buy { a.0 > b.0 } else { a.0 < b.0 }));
        let mut sums: Vec<(Price, Qty)> = Vec::new();
        for order in book.orders(side) {
            assert!(order.qty >= Qty(1) && order.side == side);
            match sums.last_mut() {
                Some((price, qty)) if *price == order.price => *qty += order.qty,
                _ => sums.push((order.price, order.qty)),
            }
        }
        assert_eq!(levels, sums, "level totals equal their orders");
        assert!(levels.iter().all(|(price, qty)| book.level(side, *price) == *qty));
        let better = |price: Price, limit: Price| price.0 * side.sign() >= limit.0 * side.sign();
        for limit in levels.iter().flat_map(|(price, _)| [Price(price.0 - 1), *price, Price(price.0 + 1)]) {
            let depth = levels.iter().filter(|level| better(level.0, limit)).map(|level| level.1).sum();
            assert_eq!(book.depth_to(side, limit), depth, "to {limit}");
            // What is within the limit and half of the next level, one order after the other.
            let next = levels.iter().find(|level| !better(level.0, limit)).map_or(0, |level| level.1.0 >> 1);
            let cost = book.cost_to_trade(side.opposite(), depth + Qty(next));
            let mut left = depth.0 + next;
            let paid = levels.iter().map(|(price, qty)| {
                let take = qty.0.min(left);
                left -= take;
                i128::from(price.0) * i128::from(take)
            });
            assert_eq!((cost.value, cost.filled.0), (paid.sum(), depth.0 + next), "to {limit}");
            let worst = levels.iter().rfind(|level| better(level.0, limit)).map(|level| level.0);
            assert!(next > 0 || cost.worst == worst, "to {limit}");
        }
    }
    assert_eq!(book.len(), book.orders(Side::Buy).count() + book.orders(Side::Sell).count());
}

fn answer_fits<B: Book>(op: Op, reply: Reply, session: &Session<B>, before: &[Resting]) {
    let events = &session.tape.events;
    if let [BookEvent::Rejected { .. }] | [] = events[..] {
        assert_eq!(session.resting(), before, "a rejected order changes nothing");
        assert_eq!(reply.filled, Qty::ZERO);
    } else {
        assert!(!events.iter().any(|event| matches!(event, BookEvent::Rejected { .. })), "rejected alone");
    }
    let Op::Submit(order) = op else { return };
    let traded: Qty = events
        .iter()
        .filter_map(|event| if let BookEvent::Trade(trade) = event { Some(trade.qty) } else { None })
        .sum();
    assert_eq!(reply.filled, traded);
    let handle = session.book.find(order.id);
    if let Some(BookEvent::Accepted(accepted)) = events.first() {
        assert_eq!(handle.is_some(), reply.rests, "what rests is found");
        assert!(accepted.qty <= order.qty);
        if let OrderType::Limit { tif: TimeInForce::Fok, .. } = order.order_type {
            assert_eq!(reply.filled, accepted.qty, "all or nothing");
        }
        if let Some(BookEvent::Cancelled { resting: false, reason, .. }) = events.last() {
            assert_ne!(*reason, CancelReason::Requested);
        }
    } else {
        let duplicate = matches!(events[..], [BookEvent::Rejected { reason: RejectReason::DuplicateId, .. }]);
        assert!(!duplicate || before.iter().any(|other| other.id == order.id));
    }
    if let Some(handle) = handle {
        assert_eq!(session.book.get(handle).map(|found| found.id), Some(order.id));
    }
}

/// Replays the trades on the positions as they were: a reduce-only order never increased or flipped one.
fn nobody_opened_with_reduce_only(
    events: &[BookEvent],
    mut positions: [Position; OWNERS as usize],
    makers: &[Resting],
) {
    let mut taker_reduces = false;
    for event in events {
        match event {
            BookEvent::Accepted(order) => taker_reduces = order.reduce_only,
            BookEvent::Trade(trade) => {
                let (taker, maker) = (trade.taker_owner.0 as usize, trade.maker_owner.0 as usize);
                let maker_side = trade.taker_side.opposite();
                let maker_reduces = makers.iter().any(|order| order.id == trade.maker && order.reduce_only);
                assert!(
                    !taker_reduces || trade.qty <= positions[taker].reducible(trade.taker_side),
                    "{trade:?}"
                );
                assert!(!maker_reduces || trade.qty <= positions[maker].reducible(maker_side), "{trade:?}");
                positions[taker] += trade.qty.signed(trade.taker_side);
                positions[maker] += trade.qty.signed(maker_side);
            }
            BookEvent::Rested { .. }
            | BookEvent::Cancelled { .. }
            | BookEvent::Reduced { .. }
            | BookEvent::Rejected { .. } => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_plain_book_keeps_every_invariant(spec in spec(), ops in ops(60)) {
        invariants_hold::<PlainBook>(spec, ops);
    }

    #[test]
    fn the_fast_book_keeps_every_invariant(spec in spec(), ops in ops(60)) {
        invariants_hold::<FastIdBook>(spec, ops);
    }
}

#[test]
fn long_streams_reach_every_answer_of_the_plain_book() {
    long_streams_reach_every_answer::<PlainBook>();
}

#[test]
fn long_streams_reach_every_answer_of_the_fast_book() {
    long_streams_reach_every_answer::<FastIdBook>();
}
