//! The fast order book: the same events as [`PlainBook`](super::PlainBook), in about a twentieth of the time. Orders are in
//! `queues`, prices in `ladder`, ids in `ids`, trading in `matching`, what rests up to a price in `depth`, where
//! a quote meets nobody in `room`.
//!
//! The time goes into cache misses, wrong guesses of branches and instructions, so everything is made for few of them: all
//! that is known of an order is in half a cache line, prices are compared without asking for the side, a cancel does
//! not look at the price, and an order behind others looks at nothing but its queue. All of it is flat arrays, orders and ids in
//! memory of their own (`array`), so a clone is a memory copy.
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as what these do; the compiler alone inlines half of them"
)]

mod array;
mod depth;
mod ids;
mod ladder;
mod matching;
mod queues;
mod room;

use ids::Ids;
use ladder::Ladder;
use queues::{Badge, Queues, Removed, Slot};
use room::Room;

use super::{
    Book, BookEvent, BookSpec, CancelReason, CostToTrade, Handle, MAX_PRICE, MAX_QTY, NewOrder, OrderType,
    Outcome, Owner, Place, RejectReason, Resting, Sink, TimeInForce,
};
use crate::units::{OrderId, Price, Qty, Side};

/// The fast book for callers that keep handles: it takes their word that an id is new, and finds an id by a scan.
pub type FastBook = SlabBook<false>;

/// The fast book for callers that keep ids: it refuses an id that lives, and finds one at once.
pub type FastIdBook = SlabBook<true>;

/// Both fast books: with a table of the live ids or without. In this order: what a message reads is in front, and in few
/// lines of cache wherever the compiler would put it.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct SlabBook<const IDS: bool> {
    queues: Queues,
    ids: Ids,
    /// Best bid, best ask.
    best: [Best; 2],
    room: Room,
    /// From so many lots on an order has the smallest notional at any price.
    ample: Qty,
    len: usize,
    spec: BookSpec,
    ladder: Ladder,
}

/// An order that was let in, in the book's own terms.
#[derive(Clone, Copy)]
struct Taker {
    id: OrderId,
    owner: Owner,
    side: Side,
    qty: Qty,
    /// Worst price in ticks.
    limit: i64,
    reduce_only: bool,
    /// What does not trade rests.
    rests: bool,
}

/// What kind of order it is, small enough for a register.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Limit(TimeInForce),
    Market,
    /// Up to a worst price.
    MarketTo,
}

/// The best level of a half.
#[derive(Clone, Copy, Debug)]
struct Best {
    price: i64,
    level: u32,
}

/// No level.
const NONE: u32 = u32::MAX;

/// The best of an empty half: beyond every price.
const NO_BEST: [Best; 2] = [Best { price: 0, level: NONE }, Best { price: i64::MAX, level: NONE }];

impl<const IDS: bool> Book for SlabBook<IDS> {
    fn new(spec: BookSpec) -> Self {
        Self {
            spec,
            queues: Queues::new(),
            ladder: Ladder::new(),
            best: NO_BEST,
            room: Room::between(NO_BEST[0].price, NO_BEST[1].price),
            ample: Qty(spec.min_notional.max(1)),
            len: 0,
            ids: Ids::default(),
        }
    }

    #[inline(always)]
    fn submit<S: Sink>(&mut self, order: NewOrder, sink: &mut S) -> Outcome {
        let NewOrder { id, owner, side, qty, order_type, reduce_only } = order;
        let (price, kind) = match order_type {
            OrderType::Limit { price, tif } => (price, Kind::Limit(tif)),
            OrderType::Market { worst: None } => (Price(0), Kind::Market),
            OrderType::Market { worst: Some(worst) } => (worst, Kind::MarketTo),
        };
        // Most orders are quotes or plain market orders. This is `judge` for them, small enough to go where it is called.
        let rests = matches!(kind, Kind::Limit(TimeInForce::Gtc | TimeInForce::PostOnly));
        if rests && self.is_plain(price, qty, reduce_only) && !self.lives(id) {
            if self.room.has(side, price) {
                let quote = Taker { id, owner, side, qty, limit: price.0, reduce_only, rests };
                sink.on(BookEvent::Accepted(order), Place::NONE);
                return Outcome { filled: Qty::ZERO, resting: Some(self.rest(quote, qty, sink)) };
            }
            if kind == Kind::Limit(TimeInForce::Gtc) && self.room.is_price(side, price) {
                sink.on(BookEvent::Accepted(order), Place::NONE);
                return self.execute(id, owner, side, qty, price.0, rests, sink);
            }
        } else if kind == Kind::Market && !reduce_only && (Qty(1)..=MAX_QTY).contains(&qty) && !self.lives(id)
        {
            sink.on(BookEvent::Accepted(order), Place::NONE);
            return self.execute(id, owner, side, qty, no_limit(side).0, rests, sink);
        }
        self.judge(id, owner, side, qty, price, kind, reduce_only, sink)
    }

