//! Stop and take-profit orders: they wait for a price and are then handed back to be submitted. Nothing here trades.

use std::collections::{BTreeMap, BTreeSet};

use super::{MAX_PRICE, MAX_QTY, NewOrder, Owner, RejectReason};
use crate::units::{OrderId, Price, Qty};

/// From which side the trigger price is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TriggerWhen {
    /// Triggers when the price is at the trigger or above: the stop of a short, the take-profit of a long.
    AtOrAbove,
    /// Triggers when the price is at the trigger or below: the stop of a long, the take-profit of a short.
    AtOrBelow,
}

/// Which price triggers an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TriggerSource {
    /// The price that margin is measured on.
    Mark,
    /// The price of the last trade.
    Last,
}

/// An order that waits for a price.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StopOrder {
    /// What is submitted once the trigger is reached.
    pub order: NewOrder,
    /// Ticks, from 1 to [`MAX_PRICE`].
    pub trigger: Price,
    /// From which side it is reached.
    pub when: TriggerWhen,
    /// Which price reaches it.
    pub source: TriggerSource,
}

/// Where a stop waits. Keys of one queue sort in the order in which a moving price reaches them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Place {
    /// The trigger, negative for falling prices: the smallest is reached first.
    reached: i64,
    /// Order of insertion.
    sequence: u64,
}

/// The stops of one price source and direction.
#[derive(Clone, Debug)]
struct Line {
    waiting: BTreeMap<Place, StopOrder>,
    /// What has to be reached for the first of them, so that a look at the price is one comparison; beyond every price if none waits.
    first: i64,
}

/// The waiting stop orders of one market.
///
/// Orders come out in the order in which a moving price reaches their triggers, at equal triggers in the order in which
/// they came in. If both directions hold triggered orders at once, the one whose first came in earlier is next.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    lines: [Line; 4],
    /// By order: its line and its place in it.
    places: BTreeMap<OrderId, (usize, Place)>,
    owners: BTreeSet<(Owner, OrderId)>,
    next_sequence: u64,
}

impl Stops {
    /// Adds a stop order, which waits even if its trigger is already reached: the next look at the price pops it.
    ///
    /// # Errors
    /// Refuses a quantity or trigger out of range, and an id that already waits. The book judges the rest at submission.
    pub fn add(&mut self, stop: StopOrder) -> Result<(), RejectReason> {
        if stop.order.qty < Qty(1) || stop.order.qty > MAX_QTY {
            return Err(RejectReason::Quantity);
        }
        if stop.trigger < Price(1) || stop.trigger > MAX_PRICE {
            return Err(RejectReason::Price);
        }
        if self.places.contains_key(&stop.order.id) {
            return Err(RejectReason::DuplicateId);
        }
        let place = Place { reached: reached(stop.when, stop.trigger), sequence: self.next_sequence };
        self.next_sequence += 1;
        let line = line(stop.source, stop.when);
        self.lines[line].insert(place, stop);
        self.places.insert(stop.order.id, (line, place));
        self.owners.insert((stop.order.owner, stop.order.id));
        Ok(())
    }

    /// Removes a waiting order.
    pub fn cancel(&mut self, id: OrderId) -> Option<StopOrder> {
        let (line, place) = *self.places.get(&id)?;
        Some(self.take(line, place))
    }

    /// Removes every waiting order of an owner, in the order of their ids.
    pub fn cancel_owner(&mut self, owner: Owner) -> Vec<StopOrder> {
        let ids: Vec<OrderId> =
            self.owners.range((owner, OrderId(0))..=(owner, OrderId(u64::MAX))).map(|(_, id)| *id).collect();
        ids.into_iter().filter_map(|id| self.cancel(id)).collect()
    }

    /// Removes and returns the next order that `price` triggers; call it until it returns `None`.
    pub fn pop_triggered(&mut self, source: TriggerSource, price: Price) -> Option<StopOrder> {
        let first = |when| {
            let line = line(source, when);
            self.lines[line].first_reached(reached(when, price)).map(|place| (line, place))
        };
        let (rising, falling) = (first(TriggerWhen::AtOrAbove), first(TriggerWhen::AtOrBelow));
        let (line, place) = match (rising, falling) {
            (Some(up), Some(down)) => {
                if up.1.sequence < down.1.sequence {
                    up
                } else {
                    down
                }
            }
            (place, None) | (None, place) => place?,
        };
        Some(self.take(line, place))
    }

