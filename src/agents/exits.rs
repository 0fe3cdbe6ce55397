//! Orders that wait to close a position: a stop-loss below a long (above a short), a take-profit on its other side. Triggered by
//! the mark, market, reduce-only: one that outlives its position closes nothing and opens nothing.

use super::{Actions, MARKET, order};
use crate::market::{TriggerSource, TriggerWhen};
use crate::rng::Stream;
use crate::sampling::{Distribution, LogNormal, happens};
use crate::units::{AccountId, MarketId, OrderId, Position, Price, Side};
use crate::world::Trigger;

/// Which positions have an exit of one kind, and where.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ExitRule {
    /// Share of positions that have one [0-1].
    pub share: f64,
    /// Distance from the entry in hundredths of a percent of it.
    pub distance_bps: LogNormal,
}

/// The exits of a population's positions.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ExitRules {
    /// Where losses are cut.
    pub stop_loss: Option<ExitRule>,
    /// Where profits are taken.
    pub take_profit: Option<ExitRule>,
}

/// A position whose exits are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Long or short.
    pub side: Side,
    /// Where it was opened, or is expected to be.
    pub entry: Price,
    /// Lowest mark since then.
    pub low: Price,
    /// Highest mark since then.
    pub high: Price,
}

/// Trigger prices of one position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Exits {
    /// Of the stop-loss.
    pub stop_loss: Option<Price>,
    /// Of the take-profit.
    pub take_profit: Option<Price>,
}

/// Draws until an exit makes sense; whose never does has none.
const ATTEMPTS: u32 = 100;

impl ExitRules {
    /// Tells whether no position has an exit.
    pub fn are_none(&self) -> bool {
        self.stop_loss.is_none() && self.take_profit.is_none()
    }

    /// Draws the exits of a position. No mark since it was opened may have triggered one, since it would be gone; and a stop
    /// makes no sense where the position does not survive, which `survives` tells of a price. Draws come from `habits` by
    /// account and by the number of its opening, those of the two kinds apart, so that one can be without the other.
    pub fn draw(
        &self,
        opened: Opened,
        survives: impl Fn(Price) -> bool,
        habits: Stream,
        account: u64,
        opening: u64,
    ) -> Exits {
        let direction = opened.side.sign() as f64;
        Exits {
            stop_loss: self.stop_loss.and_then(|rule| {
                let habit = habits.draw(account, 2 * opening);
                rule.draw(opened, -direction, survives, habit)
            }),
            take_profit: self.take_profit.and_then(|rule| {
                let habit = habits.draw(account, 2 * opening + 1);
                rule.draw(opened, direction, |_| true, habit)
            }),
        }
    }
}

impl ExitRule {
    fn draw(
        &self,
        opened: Opened,
        direction: f64,
        makes_sense: impl Fn(Price) -> bool,
        mut rng: crate::rng::Rng,
    ) -> Option<Price> {
        if !happens(self.share, &mut rng) {
            return None;
        }
        (0..ATTEMPTS).find_map(|_| {
            let distance = self.distance_bps.sample(&mut rng) / 1e4;
            // Nobody waits for a price to double, and none falls to nothing.
            if distance >= 1.0 {
                return None;
            }
            let price = Price(libm::rint(opened.entry.0 as f64 * (1.0 + direction * distance)) as i64);
            let is_ahead = if direction > 0.0 { price > opened.high } else { price < opened.low };
            (is_ahead && price >= Price(1) && makes_sense(price)).then_some(price)
        })
    }
}

/// Exits of a population's accounts that were placed and not taken back: some may have been triggered or cancelled by the venue
/// since, which an agent that does not hear its fills cannot know.
#[derive(Clone, Debug, Default)]
pub(super) struct Placed {
    /// By account: stop-loss and take-profit, 0 for none. Empty where there are no exits at all.
    ids: Vec<[OrderId; 2]>,
}

impl Placed {
    pub(super) fn new(rules: &ExitRules, accounts: u32) -> Self {
        let accounts = if rules.are_none() { 0 } else { accounts as usize };
        Self { ids: vec![[OrderId(0); 2]; accounts] }
    }

