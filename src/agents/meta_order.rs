//! The meta-order: a parent order worked off in equal market slices over a time, as large sellers do (a TWAP schedule), in one
//! market or in two at once. A shock of the timeline; it knows nothing and reacts to nothing.

use super::{Actions, Decide, MARKET, View, Wake, order};
use crate::rng::Rng;
use crate::units::{AccountId, MarketId, Qty, Rounding, Side, Time, div_round};

/// Parameters of a meta-order.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MetaOrderSpec {
    /// Where.
    pub market: MarketId,
    /// Buy or sell.
    pub side: Side,
    /// Lots of the parent order in that market; 0 does nothing at all.
    pub qty: Qty,
    /// Lots of them that close a position which the seller (or buyer) has from the start; none in a spot market.
    pub closes: Qty,
    /// Another market, and lots of the parent order there: each slice is split.
    pub also: Option<(MarketId, Qty)>,
    /// When the first slice goes, since the scenario's start.
    pub at: Time,
    /// How long it takes from the first slice to the end; 0 sends everything at once.
    pub duration: Time,
    /// Time between slices.
    pub slice_every: Time,
}

/// What is worked off in one market.
#[derive(Clone, Copy, Debug)]
struct Leg {
    market: MarketId,
    account: AccountId,
    qty: Qty,
    sent: Qty,
}

/// A meta-order at work.
#[derive(Clone, Copy, Debug)]
pub struct MetaOrder {
    spec: MetaOrderSpec,
    legs: [Leg; 2],
    slice: i64,
}

impl MetaOrder {
    /// Makes the agent for an unmargined account in each of its markets; with one market the second account is not used.
    pub fn new(spec: MetaOrderSpec, accounts: [AccountId; 2]) -> Self {
        let (also, qty) = spec.also.unwrap_or((spec.market, Qty::ZERO));
        let leg = |market, account, qty| Leg { market, account, qty, sent: Qty::ZERO };
        Self { spec, legs: [leg(spec.market, accounts[0], spec.qty), leg(also, accounts[1], qty)], slice: 0 }
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
            Wake::Start if self.legs.iter().any(|leg| !leg.qty.is_zero()) => {
                actions.wake_after(self.spec.at - view.now());
            }
            Wake::Timer => {
                self.slice += 1;
                let slices = self.slices();
                for leg in &mut self.legs {
                    // Cumulative rounding, so that the slices sum to the parent order.
                    let due = i128::from(leg.qty.0) * i128::from(self.slice);
                    let due = Qty(div_round(due, i128::from(slices), Rounding::Floor));
                    let qty = due - leg.sent;
                    if !qty.is_zero() {
                        actions.submit(order(leg.account, leg.market, self.spec.side, qty, MARKET));
                    }
                    leg.sent = due;
                }
                if self.slice < slices {
                    actions.wake_after(self.spec.slice_every);
                }
            }
            Wake::Start | Wake::Fill(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{PERP, QUOTER, SPOT, Stage, submitted};
    use crate::rng::Seed;

    #[test]
    fn each_slice_is_split_and_the_slices_sum_to_the_parent_order() {
        let mut stage = Stage::new();
        let seconds = |seconds| Time(seconds * Time::SECOND.0);
        let spec = MetaOrderSpec {
            market: PERP,
            side: Side::Sell,
            qty: Qty(100),
            closes: Qty::ZERO,
            also: Some((SPOT, Qty(10))),
            at: seconds(3),
            duration: seconds(7),
            slice_every: seconds(1),
        };
        let mut agent = MetaOrder::new(spec, [QUOTER; 2]);
        let stream = Seed { master: 1, replicate: 0 }.stream("sale");
        let (requests, times) = stage.live(&mut agent, stream, 20);
        assert_eq!(times, [3, 4, 5, 6, 7, 8, 9].map(seconds));
        let sold = |market| {
            let orders = requests.iter().filter_map(submitted).filter(|order| order.market == market);
            orders.map(|order| order.qty.0).collect::<Vec<_>>()
        };
        assert_eq!(sold(PERP), [14, 14, 14, 15, 14, 14, 15]);
        assert_eq!(sold(SPOT), [1, 1, 2, 1, 2, 1, 2]);
        assert!(requests.iter().filter_map(submitted).all(|order| order.side == Side::Sell));
    }
}
