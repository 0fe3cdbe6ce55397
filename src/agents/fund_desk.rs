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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{PERP, Stage, submitted};
    use crate::rng::Seed;
    use crate::units::Side;

    #[test]
    fn it_closes_a_share_of_what_is_left_at_each_look_and_never_more_than_there_is() {
        for side in [Side::Buy, Side::Sell] {
            let mut stage = Stage::new();
            let account = stage.desk();
            stage.trade(account, PERP, side, 10);
            let spec = UnloadingSpec { interval: Time(10 * Time::SECOND.0), share: 0.3 };
            let stream = Seed { master: 1, replicate: 0 }.stream("desk");
            let (requests, times) = stage.live(&mut FundDesk::new(spec, PERP, account), stream, 12);
            let orders: Vec<_> = requests.iter().filter_map(submitted).collect();
            // Three tenths of 10, 7, 4, 2 and 1, rounded up; and nothing once it is flat.
            assert_eq!(orders.iter().map(|order| order.qty.0).collect::<Vec<_>>(), [3, 3, 2, 1, 1]);
            assert!(orders.iter().all(|order| order.side == side.opposite() && order.reduce_only));
            assert_eq!(stage.view().lots(account, PERP).0, 0);
            let clock: Vec<Time> = (1..=12).map(|look| Time(look * spec.interval.0)).collect();
            assert_eq!(times, clock, "it goes on looking");
        }
    }

    #[test]
    fn a_share_of_nothing_closes_one_lot_at_a_time() {
        let mut stage = Stage::new();
        let account = stage.desk();
        stage.trade(account, PERP, Side::Buy, 3);
        let spec = UnloadingSpec { interval: Time::SECOND, share: 0.0 };
        let stream = Seed { master: 1, replicate: 0 }.stream("desk");
        let (requests, _) = stage.live(&mut FundDesk::new(spec, PERP, account), stream, 3);
        assert_eq!(
            requests.iter().filter_map(submitted).map(|order| order.qty.0).collect::<Vec<_>>(),
            [1, 1]
        );
    }
}
