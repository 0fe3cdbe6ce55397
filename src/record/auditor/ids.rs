//! Order ids: each is used once, except by the order that an amendment or a triggered stop puts in place of itself.

use super::Problems;
use crate::event::Event;
use crate::market::{BookEvent, CancelReason};
use crate::units::{AccountId, MarketId, OrderId};
use std::collections::BTreeMap;

/// Where a stop waits and whose it is.
type Place = (MarketId, AccountId);

/// All ids so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    /// Runs of used ids: first and last. Orders are numbered one after another, so that there are few.
    used: BTreeMap<u64, u64>,
    waiting: BTreeMap<OrderId, Place>,
    /// The stop that was just triggered.
    triggered: Option<OrderId>,
    /// The order that the last record took back.
    taken_back: Option<OrderId>,
}

impl Ids {
    /// A book accepts an order.
    pub(super) fn accept(&mut self, id: OrderId, problems: &mut Problems) {
        let continues = self.triggered == Some(id) || self.taken_back == Some(id);
        let is_new = continues || self.insert(id.0);
        problems.require(is_new, || format!("order {id} is used twice"));
    }

    /// An order ends before it is in a book; a live order keeps its id when its amendment is refused.
    pub(super) fn refuse(&mut self, id: OrderId, is_live: bool, problems: &mut Problems) {
        if !is_live && self.triggered != Some(id) {
            let is_new = self.insert(id.0);
            problems.require(is_new, || format!("order {id} is used twice"));
        }
    }

    /// A stop waits.
    pub(super) fn place(&mut self, id: OrderId, place: Place, problems: &mut Problems) {
        let is_new = self.insert(id.0);
        problems.require(is_new, || format!("order {id} is used twice"));
        self.waiting.insert(id, place);
    }

    /// A stop goes to the book.
    pub(super) fn trigger(&mut self, id: OrderId, place: Place, problems: &mut Problems) {
        self.take_back(id, place, problems);
        self.triggered = Some(id);
    }

    /// A stop waits no longer.
    pub(super) fn take_back(&mut self, id: OrderId, place: Place, problems: &mut Problems) {
        let was_there = self.waiting.remove(&id) == Some(place);
        problems.require(was_there, || format!("stop {id} does not wait"));
    }

    /// Returns the ids of the stops that wait in a market.
    pub(super) fn waiting(&self, market: MarketId) -> impl Iterator<Item = OrderId> + '_ {
        self.waiting.iter().filter(move |(_, place)| place.0 == market).map(|(id, _)| *id)
    }

    /// Remembers what only the next record may refer to.
    pub(super) fn end_record(&mut self, event: &Event) {
        self.taken_back = match event {
            Event::Book {
                event: BookEvent::Cancelled { id, resting: true, reason: CancelReason::Requested, .. },
                ..
            } => Some(*id),
            _ => None,
        };
        if !matches!(event, Event::StopTriggered { .. }) {
            self.triggered = None;
        }
    }

    /// Adds an id and tells whether it is new.
    fn insert(&mut self, id: u64) -> bool {
        let before = self.used.range(..=id).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| last >= id) {
            return false;
        }
        let first = match before {
            Some((first, last)) if last + 1 == id => first,
            _ => id,
        };
        let next = id.checked_add(1).and_then(|next| self.used.remove(&next));
        self.used.insert(first, next.unwrap_or(id));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_ids_grow_together() {
        let mut ids = Ids::default();
        for id in [5, 1, 3, 2, u64::MAX, 4, 0] {
            assert!(ids.insert(id), "{id} is new");
        }
        assert_eq!(ids.used, BTreeMap::from([(0, 5), (u64::MAX, u64::MAX)]));
        for id in [0, 3, 5, u64::MAX] {
            assert!(!ids.insert(id), "{id} is used");
        }
    }
}
