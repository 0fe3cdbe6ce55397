//! One-word draws used everywhere: a uniform number, an event of some probability, an index.

use super::{Distribution, Uniform01};
use rand::Rng;

/// Draws a number on [0, 1).
pub fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    Uniform01.sample(rng)
}

/// Tells with probability `p`; always for 1 or more, never for 0 or less.
pub fn happens<R: Rng + ?Sized>(p: f64, rng: &mut R) -> bool {
    uniform(rng) < p
}

/// Draws an integer below `n`, by multiplication; the bias is below n / 2^64.
///
/// # Panics
/// Panics if `n` is 0.
pub fn below<R: Rng + ?Sized>(n: u64, rng: &mut R) -> u64 {
    assert!(n > 0, "a choice among nothing");
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    #[test]
    fn indices_below_n_reach_every_number_evenly() {
        let mut rng = Seed { master: 9, replicate: 0 }.stream("below").sequence();
        let mut counts = [0_u32; 7];
        for _ in 0..7_000 {
            counts[below(7, &mut rng) as usize] += 1;
        }
        // Five binomial standard errors around 1,000.
        assert!(counts.iter().all(|count| (854..=1_146).contains(count)), "{counts:?}");
    }

    #[test]
    fn certainties_are_certain() {
        let mut rng = Seed { master: 9, replicate: 0 }.stream("happens").sequence();
        assert!((0..1_000).all(|_| happens(1.0, &mut rng) && !happens(0.0, &mut rng)));
    }
}
