//! An auditor that hears a book's events and nothing else: it rebuilds the book from them and objects to every event
//! that breaks a rule of price-time priority or loses a lot.

use std::collections::BTreeMap;

use super::{
    BookEvent, CancelReason, NewOrder, OrderId, OrderType, Owner, Price, Qty, Resting, Side, TimeInForce,
    Trade,
};

/// What became of an order's lots.
#[derive(Clone, Copy, Default, Debug)]
struct Fate {
    submitted: Qty,
    filled: Qty,
    /// Cancelled, cut or given up by an amendment.
    gone: Qty,
}

/// The book as its events tell it.
#[derive(Clone, Default, Debug)]
pub(super) struct Audit {
    /// Each half in priority order.
    bids: Vec<Resting>,
    asks: Vec<Resting>,
    fates: BTreeMap<OrderId, Fate>,
    /// The order whose events are being heard, with the lots it still has.
    taker: Option<(NewOrder, Qty)>,
}

impl Audit {
    /// Hears one event.
    ///
    /// # Panics
    /// Panics if the event breaks a rule.
    pub(super) fn hear(&mut self, event: BookEvent) {
        match event {
            BookEvent::Accepted(order) => self.accepted(order),
            BookEvent::Trade(trade) => self.traded(trade),
            BookEvent::Rested { id, owner, side, price, qty } => self.rested(id, owner, side, price, qty),
            BookEvent::Cancelled { id, qty, resting: true, side, reason, .. } => {
                let order = self.remove(side, id);
                assert_eq!(order.qty, qty, "a cancel takes the whole rest");
                assert!(reason != CancelReason::ReduceOnly || order.reduce_only);
                self.fate(id).gone += qty;
            }
            BookEvent::Cancelled { id, qty, resting: false, .. } => {
                assert_eq!(self.taker.take().map(|(order, left)| (order.id, left)), Some((id, qty)));
                self.fate(id).gone += qty;
            }
            BookEvent::Reduced { id, side, from, to, .. } => {
                assert!(Qty::ZERO < to && to < from, "reduced from {from} to {to}");
                let order = self.half(side).iter_mut().find(|order| order.id == id).expect("it rests");
                assert_eq!(order.qty, from);
                order.qty = to;
                self.fate(id).gone += from - to;
            }
            BookEvent::Rejected { .. } => {}
        }
    }

    /// Checks that one operation's events are complete.
    pub(super) fn operation_ended(&mut self) {
        if let Some((order, left)) = self.taker.take() {
            assert_eq!(left, Qty::ZERO, "{left} lots of {order:?} are nowhere");
        }
    }

    /// Returns the rebuilt book, bids first.
    pub(super) fn resting(&self) -> Vec<Resting> {
        self.bids.iter().chain(&self.asks).copied().collect()
    }

    /// Checks that every lot ever submitted is accounted for.
    pub(super) fn every_lot_is_somewhere(&self) {
        let resting: BTreeMap<OrderId, Qty> =
            self.resting().into_iter().map(|order| (order.id, order.qty)).collect();
        for (id, fate) in &self.fates {
            let rests = resting.get(id).copied().unwrap_or_default();
            assert_eq!(fate.submitted, fate.filled + fate.gone + rests, "order {id}: {fate:?}");
        }
    }

    fn accepted(&mut self, order: NewOrder) {
        assert!(self.taker.is_none(), "one order at a time");
        assert!(!self.resting().iter().any(|other| other.id == order.id), "a live id came twice");
        self.fate(order.id).submitted += order.qty;
        self.taker = Some((order, order.qty));
    }

    fn traded(&mut self, trade: Trade) {
        let (order, left) = self.taker.as_mut().expect("a trade has a taker");
        assert_eq!((order.id, order.owner, order.side), (trade.taker, trade.taker_owner, trade.taker_side));
        assert!(order.accepts(trade.price), "{trade:?} is worse than {order:?} accepts");
        assert!(Qty(1) <= trade.qty && trade.qty <= *left);
        *left -= trade.qty;
        let post_only = OrderType::Limit { price: trade.price, tif: TimeInForce::PostOnly };
        assert_ne!(order.order_type, post_only, "a post-only order took");

        let half = self.half(trade.taker_side.opposite());
        let first = half.first_mut().expect("a maker rests");
        assert_eq!((first.id, first.owner, first.price), (trade.maker, trade.maker_owner, trade.price));
        first.qty -= trade.qty;
        assert_eq!(first.qty, trade.maker_remaining);
        if first.qty.is_zero() {
            half.remove(0);
        }
        self.fate(trade.maker).filled += trade.qty;
        self.fate(trade.taker).filled += trade.qty;
    }

    fn rested(&mut self, id: OrderId, owner: Owner, side: Side, price: Price, qty: Qty) {
        let (order, left) = self.taker.take().expect("an order rests after it was accepted");
        assert_eq!((order.id, order.owner, order.side, left), (id, owner, side, qty));
        let OrderType::Limit { price: limit, tif: TimeInForce::Gtc | TimeInForce::PostOnly } =
            order.order_type
        else {
            panic!("{order:?} may not rest");
        };
        assert_eq!(limit, price);
        if let Some(best) = self.half(side.opposite()).first() {
            assert!(!order.accepts(best.price), "{order:?} crosses {best:?}");
        }
        let half = self.half(side);
        let ahead =
            |other: &Resting| if side == Side::Buy { other.price >= price } else { other.price <= price };
        let place = half.partition_point(ahead);
        half.insert(place, Resting { id, owner, side, price, qty, reduce_only: order.reduce_only });
    }

    fn remove(&mut self, side: Side, id: OrderId) -> Resting {
        let half = self.half(side);
        let place = half.iter().position(|order| order.id == id).expect("a cancelled order rested");
        half.remove(place)
    }

    fn half(&mut self, side: Side) -> &mut Vec<Resting> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn fate(&mut self, id: OrderId) -> &mut Fate {
        self.fates.entry(id).or_default()
    }
}