    /// Returns a waiting order.
    pub fn get(&self, id: OrderId) -> Option<&StopOrder> {
        let (line, place) = self.places.get(&id)?;
        self.lines[*line].waiting.get(place)
    }

    /// Returns how many orders wait.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells whether no order waits.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn take(&mut self, line: usize, place: Place) -> StopOrder {
        let stop = self.lines[line].take(place);
        self.places.remove(&stop.order.id);
        self.owners.remove(&(stop.order.owner, stop.order.id));
        stop
    }
}

impl Line {
    fn insert(&mut self, place: Place, stop: StopOrder) {
        self.waiting.insert(place, stop);
        self.first = self.first.min(place.reached);
    }

    /// Returns the first place if a price has reached it.
    #[inline]
    fn first_reached(&self, reached: i64) -> Option<Place> {
        if reached < self.first {
            return None;
        }
        let place = *self.waiting.first_key_value()?.0;
        (place.reached <= reached).then_some(place)
    }

    fn take(&mut self, place: Place) -> StopOrder {
        let stop = self.waiting.remove(&place).expect("a place holds an order");
        if place.reached == self.first {
            self.first = self.waiting.first_key_value().map_or(i64::MAX, |(place, _)| place.reached);
        }
        stop
    }
}

impl Default for Line {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), first: i64::MAX }
    }
}

/// Returns the number of a line.
fn line(source: TriggerSource, when: TriggerWhen) -> usize {
    2 * source as usize + when as usize
}

