//! The weight of a tail: how fast large values become rare.

use super::quantile::sorted;

/// A tail exponent with its standard error.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TailExponent {
    /// Exponent a of P(X > x) ~ x^-a; moments of order a and above do not exist.
    pub exponent: f64,
    /// Standard error for independent values, exponent/sqrt(used); volatility that comes in clusters makes it larger.
    pub standard_error: f64,
    /// Number of values in the tail.
    pub used: usize,
}

/// Returns Hill's (1975) estimate of the tail exponent from the largest `fraction` of the values, in (0, 1).
///
/// Hand it magnitudes: absolute returns, sizes. Returns `None` if the tail has no value, its threshold (the largest value
/// left out) is not positive, or all its values equal the threshold.
///
/// # Panics
/// Panics if `fraction` is outside (0, 1) or a value is not finite.
pub fn hill(values: &[f64], fraction: f64) -> Option<TailExponent> {
    assert!(fraction > 0.0 && fraction < 1.0, "a tail's fraction is in (0, 1), not {fraction}");
    let ascending = sorted(values);
    let used = libm::floor(ascending.len() as f64 * fraction) as usize;
    let below = ascending.len().checked_sub(used + 1)?;
    let threshold = ascending[below];
    if used == 0 || threshold <= 0.0 {
        return None;
    }
    let excess: f64 = ascending[below + 1..].iter().map(|value| libm::log(value / threshold)).sum();
    if excess <= 0.0 {
        return None;
    }
    let exponent = used as f64 / excess;
    Some(TailExponent { exponent, standard_error: exponent / (used as f64).sqrt(), used })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Normal, Pareto};

    /// Logarithms 1 and 2 above the threshold: 2/(1+2).
    #[test]
    fn the_estimate_is_that_of_the_closed_form() {
        let values = [1.0, libm::exp(2.0), 0.5, libm::exp(1.0), 0.25];
        let found = hill(&values, 0.4).unwrap();
        assert_eq!(found.used, 2);
        assert!((found.exponent - 2.0 / 3.0).abs() < 1e-14);
        assert!((found.standard_error - 2.0 / 3.0 / 2.0_f64.sqrt()).abs() < 1e-14);
    }

    #[test]
    fn a_pareto_tail_is_found_and_a_normal_one_is_lighter() {
        let mut rng = Seed { master: 14, replicate: 0 }.stream("tails-tests").sequence();
        let n = 40_000;
        for shape in [1.5, 3.0] {
            let values: Vec<f64> = (0..n).map(|_| Pareto::new(2.0, shape).sample(&mut rng)).collect();
            let found = hill(&values, 0.025).unwrap();
            assert!((found.exponent - shape).abs() < 4.0 * found.standard_error, "{found:?}");
        }
        let light: Vec<f64> = (0..n).map(|_| Normal::new(0.0, 1.0).sample(&mut rng).abs()).collect();
        assert!(hill(&light, 0.025).unwrap().exponent > 5.0);
    }

    #[test]
    fn what_is_undefined_is_none() {
        assert_eq!(hill(&[], 0.5), None);
        assert_eq!(hill(&[1.0, 2.0, 3.0], 0.1), None);
        assert_eq!(hill(&[0.0, 0.0, 1.0, 2.0], 0.5), None);
        assert_eq!(hill(&[1.0, 1.0, 1.0, 1.0], 0.5), None);
    }
}
