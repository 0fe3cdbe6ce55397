//! Positions that retail has at the start: opened some time ago, at prices of then, by those who were not liquidated since.

use crate::agents::{Exits, Opened, RetailSpec, Strategy, habitual_leverage};
use crate::clearing::{initial_margin, liquidation};
use crate::engine::Simulation;
use crate::event::Observer;
use crate::rng::{Rng, Stream};
use crate::sampling::{Distribution, Exponential, Normal, Weighted, uniform};
use crate::scenario::{Adaptation, Entries, Seeding};
use crate::units::{AccountId, MarketId, Money, Position, Price, Qty, Side};
use crate::world::SeedPosition;

impl Simulation<Strategy> {
    /// Gives the first accounts of a retail population their long positions and the next ones their short positions. Returns
    /// the exits of those that have some.
    pub(super) fn seed_retail<O: Observer>(
        &mut self,
        spec: &RetailSpec,
        (seeding, adaptation): (&Seeding, Adaptation),
        first: AccountId,
        counterparty: AccountId,
        (rng, habits): (&mut Rng, Stream),
        observer: &mut O,
    ) -> Vec<(u32, Exits)> {
        let mut all = Vec::new();
        let leverages = Weighted::new(&spec.weights);
        let survivors = Survivors::new(seeding, self.world.spec.markets[spec.market.index()].initial_price);
        for index in 0..spec.accounts {
            let side = if index < seeding.longs {
                Some(Side::Buy)
            } else if index < seeding.longs + seeding.shorts {
                Some(Side::Sell)
            } else {
                None
            };
            let account = AccountId(first.0 + index);
            let kind = habitual_leverage(&leverages, habits, index);
            let leverage = spec.leverages[kind];
            let notional = (seeding.spread.sample(rng) * seeding.medians[kind]).min(seeding.notional_cap);
            let margin = notional / f64::from(leverage);
            let stake = self.to_money(spec.market, margin);
            let spare = self.to_money(spec.market, margin * seeding.spare);
            let Some(side) = side else {
                let (world, mut emit) = self.parts(observer);
                world.deposit(account, stake + spare, &mut emit);
                continue;
            };
            let (drawn, opened) =
                self.survivor(spec.market, account, counterparty, side, stake, leverage, &survivors, rng);
            let seed = self.adapted(&drawn, &opened, adaptation);
            let margin = match adaptation {
                Adaptation::Keep | Adaptation::SameNotional => seed.margin,
                // What whole lots leave of it stays in the account.
                Adaptation::SameEquity => seed.margin.max(drawn.margin),
            };
            let survives =
                |price| self.world.survives(spec.market, seed.lots, seed.entry, seed.margin, price);
            let exits = spec.exits.draw(opened, survives, habits, u64::from(index), 0);
            if exits != Exits::default() {
                all.push((index, exits));
            }
            let (world, mut emit) = self.parts(observer);
            world.deposit(account, margin + spare, &mut emit);
            world.seed_position(&seed, &mut emit);
        }
        all
    }

    /// Returns what somebody has instead of a position that the market's own brackets let be opened, under the rule that was put
    /// on them: at the highest leverage that the rule allows and that has survived as long. It draws nothing.
    fn adapted(&self, drawn: &SeedPosition, opened: &Opened, adaptation: Adaptation) -> SeedPosition {
        let (spec, venue) = self.world.spec.of(drawn.market);
        if adaptation == Adaptation::Keep || spec.safeguards.own_brackets.is_none() {
            return *drawn;
        }
        let at = |leverage: u16| {
            let lot = spec.contract.notional(drawn.entry, Qty(1)).0.max(1);
            let size = if adaptation == Adaptation::SameNotional || leverage == drawn.leverage {
                drawn.lots.size()
            } else {
                Qty(drawn.margin.0.saturating_mul(i64::from(leverage)).div_euclid(lot).max(1))
            };
            let margin = initial_margin(spec.contract.notional(drawn.entry, size), leverage);
            SeedPosition { lots: Position(size.0 * drawn.lots.0.signum()), leverage, margin, ..*drawn }
        };
        let worst = if opened.side == Side::Buy { opened.low } else { opened.high };
        let rules = (&spec.brackets, venue.liquidation.breach);
        let mut seed = *drawn;
        while seed.leverage > 1 {
            let notional = spec.contract.notional(seed.entry, seed.lots.size());
            let position = (seed.lots, seed.entry, seed.margin);
            if !spec.brackets.allows(seed.leverage, notional) {
                // Less leverage may be a lower bracket, which is looked at anew.
                seed = at(spec.brackets.bracket(notional).max_leverage);
            } else if liquidation::survives(spec.contract, rules, position, worst) {
                break;
            } else {
                seed = at(seed.leverage >> 1);
            }
        }
        seed
    }

