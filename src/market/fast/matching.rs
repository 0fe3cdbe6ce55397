//! How a taker of the fast book trades, and what a fill-or-kill order could. Plain makers go in sweeps; the others, and
//! the last one that trades in part, are met one by one.

use std::collections::BTreeMap;

use super::super::{BookEvent, CancelReason, Outcome, Owner, Place, SelfTrade, Sink, Trade};
use super::queues::{Badge, Fill, Slot};
use super::{Best, SlabBook, Taker, flip};
use crate::units::{Price, Qty};

/// What happens when a taker meets a maker.
enum Meeting {
    /// They trade at most this much: what the taker may, what the maker may.
    Trade(Qty, Qty),
    /// The maker goes.
    Pull(CancelReason),
    /// The taker goes.
    Stop(CancelReason),
    /// Both go.
    PullAndStop(CancelReason),
}

impl Taker {
    /// Returns the event of a fill at a price.
    #[inline(always)]
    fn trades(self, price: i64, fill: Fill) -> BookEvent {
        BookEvent::Trade(Trade {
            maker: fill.id,
            maker_owner: fill.owner,
            maker_remaining: fill.kept,
            taker: self.id,
            taker_owner: self.owner,
            taker_side: self.side,
            price: Price(price),
            qty: fill.lots,
        })
    }
}

impl<const IDS: bool> SlabBook<IDS> {
    /// Trades an accepted order and rests or cancels what is left.
    #[inline(always)]
    pub(super) fn take<S: Sink>(&mut self, order: Taker, sink: &mut S) -> Outcome {
        let mut left = order.qty;
        let stopped = self.trade(order, &mut left, sink);
        let filled = order.qty - left;
        if left.is_zero() {
            return Outcome { filled, resting: None };
        }
        if order.rests && stopped.is_none() {
            return Outcome { filled, resting: Some(self.rest(order, left, sink)) };
        }
        let Taker { id, owner, side, .. } = order;
        let reason = stopped.unwrap_or(CancelReason::Unfilled);
        sink.on(BookEvent::Cancelled { id, owner, side, qty: left, resting: false, reason }, Place::NONE);
        Outcome { filled, resting: None }
    }

    /// Trades with the other half for as long as there is a maker within the limit, and says what stopped it before.
    #[inline(always)]
    fn trade<S: Sink>(&mut self, taker: Taker, left: &mut Qty, sink: &mut S) -> Option<CancelReason> {
        let shunned = (self.spec.self_trade != SelfTrade::Allow).then_some(taker.owner);
        while !left.is_zero() && self.crosses(taker) {
            let best = self.best[taker.side.opposite() as usize];
            if !taker.reduce_only {
                let swept = self.queues.sweep(best.level, shunned, left, |slot, fill, next| {
                    if let Some((slot, owner)) = next {
                        sink.nears(owner, slot.place());
                    }
                    if IDS && fill.kept.is_zero() {
                        self.ids.remove(fill.id, slot, fill.old);
                    }
                    sink.on(taker.trades(best.price, fill), slot.place());
                });
                self.len = self.len.wrapping_sub(swept.filled);
                if swept.all {
                    self.level_emptied(best.level);
                    continue;
                }
                if left.is_zero() {
                    break;
                }
            }
            let (rest, stopped) = self.meet_first(taker, best, *left, sink);
            *left = rest;
            if stopped.is_some() {
                return stopped;
            }
        }
        None
    }

