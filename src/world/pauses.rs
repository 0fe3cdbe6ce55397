//! Positions whose liquidation pauses between two steps. Each is out of the liquidation index for that time: a trade that puts
//! it back is undone when somebody asks who is due (`World::first_due`).

use super::{World, placing};
use crate::clearing::{OpenPosition, PositionId, liquidation};
use crate::units::{Qty, Time};
use std::collections::BTreeMap;

/// A liquidation between two steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    /// When the next step is due.
    until: Time,
    /// How much it closes.
    step: Qty,
}

/// Liquidations between two steps.
#[derive(Clone, Debug)]
pub(super) struct Pauses {
    all: BTreeMap<PositionId, Pause>,
    /// When the first one ends.
    next: Time,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { all: BTreeMap::new(), next: Time::MAX }
    }
}

impl Pauses {
    /// Tells whether one has ended.
    #[inline]
    pub(super) fn are_due(&self, now: Time) -> bool {
        now >= self.next
    }

    /// Tells whether a position's liquidation pauses.
    pub(super) fn has(&self, id: PositionId) -> bool {
        self.all.contains_key(&id)
    }

    fn set(&mut self, id: PositionId, pause: Pause) {
        self.all.insert(id, pause);
        self.find_next();
    }

    fn end(&mut self, id: PositionId) {
        self.all.remove(&id);
        self.find_next();
    }

    fn find_next(&mut self) {
        self.next = self.all.values().map(|pause| pause.until).min().unwrap_or(Time::MAX);
    }

    /// Returns the one that ended first.
    fn first_due(&self, now: Time) -> Option<(PositionId, Pause)> {
        let ended = self.all.iter().filter(|(_, pause)| pause.until <= now);
        ended.min_by_key(|(id, pause)| (pause.until, **id)).map(|(id, pause)| (*id, *pause))
    }
}

impl World {
    /// Puts the liquidation of a position off.
    pub(super) fn pause(&mut self, id: PositionId, step: Qty, until: Time) {
        self.pauses.set(id, Pause { until, step });
        placing::relocate(&mut self.accounts, &mut self.triggers, id, None);
    }

    /// Returns a position whose pause has ended and that is still in breach, with its next step. Those that are not any more go
    /// back to where they wait for the mark; those of a halted market wait until it trades again.
    pub(super) fn next_step(&mut self, now: Time) -> Option<(PositionId, Qty)> {
        while self.pauses.are_due(now) {
            let (id, pause) = self.pauses.first_due(now)?;
            let position = *self.accounts.position(id);
            let halt = self.markets[position.market.index()].breaker.until();
            if now < halt {
                self.pauses.set(id, Pause { until: halt, ..pause });
                continue;
            }
            self.pauses.end(id);
            self.reindex(id);
            if self.is_in_breach(&position) {
                return Some((id, pause.step));
            }
        }
        None
    }

    fn is_in_breach(&self, position: &OpenPosition) -> bool {
        let (market, venue) = self.spec.of(position.market);
        self.marks[position.market.index()].is_some_and(|mark| {
            let breach = venue.liquidation.breach;
            liquidation::is_breached(market.contract, &market.brackets, breach, position, mark)
        })
    }
}