    /// Sends the exits of a position.
    pub(super) fn place(
        &mut self,
        index: usize,
        (account, market): (AccountId, MarketId),
        lots: Position,
        exits: Exits,
        actions: &mut Actions,
    ) {
        let Some(side) = lots.side() else { return };
        let (below, above) = (TriggerWhen::AtOrBelow, TriggerWhen::AtOrAbove);
        let whens = if side == Side::Buy { [below, above] } else { [above, below] };
        for (slot, (price, when)) in [exits.stop_loss, exits.take_profit].into_iter().zip(whens).enumerate() {
            if let Some(price) = price {
                let mut exit = order(account, market, side.opposite(), lots.size(), MARKET);
                exit.reduce_only = true;
                exit.trigger = Some(Trigger { price, when, source: TriggerSource::Mark });
                self.ids[index][slot] = actions.submit(exit);
            }
        }
    }

    /// Takes back what an account has placed.
    pub(super) fn cancel(
        &mut self,
        index: usize,
        (account, market): (AccountId, MarketId),
        actions: &mut Actions,
    ) {
        let Some(ids) = self.ids.get_mut(index) else { return };
        for id in ids.iter_mut().filter(|id| **id != OrderId(0)) {
            actions.cancel(account, market, std::mem::replace(id, OrderId(0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    fn habits() -> Stream {
        Seed { master: 4, replicate: 0 }.stream("habits")
    }

    fn rules(share: f64) -> ExitRules {
        let rule = Some(ExitRule { share, distance_bps: LogNormal::new(200.0, 0.5) });
        ExitRules { stop_loss: rule, take_profit: rule }
    }

    fn all(rules: &ExitRules, opened: Opened, survives: impl Fn(Price) -> bool + Copy) -> Vec<Exits> {
        (0..2_000).map(|account| rules.draw(opened, survives, habits(), account, 0)).collect()
    }

    #[test]
    fn a_share_of_positions_has_exits_on_either_side_at_distances_around_the_median() {
        for side in [Side::Buy, Side::Sell] {
            let entry = Price(100_000);
            let exits = all(&rules(0.5), Opened { side, entry, low: entry, high: entry }, |_| true);
            for (sign, prices) in [
                (-1, exits.iter().filter_map(|exits| exits.stop_loss).collect::<Vec<_>>()),
                (1, exits.iter().filter_map(|exits| exits.take_profit).collect()),
            ] {
                // Five binomial standard errors around a thousand, and as many around half of those.
                assert!((888..=1_112).contains(&prices.len()), "{}", prices.len());
                let far = |price: &&Price| (price.0 - entry.0) * side.sign() * sign > 2_000;
                let beyond = prices.iter().filter(far).count();
                assert!((420..=580).contains(&beyond), "{beyond} of {} beyond the median", prices.len());
            }
        }
    }

    #[test]
    fn no_exit_was_reached_already_and_no_stop_lies_where_the_position_is_gone() {
        let opened =
            Opened { side: Side::Buy, entry: Price(100_000), low: Price(98_500), high: Price(102_500) };
        let exits = all(&rules(1.0), opened, |price| price >= Price(97_000));
        let stops: Vec<Price> = exits.iter().filter_map(|exits| exits.stop_loss).collect();
        assert!(stops.len() == 2_000 && stops.iter().all(|stop| (97_000..98_500).contains(&stop.0)));
        assert!(exits.iter().all(|exits| exits.take_profit.is_some_and(|price| price > Price(102_500))));
        assert_eq!(all(&rules(1.0), opened, |_| false).iter().filter_map(|exits| exits.stop_loss).count(), 0);
    }

    #[test]
    fn take_profits_do_not_depend_on_whether_there_are_stops() {
        let opened = Opened { side: Side::Sell, entry: Price(1_000), low: Price(1_000), high: Price(1_000) };
        let without = ExitRules { stop_loss: None, ..rules(0.7) };
        let profits = |rules| all(rules, opened, |_| true).iter().map(|e| e.take_profit).collect::<Vec<_>>();
        assert_eq!(profits(&without), profits(&rules(0.7)));
    }
}
