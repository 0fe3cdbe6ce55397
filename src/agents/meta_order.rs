//! The meta-order: a parent order worked off in equal market slices over a time, as large sellers do (a TWAP schedule).
//! A shock of the timeline; it knows nothing and reacts to nothing.

use super::{Actions, Decide, MARKET, View, Wake, order};
use crate::rng::Rng;
use crate::units::{AccountId, MarketId, Qty, Side, Time};

/// Parameters of a meta-order.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MetaOrderSpec {
    /// Where.
    pub market: MarketId,
    /// Buy or sell.
    pub side: Side,
    /// Lots of the parent order; 0 does nothing at all.
    pub qty: Qty,
    /// When the first slice goes, since the scenario's start.
    pub at: Time,
    /// How long it takes from the first slice to the end; 0 sends everything at once.
    pub duration: Time,
    /// Time between slices.
    pub slice_every: Time,
}

/// A meta-order at work.
#[derive(Clone, Copy, Debug)]
pub struct MetaOrder {
    spec: MetaOrderSpec,
    account: AccountId,
    sent: Qty,
    slice: i64,
}

impl MetaOrder {
    /// Makes the agent for an unmargined account.
    pub fn new(spec: MetaOrderSpec, account: AccountId) -> Self {
        Self { spec, account, sent: Qty::ZERO, slice: 0 }
    }

    /// Returns how many slices there are.
    fn slices(&self) -> i64 {
        if self.spec.duration.0 <= 0 {
            1
        } else {
            self.spec.duration.0.div_euclid(self.spec.slice_every.0.max(1)).max(1)
        }
    }
}

impl Decide for MetaOrder {
    fn decide(&mut self, wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        match wake {
            Wake::Start if !self.spec.qty.is_zero() => actions.wake_after(self.spec.at - view.now()),
            Wake::Timer => {
                self.slice += 1;
                let slices = self.slices();
                // Cumulative rounding, so that the slices sum to the parent order.
                let due = i128::from(self.spec.qty.0) * i128::from(self.slice);
                let due =
                    Qty(crate::units::div_round(due, i128::from(slices), crate::units::Rounding::Floor));
                let qty = due - self.sent;
                if !qty.is_zero() {
                    actions.submit(order(self.account, self.spec.market, self.spec.side, qty, MARKET));
                }
                self.sent = due;
                if self.slice < slices {
                    actions.wake_after(self.spec.slice_every);
                }
            }
            Wake::Start | Wake::Fill(_) => {}
        }
    }
}