    /// Lets a taker meet the first maker of a level where one of them is reduce-only or both have one owner. Returns what
    /// is left of the taker and what stops it.
    #[inline(never)]
    fn meet_first<S: Sink>(
        &mut self,
        taker: Taker,
        best: Best,
        left: Qty,
        sink: &mut S,
    ) -> (Qty, Option<CancelReason>) {
        let slot = self.queues.first(best.level);
        let (maker, lots) = (self.queues.badge(slot), self.queues.lots(slot));
        let (wanted, lots) = match meet(self.spec.self_trade, taker, left, maker, lots, sink) {
            Meeting::Trade(wanted, kept) => {
                self.cut(slot, maker, kept, sink);
                (wanted, kept)
            }
            Meeting::Pull(reason) => {
                self.pull(slot, reason, sink);
                return (left, None);
            }
            Meeting::Stop(reason) => return (left, Some(reason)),
            Meeting::PullAndStop(reason) => {
                self.pull(slot, reason, sink);
                return (left, Some(reason));
            }
        };
        let qty = wanted.min(lots);
        let fill = Fill { id: maker.id, owner: maker.owner, lots: qty, kept: lots - qty, old: false };
        if fill.kept.is_zero() {
            self.forget(slot);
        } else {
            self.queues.reduce(slot, fill.kept);
        }
        sink.on(taker.trades(best.price, fill), slot.place());
        (left - qty, None)
    }

    /// Cuts a reduce-only maker to its bound, if it is larger.
    fn cut<S: Sink>(&mut self, slot: Slot, maker: Badge, to: Qty, sink: &mut S) {
        let from = self.queues.lots(slot);
        if to < from {
            self.queues.reduce(slot, to);
            let Badge { id, owner, side, .. } = maker;
            sink.on(BookEvent::Reduced { id, owner, side, from, to }, slot.place());
        }
    }

    /// Counts the lots that a fill-or-kill order could trade at once, up to its quantity; the reference book says why so.
    #[inline(never)]
    pub(super) fn fillable<S: Sink>(&self, taker: Taker, sink: &S) -> Qty {
        let mut filled = Qty::ZERO;
        let mut traded: BTreeMap<Owner, Qty> = BTreeMap::new();
        for level in self.filled(taker.side.opposite()) {
            let price = self.ladder.price(level);
            if price ^ flip(taker.side) > taker.limit ^ flip(taker.side) {
                break;
            }
            for slot in self.queues.queue(level) {
                let maker = self.queues.badge(slot);
                let own = maker.owner == taker.owner;
                match self.spec.self_trade {
                    SelfTrade::CancelMaker if own => continue,
                    SelfTrade::CancelTaker | SelfTrade::CancelBoth if own => return filled,
                    _ => {}
                }
                let mut lots = self.queues.lots(slot).min(taker.qty - filled);
                if maker.reduce_only {
                    let before = traded.get(&maker.owner).copied().unwrap_or_default();
                    lots = lots.min(sink.reducible(maker.owner, maker.side) - before).max(Qty::ZERO);
                }
                filled += lots;
                if filled == taker.qty {
                    return filled;
                }
                if !own {
                    *traded.entry(maker.owner).or_default() += lots;
                }
            }
        }
        filled
    }
}

/// Decides what a taker and a maker may do with each other.
fn meet<S: Sink>(
    policy: SelfTrade,
    taker: Taker,
    mut wanted: Qty,
    maker: Badge,
    mut lots: Qty,
    sink: &S,
) -> Meeting {
    if taker.reduce_only {
        let bound = sink.reducible(taker.owner, taker.side);
        if bound < Qty(1) {
            return Meeting::Stop(CancelReason::ReduceOnly);
        }
        wanted = wanted.min(bound);
    }
    if maker.owner == taker.owner {
        match policy {
            SelfTrade::Allow => {}
            SelfTrade::CancelTaker => return Meeting::Stop(CancelReason::SelfTrade),
            SelfTrade::CancelMaker => return Meeting::Pull(CancelReason::SelfTrade),
            SelfTrade::CancelBoth => return Meeting::PullAndStop(CancelReason::SelfTrade),
        }
    }
    if maker.reduce_only {
        let bound = sink.reducible(maker.owner, maker.side);
        if bound < Qty(1) {
            return Meeting::Pull(CancelReason::ReduceOnly);
        }
        lots = lots.min(bound);
    }
    Meeting::Trade(wanted, lots)
}
