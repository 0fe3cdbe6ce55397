//! One book as the records make it, with the rules of orders checked at each step.

use super::Problems;
use super::ids::Ids;
use crate::market::{
    BookEvent, BookSpec, CancelReason, NewOrder, OrderType, Owner, SelfTrade, TimeInForce, Trade,
};
use crate::units::{OrderId, Price, Side};
use crate::world::MarkRule;
use std::collections::BTreeMap;

/// Orders in priority order, by (price, or minus the price for bids; arrival).
type Half = BTreeMap<(i128, u64), OrderId>;

/// A resting order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) owner: Owner,
    pub(super) side: Side,
    pub(super) price: i64,
    pub(super) qty: i128,
    pub(super) reduce_only: bool,
    /// Orders that came to rest before it.
    arrival: u64,
}

/// An order that is being matched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taker {
    order: NewOrder,
    left: i128,
}

/// A book.
#[derive(Clone, Debug)]
pub(super) struct ShadowBook {
    spec: BookSpec,
    rule: MarkRule,
    live: BTreeMap<OrderId, Live>,
    bids: Half,
    asks: Half,
    arrivals: u64,
    pub(super) taker: Option<Taker>,
    pub(super) last: Option<i64>,
    pub(super) mark: Option<i64>,
}

impl ShadowBook {
    pub(super) fn new(spec: BookSpec, rule: MarkRule) -> Self {
        Self {
            spec,
            rule,
            live: BTreeMap::new(),
            bids: Half::new(),
            asks: Half::new(),
            arrivals: 0,
            taker: None,
            last: None,
            mark: None,
        }
    }

    pub(super) fn is_live(&self, id: OrderId) -> bool {
        self.live.contains_key(&id)
    }

    /// Iterates over the resting orders.
    pub(super) fn live(&self) -> impl Iterator<Item = &Live> {
        self.live.values()
    }

