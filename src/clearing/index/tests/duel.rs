//! Three indices, one stream of operations: whatever is asked, all must answer alike. The scan and the plain one judge the
//! fast one.

use super::ops::{HABITS, Habit, Op, Stream};
use super::scan::ScanIndex;
use super::{
    LiquidationIndex, LiquidationTrigger, MarketId, PlainIndex, PositionId, Price, Side, TriggerIndex,
};

/// Markets of a duel.
pub(super) const MARKETS: usize = 3;

/// Operations of one stream, after which all indices start anew with another habit.
const STREAM_LENGTH: u64 = 20_000;

/// Whole indices are compared once in so many operations, answers after each.
const LOOK_EVERY: u64 = 1_000;

/// The indices and what their caller keeps.
#[derive(Clone)]
pub(super) struct Duel {
    fast: TriggerIndex,
    plain: PlainIndex,
    scan: ScanIndex,
    /// Where each position is.
    triggers: Vec<Option<(MarketId, LiquidationTrigger)>>,
    marks: [Option<Price>; MARKETS],
    passed_over: Vec<(MarketId, Side)>,
}

impl Duel {
    pub(super) fn new() -> Self {
        Self {
            fast: TriggerIndex::new(MARKETS),
            plain: PlainIndex::new(MARKETS),
            scan: ScanIndex::new(MARKETS),
            triggers: Vec::new(),
            marks: [None; MARKETS],
            passed_over: Vec::new(),
        }
    }

    /// Applies one operation to all and compares what is due after it.
    ///
    /// # Panics
    /// Panics if they differ.
    pub(super) fn apply(&mut self, op: Op) {
        match op {
            Op::Put(position, market, trigger) => self.put(position, market, Some(trigger)),
            Op::Take(position) => {
                if let Some((market, _)) = self.trigger(position) {
                    self.put(position, market, None);
                }
            }
            Op::Mark(market, mark) => self.marks[market.index()] = mark,
            Op::PassOver(market, side) => self.passed_over.push((market, side)),
            Op::PassNobody => self.passed_over.clear(),
            Op::Pop => {
                if let Some(position) = self.next_due(op) {
                    let (market, _) = self.trigger(position).expect("what is due is there");
                    self.put(position, market, None);
                }
            }
        }
        self.next_due(op);
    }

    /// Compares everything that the indices hold, in the order in which it would go.
    ///
    /// # Panics
    /// Panics if they differ.
    pub(super) fn look(&self) {
        assert_eq!((self.fast.len(), self.plain.len()), (self.scan.len(), self.scan.len()));
        let mut rest = self.clone();
        rest.passed_over.clear();
        for market in 0..MARKETS {
            for (mark, side) in [(0, Side::Buy), (i64::MAX, Side::Sell)] {
                rest.marks = [None; MARKETS];
                rest.marks[market] = Some(Price(mark));
                while let Some(position) = rest.next_due(Op::Pop) {
                    let (market, trigger) = rest.trigger(position).expect("what is due is there");
                    assert_eq!(trigger.side, side);
                    rest.put(position, market, None);
                }
            }
        }
        assert!(rest.fast.is_empty() && rest.plain.is_empty() && rest.scan.is_empty());
    }

    fn trigger(&self, position: PositionId) -> Option<(MarketId, LiquidationTrigger)> {
        self.triggers.get(position.0 as usize).copied().flatten()
    }

    fn put(&mut self, position: PositionId, market: MarketId, to: Option<LiquidationTrigger>) {
        let index = position.0 as usize;
        if index >= self.triggers.len() {
            self.triggers.resize(index + 1, None);
        }
        let from = match self.triggers[index] {
            Some((place, from)) if place == market => Some(from),
            Some((place, from)) => {
                self.fast.remove(place, position, from);
                self.plain.remove(place, position, from);
                self.scan.remove(place, position, from);
                None
            }
            None => None,
        };
        self.fast.relocate(market, position, from, to);
        self.plain.relocate(market, position, from, to);
        self.scan.relocate(market, position, from, to);
        self.triggers[index] = to.map(|trigger| (market, trigger));
    }

    fn next_due(&self, op: Op) -> Option<PositionId> {
        let due = self.scan.next_due(&self.marks, &self.passed_over);
        assert_eq!(self.plain.next_due(&self.marks, &self.passed_over), due, "{op:?}");
        assert_eq!(self.fast.next_due(&self.marks, &self.passed_over), due, "{op:?}");
        due
    }
}

/// Runs operations through all indices.
pub(super) fn duel(ops: impl IntoIterator<Item = Op>) {
    let mut duel = Duel::new();
    for (count, op) in (0..).zip(ops) {
        duel.apply(op);
        if count % LOOK_EVERY == 0 {
            duel.look();
        }
    }
    duel.look();
}

/// Runs random streams of every habit: at least `operations` in all, from `first_seed` on.
pub(super) fn campaign(operations: u64, first_seed: u64) {
    for seed in first_seed..first_seed + operations.div_ceil(STREAM_LENGTH) {
        let habit: Habit = HABITS[(seed % HABITS.len() as u64) as usize];
        let mut stream = Stream::new(seed, habit);
        duel(std::iter::repeat_with(|| stream.next()).take(STREAM_LENGTH as usize));
    }
}