    /// Draws entries until one would have survived to the start. A position whose leverage no entry survives with (above
    /// a thousand draws) halves its leverage, as the trader who is still there must have had less.
    #[expect(clippy::too_many_arguments, reason = "one call site; the fields of the position that is drawn")]
    fn survivor(
        &self,
        market: MarketId,
        account: AccountId,
        counterparty: AccountId,
        side: Side,
        stake: Money,
        leverage: u16,
        survivors: &Survivors<'_>,
        rng: &mut Rng,
    ) -> (SeedPosition, Opened) {
        let (spec, venue) = self.world.spec.of(market);
        // The market's own: what is drawn may not depend on a rule that is compared with it.
        let brackets = spec.own_brackets();
        let rules = (brackets, venue.liquidation.breach);
        let mut leverage = leverage;
        loop {
            for attempt in 0..1_000 {
                // What nobody would have survived with even fully funded was opened just now.
                let is_last_resort = leverage == 1 && attempt == 999;
                let (entry, low, high) = if is_last_resort {
                    (spec.initial_price, spec.initial_price, spec.initial_price)
                } else {
                    survivors.draw(rng)
                };
                // The largest position that the stake opens at the leverage its bracket allows.
                let notional = Money(stake.0.saturating_mul(i64::from(leverage)).min(brackets.cap().0));
                let allowed = leverage.min(brackets.bracket(notional).max_leverage);
                let notional = Money(stake.0.saturating_mul(i64::from(allowed)).min(notional.0));
                let lot = spec.contract.notional(entry, Qty(1)).0.max(1);
                let lots = notional.0.div_euclid(lot).max(1);
                let lots = Position(lots * side.sign());
                let margin = initial_margin(spec.contract.notional(entry, lots.size()), allowed);
                let seed =
                    SeedPosition { account, counterparty, market, lots, entry, leverage: allowed, margin };
                let worst = if side == Side::Buy { low } else { high };
                if liquidation::survives(spec.contract, rules, (lots, entry, margin), worst) {
                    return (seed, Opened { side, entry, low, high });
                }
            }
            leverage = (leverage >> 1).max(1);
        }
    }
}

/// Draws entries together with the lowest and highest price that a position opened there has seen since.
struct Survivors<'s> {
    entries: &'s Entries,
    initial: Price,
    /// For hour i: lowest low and highest high of the hours after it, and of time zero.
    since: Vec<(Price, Price)>,
}

impl<'s> Survivors<'s> {
    fn new(seeding: &'s Seeding, initial: Price) -> Self {
        let mut since = Vec::new();
        if let Entries::History { hours, .. } = &seeding.entries {
            let (mut low, mut high) = (initial, initial);
            for (hour_high, hour_low) in hours.iter().rev() {
                since.push((low, high));
                (low, high) = (low.min(*hour_low), high.max(*hour_high));
            }
            since.reverse();
        }
        Self { entries: &seeding.entries, initial, since }
    }

    /// Returns (entry, lowest price since, highest price since).
    fn draw(&self, rng: &mut Rng) -> (Price, Price, Price) {
        match self.entries {
            Entries::Spread(bps) => {
                let shift = libm::exp(Normal::new(0.0, bps / 1e4).sample(rng));
                let entry = Price((libm::rint(self.initial.0 as f64 * shift) as i64).max(1));
                (entry, self.initial, self.initial)
            }
            Entries::History { hours, mean_age } => {
                let age = Exponential::new(1.0 / mean_age).sample(rng);
                let place = uniform(rng);
                // Older than the path: opened at some time within it, so that no age is cut off at its edge.
                let hours_ago = if age < hours.len() as f64 { age } else { place * hours.len() as f64 };
                let hour = hours.len() - 1 - (hours_ago as usize).min(hours.len() - 1);
                let (high, low) = hours[hour];
                let entry = low.0 as f64 + (high.0 - low.0) as f64 * uniform(rng);
                let (lowest, highest) = self.since[hour];
                (Price(libm::rint(entry) as i64), lowest, highest)
            }
        }
    }
}
