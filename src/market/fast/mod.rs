//! The fast order book: the same events as [`PlainBook`](super::PlainBook), in about a twentieth of the time. What an
//! order is lies in `slab`, what a price is in `ladder`, trading in `matching`.
//!
//! A clone is a memory copy of a few flat vectors.

mod ids;
mod ladder;
mod matching;
mod slab;

use ids::Ids;
use ladder::Ladder;
use slab::{Badge, NONE, Slab};

use super::{
    Book, BookEvent, BookSpec, CancelReason, Handle, MAX_PRICE, NewOrder, OrderType, Outcome, RejectReason,
    Resting, Sink, TimeInForce,
};
use crate::units::{OrderId, Price, Qty, Side};

/// The fast book for callers that keep handles: it takes their word that an id is new, and finds an id by a scan.
pub type FastBook = SlabBook<false>;

/// The fast book for callers that keep ids: it refuses an id that lives, and finds one at once.
pub type FastIdBook = SlabBook<true>;

/// Both fast books: with a table of the live ids or without.
#[derive(Clone, Debug)]
pub struct SlabBook<const IDS: bool> {
    spec: BookSpec,
    slab: Slab,
    ladder: Ladder,
    /// Best bid, best ask.
    best: [Best; 2],
    len: usize,
    ids: Ids,
}

/// The best level of a half.
#[derive(Clone, Copy, Debug)]
struct Best {
    price: i64,
    header: u32,
}

/// The best of an empty half: beyond every price.
const NO_BEST: [Best; 2] = [Best { price: 0, header: NONE }, Best { price: i64::MAX, header: NONE }];

impl<const IDS: bool> Book for SlabBook<IDS> {
    fn new(spec: BookSpec) -> Self {
        Self { spec, slab: Slab::new(), ladder: Ladder::new(), best: NO_BEST, len: 0, ids: Ids::default() }
    }

    #[inline]
    fn submit<S: Sink>(&mut self, mut order: NewOrder, sink: &mut S) -> Outcome {
        let (limit, tif) = match order.order_type {
            OrderType::Limit { price, tif } => (price.0, tif),
            OrderType::Market { worst: Some(worst) } => (worst.0.min(MAX_PRICE.0), TimeInForce::Ioc),
            OrderType::Market { worst: None } if order.side == Side::Buy => (MAX_PRICE.0, TimeInForce::Ioc),
            OrderType::Market { worst: None } => (1, TimeInForce::Ioc),
        };
        if let Err(reason) = self.spec.check(order.qty, order.order_type, order.reduce_only) {
            return reject(&order, reason, sink);
        }
        if IDS && self.ids.find(order.id, &self.slab.badges).is_some() {
            return reject(&order, RejectReason::DuplicateId, sink);
        }
        if order.reduce_only {
            let bound = sink.reducible(order.owner, order.side);
            if bound < Qty(1) {
                return reject(&order, RejectReason::ReduceOnly, sink);
            }
            order.qty = order.qty.min(bound);
        }
        let crosses = self.crosses(order.side, limit);
        if tif == TimeInForce::PostOnly && crosses {
            return reject(&order, RejectReason::PostOnly, sink);
        }
        if tif == TimeInForce::Fok && self.fillable(&order, limit, sink) < order.qty {
            return reject(&order, RejectReason::FillOrKill, sink);
        }
        sink.on(BookEvent::Accepted(order));
        let rests = matches!(tif, TimeInForce::Gtc | TimeInForce::PostOnly);
        if rests && !crosses {
            return Outcome { filled: Qty::ZERO, resting: Some(self.rest(&order, limit, order.qty, sink)) };
        }
        self.take(&order, limit, rests, sink)
    }

    #[inline]
    fn cancel<S: Sink>(&mut self, handle: Handle, sink: &mut S) -> bool {
        let Some(slot) = self.slab.slot(handle) else { return false };
        self.remove(slot, sink);
        true
    }

    fn amend<S: Sink>(&mut self, handle: Handle, price: Price, qty: Qty, sink: &mut S) -> Outcome {
        let Some(slot) = self.slab.slot(handle) else { return Outcome { filled: Qty::ZERO, resting: None } };
        let old = self.resting(slot);
        let Resting { id, owner, side, qty: from, reduce_only, .. } = old;
        let order_type = OrderType::Limit { price, tif: TimeInForce::Gtc };
        let mut order = NewOrder { id, owner, side, qty, order_type, reduce_only };
        let stays = Outcome { filled: Qty::ZERO, resting: Some(handle) };
        if let Err(reason) = self.spec.check(qty, order_type, reduce_only) {
            reject(&order, reason, sink);
            return stays;
        }
        if price == old.price && qty < from {
            self.slab.reduce(slot, qty.0 as u64);
            sink.on(BookEvent::Reduced { id, owner, side, from, to: qty });
            return stays;
        }
        if reduce_only {
            let bound = sink.reducible(owner, side);
            if bound < Qty(1) {
                reject(&order, RejectReason::ReduceOnly, sink);
                return stays;
            }
            order.qty = qty.min(bound);
        }
        self.remove(slot, sink);
        sink.on(BookEvent::Accepted(order));
        self.take(&order, price.0, true, sink)
    }

