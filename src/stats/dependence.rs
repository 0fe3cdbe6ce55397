//! How values go together: with their own past, or with another sample.

use super::moments::{compensated, mean};
use super::rank::ranks;
use super::{assert_finite, varies};

/// Returns the autocorrelation at a lag of that many steps, in [-1, 1], with divisor n (Box and Jenkins 1970).
///
/// `None` if the lag is not shorter than the series or all values are equal. Under independence the standard error is
/// 1/sqrt(n) and the mean -1/n.
pub fn autocorrelation(series: &[f64], lag: usize) -> Option<f64> {
    assert_finite(series);
    if lag >= series.len() || !varies(series) {
        return None;
    }
    let centre = mean(series)?;
    let product = |lag: usize| {
        compensated(
            series.iter().zip(&series[lag..]).map(|(before, after)| (before - centre) * (after - centre)),
        )
    };
    defined(product(lag) / product(0))
}

/// Returns Pearson's correlation of paired samples, in [-1, 1]; `None` for fewer than two pairs or when one sample does
/// not vary.
///
/// # Panics
/// Panics if the samples differ in length.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "pairs need samples of one length");
    assert_finite(a);
    assert_finite(b);
    if a.len() < 2 || !varies(a) || !varies(b) {
        return None;
    }
    let (a_mean, b_mean) = (mean(a)?, mean(b)?);
    let square =
        |values: &[f64], centre: f64| compensated(values.iter().map(|x| (x - centre) * (x - centre)));
    let product = compensated(a.iter().zip(b).map(|(x, y)| (x - a_mean) * (y - b_mean)));
    defined(product / (square(a, a_mean).sqrt() * square(b, b_mean).sqrt()))
}

/// Holds a correlation within its range; variation so small that its squares vanish has none.
fn defined(correlation: f64) -> Option<f64> {
    correlation.is_finite().then(|| correlation.clamp(-1.0, 1.0))
}

/// Returns Spearman's rank correlation (1904), in [-1, 1], ties at their mean rank; `None` as for [`pearson`].
///
/// # Panics
/// Panics if the samples differ in length.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a), &ranks(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Normal};

    /// Anscombe's (1973) first quartet: r = .81642051634484.
    #[test]
    fn anscombes_quartet_has_its_correlation() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        assert!((pearson(&x, &y).unwrap() - 0.816_420_516_344_84).abs() < 1e-13);
    }

    /// Without ties: 1 - 6 sum d^2 / (n(n^2-1)), here 1 - 6*8/120; with ties by hand.
    #[test]
    fn rank_correlation_is_that_of_the_closed_form() {
        let found = spearman(&[1.0, 20.0, 300.0, 4e3, 5e4], &[2.0, 1.0, 5.0, 3.0, 4.0]).unwrap();
        assert!((found - 0.6).abs() < 1e-14, "{found}");
        let tied = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((tied - 4.5 / (4.5 * 5.0_f64).sqrt()).abs() < 1e-14, "{tied}");
    }

    /// By hand: deviations -2 -1 0 1 2 give (2+0+0+2)/10 and (0-1+0)/10.
    #[test]
    fn autocorrelation_is_that_of_the_closed_form() {
        let series = [1.0, 2.0, 3.0, 4.0, 5.0];
        for (lag, expected) in [(0, 1.0), (1, 0.4), (2, -0.1), (4, -0.4)] {
            assert!((autocorrelation(&series, lag).unwrap() - expected).abs() < 1e-15, "lag {lag}");
        }
    }

    /// A first-order process of 50,000 steps; Bartlett's standard error at lag k stays below .0065.
    #[test]
    fn a_first_order_process_decays_geometrically() {
        let mut rng = Seed { master: 13, replicate: 0 }.stream("dependence-tests").sequence();
        let shock = Normal::new(0.0, 1.0);
        let step = |state: &mut f64, ()| {
            *state = 0.6 * *state + shock.sample(&mut rng);
            Some(*state)
        };
        let series: Vec<f64> = std::iter::repeat_n((), 50_000).scan(0.0, step).collect();
        for (lag, expected) in [(1, 0.6), (2, 0.36), (3, 0.216), (20, 0.0)] {
            let found = autocorrelation(&series, lag).unwrap();
            assert!((found - expected).abs() < 0.026, "lag {lag}: {found}");
        }
    }

    #[test]
    fn what_is_undefined_is_none() {
        assert_eq!(autocorrelation(&[1.0, 2.0], 2), None);
        assert_eq!(autocorrelation(&[0.1; 5], 1), None);
        assert_eq!(pearson(&[0.1; 5], &[1.0, 2.0, 3.0, 4.0, 5.0]), None);
        assert_eq!(pearson(&[1.0], &[1.0]), None);
        assert_eq!(pearson(&[0.0, 1e-200], &[0.0, 1.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }
}
