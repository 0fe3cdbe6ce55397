//! A book with the accounts around it: applies operations, keeps handles, positions and the tape of events.

use super::{
    Book, BookEvent, BookSpec, Handle, NewOrder, OrderId, Outcome, Owner, Place, Position, Price, Qty,
    Resting, Side, Sink, Trade,
};

/// Owners are numbered below this.
pub(super) const OWNERS: u32 = 6;

/// One thing that can be asked of a book, in words that mean the same to every implementation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Submit(NewOrder),
    Cancel(OrderId),
    Amend(OrderId, Price, Qty),
    /// The owner's position changed somewhere else: a liquidation, a trade in another market of the same account.
    Move(Owner, Position),
}

/// The accounts' side of a book: positions and everything that was said.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) positions: [Position; OWNERS as usize],
    pub(super) events: Vec<BookEvent>,
    /// The place that each id was last said to have.
    places: Vec<Place>,
}

impl Sink for Tape {
    fn on(&mut self, event: BookEvent, place: Place) {
        self.same_place(event, place);
        if let BookEvent::Trade(trade) = event {
            self.positions[trade.taker_owner.0 as usize] += trade.qty.signed(trade.taker_side);
            self.positions[trade.maker_owner.0 as usize] += trade.qty.signed(trade.taker_side.opposite());
        }
        self.events.push(event);
    }

    fn reducible(&self, owner: Owner, side: Side) -> Qty {
        self.positions[owner.0 as usize].reducible(side)
    }
}

impl Tape {
    /// Asserts that an order keeps the place where it came to rest, and that no two have the same.
    fn same_place(&mut self, event: BookEvent, place: Place) {
        match event {
            BookEvent::Rested { id, .. } => {
                let index = id.0 as usize;
                if self.places.len() <= index {
                    self.places.resize(index + 1, Place::NONE);
                }
                self.places[index] = place;
            }
            BookEvent::Trade(Trade { maker: id, .. })
            | BookEvent::Cancelled { id, resting: true, .. }
            | BookEvent::Reduced { id, .. } => {
                assert_eq!(self.places[id.0 as usize], place, "{event:?}");
            }
            BookEvent::Accepted(_) | BookEvent::Cancelled { .. } | BookEvent::Rejected { .. } => {
                assert_eq!(place, Place::NONE, "{event:?}");
            }
        }
    }
}

/// A book in use.
#[derive(Clone)]
pub(super) struct Session<B> {
    pub(super) book: B,
    pub(super) tape: Tape,
    /// The last handle of each id, kept after the order is gone so that stale handles are tried too.
    handles: Vec<Option<Handle>>,
}

/// What a caller is told, without the handle, which means something else in each implementation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    pub(super) filled: Qty,
    pub(super) rests: bool,
    pub(super) done: bool,
}

impl<B: Book> Session<B> {
    pub(super) fn new(spec: BookSpec) -> Self {
        Self::over(B::new(spec))
    }

    pub(super) fn over(book: B) -> Self {
        Self { book, tape: Tape::default(), handles: Vec::new() }
    }

    pub(super) fn apply(&mut self, op: Op) -> Reply {
        match op {
            Op::Submit(order) => {
                let outcome = self.book.submit(order, &mut self.tape);
                self.keep(order.id, outcome)
            }
            Op::Cancel(id) => {
                // Some by id, for which a book without a table of ids looks through all orders.
                let done = if id.0 & 15 == 3 {
                    self.book.cancel_id(id, &mut self.tape)
                } else {
                    self.handle(id).is_some_and(|handle| self.book.cancel(handle, &mut self.tape))
                };
                Reply { filled: Qty::ZERO, rests: false, done }
            }
            Op::Amend(id, price, qty) => match self.handle(id) {
                Some(handle) => {
                    let outcome = self.book.amend(handle, price, qty, &mut self.tape);
                    self.keep(id, outcome)
                }
                None => Reply { filled: Qty::ZERO, rests: false, done: false },
            },
            Op::Move(owner, position) => {
                self.tape.positions[owner.0 as usize] = position;
                Reply { filled: Qty::ZERO, rests: false, done: true }
            }
        }
    }

    /// Returns the last handle that the book gave for an id, live or stale.
    pub(super) fn handle(&self, id: OrderId) -> Option<Handle> {
        self.handles.get(id.0 as usize).copied().flatten()
    }

    /// Returns everything that rests, bids first.
    pub(super) fn resting(&self) -> Vec<Resting> {
        self.book.orders(Side::Buy).chain(self.book.orders(Side::Sell)).collect()
    }

    fn keep(&mut self, id: OrderId, outcome: Outcome) -> Reply {
        if let Some(handle) = outcome.resting {
            let index = id.0 as usize;
            if self.handles.len() <= index {
                self.handles.resize(index + 1, None);
            }
            self.handles[index] = Some(handle);
        }
        Reply { filled: outcome.filled, rests: outcome.resting.is_some(), done: true }
    }
}