/// Returns the sort key of a trigger, or the key that a price reaches.
fn reached(when: TriggerWhen, price: Price) -> i64 {
    match when {
        TriggerWhen::AtOrAbove => price.0,
        TriggerWhen::AtOrBelow => price.0.saturating_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::OrderType;
    use crate::units::Side;

    fn stop(id: u64, trigger: i64, when: TriggerWhen) -> StopOrder {
        StopOrder {
            order: NewOrder {
                id: OrderId(id),
                owner: Owner((id & 1) as u32),
                side: Side::Sell,
                qty: Qty(1),
                order_type: OrderType::Market { worst: None },
                reduce_only: true,
            },
            trigger: Price(trigger),
            when,
            source: TriggerSource::Mark,
        }
    }

    fn with(stops: &[StopOrder]) -> Stops {
        let mut all = Stops::default();
        for stop in stops {
            all.add(*stop).unwrap();
        }
        all
    }

    fn popped(stops: &mut Stops, price: i64) -> Vec<u64> {
        std::iter::from_fn(|| stops.pop_triggered(TriggerSource::Mark, Price(price)))
            .map(|stop| stop.order.id.0)
            .collect()
    }

    use TriggerWhen::{AtOrAbove, AtOrBelow};

    #[test]
    fn a_falling_price_reaches_the_highest_trigger_first() {
        let mut stops = with(&[stop(1, 90, AtOrBelow), stop(2, 95, AtOrBelow), stop(3, 80, AtOrBelow)]);
        assert_eq!(popped(&mut stops, 96), [0_u64; 0]);
        assert_eq!(popped(&mut stops, 90), [2, 1]);
        assert_eq!(popped(&mut stops, 1), [3]);
        assert!(stops.is_empty());
    }

    #[test]
    fn a_rising_price_reaches_the_lowest_trigger_first() {
        let mut stops = with(&[stop(1, 110, AtOrAbove), stop(2, 105, AtOrAbove), stop(3, 120, AtOrAbove)]);
        assert_eq!(popped(&mut stops, 104), [0_u64; 0]);
        assert_eq!(popped(&mut stops, 119), [2, 1]);
        assert_eq!(popped(&mut stops, 120), [3]);
    }

    #[test]
    fn equal_triggers_come_out_as_they_came_in() {
        let mut stops = with(&[stop(9, 90, AtOrBelow), stop(4, 90, AtOrBelow), stop(7, 90, AtOrBelow)]);
        assert_eq!(popped(&mut stops, 90), [9, 4, 7]);
    }

    #[test]
    fn of_both_directions_the_one_that_came_in_earlier_is_next() {
        let mut stops = with(&[stop(1, 100, AtOrBelow), stop(2, 100, AtOrAbove), stop(3, 100, AtOrBelow)]);
        assert_eq!(popped(&mut stops, 100), [1, 2, 3]);
        let mut mirrored = with(&[stop(1, 100, AtOrAbove), stop(2, 100, AtOrBelow), stop(3, 100, AtOrAbove)]);
        assert_eq!(popped(&mut mirrored, 100), [1, 2, 3]);
    }

    #[test]
    fn only_the_price_that_an_order_names_triggers_it() {
        let mut stops = with(&[StopOrder { source: TriggerSource::Last, ..stop(1, 90, AtOrBelow) }]);
        assert_eq!(stops.pop_triggered(TriggerSource::Mark, Price(80)), None);
        assert!(stops.pop_triggered(TriggerSource::Last, Price(90)).is_some());
    }

    #[test]
    fn a_cancelled_order_never_triggers() {
        let mut stops = with(&[stop(1, 90, AtOrBelow), stop(2, 90, AtOrBelow)]);
        assert_eq!(stops.cancel(OrderId(1)).map(|stop| stop.order.id), Some(OrderId(1)));
        assert_eq!(stops.cancel(OrderId(1)), None);
        assert_eq!(popped(&mut stops, 90), [2]);
    }

    #[test]
    fn an_owner_loses_all_his_orders_and_nobody_elses() {
        let mut stops = with(&[stop(3, 90, AtOrBelow), stop(2, 90, AtOrBelow), stop(1, 110, AtOrAbove)]);
        let cancelled: Vec<u64> = stops.cancel_owner(Owner(1)).iter().map(|stop| stop.order.id.0).collect();
        assert_eq!(cancelled, [1, 3]);
        assert_eq!(stops.len(), 1);
        assert!(stops.get(OrderId(2)).is_some());
    }

    #[test]
    fn what_breaks_a_rule_is_refused_and_does_not_wait() {
        let mut stops = with(&[stop(1, 90, AtOrBelow)]);
        let mut empty = stop(2, 90, AtOrBelow);
        empty.order.qty = Qty(0);
        assert_eq!(stops.add(stop(1, 95, AtOrBelow)), Err(RejectReason::DuplicateId));
        assert_eq!(stops.add(stop(2, 0, AtOrBelow)), Err(RejectReason::Price));
        assert_eq!(stops.add(empty), Err(RejectReason::Quantity));
        assert_eq!(stops.add(stop(2, MAX_PRICE.0 + 1, AtOrBelow)), Err(RejectReason::Price));
        empty.order.qty = MAX_QTY + Qty(1);
        assert_eq!(stops.add(empty), Err(RejectReason::Quantity));
        assert_eq!(stops.len(), 1);
        empty.order.qty = MAX_QTY;
        assert_eq!(stops.add(StopOrder { trigger: MAX_PRICE, ..empty }), Ok(()));
    }

    #[test]
    fn any_id_is_an_owners_and_nothing_of_it_stays_behind() {
        let mut stops =
            with(&[stop(0, 90, AtOrBelow), stop(u64::MAX - 1, 90, AtOrBelow), stop(2, 90, AtOrBelow)]);
        stops.cancel(OrderId(2));
        assert_eq!(stops.cancel_owner(Owner(0)).len(), 2);
        assert!(stops.lines.iter().all(|line| line.waiting.is_empty() && line.first == i64::MAX));
        assert!(stops.places.is_empty() && stops.owners.is_empty());
        stops.add(stop(u64::MAX, 90, AtOrBelow)).unwrap();
        assert_eq!(stops.cancel_owner(Owner(1)).len(), 1);
    }

    #[test]
    fn no_price_is_out_of_range() {
        let mut stops = with(&[stop(1, 90, AtOrBelow), stop(2, 110, AtOrAbove)]);
        assert_eq!(popped(&mut stops, i64::MAX), [2]);
        assert_eq!(popped(&mut stops, i64::MIN), [1]);
    }
}