    #[inline(always)]
    fn cancel<S: Sink>(&mut self, handle: Handle, sink: &mut S) -> bool {
        let Some(slot) = self.queues.slot(handle) else { return false };
        self.pull(slot, CancelReason::Requested, sink);
        true
    }

    #[inline(always)]
    fn cancel_id<S: Sink>(&mut self, id: OrderId, sink: &mut S) -> bool {
        let Some(slot) = self.slot_of(id) else { return false };
        self.pull(slot, CancelReason::Requested, sink);
        true
    }

    fn amend<S: Sink>(&mut self, handle: Handle, price: Price, qty: Qty, sink: &mut S) -> Outcome {
        let Some(slot) = self.queues.slot(handle) else {
            return Outcome { filled: Qty::ZERO, resting: None };
        };
        let old = self.resting(slot);
        let Resting { id, owner, side, qty: from, reduce_only, .. } = old;
        let order_type = OrderType::Limit { price, tif: TimeInForce::Gtc };
        let mut order = NewOrder { id, owner, side, qty, order_type, reduce_only };
        let stays = Outcome { filled: Qty::ZERO, resting: Some(handle) };
        if let Err(reason) = self.spec.check(qty, order_type, reduce_only) {
            reject(order, reason, sink);
            return stays;
        }
        if price == old.price && qty < from {
            self.queues.reduce(slot, qty);
            sink.on(BookEvent::Reduced { id, owner, side, from, to: qty }, slot.place());
            return stays;
        }
        if reduce_only {
            let bound = sink.reducible(owner, side);
            if bound < Qty(1) {
                reject(order, RejectReason::ReduceOnly, sink);
                return stays;
            }
            order.qty = qty.min(bound);
        }
        self.pull(slot, CancelReason::Requested, sink);
        sink.on(BookEvent::Accepted(order), Place::NONE);
        self.take(Taker { id, owner, side, qty: order.qty, limit: price.0, reduce_only, rests: true }, sink)
    }

    #[inline(always)]
    fn find(&self, id: OrderId) -> Option<Handle> {
        self.slot_of(id).map(|slot| self.queues.handle(slot))
    }

    fn get(&self, handle: Handle) -> Option<Resting> {
        self.queues.slot(handle).map(|slot| self.resting(slot))
    }

    #[inline(always)]
    fn best(&self, side: Side) -> Option<Price> {
        let Best { price, level } = self.best[side as usize];
        (level != NONE).then_some(Price(price))
    }

    fn level(&self, side: Side, price: Price) -> Qty {
        // A level belongs to the half that its price is inside of.
        let outside = price.0 ^ flip(side) > self.best[side as usize].price ^ flip(side);
        let level = if outside { None } else { self.ladder.find(price.0) };
        level.map_or(Qty::ZERO, |level| self.queues.total(level))
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.filled(side).map(|level| (Price(self.ladder.price(level)), self.queues.total(level)))
    }

