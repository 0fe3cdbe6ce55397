//! The obviously right order book, the reference that judges any faster one. Nothing here is optimised.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Book, BookEvent, BookSpec, CancelReason, Handle, NewOrder, OrderType, Outcome, Owner, Place,
    RejectReason, Resting, SelfTrade, Sink, TimeInForce, Trade,
};
use crate::units::{OrderId, Price, Qty, Side};

/// A half of the book: orders in order of time at each price. No level is empty.
type Half = BTreeMap<Price, VecDeque<Resting>>;

/// The reference book: sorted maps of queues. A handle is the order's id.
#[derive(Clone, Debug)]
pub struct PlainBook {
    spec: BookSpec,
    bids: Half,
    asks: Half,
    /// Where each resting order lies.
    places: BTreeMap<OrderId, (Side, Price)>,
}

/// What matching left of a taker: lots, and why it stopped if not for want of makers.
struct Remainder {
    left: Qty,
    stopped: Option<CancelReason>,
}

impl Book for PlainBook {
    fn new(spec: BookSpec) -> Self {
        Self { spec, bids: Half::new(), asks: Half::new(), places: BTreeMap::new() }
    }

    fn submit<S: Sink>(&mut self, order: NewOrder, sink: &mut S) -> Outcome {
        match self.admit(order, sink) {
            Ok(order) => self.execute(order, sink),
            Err(reason) => {
                sink.on(BookEvent::Rejected { id: order.id, owner: order.owner, reason }, Place::NONE);
                Outcome { filled: Qty::ZERO, resting: None }
            }
        }
    }

    fn cancel<S: Sink>(&mut self, handle: Handle, sink: &mut S) -> bool {
        let Some(order) = self.get(handle) else { return false };
        self.remove(order, CancelReason::Requested, sink);
        true
    }

    fn amend<S: Sink>(&mut self, handle: Handle, price: Price, qty: Qty, sink: &mut S) -> Outcome {
        let Some(old) = self.get(handle) else { return Outcome { filled: Qty::ZERO, resting: None } };
        match self.admit_amendment(old, price, qty, sink) {
            Err(reason) => {
                sink.on(BookEvent::Rejected { id: old.id, owner: old.owner, reason }, Place::NONE);
                Outcome { filled: Qty::ZERO, resting: Some(handle) }
            }
            Ok(_) if price == old.price && qty < old.qty => {
                self.reduce(old, qty, sink);
                Outcome { filled: Qty::ZERO, resting: Some(handle) }
            }
            Ok(order) => {
                self.remove(old, CancelReason::Requested, sink);
                self.execute(order, sink)
            }
        }
    }

    fn find(&self, id: OrderId) -> Option<Handle> {
        self.places.contains_key(&id).then_some(Handle(id.0))
    }

    fn get(&self, handle: Handle) -> Option<Resting> {
        let id = OrderId(handle.0);
        let (side, price) = *self.places.get(&id)?;
        let order = self.half(side)[&price].iter().find(|order| order.id == id);
        Some(*order.expect("a placed order lies in its level"))
    }

    fn best(&self, side: Side) -> Option<Price> {
        self.levels(side).next().map(|(price, _)| price)
    }

    fn level(&self, side: Side, price: Price) -> Qty {
        self.half(side).get(&price).map_or(Qty::ZERO, total)
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.queues(side).map(|(price, queue)| (price, total(queue)))
    }

    fn orders(&self, side: Side) -> impl Iterator<Item = Resting> + '_ {
        self.queues(side).flat_map(|(_, queue)| queue.iter().copied())
    }

    fn len(&self) -> usize {
        self.places.len()
    }
}

impl PlainBook {
    /// Checks an order against every rule and clips it to its reduce-only bound.
    fn admit<S: Sink>(&self, order: NewOrder, sink: &S) -> Result<NewOrder, RejectReason> {
        self.spec.check(order.qty, order.order_type, order.reduce_only)?;
        if self.places.contains_key(&order.id) {
            return Err(RejectReason::DuplicateId);
        }
        let order = clip(order, sink)?;
        let tif = match order.order_type {
            OrderType::Limit { tif, .. } => tif,
            OrderType::Market { .. } => TimeInForce::Ioc,
        };
        match tif {
            TimeInForce::PostOnly if self.first_met(&order).is_some() => Err(RejectReason::PostOnly),
            TimeInForce::Fok if self.fillable(&order, sink) < order.qty => Err(RejectReason::FillOrKill),
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::PostOnly | TimeInForce::Fok => Ok(order),
        }
    }

