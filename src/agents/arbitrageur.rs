//! The arbitrageur between a perpetual and spot: sells the dear one and buys the cheap one when they are further apart than
//! its costs, within a bound on its position, and goes back when they come together. It moves forced selling of the perpetual
//! on to spot, and so into the index.
//!
//! Both legs are immediate-or-cancel orders at the prices it saw. What one leg missed it makes good on spot at its next look.

use super::{Actions, Decide, MARKET, View, Wake, limit, order};
use crate::market::TimeInForce;
use crate::rng::Rng;
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
        actions.wake_around(self.spec.interval, rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{PERP, SPOT, Stage, submitted};
    use crate::market::OrderType;
    use crate::rng::{Seed, Stream};
    use crate::units::Position;

    fn spec() -> ArbitrageurSpec {
        ArbitrageurSpec {
            perpetual: PERP,
            spot: SPOT,
            limit: 12.0,
            order: 5.0,
            fair_bps: 0.0,
            entry_bps: 150.0,
            exit_bps: 25.0,
            interval: Time::SECOND,
        }
    }

    fn stream() -> Stream {
        Seed { master: 5, replicate: 0 }.stream("arbitrage")
    }

    /// Market, side, lots and price (none at market) of each order of one look.
    type Legs = Vec<(MarketId, Side, i64, Option<i64>)>;

    /// Lets an agent look once and returns its orders without sending them.
    fn look(stage: &Stage, agent: &mut Arbitrageur) -> (Legs, Vec<crate::world::Request>) {
        let (requests, wait) = stage.wake(agent, Wake::Timer, &mut stream().draw(0, 1));
        assert!(wait.is_some(), "it looks again");
        let leg = |order: &crate::world::Order| {
            let price = match order.order_type {
                OrderType::Limit { price, tif: TimeInForce::Ioc } => Some(price.0),
                OrderType::Market { worst: None } => None,
                other => panic!("{other:?}"),
            };
            (order.market, order.side, order.qty.0, price)
        };
        (requests.iter().filter_map(submitted).map(leg).collect(), requests)
    }

    /// Lets an agent look a number of times while nothing moves and returns its lots in both markets.
    fn live(stage: &mut Stage, agent: &mut Arbitrageur, looks: u64) -> [i64; 2] {
        stage.live(agent, stream(), looks + 1);
        [PERP, SPOT].map(|market| stage.view().lots(agent.account, market).0)
    }

    /// The best bid of one and the best ask of the other are two ticks nearer than the middles.
    #[test]
    fn it_sells_the_dear_one_and_buys_the_cheap_one_up_to_its_limit_and_no_further() {
        // 1,019 over 1,001 is 180 bps, 999 over 1,021 the reverse.
        let cases = [(1_020, 1_000, Side::Sell, [1_019, 1_001]), (1_000, 1_020, Side::Buy, [1_001, 1_019])];
        for (perpetual, spot, side, [perp_price, spot_price]) in cases {
            let mut stage = Stage::new();
            stage.quote_at(PERP, perpetual);
            stage.quote_at(SPOT, spot);
            let mut agent = Arbitrageur::new(spec(), stage.desk());
            let legs = |qty| {
                vec![(PERP, side, qty, Some(perp_price)), (SPOT, side.opposite(), qty, Some(spot_price))]
            };
            for qty in [5, 5, 2] {
                let (orders, requests) = look(&stage, &mut agent);
                assert_eq!(orders, legs(qty), "{side:?}");
                stage.carry_out(requests);
            }
            let full = 12 * side.sign();
            assert_eq!(live(&mut stage, &mut agent, 10), [full, -full], "{side:?}");
        }
    }

    #[test]
    fn it_goes_back_at_the_exit_and_stands_still_between_exit_and_entry() {
        let mut stage = Stage::new();
        stage.quote_at(PERP, 1_020);
        let mut agent = Arbitrageur::new(spec(), stage.desk());
        assert_eq!(live(&mut stage, &mut agent, 5), [-12, 12]);
        // Buying at 1,002 what is sold at 999 is 30 bps, beyond the exit; and below the entry the other way.
        stage.quote_at(PERP, 1_001);
        assert_eq!(live(&mut stage, &mut agent, 5), [-12, 12]);
        // 1,001 over 999: 20 bps. Three orders, and it stops at nothing.
        stage.quote_at(PERP, 1_000);
        assert_eq!(live(&mut stage, &mut agent, 1), [-7, 7]);
        assert_eq!(live(&mut stage, &mut agent, 10), [0, 0]);
        // Just below the entry, nothing; 1,017 over 1,001 is 160 bps, beyond it.
        stage.quote_at(PERP, 1_016);
        assert_eq!(live(&mut stage, &mut agent, 5), [0, 0], "1,015 over 1,001 is 140 bps");
        stage.quote_at(PERP, 1_018);
        assert_eq!(live(&mut stage, &mut agent, 5), [-12, 12]);
    }

    #[test]
    fn a_fair_gap_shifts_entry_and_exit() {
        let shifted = |fair_bps, perpetual| {
            let mut stage = Stage::new();
            stage.quote_at(PERP, perpetual);
            let mut agent = Arbitrageur::new(ArbitrageurSpec { fair_bps, ..spec() }, stage.desk());
            live(&mut stage, &mut agent, 5)
        };
        assert_eq!(shifted(0.0, 1_020), [-12, 12]);
        // 180 - 100 = 80 bps.
        assert_eq!(shifted(100.0, 1_020), [0, 0]);
        // The same price in both is 200 bps too dear, less the spread of 20.
        assert_eq!(shifted(-200.0, 1_000), [-12, 12]);
        assert_eq!(shifted(200.0, 1_000), [12, -12]);
    }

    #[test]
    fn what_one_leg_missed_is_made_good_on_spot_first() {
        for (side, perpetual) in [(Side::Sell, 1_020), (Side::Buy, 980)] {
            let mut stage = Stage::new();
            stage.quote_at(PERP, perpetual);
            let mut agent = Arbitrageur::new(spec(), stage.desk());
            let (_, requests) = look(&stage, &mut agent);
            // The price on spot is gone when its order comes.
            stage.carry_out(requests[..1].to_vec());
            assert_eq!(stage.view().lots(agent.account, PERP), Position(5 * side.sign()));
            let (orders, requests) = look(&stage, &mut agent);
            assert_eq!(orders[0], (SPOT, side.opposite(), 5, None));
            assert_eq!(orders.len(), 3, "and it goes on: {orders:?}");
            stage.carry_out(requests);
            let lots = [PERP, SPOT].map(|market| stage.view().lots(agent.account, market).0);
            assert_eq!(lots, [10 * side.sign(), -10 * side.sign()]);
            // The other way round: coins without a position.
            stage.trade(agent.account, SPOT, side, 3);
            stage.quote(1_010);
            let (orders, _) = look(&stage, &mut agent);
            assert_eq!(orders[0], (SPOT, side.opposite(), 3, None));
        }
    }

    #[test]
    fn with_nothing_that_it_may_hold_it_does_nothing() {
        let mut stage = Stage::new();
        stage.quote_at(PERP, 1_200);
        let mut agent = Arbitrageur::new(ArbitrageurSpec { limit: 0.0, ..spec() }, stage.desk());
        assert_eq!(look(&stage, &mut agent).0, []);
    }

    #[test]
    fn a_market_with_an_empty_half_is_left_alone() {
        let mut stage = Stage::new();
        stage.quote_at(PERP, 1_020);
        let mut agent = Arbitrageur::new(spec(), stage.desk());
        stage.trade(agent.account, SPOT, Side::Buy, 1_000_000);
        stage.trade(agent.account, SPOT, Side::Sell, 1_000_000);
        assert_eq!(look(&stage, &mut agent).0, []);
    }
}
