//! What a venue knows of the orders that rest in one of its books: the cash behind each, and which are whose. By an order's
//! place in the book, so that nothing is looked up; the orders of a position are linked in a list whose head it keeps.

use crate::clearing::{Accounts, PositionId};
use crate::market::Place;
use crate::units::{Money, OrderId};

#[derive(Clone, Copy, Debug)]
struct OpenOrder {
    id: OrderId,
    /// Cash set aside for it.
    backing: Money,
    /// The position's next and previous order.
    next: Place,
    prev: Place,
}

const GONE: OpenOrder =
    OpenOrder { id: OrderId(0), backing: Money::ZERO, next: Place::NONE, prev: Place::NONE };

/// The resting orders of one book by place.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenOrders {
    /// As long as the highest place that was ever used.
    orders: Vec<OpenOrder>,
}

impl OpenOrders {
    /// Adds an order that came to rest, in front of the others of its position.
    pub(super) fn add(
        &mut self,
        accounts: &mut Accounts,
        position: PositionId,
        place: Place,
        id: OrderId,
        backing: Money,
    ) {
        if self.orders.len() <= place.index() {
            self.orders.resize(place.index() + 1, GONE);
        }
        let next = head(accounts, position);
        self.orders[place.index()] = OpenOrder { id, backing, next, prev: Place::NONE };
        if next != Place::NONE {
            self.orders[next.index()].prev = place;
        }
        accounts.set_first_order(position, Some(place.0));
        accounts.order_came(position);
    }

    /// Removes an order that is gone and returns the cash that was set aside for it.
    pub(super) fn remove(&mut self, accounts: &mut Accounts, position: PositionId, place: Place) -> Money {
        let OpenOrder { backing, next, prev, .. } = self.orders[place.index()];
        accounts.order_went(position);
        if next != Place::NONE {
            self.orders[next.index()].prev = prev;
        }
        if prev == Place::NONE {
            accounts.set_first_order(position, (next != Place::NONE).then_some(next.0));
        } else {
            self.orders[prev.index()].next = next;
        }
        backing
    }

    /// Returns the cash set aside for an order that rests.
    pub(super) fn backing(&self, place: Place) -> Money {
        self.orders[place.index()].backing
    }

    /// Changes the cash set aside for an order that rests.
    pub(super) fn set_backing(&mut self, place: Place, backing: Money) {
        self.orders[place.index()].backing = backing;
    }

    /// Returns the order that rests at a place.
    pub(super) fn id(&self, place: Place) -> OrderId {
        self.orders[place.index()].id
    }

    /// Iterates over a position's orders, the one that came to rest last first.
    pub(super) fn of(&self, accounts: &Accounts, position: PositionId) -> impl Iterator<Item = Place> + '_ {
        let some = |place: Place| (place != Place::NONE).then_some(place);
        let first = some(head(accounts, position));
        std::iter::successors(first, move |place| some(self.orders[place.index()].next))
    }
}

fn head(accounts: &Accounts, position: PositionId) -> Place {
    accounts.first_order(position).map_or(Place::NONE, Place)
}
