//! Trading halts: when a price has moved too far within a window, and until when nothing trades. What waits meanwhile, the
//! venue says.

use crate::units::{Price, Rate, Time};
use std::collections::VecDeque;

/// When trading stops, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HaltRule {
    /// Largest move from the highest or lowest price of the window, as a share of that.
    pub reach: Rate,
    /// How far back prices are compared.
    pub window: Time,
    /// How long nothing trades.
    pub pause: Time,
}

/// A price and the time until which it was the price.
type Past = (Time, Price);

/// Watches a price for one market. It keeps the prices of the window that may yet be its highest or its lowest.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// Falling from the front.
    highs: VecDeque<Past>,
    /// Rising from the front.
    lows: VecDeque<Past>,
    /// Trading goes on from here.
    until: Time,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { highs: VecDeque::new(), lows: VecDeque::new(), until: Time(i64::MIN) }
    }
}

impl Breaker {
    /// Tells whether nothing trades now.
    #[inline]
    pub fn is_halted(&self, now: Time) -> bool {
        now < self.until
    }

    /// Returns from when on orders trade again.
    pub fn until(&self) -> Time {
        self.until
    }

    /// Hears that the price has moved and tells whether trading stops now. Moves during a halt are not looked at: the first
    /// one after it is measured from where the price then stood.
    pub fn hear(&mut self, rule: &HaltRule, now: Time, from: Price, to: Price) -> bool {
        if self.is_halted(now) {
            return false;
        }
        keep(&mut self.highs, (now, from), now - rule.window, |past| past <= from);
        keep(&mut self.lows, (now, from), now - rule.window, |past| past >= from);
        let is_far = |past: Option<&Past>| {
            past.is_some_and(|(_, past)| {
                let moved = i128::from((past.0 - to.0).abs()) * i128::from(Rate::ONE);
                moved > i128::from(past.0) * i128::from(rule.reach.0)
            })
        };
        let trips = is_far(self.highs.front()) || is_far(self.lows.front());
        if trips {
            self.highs.clear();
            self.lows.clear();
            self.until = now + rule.pause;
        }
        trips
    }
}

/// Adds a price that has ended, without those that it outdoes and those that ended before the window.
fn keep(prices: &mut VecDeque<Past>, past: Past, since: Time, outdone: impl Fn(Price) -> bool) {
    while prices.back().is_some_and(|(_, price)| outdone(*price)) {
        prices.pop_back();
    }
    prices.push_back(past);
    while prices.front().is_some_and(|(end, _)| *end < since) {
        prices.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: HaltRule = HaltRule { reach: Rate(50_000_000), window: Time(100), pause: Time(10) };

    /// Hears prices at times and returns when trading stopped.
    fn stops(prices: &[(i64, i64)]) -> Vec<i64> {
        let mut breaker = Breaker::default();
        let moves = prices.windows(2);
        let hears =
            moves.filter(|pair| breaker.hear(&RULE, Time(pair[1].0), Price(pair[0].1), Price(pair[1].1)));
        hears.map(|pair| pair[1].0).collect()
    }

    #[test]
    fn a_move_beyond_the_reach_stops_trading_and_one_up_to_it_does_not() {
        assert_eq!(stops(&[(0, 1_000), (1, 950)]), [0_i64; 0]);
        assert_eq!(stops(&[(0, 1_000), (1, 949)]), [1]);
        assert_eq!(stops(&[(0, 1_000), (1, 980), (2, 1_030)]), [2], "from the lowest on");
        assert_eq!(stops(&[(0, 1_000), (1, 980), (2, 1_029)]), [0_i64; 0]);
    }

    #[test]
    fn a_price_counts_for_a_window_after_it_has_ended() {
        assert_eq!(stops(&[(0, 1_000), (50, 970), (150, 949)]), [150]);
        assert_eq!(stops(&[(0, 1_000), (50, 970), (151, 949)]), [0_i64; 0]);
    }

    #[test]
    fn a_halt_begins_afresh_when_it_has_ended() {
        // 900 at 5 is within the halt; from there, 860 is less than 5 % away and 850 more.
        let prices = [(0, 1_000), (1, 940), (5, 900), (11, 860), (12, 850)];
        assert_eq!(stops(&prices), [1, 12]);
        let mut breaker = Breaker::default();
        assert!(breaker.hear(&RULE, Time(1), Price(1_000), Price(940)));
        assert!(breaker.is_halted(Time(10)) && !breaker.is_halted(Time(11)));
    }

    /// By looking at all prices of the window.
    #[test]
    fn what_is_kept_tells_the_same_as_all_prices() {
        let mut state = 3_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as i64
        };
        let (mut breaker, mut all) = (Breaker::default(), Vec::new());
        let (mut now, mut price, mut stopped) = (0, 1_000, 0);
        for _ in 0..20_000 {
            now += next(12);
            let to = price + next(13) - 6;
            all.push((now, price));
            let since = all.iter().filter(|(end, _)| *end >= now - 100).map(|(_, price)| *price);
            let far = since.clone().any(|past: i64| (past - to).abs() * 20 > past);
            let was_halted = breaker.is_halted(Time(now));
            let stops = breaker.hear(&RULE, Time(now), Price(price), Price(to));
            assert_eq!(stops, far && !was_halted, "at {now}");
            if was_halted {
                all.pop();
            }
            if stops {
                all.clear();
                stopped += 1;
            }
            price = to.max(500);
        }
        assert!(stopped > 20, "{stopped}");
    }
}
