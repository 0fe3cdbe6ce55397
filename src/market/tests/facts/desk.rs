//! The words of the facts: orders in short, a book whose answers are short sentences.

use super::super::session::{Op, Session};
use super::super::{
    Book, BookEvent, BookSpec, NewOrder, OrderId, OrderType, Owner, Position, Price, Qty, Side, TimeInForce,
};

/// A book whose owners and orders are small numbers and whose answers are short sentences.
pub(super) struct Desk<B> {
    pub(super) session: Session<B>,
    pub(super) told: usize,
}

impl<B: Book> Desk<B> {
    pub(super) fn new() -> Self {
        Self::with(BookSpec::default())
    }

    pub(super) fn with(spec: BookSpec) -> Self {
        Self { session: Session::new(spec), told: 0 }
    }

    /// Lets orders rest without listening.
    pub(super) fn holding(orders: &[NewOrder]) -> Self {
        Self::with_holding(BookSpec::default(), orders)
    }

    pub(super) fn with_holding(spec: BookSpec, orders: &[NewOrder]) -> Self {
        let mut desk = Self::with(spec);
        for order in orders {
            assert!(desk.session.apply(Op::Submit(*order)).rests, "{order:?}");
        }
        desk.told = desk.session.tape.events.len();
        desk
    }

    pub(super) fn says(&mut self, op: Op) -> String {
        self.session.apply(op);
        let sentences: Vec<String> = self.session.tape.events[self.told..].iter().map(sentence).collect();
        self.told = self.session.tape.events.len();
        sentences.join("; ")
    }

    pub(super) fn submit(&mut self, order: NewOrder) -> String {
        self.says(Op::Submit(order))
    }

    pub(super) fn cancel(&mut self, id: u64) -> String {
        self.says(Op::Cancel(OrderId(id)))
    }

    pub(super) fn amend(&mut self, id: u64, price: i64, qty: i64) -> String {
        self.says(Op::Amend(OrderId(id), Price(price), Qty(qty)))
    }

    pub(super) fn position(&mut self, owner: u32, position: i64) {
        self.session.apply(Op::Move(Owner(owner), Position(position)));
    }

    /// The book as `id:lots@price` in priority order, bids | asks.
    pub(super) fn shows(&self) -> String {
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

pub(super) fn sentence(event: &BookEvent) -> String {
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
pub(super) fn limit(id: u64, side: Side, qty: i64, price: i64, tif: TimeInForce) -> NewOrder {
    let order_type = OrderType::Limit { price: Price(price), tif };
    NewOrder { id: OrderId(id), owner: Owner(id as u32), side, qty: Qty(qty), order_type, reduce_only: false }
}

pub(super) fn buy(id: u64, qty: i64, price: i64) -> NewOrder {
    limit(id, Side::Buy, qty, price, TimeInForce::Gtc)
}

pub(super) fn sell(id: u64, qty: i64, price: i64) -> NewOrder {
    limit(id, Side::Sell, qty, price, TimeInForce::Gtc)
}

pub(super) fn market(id: u64, side: Side, qty: i64, worst: Option<i64>) -> NewOrder {
    NewOrder {
        order_type: OrderType::Market { worst: worst.map(Price) },
        ..limit(id, side, qty, 1, TimeInForce::Gtc)
    }
}

pub(super) fn by(owner: u32, order: NewOrder) -> NewOrder {
    NewOrder { owner: Owner(owner), ..order }
}

pub(super) fn reducing(order: NewOrder) -> NewOrder {
    NewOrder { reduce_only: true, ..order }
}