    /// Checks an amendment and returns the order that would replace the old one.
    fn admit_amendment<S: Sink>(
        &self,
        old: Resting,
        price: Price,
        qty: Qty,
        sink: &S,
    ) -> Result<NewOrder, RejectReason> {
        let Resting { id, owner, side, reduce_only, .. } = old;
        let order_type = OrderType::Limit { price, tif: TimeInForce::Gtc };
        self.spec.check(qty, order_type, reduce_only)?;
        let order = NewOrder { id, owner, side, qty, order_type, reduce_only };
        let keeps_place = price == old.price && qty < old.qty;
        if keeps_place { Ok(order) } else { clip(order, sink) }
    }

    /// Trades an admitted order and rests or cancels what is left.
    fn execute<S: Sink>(&mut self, order: NewOrder, sink: &mut S) -> Outcome {
        sink.on(BookEvent::Accepted(order), Place::NONE);
        let Remainder { left, stopped } = self.trade(order, sink);
        let filled = order.qty - left;
        let NewOrder { id, owner, side, reduce_only, .. } = order;
        if left.is_zero() {
            return Outcome { filled, resting: None };
        }
        match (stopped, order.order_type) {
            (None, OrderType::Limit { price, tif: TimeInForce::Gtc | TimeInForce::PostOnly }) => {
                self.rest(Resting { id, owner, side, price, qty: left, reduce_only }, sink);
                Outcome { filled, resting: Some(Handle(id.0)) }
            }
            (stopped, OrderType::Limit { .. } | OrderType::Market { .. }) => {
                let reason = stopped.unwrap_or(CancelReason::Unfilled);
                sink.on(
                    BookEvent::Cancelled { id, owner, side, qty: left, resting: false, reason },
                    Place::NONE,
                );
                Outcome { filled, resting: None }
            }
        }
    }

    /// Trades an order against the other half for as long as it meets makers.
    fn trade<S: Sink>(&mut self, taker: NewOrder, sink: &mut S) -> Remainder {
        let mut left = taker.qty;
        let stop = |left, reason| Remainder { left, stopped: Some(reason) };
        while !left.is_zero() {
            let Some(mut maker) = self.first_met(&taker) else { break };
            let mut wanted = left;
            if taker.reduce_only {
                wanted = left.min(sink.reducible(taker.owner, taker.side));
                if wanted < Qty(1) {
                    return stop(left, CancelReason::ReduceOnly);
                }
            }
            if maker.owner == taker.owner {
                match self.spec.self_trade {
                    SelfTrade::Allow => {}
                    SelfTrade::CancelTaker => return stop(left, CancelReason::SelfTrade),
                    SelfTrade::CancelMaker => {
                        self.remove(maker, CancelReason::SelfTrade, sink);
                        continue;
                    }
                    SelfTrade::CancelBoth => {
                        self.remove(maker, CancelReason::SelfTrade, sink);
                        return stop(left, CancelReason::SelfTrade);
                    }
                }
            }
            if maker.reduce_only {
                let bound = sink.reducible(maker.owner, maker.side);
                if bound < Qty(1) {
                    self.remove(maker, CancelReason::ReduceOnly, sink);
                    continue;
                }
                if bound < maker.qty {
                    self.reduce(maker, bound, sink);
                    maker.qty = bound;
                }
            }
            let qty = wanted.min(maker.qty);
            let maker_remaining = maker.qty - qty;
            self.set_qty(maker, maker_remaining);
            left -= qty;
            sink.on(
                BookEvent::Trade(Trade {
                    maker: maker.id,
                    maker_owner: maker.owner,
                    maker_remaining,
                    taker: taker.id,
                    taker_owner: taker.owner,
                    taker_side: taker.side,
                    price: maker.price,
                    qty,
                }),
                Place::NONE,
            );
        }
        Remainder { left, stopped: None }
    }