    /// Iterates over the orders of a half in priority order.
    pub(super) fn orders(&self, side: Side) -> impl Iterator<Item = (OrderId, Live)> + '_ {
        self.half(side).values().map(|id| (*id, self.live[id]))
    }

    pub(super) fn best(&self, side: Side) -> Option<i64> {
        self.half(side).values().next().map(|id| self.live[id].price)
    }

    /// Tells whether the mark is what its rule gives now; a rule that gives nothing keeps the mark.
    pub(super) fn has_fresh_mark(&self) -> bool {
        let by_rule = self.by_rule();
        by_rule.is_none() || by_rule == self.mark
    }

    fn by_rule(&self) -> Option<i64> {
        let (bid, ask) = (self.best(Side::Buy), self.best(Side::Sell));
        match self.rule {
            MarkRule::BestBid => bid,
            // Another book and the clock decide it.
            MarkRule::Index => None,
            MarkRule::Last => self.last,
            MarkRule::Median => match (bid, ask, self.last) {
                (Some(bid), Some(ask), Some(last)) => {
                    let mut three = [bid, ask, last];
                    three.sort_unstable();
                    Some(three[1])
                }
                (Some(bid), Some(ask), None) => {
                    Some((i128::from(bid) + i128::from(ask)).div_euclid(2) as i64)
                }
                (None, _, last) | (_, None, last) => last,
            },
        }
    }

    pub(super) fn set_mark(&mut self, mark: Price, inputs: [Option<Price>; 3], problems: &mut Problems) {
        let told = inputs.map(|price| price.map(|price| price.0));
        let ours = [self.best(Side::Buy), self.best(Side::Sell), self.last];
        problems.require(told == ours, || format!("a mark is made from {told:?}, not {ours:?}"));
        let by_rule = self.by_rule();
        problems.require(by_rule == Some(mark.0), || format!("the mark is {mark}, not {by_rule:?}"));
        problems.require(self.mark != Some(mark.0), || "a mark that did not move is told".to_owned());
        self.mark = Some(mark.0);
    }

    /// Hears a mark that is made from an index: the median of two prices that this book cannot know, and its last one.
    pub(super) fn set_index_mark(
        &mut self,
        mark: Price,
        anchors: [Price; 2],
        last: Option<Price>,
        problems: &mut Problems,
    ) {
        let told = last.map(|last| last.0);
        problems.require(self.rule == MarkRule::Index, || "a mark is made from an index".to_owned());
        problems.require(told == self.last, || format!("a mark is made from {told:?}, not {:?}", self.last));
        let mut three = [anchors[0].0, anchors[1].0, told.unwrap_or(anchors[0].0)];
        three.sort_unstable();
        problems.require(three[1] == mark.0, || format!("the mark is {mark}, not {}", three[1]));
        problems.require(self.mark != Some(mark.0), || "a mark that did not move is told".to_owned());
        self.mark = Some(mark.0);
    }

    pub(super) fn on(
        &mut self,
        event: BookEvent,
        ids: &mut Ids,
        reducible: impl Fn(u32, Side) -> i128,
        problems: &mut Problems,
    ) {
        match event {
            BookEvent::Accepted(order) => {
                ids.accept(order.id, problems);
                let qty = i128::from(order.qty.0);
                let in_bound = !order.reduce_only || qty <= reducible(order.owner.0, order.side);
                problems.require(qty > 0 && in_bound, || format!("order {} is too large or empty", order.id));
                problems.require(!self.is_live(order.id), || format!("order {} rests already", order.id));
                self.taker = Some(Taker { order, left: qty });
            }
            BookEvent::Trade(trade) => self.trade(&trade, reducible, problems),
            BookEvent::Rested { id, owner, side, price, qty } => {
                self.rest((id, owner, side, price, i128::from(qty.0)), problems);
            }
            BookEvent::Cancelled { id, owner, side, qty, resting, reason } => {
                let told = (id, owner, side, i128::from(qty.0));
                if resting {
                    self.cancel_resting(told, reason, problems);
                } else {
                    self.cancel_rest(told, reason, problems);
                }
            }
            BookEvent::Reduced { id, owner, side, from, to } => {
                let right = self.live.get_mut(&id).is_some_and(|order| {
                    let before = (order.owner, order.side, order.qty);
                    order.qty = i128::from(to.0);
                    before == (owner, side, i128::from(from.0)) && to.0 > 0 && to < from
                });
                problems.require(right, || format!("order {id} is not reduced from what it was"));
            }
            BookEvent::Rejected { id, .. } => ids.refuse(id, self.is_live(id), problems),
        }
        if self.taker.is_none() {
            let (bid, ask) = (self.best(Side::Buy), self.best(Side::Sell));
            let is_crossed = bid.zip(ask).is_some_and(|(bid, ask)| bid >= ask);
            problems.require(!is_crossed, || "the book is crossed".to_owned());
        }
    }

    fn trade(&mut self, trade: &Trade, reducible: impl Fn(u32, Side) -> i128, problems: &mut Problems) {
        let qty = i128::from(trade.qty.0);
        problems.require(qty > 0, || "a trade of nothing".to_owned());
        self.last = Some(trade.price.0);
        self.take(trade, problems);
        let maker_side = trade.taker_side.opposite();
        let first = self.half(maker_side).values().next().copied();
        problems.require(first == Some(trade.maker), || {
            format!("maker {} is not the first of the best price, but {first:?}", trade.maker)
        });
        let Some(maker) = self.live.get_mut(&trade.maker) else { return };
        maker.qty -= qty;
        let maker = *maker;
        let right = (maker.owner, maker.side, maker.price) == (trade.maker_owner, maker_side, trade.price.0);
        problems.require(right, || format!("{trade:?} is not with the maker {maker:?}"));
        let left_right = maker.qty >= 0 && maker.qty == i128::from(trade.maker_remaining.0);
        problems.require(left_right, || format!("the maker has {} lots left", maker.qty));
        let reduce_only = |owner: Owner, side| qty <= reducible(owner.0, side);
        let maker_reduces = !maker.reduce_only || reduce_only(maker.owner, maker.side);
        problems.require(maker_reduces, || format!("reduce-only order {} does not reduce", trade.maker));
        let allowed = trade.maker_owner != trade.taker_owner || self.spec.self_trade == SelfTrade::Allow;
        problems.require(allowed, || format!("owner {:?} trades with itself", trade.taker_owner));
        if maker.qty <= 0 {
            self.remove(trade.maker);
        }
        let Some(taker) = self.taker else { return };
        let taker_reduces = !taker.order.reduce_only || reduce_only(taker.order.owner, taker.order.side);
        problems.require(taker_reduces, || format!("reduce-only order {} does not reduce", trade.taker));
        if taker.left <= 0 {
            self.taker = None;
        }
    }

    /// Takes a trade's lots from the order that is being matched.
    fn take(&mut self, trade: &Trade, problems: &mut Problems) {
        let Some(taker) = self.taker.as_mut() else {
            return problems.require(false, || "a trade without an accepted order".to_owned());
        };
        taker.left -= i128::from(trade.qty.0);
        let Taker { order, left } = *taker;
        let right = (order.id, order.owner, order.side) == (trade.taker, trade.taker_owner, trade.taker_side);
        problems.require(right && left >= 0, || format!("{trade:?} is not of {order:?}"));
        problems.require(accepts(&order, trade.price.0), || format!("a fill at {} is too bad", trade.price));
        let takes = !matches!(order.order_type, OrderType::Limit { tif: TimeInForce::PostOnly, .. });
        problems.require(takes, || format!("post-only order {} takes", order.id));
    }

    fn rest(&mut self, told: (OrderId, Owner, Side, Price, i128), problems: &mut Problems) {
        let (id, owner, side, price, qty) = told;
        let taker = self.taker.take();
        let right = taker.is_some_and(|Taker { order, left }| {
            let rests = match order.order_type {
                OrderType::Limit { price: limit, tif: TimeInForce::Gtc | TimeInForce::PostOnly } => {
                    limit == price
                }
                OrderType::Limit { .. } | OrderType::Market { .. } => false,
            };
            rests && (order.id, order.owner, order.side, left) == (id, owner, side, qty)
        });
        problems.require(right, || format!("{told:?} comes to rest from {taker:?}"));
        self.remove(id);
        self.arrivals += 1;
        let reduce_only = taker.is_some_and(|taker| taker.order.reduce_only);
        let order = Live { owner, side, price: price.0, qty, reduce_only, arrival: self.arrivals };
        self.live.insert(id, order);
        self.half_mut(side).insert(order.place(), id);
    }

    fn cancel_resting(
        &mut self,
        (id, owner, side, qty): (OrderId, Owner, Side, i128),
        reason: CancelReason,
        problems: &mut Problems,
    ) {
        let order = self.remove(id);
        let right = order.is_some_and(|order| {
            let may = match reason {
                CancelReason::Requested => true,
                CancelReason::Unfilled => false,
                CancelReason::SelfTrade => {
                    matches!(self.spec.self_trade, SelfTrade::CancelMaker | SelfTrade::CancelBoth)
                }
                CancelReason::ReduceOnly => order.reduce_only,
            };
            may && (order.owner, order.side, order.qty) == (owner, side, qty)
        });
        problems.require(right, || format!("order {id} with {qty} lots is cancelled but is {order:?}"));
    }

    /// The rest of the order that is being matched goes away.
    fn cancel_rest(
        &mut self,
        (id, owner, side, qty): (OrderId, Owner, Side, i128),
        reason: CancelReason,
        problems: &mut Problems,
    ) {
        let Some(Taker { order, left }) = self.taker.take() else {
            return problems.require(false, || format!("order {id} is not being matched"));
        };
        let right = (order.id, order.owner, order.side, left) == (id, owner, side, qty);
        problems.require(right, || format!("the rest of order {id} is {left}, not {qty}"));
        let tif = match order.order_type {
            OrderType::Limit { tif, .. } => tif,
            OrderType::Market { .. } => TimeInForce::Ioc,
        };
        let meets_nobody = self.best(side.opposite()).is_none_or(|price| !accepts(&order, price));
        let may = match reason {
            CancelReason::Requested => false,
            CancelReason::Unfilled => tif == TimeInForce::Ioc && meets_nobody,
            CancelReason::SelfTrade => tif != TimeInForce::Fok && self.spec.self_trade != SelfTrade::Allow,
            CancelReason::ReduceOnly => order.reduce_only,
        };
        problems.require(may, || format!("order {id} may not be cancelled as {reason:?}"));
    }

    fn remove(&mut self, id: OrderId) -> Option<Live> {
        let order = self.live.remove(&id)?;
        self.half_mut(order.side).remove(&order.place());
        Some(order)
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
}

impl Live {
    /// Returns its place in its half: best price first, then earliest.
    fn place(&self) -> (i128, u64) {
        let price = i128::from(self.price);
        (if self.side == Side::Buy { -price } else { price }, self.arrival)
    }
}

/// Tells whether an order may trade at a price.
fn accepts(order: &NewOrder, price: i64) -> bool {
    let worst = match order.order_type {
        OrderType::Limit { price, .. } => Some(price.0),
        OrderType::Market { worst } => worst.map(|worst| worst.0),
    };
    worst.is_none_or(|worst| if order.side == Side::Buy { price <= worst } else { price >= worst })
}
