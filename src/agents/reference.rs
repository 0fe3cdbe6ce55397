//! The price that quotes are laid around: an average of the middle which each trade moves against whoever quotes, since a trade
//! tells something about the value (Kyle 1985; Glosten, Milgrom 1985).
//!
//! Around the middle of the moment, who quotes would follow their own quotes: inventory that stays would push the price further
//! at each look, and a patient seller would be served for ever at the price that refilled behind each of its orders. Around a
//! reference, what is traded moves the price in proportion and once. News, a change of the fundamental value, moves it at once and
//! without a trade, as everybody who quotes reads it.

use super::View;
use crate::units::{MarketId, Time};

/// How a reference moves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReferenceRule {
    /// Half-life of the average of the middle, above zero.
    pub half_life: Time,
    /// Fall of the logarithm for one unit of inventory that comes in, at least 0.
    pub impact: f64,
}

/// A reference, in ticks of its market.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reference {
    /// 0 before the first look.
    price: f64,
    inventory: f64,
    value: f64,
    looked: Time,
}

impl Reference {
    /// Moves on by what the book shows, by what has come in since the last look and by news, and returns the price.
    pub(super) fn follow(
        &mut self,
        rule: &ReferenceRule,
        market: MarketId,
        inventory: f64,
        view: &View<'_>,
    ) -> f64 {
        self.step(rule, [view.mid(market), view.fundamental(market)], inventory, view.now())
    }

    fn step(&mut self, rule: &ReferenceRule, [mid, value]: [f64; 2], inventory: f64, now: Time) -> f64 {
        if self.price <= 0.0 {
            self.price = mid;
        } else {
            let keep = libm::exp2(-(now - self.looked).as_secs_f64() / rule.half_life.as_secs_f64());
            let learnt = libm::exp(-rule.impact * (inventory - self.inventory));
            self.price = (self.price * keep + mid * (1.0 - keep)) * learnt * (value / self.value);
        }
        self.inventory = inventory;
        self.value = value;
        self.looked = now;
        self.price
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: ReferenceRule = ReferenceRule { half_life: Time::SECOND, impact: 1e-3 };

    /// Steps through looks of [middle, value, inventory] at times in seconds, and returns the last price in thousandths of a tick.
    fn follow(looks: &[(i64, [f64; 3])]) -> i64 {
        let mut reference = Reference::default();
        let mut price = 0.0;
        for &(at, [mid, value, inventory]) in looks {
            price = reference.step(&RULE, [mid, value], inventory, Time(at * Time::SECOND.0));
        }
        libm::rint(1e3 * price) as i64
    }

    #[test]
    fn it_starts_at_the_middle_whatever_was_held_and_goes_half_the_way_in_a_half_life() {
        let start = (-1, [1_000.0, 7.0, 50.0]);
        let later = [1_100.0, 7.0, 50.0];
        assert_eq!(follow(&[start]), 1_000_000);
        assert_eq!(follow(&[start, (0, later)]), 1_050_000);
        assert_eq!(follow(&[start, (0, later), (0, later)]), 1_050_000);
    }

    #[test]
    fn what_comes_in_moves_it_down_once_and_what_goes_out_moves_it_back() {
        let holding = |inventory| (0, [1_000.0, 7.0, inventory]);
        // 1,000 times e^-.01.
        assert_eq!(follow(&[holding(0.0), holding(10.0)]), 990_050);
        assert_eq!(follow(&[holding(0.0), holding(10.0), holding(10.0)]), 990_050);
        assert_eq!(follow(&[holding(0.0), holding(10.0), holding(0.0)]), 1_000_000);
    }

    #[test]
    fn news_moves_it_at_once() {
        let (before, after) = ((0, [1_000.0, 8.0, 0.0]), (0, [1_000.0, 10.0, 0.0]));
        assert_eq!(follow(&[before, after]), 1_250_000);
        assert_eq!(follow(&[before, after, after]), 1_250_000);
    }
}
