//! How a taker of the fast book trades, and what a fill-or-kill order could. A level is eaten order by order and leaves
//! the queue in one step.

use std::collections::BTreeMap;

use super::super::{BookEvent, CancelReason, NewOrder, Outcome, Owner, SelfTrade, Sink, Trade};
use super::SlabBook;
use super::slab::{Badge, NONE};
use crate::units::{Price, Qty};

/// What happens when a taker meets a maker.
enum Meeting {
    /// They trade at most this much: lots for the taker, lots of the maker.
    Trade(u64, u64),
    /// The maker goes.
    Pull(CancelReason),
    /// The taker goes.
    Stop(CancelReason),
    /// Both go.
    PullAndStop(CancelReason),
}

impl<const IDS: bool> SlabBook<IDS> {
    /// Trades an accepted order and rests or cancels what is left.
    #[inline(never)]
    pub(super) fn take<S: Sink>(
        &mut self,
        order: &NewOrder,
        limit: i64,
        rests: bool,
        sink: &mut S,
    ) -> Outcome {
        let mut left = order.qty.0 as u64;
        let mut stopped = None;
        while left > 0 && stopped.is_none() && self.crosses(order.side, limit) {
            stopped = self.take_level(order, &mut left, sink);
        }
        let left = Qty(left as i64);
        let filled = order.qty - left;
        if left.is_zero() {
            return Outcome { filled, resting: None };
        }
        if rests && stopped.is_none() {
            return Outcome { filled, resting: Some(self.rest(order, limit, left, sink)) };
        }
        let NewOrder { id, owner, side, .. } = *order;
        let reason = stopped.unwrap_or(CancelReason::Unfilled);
        sink.on(BookEvent::Cancelled { id, owner, side, qty: left, resting: false, reason });
        Outcome { filled, resting: None }
    }

    /// Trades with the best level of the other half until one of them is gone, or the taker is stopped.
    #[inline]
    fn take_level<S: Sink>(
        &mut self,
        taker: &NewOrder,
        left: &mut u64,
        sink: &mut S,
    ) -> Option<CancelReason> {
        let maker_side = taker.side.opposite();
        let best = self.best[maker_side as usize];
        let mut at = self.slab.nodes[best.header as usize].next;
        // The last order that is gone, and the lots that are gone with all of them.
        let (mut last, mut gone) = (NONE, 0);
        let mut stopped = None;
        while at != best.header && *left > 0 {
            let node = self.slab.nodes[at as usize];
            let badge = self.slab.badges[at as usize];
            let (mut wanted, mut lots) = (*left, node.lots());
            let mut pulled = None;
            if taker.reduce_only || badge.reduce_only() || badge.owner == taker.owner {
                match meet(self.spec.self_trade, taker, wanted, badge, lots, sink) {
                    Meeting::Trade(most, kept) => {
                        wanted = most;
                        if kept < lots {
                            self.slab.reduce(at, kept);
                            sink.on(BookEvent::Reduced {
                                id: badge.id,
                                owner: badge.owner,
                                side: maker_side,
                                from: Qty(lots as i64),
                                to: Qty(kept as i64),
                            });
                            lots = kept;
                        }
                    }
                    Meeting::Pull(reason) => pulled = Some(reason),
                    Meeting::Stop(reason) => {
                        stopped = Some(reason);
                        break;
                    }
                    Meeting::PullAndStop(reason) => (pulled, stopped) = (Some(reason), Some(reason)),
                }
            }
            let qty = if pulled.is_none() { wanted.min(lots) } else { 0 };
            *left -= qty;
            if let Some(reason) = pulled {
                sink.on(BookEvent::Cancelled {
                    id: badge.id,
                    owner: badge.owner,
                    side: maker_side,
                    qty: Qty(lots as i64),
                    resting: true,
                    reason,
                });
            } else {
                sink.on(BookEvent::Trade(Trade {
                    maker: badge.id,
                    maker_owner: badge.owner,
                    maker_remaining: Qty((lots - qty) as i64),
                    taker: taker.id,
                    taker_owner: taker.owner,
                    taker_side: taker.side,
                    price: Price(best.price),
                    qty: Qty(qty as i64),
                }));
                if qty < lots {
                    self.slab.reduce(at, lots - qty);
                    // The taker is done, or asks again whether it may go on.
                    continue;
                }
            }
            gone += lots;
            self.len -= 1;
            if IDS {
                self.ids.remove(badge.id, at);
            }
            self.slab.retire(at);
            last = at;
            at = node.next;
            if stopped.is_some() {
                break;
            }
        }
        if last != NONE {
            self.slab.splice(best.header, last, gone);
        }
        if at == best.header {
            self.level_emptied(best.header, maker_side);
        }
        stopped
    }

    /// Counts the lots that a fill-or-kill order could trade at once, up to its quantity; the reference book says why so.
    #[inline(never)]
    pub(super) fn fillable<S: Sink>(&self, taker: &NewOrder, limit: i64, sink: &S) -> Qty {
        let side = taker.side.opposite();
        let mut filled = 0;
        let mut traded: BTreeMap<Owner, i64> = BTreeMap::new();
        if !self.crosses(taker.side, limit) {
            return Qty::ZERO;
        }
        for slot in self.slots(side) {
            let node = self.slab.nodes[slot as usize];
            let price = self.ladder.price(node.level());
            let within = price ^ super::flip(taker.side) <= limit ^ super::flip(taker.side);
            if !within || filled == taker.qty.0 {
                break;
            }
            let badge = self.slab.badges[slot as usize];
            let own = badge.owner == taker.owner;
            if own {
                match self.spec.self_trade {
                    SelfTrade::Allow => {}
                    SelfTrade::CancelMaker => continue,
                    SelfTrade::CancelTaker | SelfTrade::CancelBoth => break,
                }
            }
            let mut lots = (node.lots() as i64).min(taker.qty.0 - filled);
            if badge.reduce_only() {
                let before = traded.get(&badge.owner).copied().unwrap_or(0);
                lots = lots.min(sink.reducible(badge.owner, side).0 - before).max(0);
            }
            filled += lots;
            if !own {
                *traded.entry(badge.owner).or_insert(0) += lots;
            }
        }
        Qty(filled)
    }
}

/// Decides what a taker and a maker may do with each other. Rare, so kept out of the loop.
#[inline(never)]
fn meet<S: Sink>(
    policy: SelfTrade,
    taker: &NewOrder,
    mut wanted: u64,
    maker: Badge,
    mut lots: u64,
    sink: &S,
) -> Meeting {
    if taker.reduce_only {
        let bound = sink.reducible(taker.owner, taker.side).0;
        if bound < 1 {
            return Meeting::Stop(CancelReason::ReduceOnly);
        }
        wanted = wanted.min(bound as u64);
    }
    if maker.owner == taker.owner {
        match policy {
            SelfTrade::Allow => {}
            SelfTrade::CancelTaker => return Meeting::Stop(CancelReason::SelfTrade),
            SelfTrade::CancelMaker => return Meeting::Pull(CancelReason::SelfTrade),
            SelfTrade::CancelBoth => return Meeting::PullAndStop(CancelReason::SelfTrade),
        }
    }
    if maker.reduce_only() {
        let bound = sink.reducible(maker.owner, maker.side()).0;
        if bound < 1 {
            return Meeting::Pull(CancelReason::ReduceOnly);
        }
        lots = lots.min(bound as u64);
    }
    Meeting::Trade(wanted, lots)
}
