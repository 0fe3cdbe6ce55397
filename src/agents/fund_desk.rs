//! The desk of an insurance fund: unloads what the fund took over at its own pace, a share of what is left at each look, at
//! market.

use super::{Actions, Decide, MARKET, View, Wake, order};
use crate::rng::Rng;
use crate::units::{AccountId, MarketId, Qty, Time};

/// How a fund unloads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UnloadingSpec {
    /// Time between two orders.
    pub interval: Time,
    /// Share of the position that one order closes [0-1], at least one lot.
    pub share: f64,
}

/// The desk of one fund in one market.
#[derive(Clone, Copy, Debug)]
pub struct FundDesk {
    spec: UnloadingSpec,
    market: MarketId,
    account: AccountId,
}

impl FundDesk {
    /// Makes the desk for a fund's account.
    pub fn new(spec: UnloadingSpec, market: MarketId, account: AccountId) -> Self {
        Self { spec, market, account }
    }
}

impl Decide for FundDesk {
    fn decide(&mut self, wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        let lots = view.lots(self.account, self.market);
        if let (Wake::Timer, Some(side)) = (wake, lots.side()) {
            let share = libm::ceil(lots.size().0 as f64 * self.spec.share) as i64;
            let mut order = order(self.account, self.market, side.opposite(), Qty(share.max(1)), MARKET);
            order.reduce_only = true;
            actions.submit(order);
        }
        actions.wake_after(self.spec.interval);
    }

    fn draws(&self) -> bool {
        false
    }
}