    /// Counts the lots that a fill-or-kill order could trade at once, up to its quantity.
    fn fillable<S: Sink>(&self, taker: &NewOrder, sink: &S) -> Qty {
        let mut filled = Qty::ZERO;
        // A reduce-only maker's bound shrinks with the lots its owner trades before it. An owner's trades with itself
        // leave its position where it was; his purchases from others only raise the bound of his own sales, so the
        // count is never above what trades.
        let mut traded: BTreeMap<Owner, Qty> = BTreeMap::new();
        for maker in self.orders(taker.side.opposite()).take_while(|maker| taker.accepts(maker.price)) {
            let own = maker.owner == taker.owner;
            match self.spec.self_trade {
                SelfTrade::CancelMaker if own => continue,
                SelfTrade::CancelTaker | SelfTrade::CancelBoth if own => break,
                SelfTrade::Allow
                | SelfTrade::CancelMaker
                | SelfTrade::CancelTaker
                | SelfTrade::CancelBoth => {}
            }
            let before = traded.entry(maker.owner).or_default();
            let mut available = maker.qty.min(taker.qty - filled);
            if maker.reduce_only {
                let bound = sink.reducible(maker.owner, maker.side) - *before;
                available = available.min(bound).max(Qty::ZERO);
            }
            filled += available;
            if !own {
                *before += available;
            }
            if filled == taker.qty {
                break;
            }
        }
        filled
    }

    /// Returns the best order of the other half if `taker` accepts its price.
    fn first_met(&self, taker: &NewOrder) -> Option<Resting> {
        self.orders(taker.side.opposite()).next().filter(|maker| taker.accepts(maker.price))
    }

    fn rest<S: Sink>(&mut self, order: Resting, sink: &mut S) {
        let Resting { id, owner, side, price, qty, .. } = order;
        self.half_mut(side).entry(price).or_default().push_back(order);
        let earlier = self.places.insert(id, (side, price));
        debug_assert!(earlier.is_none(), "order {id} rests twice");
        sink.on(BookEvent::Rested { id, owner, side, price, qty }, Place::NONE);
    }

    fn remove<S: Sink>(&mut self, order: Resting, reason: CancelReason, sink: &mut S) {
        self.set_qty(order, Qty::ZERO);
        let Resting { id, owner, side, qty, .. } = order;
        sink.on(BookEvent::Cancelled { id, owner, side, qty, resting: true, reason }, Place::NONE);
    }

    fn reduce<S: Sink>(&mut self, order: Resting, to: Qty, sink: &mut S) {
        self.set_qty(order, to);
        let Resting { id, owner, side, qty: from, .. } = order;
        sink.on(BookEvent::Reduced { id, owner, side, from, to }, Place::NONE);
    }

    /// Sets the lots left of a resting order, which is gone at 0, and its level with it if it was the last.
    fn set_qty(&mut self, order: Resting, qty: Qty) {
        let half = self.half_mut(order.side);
        let queue = half.get_mut(&order.price).expect("a resting order has a level");
        let place =
            queue.iter().position(|other| other.id == order.id).expect("a resting order is in its level");
        if qty > Qty::ZERO {
            queue[place].qty = qty;
            return;
        }
        queue.remove(place);
        if queue.is_empty() {
            half.remove(&order.price);
        }
        self.places.remove(&order.id);
    }

    fn half(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Iterates over the queues of a half from the best outwards.
    fn queues(&self, side: Side) -> impl Iterator<Item = (Price, &VecDeque<Resting>)> {
        let bids = (side == Side::Buy).then(|| self.bids.iter().rev());
        let asks = (side == Side::Sell).then(|| self.asks.iter());
        bids.into_iter().flatten().chain(asks.into_iter().flatten()).map(|(price, queue)| (*price, queue))
    }
}

fn total(queue: &VecDeque<Resting>) -> Qty {
    queue.iter().map(|order| order.qty).sum()
}

/// Clips a reduce-only order to what its owner may reduce.
fn clip<S: Sink>(order: NewOrder, sink: &S) -> Result<NewOrder, RejectReason> {
    if !order.reduce_only {
        return Ok(order);
    }
    let bound = sink.reducible(order.owner, order.side);
    if bound < Qty(1) {
        Err(RejectReason::ReduceOnly)
    } else {
        Ok(NewOrder { qty: order.qty.min(bound), ..order })
    }
}