    fn orders(&self, side: Side) -> impl Iterator<Item = Resting> + '_ {
        self.slots(side).map(|slot| self.resting(slot))
    }

    fn depth_to(&self, side: Side, limit: Price) -> Qty {
        self.lots_to(side, limit)
    }

    fn cost_to_trade(&self, side: Side, qty: Qty) -> CostToTrade {
        self.cost_of(side, qty)
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl<const IDS: bool> SlabBook<IDS> {
    /// Returns the bytes that are set aside for orders and ids. They are the book's own: no allocator knows of them.
    pub fn bytes(&self) -> usize {
        self.queues.bytes() + self.ids.bytes()
    }

    /// Returns the order that rests at a place.
    pub fn at(&self, place: Place) -> Option<Handle> {
        self.queues.live_at(Slot(place.0))
    }

    /// Returns the id of the order that rests at a place.
    #[inline]
    pub fn id(&self, place: Place) -> OrderId {
        self.queues.id(Slot(place.0))
    }

    /// Has the order that rests at a place fetched into the cache: it will be asked for soon.
    #[inline(always)]
    pub fn fetch(&self, place: Place) {
        self.queues.fetch(Slot(place.0));
    }

    /// Cancels an order where it was seen to rest, if it still does and is its owner's, and tells whether it was there.
    #[inline(always)]
    pub fn cancel_at<S: Sink>(&mut self, id: OrderId, owner: Owner, place: Place, sink: &mut S) -> bool {
        let slot = Slot(place.0);
        let is_there = self.queues.is_at(slot, id, owner);
        if is_there {
            self.pull(slot, CancelReason::Requested, sink);
        }
        is_there
    }

    /// Submits an order if it is a quote that meets nobody and breaks no rule, and tells whether it was: what most orders
    /// are, small enough to go where it is called. Of any other order it says nothing.
    #[inline(always)]
    pub fn quote<S: Sink>(&mut self, order: NewOrder, sink: &mut S) -> bool {
        let NewOrder { id, owner, side, qty, order_type, reduce_only } = order;
        let OrderType::Limit { price, tif: TimeInForce::Gtc | TimeInForce::PostOnly } = order_type else {
            return false;
        };
        if !self.room.has(side, price) || !self.is_plain(price, qty, reduce_only) || self.lives(id) {
            return false;
        }
        let quote = Taker { id, owner, side, qty, limit: price.0, reduce_only, rests: true };
        sink.on(BookEvent::Accepted(order), Place::NONE);
        self.rest(quote, qty, sink);
        true
    }

    /// Returns where the live order with an id is.
    #[inline(always)]
    fn slot_of(&self, id: OrderId) -> Option<Slot> {
        if IDS {
            return self.ids.find(id, &self.queues);
        }
        let mut slots = self.slots(Side::Buy).chain(self.slots(Side::Sell));
        slots.find(|slot| self.queues.id(*slot) == id)
    }

    /// Tells whether a limit order needs neither a look at a position nor another at its size.
    #[inline(always)]
    fn is_plain(&self, price: Price, qty: Qty, reduce_only: bool) -> bool {
        !reduce_only && ((self.ample..=MAX_QTY).contains(&qty) || self.is_sized(price, qty))
    }

    /// Tells whether a book that keeps ids has an order with this one, and notes that the id came.
    #[inline(always)]
    fn lives(&mut self, id: OrderId) -> bool {
        IDS && self.ids.meet(id, &self.queues)
    }

    /// Tells whether a quantity has the smallest notional at a price, where it would not have it at every one.
    #[inline(never)]
    fn is_sized(&self, price: Price, qty: Qty) -> bool {
        let order_type = OrderType::Limit { price, tif: TimeInForce::Gtc };
        self.spec.check(qty, order_type, false).is_ok()
    }

    /// Returns the best bid and the best ask, beyond every price where there is none.
    #[inline(always)]
    pub(crate) fn touch(&self) -> [i64; 2] {
        [self.best[0].price, self.best[1].price]
    }

    /// Checks an order against every rule and executes it. It takes an order in pieces, since a whole one would have to be
    /// written to memory even where it is not called.
    #[inline(never)]
    #[allow(clippy::too_many_arguments, reason = "they are one order")]
    fn judge<S: Sink>(
        &mut self,
        id: OrderId,
        owner: Owner,
        side: Side,
        qty: Qty,
        price: Price,
        kind: Kind,
        reduce_only: bool,
        sink: &mut S,
    ) -> Outcome {
        let (order_type, limit, tif) = match kind {
            Kind::Limit(tif) => (OrderType::Limit { price, tif }, price, tif),
            Kind::MarketTo => {
                (OrderType::Market { worst: Some(price) }, price.min(MAX_PRICE), TimeInForce::Ioc)
            }
            Kind::Market => (OrderType::Market { worst: None }, no_limit(side), TimeInForce::Ioc),
        };
        let mut order = NewOrder { id, owner, side, qty, order_type, reduce_only };
        if let Err(reason) = self.spec.check(order.qty, order.order_type, order.reduce_only) {
            return reject(order, reason, sink);
        }
        if self.lives(order.id) {
            return reject(order, RejectReason::DuplicateId, sink);
        }
        if order.reduce_only {
            let bound = sink.reducible(order.owner, order.side);
            if bound < Qty(1) {
                return reject(order, RejectReason::ReduceOnly, sink);
            }
            order.qty = order.qty.min(bound);
        }
        let NewOrder { id, owner, side, qty, reduce_only, .. } = order;
        let rests = matches!(tif, TimeInForce::Gtc | TimeInForce::PostOnly);
        let taker = Taker { id, owner, side, qty, limit: limit.0, reduce_only, rests };
        let crosses = self.crosses(taker);
        if tif == TimeInForce::PostOnly && crosses {
            return reject(order, RejectReason::PostOnly, sink);
        }
        if tif == TimeInForce::Fok && self.fillable(taker, sink) < qty {
            return reject(order, RejectReason::FillOrKill, sink);
        }
        sink.on(BookEvent::Accepted(order), Place::NONE);
        self.take(taker, sink)
    }

    /// Executes an accepted order that is not reduce-only; in pieces like `judge`.
    #[inline(never)]
    #[allow(clippy::too_many_arguments, reason = "they are one order")]
    fn execute<S: Sink>(
        &mut self,
        id: OrderId,
        owner: Owner,
        side: Side,
        qty: Qty,
        limit: i64,
        rests: bool,
        sink: &mut S,
    ) -> Outcome {
        self.take(Taker { id, owner, side, qty, limit, reduce_only: false, rests }, sink)
    }

    /// Tells whether a taker meets the best level of the other half; an empty half meets nobody.
    #[inline(always)]
    fn crosses(&self, taker: Taker) -> bool {
        let best = self.best[taker.side.opposite() as usize].price;
        taker.limit ^ flip(taker.side) >= best ^ flip(taker.side)
    }

    /// Puts what is left of an order at the end of its level.
    #[inline(always)]
    fn rest<S: Sink>(&mut self, order: Taker, qty: Qty, sink: &mut S) -> Handle {
        let Taker { id, owner, side, limit: price, reduce_only, .. } = order;
        let level = self.ladder.level(price, &mut self.queues);
        let (handle, first) = self.queues.push(level, qty, Badge { id, owner, side, reduce_only });
        if first {
            self.level_filled(level, price, side);
        }
        if IDS {
            self.ids.insert(id, Slot(handle.0 as u32), &mut self.queues);
        }
        self.len = self.len.wrapping_add(1);
        let place = handle.place();
        sink.on(BookEvent::Rested { id, owner, side, price: Price(price), qty }, place);
        handle
    }

    /// Cancels a resting order.
    #[inline(always)]
    fn pull<S: Sink>(&mut self, slot: Slot, reason: CancelReason, sink: &mut S) {
        let Badge { id, owner, side, .. } = self.queues.badge(slot);
        let qty = self.forget(slot);
        sink.on(BookEvent::Cancelled { id, owner, side, qty, resting: true, reason }, slot.place());
    }

    /// Takes an order out and returns its lots.
    #[inline(always)]
    fn forget(&mut self, slot: Slot) -> Qty {
        let Removed { lots, level, last, old } = self.queues.remove(slot);
        if IDS {
            self.ids.remove(self.queues.id(slot), slot, old);
        }
        self.len = self.len.wrapping_sub(1);
        if last {
            self.level_emptied(level);
        }
        lots
    }

    /// Notes that a level has an order; the best of its half is there if it is better.
    #[inline(never)]
    fn level_filled(&mut self, level: u32, price: i64, side: Side) {
        self.ladder.fill(level);
        if price ^ flip(side) > self.best[side as usize].price ^ flip(side) {
            self.set_best(side, Best { price, level });
        }
    }

    /// Forgets a level without orders; the best of its half moves on if it was that.
    #[inline(never)]
    fn level_emptied(&mut self, level: u32) {
        // The price tells the half as well as the badge does, which would cost a line of memory.
        let side = if self.ladder.price(level) <= self.best[Side::Buy as usize].price {
            Side::Buy
        } else {
            Side::Sell
        };
        if self.best[side as usize].level == level {
            let best = match self.ladder.next(level, side) {
                Some(next) => Best { price: self.ladder.price(next), level: next },
                None => NO_BEST[side as usize],
            };
            self.set_best(side, best);
        }
        self.ladder.empty(level);
    }

    fn set_best(&mut self, side: Side, best: Best) {
        self.best[side as usize] = best;
        let [bid, ask] = self.touch();
        self.room = Room::between(bid, ask);
    }

    fn resting(&self, slot: Slot) -> Resting {
        let Badge { id, owner, side, reduce_only } = self.queues.badge(slot);
        let price = Price(self.ladder.price(self.queues.level(slot)));
        Resting { id, owner, side, price, qty: self.queues.lots(slot), reduce_only }
    }

    /// Iterates over the levels of a half from the best outwards.
    fn filled(&self, side: Side) -> impl Iterator<Item = u32> + '_ {
        let best = self.best[side as usize].level;
        std::iter::successors((best != NONE).then_some(best), move |level| self.ladder.next(*level, side))
    }

    /// Iterates over the orders of a half in priority order.
    fn slots(&self, side: Side) -> impl Iterator<Item = Slot> + '_ {
        self.filled(side).flat_map(|level| self.queues.queue(level))
    }
}

/// What `flip` and the places in `best` count on.
const _: () = assert!(Side::Buy as usize == 0 && Side::Sell as usize == 1);

/// Returns the mask that turns a price round for sells, so that higher is better on both sides.
#[inline]
fn flip(side: Side) -> i64 {
    -(side as i64)
}

/// Returns the limit of an order that has none.
#[inline(always)]
fn no_limit(side: Side) -> Price {
    match side {
        Side::Buy => MAX_PRICE,
        Side::Sell => Price(1),
    }
}

fn reject<S: Sink>(order: NewOrder, reason: RejectReason, sink: &mut S) -> Outcome {
    sink.on(BookEvent::Rejected { id: order.id, owner: order.owner, reason }, Place::NONE);
    Outcome { filled: Qty::ZERO, resting: None }
}
