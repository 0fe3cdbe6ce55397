//! Mean, variance and shape of a sample.

use super::{assert_finite, varies};

/// Returns the sum with the rounding of each step carried along (Neumaier 1974), so that long samples lose no digits.
pub fn sum(values: &[f64]) -> f64 {
    assert_finite(values);
    compensated(values.iter().copied())
}

pub(super) fn compensated(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    let total = sum + lost;
    assert!(total.is_finite(), "a sum overflows: values or their squares are beyond the largest float");
    total
}

/// Returns the arithmetic mean, or `None` for an empty sample.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    Some(sum(values) / values.len() as f64)
}

/// Returns the unbiased variance (divisor n-1), exactly 0 when all values are equal, or `None` for fewer than two.
///
/// Two passes with the correction of Chan, Golub and LeVeque (1983): the deviations' own sum, zero but for the rounding
/// of the mean, is taken out again.
pub fn variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let (centre, n) = (mean(values)?, values.len() as f64);
    if !varies(values) {
        return Some(0.0);
    }
    let squares = compensated(values.iter().map(|x| (x - centre) * (x - centre)));
    let residue = compensated(values.iter().map(|x| x - centre));
    Some(((squares - residue * residue / n) / (n - 1.0)).max(0.0))
}

/// Returns the standard deviation (divisor n-1), or `None` for fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    variance(values).map(f64::sqrt)
}

/// Returns the standard error of the mean of independent values, or `None` for fewer than two.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    variance(values).map(|v| (v / values.len() as f64).sqrt())
}

/// Returns the adjusted Fisher-Pearson skewness G1 (Joanes and Gill 1998; also SAS, Excel, pandas), unbiased for normal
/// data; `None` for fewer than three values or when all are equal.
pub fn skewness(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 3 {
        return None;
    }
    let [second, third, _] = central_moments(values)?;
    Some(third / (second * second.sqrt()) * (n * (n - 1.0)).sqrt() / (n - 2.0))
}

/// Returns the adjusted excess kurtosis G2 (Joanes and Gill 1998; also SAS, Excel, pandas), unbiased for normal data and
/// 0 for a normal; `None` for fewer than four values or when all are equal.
pub fn excess_kurtosis(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 4 {
        return None;
    }
    let [second, _, fourth] = central_moments(values)?;
    let plain = fourth / (second * second) - 3.0;
    Some(((n + 1.0) * plain + 6.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)))
}

/// The second to fourth central moments with divisor n, in units of the largest deviation so that no power overflows;
/// `None` when all values are equal.
fn central_moments(values: &[f64]) -> Option<[f64; 3]> {
    let (centre, n) = (mean(values)?, values.len() as f64);
    if !varies(values) {
        return None;
    }
    let scale = values.iter().map(|x| (x - centre).abs()).fold(0.0, f64::max);
    let moment = |power: fn(f64) -> f64| compensated(values.iter().map(|x| power((x - centre) / scale))) / n;
    Some([moment(|d| d * d), moment(|d| d * d * d), moment(|d| d * d * d * d)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The certified values of NIST's univariate sets NumAcc1 to NumAcc4, whose digits naive sums lose. NumAcc3 and 4
    /// hold a fraction in a float that carries 3e-10 and 4e-9 of it relative to the deviation of .1: hence the tolerance.
    #[test]
    fn nist_numerical_accuracy_sets_are_met() {
        let alternating = |start: f64, low: f64, high: f64| {
            let mut values = vec![start];
            values.extend([low, high].iter().cycle().take(1000));
            values
        };
        let sets = [
            (vec![10_000_001.0, 10_000_003.0, 10_000_002.0], 10_000_002.0, 1.0, 0.0),
            (alternating(1.2, 1.1, 1.3), 1.2, 0.1, 1e-14),
            (alternating(1_000_000.2, 1_000_000.1, 1_000_000.3), 1_000_000.2, 0.1, 1e-9),
            (alternating(10_000_000.2, 10_000_000.1, 10_000_000.3), 10_000_000.2, 0.1, 1e-8),
        ];
        for (values, centre, deviation, tolerance) in sets {
            assert!((mean(&values).unwrap() / centre - 1.0).abs() < 1e-15);
            let found = standard_deviation(&values).unwrap();
            assert!((found / deviation - 1.0).abs() <= tolerance, "{found} of {deviation}");
        }
    }

    #[test]
    fn a_compensated_sum_keeps_what_cancels() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]).to_bits(), 2.0_f64.to_bits());
    }

    /// By hand: deviations -3 -2 -1 0 6 have second, third and fourth moments 10, 36 and 278.8.
    #[test]
    fn shape_is_that_of_the_closed_form() {
        let values = [1.0, 2.0, 3.0, 4.0, 10.0];
        assert!((variance(&values).unwrap() - 12.5).abs() < 1e-14);
        assert!((standard_error(&values).unwrap() - 2.5_f64.sqrt()).abs() < 1e-14);
        let g1 = 36.0 / (10.0 * 10.0_f64.sqrt());
        assert!((skewness(&values).unwrap() - g1 * 20.0_f64.sqrt() / 3.0).abs() < 1e-14);
        let g2 = 278.8 / 100.0 - 3.0;
        assert!((excess_kurtosis(&values).unwrap() - (6.0 * g2 + 6.0) * 4.0 / 6.0).abs() < 1e-13);
    }

    #[test]
    fn what_is_undefined_is_none() {
        assert_eq!(mean(&[]), None);
        assert_eq!(variance(&[1.0]), None);
        assert_eq!(standard_error(&[1.0]), None);
        assert_eq!(skewness(&[1.0, 2.0]), None);
        assert_eq!(skewness(&[0.1; 10]), None);
        assert_eq!(excess_kurtosis(&[0.1; 10]), None);
        assert_eq!(variance(&[0.1; 10]), Some(0.0));
    }

    #[test]
    #[should_panic(expected = "a sum overflows")]
    fn an_overflow_is_an_error_not_an_infinity() {
        mean(&[f64::MAX, f64::MAX]);
    }

    #[test]
    #[should_panic(expected = "is not finite")]
    fn what_is_no_number_is_refused() {
        mean(&[1.0, f64::NAN]);
    }
}
