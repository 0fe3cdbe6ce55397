//! The arbitrageur between a perpetual and spot: sells the dear one and buys the cheap one when they are further apart than
//! its costs, within a bound on its position, and goes back when they come together. It moves forced selling of the perpetual
//! on to spot, and so into the index.
//!
//! Both legs are immediate-or-cancel orders at the prices it saw. What one leg missed it makes good on spot at its next look.

use super::{Actions, Decide, MARKET, View, Wake, limit, order};
use crate::market::TimeInForce;
use crate::rng::Rng;
use crate::sampling::uniform;
use crate::units::{AccountId, MarketId, Price, Qty, Side, Time};

/// Parameters of one arbitrageur.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ArbitrageurSpec {
    /// The perpetual.
    pub perpetual: MarketId,
    /// The spot market.
    pub spot: MarketId,
    /// Largest position in either market, in coins: its capital.
    pub limit: f64,
    /// Coins of one order.
    pub order: f64,
    /// Gap that is not worth anything: what carrying the position costs or earns, in hundredths of a percent of spot.
    pub fair_bps: f64,
    /// Gap between the prices, beyond the fair one, at which it enters, in hundredths of a percent of spot.
    pub entry_bps: f64,
    /// Gap in the direction of its position at or below which it goes back, in hundredths of a percent of spot.
    pub exit_bps: f64,
    /// Mean time between two looks.
    pub interval: Time,
}

/// One arbitrageur.
#[derive(Clone, Copy, Debug)]
pub struct Arbitrageur {
    spec: ArbitrageurSpec,
    account: AccountId,
}

impl Arbitrageur {
    /// Makes the agent for an unmargined account.
    pub fn new(spec: ArbitrageurSpec, account: AccountId) -> Self {
        Self { spec, account }
    }

    fn coins(&self, market: MarketId, view: &View<'_>) -> f64 {
        view.lots(self.account, market).0 as f64 * view.coins(market)
    }

    fn lots(market: MarketId, coins: f64, view: &View<'_>) -> Qty {
        Qty(libm::floor(coins / view.coins(market) + 0.5) as i64)
    }

    fn look(&self, view: &View<'_>, actions: &mut Actions) {
        let ArbitrageurSpec {
            perpetual, spot, limit: bound, order: size, entry_bps, exit_bps, fair_bps, ..
        } = self.spec;
        let held = self.coins(perpetual, view);
        // What one leg missed.
        let open = held + self.coins(spot, view);
        let missed = Self::lots(spot, open.abs(), view);
        if !missed.is_zero() {
            let side = if open > 0.0 { Side::Sell } else { Side::Buy };
            actions.submit(order(self.account, spot, side, missed, MARKET));
        }
        let best = |market, side| view.best(market, side);
        // A tick of one market in ticks of the other.
        let scale = view.tick(perpetual) / view.tick(spot);
        for side in [Side::Sell, Side::Buy] {
            // The side of the perpetual; spot is the other one.
            let (Some(perp_price), Some(spot_price)) = (best(perpetual, side.opposite()), best(spot, side))
            else {
                continue;
            };
            let gap = (perp_price.0 as f64 * scale / spot_price.0 as f64 - 1.0) * 1e4 - fair_bps;
            let gap = gap * -(side.sign() as f64);
            let signed = held * side.sign() as f64;
            // Going back: at the exit or nearer, no more than there is. Going in: beyond the entry, up to the bound.
            let (is_good, room) =
                if signed < 0.0 { (gap >= -exit_bps, -signed) } else { (gap >= entry_bps, bound - signed) };
            let coins = size.min(room);
            let qty = [perpetual, spot].map(|market| Self::lots(market, coins, view));
            if is_good && qty.iter().all(|qty| !qty.is_zero()) {
                self.leg(perpetual, side, qty[0], perp_price, actions);
                self.leg(spot, side.opposite(), qty[1], spot_price, actions);
                return;
            }
        }
    }

    fn leg(&self, market: MarketId, side: Side, qty: Qty, price: Price, actions: &mut Actions) {
        actions.submit(order(self.account, market, side, qty, limit(price, TimeInForce::Ioc)));
    }
}

impl Decide for Arbitrageur {
    fn decide(&mut self, wake: Wake, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        if wake == Wake::Timer {
            self.look(view, actions);
        }
        // Uniform between half and one and a half, so that arbitrageurs do not march in step.
        let wait = self.spec.interval.as_secs_f64() * (0.5 + uniform(rng));
        actions.wake_after(Time::from_secs_f64(wait));
    }
}
