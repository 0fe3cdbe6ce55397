//! Distribution functions of the normal, Student's t and the chi-square, through `libm`, to a relative error of about
//! 1e-11. The tests hold them against `statrs`, which calls the platform's logarithm and so cannot print our numbers.

pub use crate::sampling::normal_quantile;

/// Returns the probability that a standard normal lies above `z`; accurate far into the tail.
pub fn normal_upper(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Returns the probability that a standard normal lies below `z`.
pub fn normal_cdf(z: f64) -> f64 {
    normal_upper(-z)
}

/// Returns the probability that Student's t with `degrees` of freedom lies above `t`.
///
/// # Panics
/// Panics unless `degrees` is positive and `t` is a number.
pub fn student_upper(t: f64, degrees: f64) -> f64 {
    assert!(degrees > 0.0 && degrees.is_finite(), "degrees of freedom are positive, not {degrees}");
    assert!(!t.is_nan(), "t is a number");
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    // x and 1-x apart, so that neither loses its digits to the other.
    let total = degrees + t * t;
    let tail = 0.5 * beta_regularized(0.5 * degrees, 0.5, degrees / total, t * t / total);
    if t > 0.0 { tail } else { 1.0 - tail }
}

/// Returns the two-sided p-value of a Student's t statistic.
///
/// # Panics
/// As [`student_upper`].
pub fn student_two_sided(t: f64, degrees: f64) -> f64 {
    (2.0 * student_upper(t.abs(), degrees)).min(1.0)
}

/// Returns the value that Student's t with `degrees` of freedom stays below with probability `p`.
///
/// # Panics
/// Panics unless `p` is in (0, 1) and `degrees` is positive.
pub fn student_quantile(p: f64, degrees: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile's probability is in (0, 1), not {p}");
    if p < 0.5 {
        return -student_quantile_upper(p, degrees);
    }
    student_quantile_upper(1.0 - p, degrees)
}

/// The value above which a share `tail` of at most a half lies, by bisection: the tails of t are heavier than the
/// normal's, so the normal's quantile is a lower bound.
fn student_quantile_upper(tail: f64, degrees: f64) -> f64 {
    let mut low = (-normal_quantile(tail)).max(0.0);
    let mut high = low.max(1.0);
    while student_upper(high, degrees) > tail {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if student_upper(middle, degrees) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Returns the probability that a chi-square with `degrees` of freedom lies above `x`.
///
/// # Panics
/// Panics unless `degrees` is positive and `x` is finite and not negative.
pub fn chi_square_upper(x: f64, degrees: f64) -> f64 {
    assert!(degrees > 0.0 && degrees.is_finite(), "degrees of freedom are positive, not {degrees}");
    assert!(x >= 0.0 && x.is_finite(), "a chi-square is finite and not negative, not {x}");
    gamma_upper(0.5 * degrees, 0.5 * x)
}

/// Terms after which a series or a fraction must have ended; they need about the square root of the largest argument.
const TERMS_MAX: u32 = 1_000_000;

/// The regularized upper incomplete gamma function Q(a, x): by series below a + 1, by Lentz's continued fraction above
/// (Press et al. 2007, section 6.2).
fn gamma_upper(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let mut term = 1.0 / a;
        let mut sum = term;
        for k in 1..TERMS_MAX {
            term *= x / (a + f64::from(k));
            sum += term;
            if term <= sum * f64::EPSILON {
                break;
            }
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    let mut fraction = Lentz::new(1.0 / (x + 1.0 - a));
    for k in 1..TERMS_MAX {
        let k = f64::from(k);
        if fraction.converged(-k * (k - a), x + 1.0 - a + 2.0 * k) {
            break;
        }
    }
    (front * fraction.value).clamp(0.0, 1.0)
}

/// The regularized incomplete beta function I_x(a, b), given x and y = 1 - x (Press et al. 2007, section 6.4).
fn beta_regularized(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    let log_power = |value: f64, other: f64| {
        // Near one, the logarithm of the complement keeps the digits.
        if value > 0.5 { libm::log1p(-other) } else { libm::log(value) }
    };
    let front = libm::exp(a * log_power(x, y) + b * log_power(y, x) - log_beta(a, b));
    if x < (a + 1.0) / (a + b + 2.0) {
        (front * beta_fraction(a, b, x) / a).clamp(0.0, 1.0)
    } else {
        (1.0 - front * beta_fraction(b, a, y) / b).clamp(0.0, 1.0)
    }
}

/// The logarithm of the beta function. Where one argument is large, plain log-gammas would cancel to their last digits;
/// there the difference is taken inside Stirling's formula.
fn log_beta(a: f64, b: f64) -> f64 {
    let (small, large) = (a.min(b), a.max(b));
    if large < 10.0 {
        return libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    }
    let total = small + large;
    let growth = (large - 0.5) * libm::log1p(small / large) + small * libm::log(total) - small;
    libm::lgamma(small) - growth - (stirling_error(total) - stirling_error(large))
}

/// What Stirling's formula for the log-gamma of z leaves out, for z of at least 10.
fn stirling_error(z: f64) -> f64 {
    let square = z * z;
    let inner = 1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square;
    (1.0 / 12.0 - (1.0 / 360.0 - inner / square) / square) / z
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut fraction = Lentz::new(1.0);
    fraction.converged(-(a + b) * x / (a + 1.0), 1.0);
    for k in 1..TERMS_MAX {
        let k = f64::from(k);
        let even = k * (b - k) * x / ((a + 2.0 * k - 1.0) * (a + 2.0 * k));
        let odd = -(a + k) * (a + b + k) * x / ((a + 2.0 * k) * (a + 2.0 * k + 1.0));
        fraction.converged(even, 1.0);
        if fraction.converged(odd, 1.0) {
            break;
        }
    }
    fraction.value
}

/// A continued fraction under evaluation by Lentz's method, as modified by Thompson and Barnett (1986).
struct Lentz {
    value: f64,
    c: f64,
    d: f64,
}

impl Lentz {
    /// Starts at a first convergent, which is not zero.
    fn new(first: f64) -> Self {
        Self { value: first, c: f64::INFINITY, d: first }
    }

    /// Takes one more partial numerator and denominator; true when the value has stopped to move.
    fn converged(&mut self, numerator: f64, denominator: f64) -> bool {
        let away_from_zero = |x: f64| if x.abs() < 1e-300 { 1e-300 } else { x };
        self.d = 1.0 / away_from_zero(denominator + numerator * self.d);
        self.c = away_from_zero(denominator + numerator / self.c);
        let change = self.c * self.d;
        self.value *= change;
        (change - 1.0).abs() <= f64::EPSILON
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

    fn assert_close(found: f64, expected: f64, relative: f64, what: &str) {
        assert!(
            (found - expected).abs() <= relative * expected.abs(),
            "{what}: {found}, expected {expected}"
        );
    }

    /// Computed once with mpmath at 30 digits; the tolerance leaves room for the digits that large arguments cost.
    #[test]
    fn values_of_high_precision_are_met() {
        for (p, degrees, t) in [
            (0.975, 1.0, 12.706_204_736_174_705),
            (0.975, 9.0, 2.262_157_162_798_205_5),
            (0.975, 30.0, 2.042_272_456_301_238),
            (0.995, 4.0, 4.604_094_871_349_993),
            (0.95, 100.0, 1.660_234_326_085_339_6),
            (0.975, 1e4, 1.960_201_239_890_626_3),
        ] {
            assert_close(student_quantile(p, degrees), t, 1e-13, "t quantile");
            assert_close(student_quantile(1.0 - p, degrees), -t, 1e-12, "t quantile");
        }
        assert_close(student_upper(3.0, 1e6), 0.001_349_931_270_710_899, 1e-11, "t upper");
        assert_close(student_upper(50.0, 7.0), 1.675_626_297_775_02e-10, 1e-12, "t upper");
        assert_close(chi_square_upper(3.841_458_820_694_124, 1.0), 0.05, 1e-13, "chi-square upper");
        assert_close(chi_square_upper(18.307_038_053_275_146, 10.0), 0.05, 1e-13, "chi-square upper");
        assert_close(chi_square_upper(1_100.0, 1_000.0), 0.014_614_408_126_295_19, 1e-11, "chi-square upper");
        assert_close(normal_upper(1.959_963_984_540_054), 0.025, 1e-14, "normal upper");
        assert_close(normal_upper(20.0), 2.753_624_118_606_234e-89, 1e-13, "normal upper");
    }

    #[test]
    fn two_degrees_of_freedom_are_elementary() {
        for x in [0.1, 1.0, 2.5, 30.0] {
            assert_close(student_upper(x, 2.0), 0.5 * (1.0 - x / (2.0 + x * x).sqrt()), 1e-11, "t upper");
            assert_close(chi_square_upper(x, 2.0), libm::exp(-x / 2.0), 1e-13, "chi-square upper");
        }
    }

    #[test]
    fn the_oracle_agrees_over_a_grid() {
        for degrees in [1.0, 2.0, 3.5, 10.0, 57.0, 400.0, 3_000.0] {
            let (student, chi) =
                (StudentsT::new(0.0, 1.0, degrees).unwrap(), ChiSquared::new(degrees).unwrap());
            for step in 1..40_u32 {
                let t = f64::from(step) * 0.13;
                assert_close(student_upper(t, degrees), student.sf(t), 1e-9, "t");
                assert_close(student_upper(-t, degrees), student.cdf(t), 1e-9, "t");
                let x = degrees * f64::from(step) * 0.06;
                assert!(
                    (chi_square_upper(x, degrees) - chi.sf(x)).abs() < 1e-10,
                    "chi-square {x} of {degrees}"
                );
            }
        }
    }

    #[test]
    fn quantiles_invert_the_upper_tails() {
        for degrees in [1.0, 2.0, 7.0, 33.0, 1e4, 1e8] {
            for p in [1e-6, 0.01, 0.3, 0.5, 0.8, 0.999] {
                let t = student_quantile(p, degrees);
                assert_close(student_upper(t, degrees), 1.0 - p, 1e-11, "round trip");
            }
        }
        assert!((student_quantile(0.975, 1e8) - normal_quantile(0.975)).abs() < 1e-7);
    }

    #[test]
    fn the_ends_are_certain() {
        assert_eq!(chi_square_upper(0.0, 3.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(student_upper(f64::INFINITY, 3.0).to_bits(), 0.0_f64.to_bits());
        assert_close(student_two_sided(0.0, 3.0), 1.0, 1e-15, "two-sided");
        assert!(chi_square_upper(1e5, 3.0) < 1e-300);
    }
}
