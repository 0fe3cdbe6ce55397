//! Two books, one stream: whatever is asked, both must answer alike, event for event. The reference judges the other.

use super::ops::{HABITS, Habit, POLICIES, Stream};
use super::session::{Op, Session};
use super::{
    Book, BookSpec, FastBook, FastIdBook, NewOrder, OrderId, OrderType, Owner, PlainBook, Position, Price,
    Qty, SelfTrade, Side, TimeInForce,
};

/// Whole books are compared once in so many operations, answers after each.
const LOOK_EVERY: usize = 512;

/// Operations of one stream, after which both books start anew under other habits.
const STREAM_LENGTH: u64 = 20_000;

/// A reference and the book that it judges.
#[derive(Clone)]
pub(super) struct Duel<B> {
    plain: Session<PlainBook>,
    other: Session<B>,
}

impl<B: Book> Duel<B> {
    pub(super) fn new(spec: BookSpec) -> Self {
        Self { plain: Session::new(spec), other: Session::new(spec) }
    }

    /// Applies one operation to both and compares what they say.
    ///
    /// # Panics
    /// Panics if they differ.
    pub(super) fn apply(&mut self, op: Op) {
        let (plain, other) = (&mut self.plain, &mut self.other);
        plain.tape.events.clear();
        other.tape.events.clear();
        let reply = plain.apply(op);
        assert_eq!(reply, other.apply(op), "{op:?}");
        assert_eq!(plain.tape.events, other.tape.events, "{op:?}");
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(plain.book.best(side), other.book.best(side), "{op:?}");
        }
    }

    /// Compares everything that both books hold.
    ///
    /// # Panics
    /// Panics if they differ.
    pub(super) fn look(&self) {
        let (plain, other) = (&self.plain, &self.other);
        assert_eq!(plain.resting(), other.resting());
        assert_eq!(plain.book.len(), other.book.len());
        for side in [Side::Buy, Side::Sell] {
            assert!(plain.book.levels(side).eq(other.book.levels(side)));
            for (price, qty) in plain.book.levels(side).take(40) {
                assert_eq!(other.book.level(side, price), qty);
                assert_eq!(other.book.level(side.opposite(), price), Qty::ZERO);
                let beside = Price(price.0 + 1);
                assert_eq!(other.book.level(side, beside), plain.book.level(side, beside));
            }
            for order in plain.book.orders(side).take(40) {
                let handle = other.book.find(order.id).expect("both hold it");
                assert_eq!(other.book.get(handle), Some(order));
                assert_eq!(other.handle(order.id), Some(handle));
            }
        }
    }
}

/// Runs a stream through both books.
pub(super) fn duel<B: Book>(spec: BookSpec, ops: impl IntoIterator<Item = Op>) {
    let mut duel = Duel::<B>::new(spec);
    for (count, op) in ops.into_iter().enumerate() {
        duel.apply(op);
        if count % LOOK_EVERY == 0 {
            duel.look();
        }
    }
    duel.look();
}

/// Runs random streams of every habit under every policy: at least `operations` in all, from `first_seed` on.
pub(super) fn campaign(operations: u64, first_seed: u64) {
    for seed in first_seed..first_seed + operations.div_ceil(STREAM_LENGTH) {
        let habit = HABITS[(seed % 4) as usize];
        let self_trade = POLICIES[(seed >> 2 & 3) as usize];
        let spec = BookSpec { self_trade, min_notional: if seed & 16 == 0 { 0 } else { habit.mid * 2 } };
        let ops = |habit: Habit| {
            let mut stream = Stream::new(seed, habit);
            std::iter::repeat_with(move || stream.next()).take(STREAM_LENGTH as usize)
        };
        // A book without a table of ids takes its caller's word that ids are new.
        if seed & 32 == 0 {
            duel::<FastBook>(spec, ops(Habit { duplicates: false, ..habit }));
        } else {
            duel::<FastIdBook>(spec, ops(habit));
        }
    }
}

/// Operations of the exhaustive sequences.
pub(super) const LETTERS: usize = 19;

/// The operations of the exhaustive sequences, two prices on either side of a page's border; an order that is submitted
/// at step n has id n, except for one kind, which asks for the id 1 again.
fn alphabet(step: u64) -> [Op; LETTERS] {
    use OrderType::{Limit, Market};
    use TimeInForce::{Fok, Gtc, Ioc, PostOnly};
    let (low, high) = (Price(63), Price(64));
    let submit = |owner, side, qty, order_type| {
        let (id, owner, qty) = (OrderId(step), Owner(owner), Qty(qty));
        NewOrder { id, owner, side, qty, order_type, reduce_only: false }
    };
    let reduce = |order| Op::Submit(NewOrder { reduce_only: true, ..order });
    [
        Op::Submit(submit(0, Side::Buy, 2, Limit { price: low, tif: Gtc })),
        Op::Submit(submit(1, Side::Buy, 1, Limit { price: high, tif: Gtc })),
        Op::Submit(submit(0, Side::Sell, 2, Limit { price: high, tif: Gtc })),
        Op::Submit(submit(1, Side::Sell, 1, Limit { price: low, tif: Gtc })),
        Op::Submit(submit(1, Side::Buy, 3, Limit { price: high, tif: Ioc })),
        Op::Submit(submit(0, Side::Sell, 3, Limit { price: low, tif: Fok })),
        Op::Submit(submit(0, Side::Buy, 1, Limit { price: low, tif: PostOnly })),
        Op::Submit(submit(1, Side::Sell, 2, Market { worst: None })),
        Op::Submit(submit(0, Side::Buy, 2, Market { worst: Some(low) })),
        reduce(submit(1, Side::Sell, 2, Limit { price: high, tif: Gtc })),
        reduce(submit(0, Side::Buy, 2, Limit { price: high, tif: Gtc })),
        Op::Submit(NewOrder { id: OrderId(1), ..submit(1, Side::Buy, 1, Limit { price: low, tif: Gtc }) }),
        Op::Cancel(OrderId(1)),
        Op::Cancel(OrderId(2)),
        Op::Amend(OrderId(1), high, Qty(1)),
        Op::Amend(OrderId(1), low, Qty(1)),
        Op::Amend(OrderId(2), low, Qty(3)),
        Op::Move(Owner(0), Position(1)),
        Op::Move(Owner(1), Position(-2)),
    ]
}

/// Runs every sequence of the alphabet up to `length` under a policy, and returns how many operations that were.
pub(super) fn exhaust(self_trade: SelfTrade, length: u64) -> u64 {
    extend(&Duel::<FastIdBook>::new(BookSpec { self_trade, min_notional: 0 }), 1, length)
}

fn extend(duel: &Duel<FastIdBook>, step: u64, length: u64) -> u64 {
    let mut operations = 0;
    for op in alphabet(step) {
        let mut next = duel.clone();
        next.apply(op);
        next.look();
        operations += 1;
        if step < length {
            operations += extend(&next, step + 1, length);
        }
    }
    operations
}
