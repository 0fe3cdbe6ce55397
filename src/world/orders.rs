//! What a venue knows of the orders that rest in one of its books beside what the book does: the cash behind each, and which are
//! of one position. By an order's place in the book, so that nothing is looked up; the orders of a position are linked in a list
//! whose head it keeps.
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as what these do, and each is called from one place that matters"
)]

use crate::clearing::{Accounts, OpenPosition, PositionId};
use crate::market::Place;
use crate::units::{AccountId, Money};
use prefetch_index::prefetch_index;

#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
struct OpenOrder {
    /// Cash set aside for it.
    backing: Money,
    /// The position's next and previous order.
    next: Place,
    prev: Place,
}

/// Four share a line of cache and none lies across two.
const _: () = assert!(size_of::<OpenOrder>() == 16);

const GONE: OpenOrder = OpenOrder { backing: Money::ZERO, next: Place::NONE, prev: Place::NONE };

/// The resting orders of one book by place.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenOrders {
    /// As long as the highest place that was ever used.
    orders: Vec<OpenOrder>,
}

impl OpenOrders {
    /// Adds an order that came to rest, in front of the others of its position, and sets cash aside for it.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        accounts: &mut Accounts,
        (account, position): (AccountId, PositionId),
        place: Place,
        backing: Money,
    ) {
        if self.orders.len() <= place.index() {
            self.make_room(place);
        }
        let next = accounts.order_came(account, position, place.0, backing).map_or(Place::NONE, Place);
        self.orders[place.index()] = OpenOrder { backing, next, prev: Place::NONE };
        if next != Place::NONE {
            self.orders[next.index()].prev = place;
        }
    }

    #[cold]
    fn make_room(&mut self, place: Place) {
        self.orders.resize(place.index() + 1, GONE);
    }

    /// Removes an order that is gone and frees the cash that was set aside for it.
    #[inline(always)]
    pub(super) fn remove(
        &mut self,
        accounts: &mut Accounts,
        (account, position): (AccountId, PositionId),
        place: Place,
    ) {
        let OpenOrder { backing, next, prev, .. } = self.orders[place.index()];
        let some = |place: Place| (place != Place::NONE).then_some(place.0);
        accounts.order_went(account, position, (prev == Place::NONE).then_some(some(next)), backing);
        if next != Place::NONE {
            self.orders[next.index()].prev = prev;
        }
        if prev != Place::NONE {
            self.orders[prev.index()].next = next;
        }
    }

    /// Has what is known of an order fetched into the cache.
    #[inline(always)]
    pub(super) fn fetch(&self, place: Place) {
        prefetch_index(&self.orders, place.index());
    }

    /// Returns the cash set aside for an order that rests.
    pub(super) fn backing(&self, place: Place) -> Money {
        self.orders[place.index()].backing
    }

    /// Changes the cash set aside for an order that rests.
    pub(super) fn set_backing(&mut self, place: Place, backing: Money) {
        self.orders[place.index()].backing = backing;
    }

    /// Returns the order that came to rest so many before the last one of a position.
    #[inline]
    pub(super) fn nth(&self, position: &OpenPosition, number: usize) -> Option<Place> {
        let mut place = Place(position.first_order()?);
        for _ in 0..number {
            place = self.orders.get(place.index())?.next;
        }
        (place != Place::NONE).then_some(place)
    }

    /// Iterates over a position's orders, the one that came to rest last first.
    #[inline]
    pub(super) fn of(
        &self,
        accounts: &Accounts,
        position: Option<PositionId>,
    ) -> impl Iterator<Item = Place> + '_ {
        let some = |place: Place| (place != Place::NONE).then_some(place);
        let first = position.and_then(|position| accounts.first_order(position)).map(Place);
        std::iter::successors(first, move |place| some(self.orders[place.index()].next))
    }
}