    fn find(&self, id: OrderId) -> Option<Handle> {
        let slot = if IDS {
            self.ids.find(id, &self.slab.badges)
        } else {
            let mut slots = self.slots(Side::Buy).chain(self.slots(Side::Sell));
            slots.find(|slot| self.slab.badges[*slot as usize].id == id)
        };
        slot.map(|slot| self.slab.handle(slot))
    }

    fn get(&self, handle: Handle) -> Option<Resting> {
        self.slab.slot(handle).map(|slot| self.resting(slot))
    }

    #[inline]
    fn best(&self, side: Side) -> Option<Price> {
        let Best { price, header } = self.best[side as usize];
        (header != NONE).then_some(Price(price))
    }

    fn level(&self, side: Side, price: Price) -> Qty {
        // A level belongs to the half that its price is inside of.
        let outside = price.0 ^ flip(side) > self.best[side as usize].price ^ flip(side);
        let header = if outside { None } else { self.ladder.find(price.0) };
        header.map_or(Qty::ZERO, |header| self.total(header))
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.headers(side).map(|header| (Price(self.ladder.price(header)), self.total(header)))
    }

    fn orders(&self, side: Side) -> impl Iterator<Item = Resting> + '_ {
        self.slots(side).map(|slot| self.resting(slot))
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl<const IDS: bool> SlabBook<IDS> {
    /// Tells whether a taker with this limit meets the best level of the other half; an empty half meets nobody.
    #[inline]
    fn crosses(&self, taker: Side, limit: i64) -> bool {
        limit ^ flip(taker) >= self.best[taker.opposite() as usize].price ^ flip(taker)
    }

    /// Puts an order at the end of its level.
    #[inline]
    fn rest<S: Sink>(&mut self, order: &NewOrder, price: i64, qty: Qty, sink: &mut S) -> Handle {
        let NewOrder { id, owner, side, reduce_only, .. } = *order;
        let header = self.ladder.fill(price, &mut self.slab);
        let handle = self.slab.link(header, qty.0 as u64, side, reduce_only, (id, owner));
        if IDS {
            self.ids.insert(id, handle.0 as u32);
        }
        self.len += 1;
        let best = &mut self.best[side as usize];
        let better = price ^ flip(side) > best.price ^ flip(side);
        *best = if better { Best { price, header } } else { *best };
        sink.on(BookEvent::Rested { id, owner, side, price: Price(price), qty });
        handle
    }

    /// Takes an order out at its owner's wish.
    #[inline]
    fn remove<S: Sink>(&mut self, slot: u32, sink: &mut S) {
        let badge = self.slab.badges[slot as usize];
        let node = self.slab.nodes[slot as usize];
        self.len -= 1;
        if IDS {
            self.ids.remove(badge.id, slot);
        }
        if self.slab.unlink(slot) {
            self.level_emptied(node.level(), badge.side());
        }
        sink.on(BookEvent::Cancelled {
            id: badge.id,
            owner: badge.owner,
            side: badge.side(),
            qty: Qty(node.lots() as i64),
            resting: true,
            reason: CancelReason::Requested,
        });
    }

    /// Forgets a level without orders; the best of its half moves on if it was that.
    #[inline]
    fn level_emptied(&mut self, header: u32, side: Side) {
        if self.best[side as usize].header == header {
            self.best[side as usize] = match self.ladder.next(header, side) {
                Some(next) => Best { price: self.ladder.price(next), header: next },
                None => NO_BEST[side as usize],
            };
        }
        self.ladder.empty(header);
    }

    fn total(&self, header: u32) -> Qty {
        Qty(self.slab.nodes[header as usize].total() as i64)
    }

    fn resting(&self, slot: u32) -> Resting {
        let node = self.slab.nodes[slot as usize];
        let badge: Badge = self.slab.badges[slot as usize];
        Resting {
            id: badge.id,
            owner: badge.owner,
            side: badge.side(),
            price: Price(self.ladder.price(node.level())),
            qty: Qty(node.lots() as i64),
            reduce_only: badge.reduce_only(),
        }
    }

    /// Iterates over the headers of a half from the best outwards.
    fn headers(&self, side: Side) -> impl Iterator<Item = u32> + '_ {
        let best = self.best[side as usize].header;
        std::iter::successors((best != NONE).then_some(best), move |header| self.ladder.next(*header, side))
    }

    /// Iterates over the orders of a half in priority order.
    fn slots(&self, side: Side) -> impl Iterator<Item = u32> + '_ {
        self.headers(side).flat_map(|header| self.queue(header))
    }

    /// Iterates over the orders of a level in order of time.
    fn queue(&self, header: u32) -> impl Iterator<Item = u32> + '_ {
        let after = move |node: u32| {
            let next = self.slab.nodes[node as usize].next;
            (next != header).then_some(next)
        };
        std::iter::successors(after(header), move |slot| after(*slot))
    }
}

/// Returns the mask that turns a price round for sells, so that higher is better on both sides.
#[inline]
fn flip(side: Side) -> i64 {
    -(side as i64)
}

fn reject<S: Sink>(order: &NewOrder, reason: RejectReason, sink: &mut S) -> Outcome {
    sink.on(BookEvent::Rejected { id: order.id, owner: order.owner, reason });
    Outcome { filled: Qty::ZERO, resting: None }
}
