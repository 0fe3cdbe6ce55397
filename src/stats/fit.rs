//! Does a sample follow a stated law? Pearson's chi-square for counts, Kolmogorov-Smirnov for continuous values.
//!
//! A p-value is the probability that data of the law itself look at least this strange. A validation that asks many
//! questions must expect small ones: correct for their number (`rank::holm`).

use super::assert_finite;
use super::distribution::chi_square_upper;

/// The outcome of Pearson's test.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChiSquare {
    /// Sum over the cells of (observed - expected)^2 / expected; infinite if a cell of probability zero was observed.
    pub statistic: f64,
    /// Degrees of freedom: cells after pooling, less one, less the fitted parameters.
    pub degrees: usize,
    /// Probability of a statistic at least this large under the law [0-1].
    pub p_value: f64,
}

/// Cells are pooled until each expects this many counts (Cochran 1954), below which the chi-square misleads.
const EXPECTED_MIN: f64 = 5.0;

/// Tests counts against the probabilities of their cells (Pearson 1900).
///
/// `observed[i]` counts what fell in cell `i` and `probabilities[i]` is its probability; the cells cover everything, so
/// the last of a law without end is "this or more". Neighbouring cells are pooled until each expects five counts.
/// `fitted` is the number of parameters estimated from the same data, usually 0. A count in a cell of probability zero
/// refutes the law by itself, with a p-value of 0; pooling does not hide it. Otherwise returns `None` if pooling leaves
/// no degree of freedom: too few counts to test.
///
/// # Panics
/// Panics if the lengths differ, a probability is negative, or the probabilities do not sum to one within 1e-9.
pub fn chi_square(observed: &[u64], probabilities: &[f64], fitted: usize) -> Option<ChiSquare> {
    assert_eq!(observed.len(), probabilities.len(), "counts and probabilities are of the same cells");
    assert_finite(probabilities);
    let whole: f64 = probabilities.iter().sum();
    assert!(probabilities.iter().all(|&p| p >= 0.0), "a probability is negative");
    assert!((whole - 1.0).abs() < 1e-9, "the cells' probabilities sum to {whole}, not one");
    let total = observed.iter().sum::<u64>() as f64;
    let pools = pool(observed, probabilities, total);
    let degrees = pools.len().checked_sub(1 + fitted).filter(|&degrees| degrees > 0);
    if observed.iter().zip(probabilities).any(|(&count, &probability)| count > 0 && probability <= 0.0) {
        return Some(ChiSquare { statistic: f64::INFINITY, degrees: degrees.unwrap_or(0), p_value: 0.0 });
    }
    let degrees = degrees?;
    let deviation = |pool: &Pool| pool.count - pool.expected;
    let statistic = pools.iter().map(|pool| deviation(pool) * deviation(pool) / pool.expected).sum();
    Some(ChiSquare { statistic, degrees, p_value: chi_square_upper(statistic, degrees as f64) })
}

/// Neighbouring cells taken together.
#[derive(Clone, Copy, Default)]
struct Pool {
    count: f64,
    expected: f64,
}

fn pool(observed: &[u64], probabilities: &[f64], total: f64) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    let mut open = Pool::default();
    for (&count, &probability) in observed.iter().zip(probabilities) {
        open.count += count as f64;
        open.expected += probability * total;
        if open.expected >= EXPECTED_MIN {
            pools.push(std::mem::take(&mut open));
        }
    }
    // What is left at the end expects too little by itself.
    if let Some(last) = pools.last_mut() {
        last.count += open.count;
        last.expected += open.expected;
    }
    pools
}

/// The outcome of a Kolmogorov-Smirnov test.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct KolmogorovSmirnov {
    /// Largest distance between the two distribution functions [0-1].
    pub distance: f64,
    /// Probability of a distance at least this large under the law [0-1].
    pub p_value: f64,
}

/// Samples up to this size get the exact distribution of the distance.
const EXACT_MAX: usize = 100;

/// Tests values against the uniform law on [0, 1] (Kolmogorov 1933). For another law pass its distribution function of
/// each value. Returns `None` for an empty sample.
///
/// The p-value is exact to seven digits for up to 100 values (Marsaglia, Tsang and Wang 2003). Beyond, it is Kolmogorov's
/// limit with Vrbik's (2018) correction, within 2e-4 of the exact one; Stephens's, made for the tail, is .01 off at large
/// p-values, which would bend the p-values of many validations away from uniform.
///
/// # Panics
/// Panics if a value is outside [0, 1].
pub fn kolmogorov_smirnov(values: &[f64]) -> Option<KolmogorovSmirnov> {
    assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "a uniform value is outside [0, 1]");
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let gap = |(rank, value): (usize, f64)| (value - rank as f64 / n).max((rank + 1) as f64 / n - value);
    let distance = super::quantile::sorted(values).into_iter().enumerate().map(gap).fold(0.0, f64::max);
    let p_value = if values.len() <= EXACT_MAX {
        1.0 - distance_cdf(distance, values.len())
    } else {
        let z = n.sqrt() * distance;
        kolmogorov_upper(z + 1.0 / (6.0 * n.sqrt()) + (z - 1.0) / (4.0 * n))
    };
    Some(KolmogorovSmirnov { distance, p_value: p_value.clamp(0.0, 1.0) })
}

/// Tests whether two samples come from one continuous law (Smirnov 1939). Returns `None` if a sample is empty.
///
/// The p-value is Kolmogorov's limit with Stephens's (1970) correction, for samples of about 20 and more: right in the
/// tail, up to .02 too large at large p-values. With ties it is too large, never too small.
pub fn kolmogorov_smirnov_two(a: &[f64], b: &[f64]) -> Option<KolmogorovSmirnov> {
    let (a, b) = (super::quantile::sorted(a), super::quantile::sorted(b));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let share =
        |sorted: &[f64], value: f64| sorted.partition_point(|&x| x <= value) as f64 / sorted.len() as f64;
    let gaps = a.iter().chain(&b).map(|&value| (share(&a, value) - share(&b, value)).abs());
    let distance = gaps.fold(0.0, f64::max);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let root = (n * m / (n + m)).sqrt();
    Some(KolmogorovSmirnov { distance, p_value: kolmogorov_upper((root + 0.12 + 0.11 / root) * distance) })
}

/// The upper tail of Kolmogorov's limiting law: two series, each where it converges in a few terms.
fn kolmogorov_upper(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let terms = 1..=20_u32;
    if x < 1.18 {
        let rate = std::f64::consts::PI * std::f64::consts::PI / (8.0 * x * x);
        let odd = terms.map(|j| f64::from(2 * j - 1));
        let sum: f64 = odd.map(|j| libm::exp(-rate * j * j)).sum();
        return (1.0 - std::f64::consts::TAU.sqrt() / x * sum).clamp(0.0, 1.0);
    }
    let signed = |j: u32| if j % 2 == 1 { 1.0 } else { -1.0 };
    let sum: f64 = terms.map(|j| signed(j) * libm::exp(-2.0 * f64::from(j * j) * x * x)).sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// The distribution function of the distance of `n` uniform values (Marsaglia, Tsang and Wang 2003): a matrix to the
/// power n, or far in the tail their approximation with seven digits.
fn distance_cdf(distance: f64, n: usize) -> f64 {
    let count = n as f64;
    let square = distance * distance * count;
    if square > 7.24 || (square > 3.76 && n > 99) {
        return 1.0 - 2.0 * libm::exp(-(2.000_071 + 0.331 / count.sqrt() + 1.409 / count) * square);
    }
    let cell = libm::floor(count * distance) as usize + 1;
    let rest = cell as f64 - count * distance;
    let power = transitions(cell, rest).power(n);
    let mut probability = power.at(cell - 1, cell - 1);
    for i in 1..=n {
        probability *= i as f64 / count;
    }
    probability * libm::ldexp(1.0, power.exponent)
}

/// The matrix H of the paper: 2*cell-1 rows, reciprocals of factorials, with its first column and last row corrected.
fn transitions(cell: usize, rest: f64) -> Matrix {
    let size = 2 * cell - 1;
    let mut matrix = Matrix { size, cells: vec![0.0; size * size], exponent: 0 };
    let power = |exponent: usize| libm::pow(rest, exponent as f64);
    for row in 0..size {
        for column in 0..(row + 2).min(size) {
            matrix.cells[row * size + column] = 1.0;
        }
    }
    for i in 0..size {
        matrix.cells[i * size] -= power(i + 1);
        matrix.cells[(size - 1) * size + i] -= power(size - i);
    }
    let corner = 2.0 * rest - 1.0;
    if corner > 0.0 {
        matrix.cells[(size - 1) * size] += libm::pow(corner, size as f64);
    }
    for row in 0..size {
        for column in 0..=row {
            for factor in 1..=(row + 1 - column) {
                matrix.cells[row * size + column] /= factor as f64;
            }
        }
    }
    matrix
}

/// A square matrix times a power of two, which keeps its powers within range.
#[derive(Clone)]
struct Matrix {
    size: usize,
    cells: Vec<f64>,
    exponent: i32,
}

impl Matrix {
    fn at(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    fn times(&self, other: &Self) -> Self {
        let size = self.size;
        let mut product =
            Self { size, cells: vec![0.0; size * size], exponent: self.exponent + other.exponent };
        for row in 0..size {
            for inner in 0..size {
                let factor = self.at(row, inner);
                for column in 0..size {
                    product.cells[row * size + column] += factor * other.at(inner, column);
                }
            }
        }
        let largest = product.cells.iter().copied().fold(0.0, f64::max);
        if largest > 1e140 {
            let shift = libm::ldexp(1.0, -400);
            product.cells.iter_mut().for_each(|cell| *cell *= shift);
            product.exponent += 400;
        }
        product
    }

    fn power(&self, n: usize) -> Self {
        if n == 1 {
            return self.clone();
        }
        let half = self.power(n >> 1);
        let square = half.times(&half);
        if n & 1 == 1 { square.times(self) } else { square }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::sampling::{Distribution, Poisson, Uniform01};

    /// Mendel's peas: 315, 108, 101, 32 against 9:3:3:1, R's `chisq.test` prints .470024 with p = .925426.
    #[test]
    fn mendels_peas_fit_his_law() {
        let found =
            chi_square(&[315, 108, 101, 32], &[9.0 / 16.0, 3.0 / 16.0, 3.0 / 16.0, 1.0 / 16.0], 0).unwrap();
        assert_eq!(found.degrees, 3);
        assert!(
            (found.statistic - 0.470_024).abs() < 1e-6 && (found.p_value - 0.925_426).abs() < 1e-6,
            "{found:?}"
        );
    }

    #[test]
    fn cells_are_pooled_until_each_expects_five() {
        // 100 counts expect 3, 3, 90, 3, 1: pooled to 6, 90 + 4.
        let found = chi_square(&[2, 4, 88, 5, 1], &[0.03, 0.03, 0.90, 0.03, 0.01], 0).unwrap();
        assert_eq!(found.degrees, 1);
        assert!(found.statistic.abs() < 1e-12);
        assert_eq!(chi_square(&[3, 1], &[0.5, 0.5], 0), None);
        assert_eq!(chi_square(&[30, 10], &[0.5, 0.5], 1), None);
        assert_eq!(chi_square(&[0, 0], &[0.5, 0.5], 0), None);
    }

    #[test]
    fn one_impossible_count_refutes_the_law() {
        let found = chi_square(&[500, 500, 1], &[0.5, 0.5, 0.0], 0).unwrap();
        assert!(found.statistic.is_infinite() && found.p_value <= 0.0);
        assert!(chi_square(&[500, 500, 0], &[0.5, 0.5, 0.0], 0).unwrap().p_value > 0.99);
    }

    #[test]
    #[should_panic(expected = "sum to 0.9")]
    fn cells_that_leave_something_out_are_refused() {
        chi_square(&[10, 10], &[0.5, 0.4], 0);
    }

    /// 400 samples of the law itself: the p-values are uniform by Kolmogorov's own test (at 1 in 1,000), and a mean 5 %
    /// off is nearly always found.
    #[test]
    fn chi_square_holds_its_level_and_finds_a_wrong_mean() {
        let mean = 3.0;
        let mut cells = vec![libm::exp(-mean)];
        for n in 1..11 {
            cells.push(cells[n - 1] * mean / n as f64);
        }
        cells.push(1.0 - cells.iter().sum::<f64>());
        let stream = Seed { master: 5, replicate: 0 }.stream("fit");
        let p_of = |mean: f64, study: u64| {
            let (mut rng, mut counts) = (stream.draw(study, 0), [0; 12]);
            for _ in 0..4000 {
                counts[(Poisson::new(mean).sample(&mut rng) as usize).min(11)] += 1;
            }
            chi_square(&counts, &cells, 0).unwrap().p_value
        };
        let p_values: Vec<f64> = (0..400).map(|study| p_of(mean, study)).collect();
        assert!(kolmogorov_smirnov(&p_values).unwrap().p_value > 1e-3);
        assert!((0..50).filter(|&study| p_of(mean * 1.05, study) < 0.01).count() > 35);
    }

    /// The authors' own example, n = 10 at .274, confirmed in rational arithmetic by another method (counts on the
    /// intervals between the bounds), and n = 1 and 2 in closed form.
    #[test]
    fn the_exact_distribution_of_the_distance_is_the_published_one() {
        assert!(
            (distance_cdf(0.274, 10) - 0.628_479_615_456_504_3).abs() < 1e-13,
            "{}",
            distance_cdf(0.274, 10)
        );
        for d in [0.5, 0.6, 0.9] {
            assert!((distance_cdf(d, 1) - (2.0 * d - 1.0)).abs() < 1e-12);
            assert!((distance_cdf(d, 2) - (1.0 - 2.0 * (1.0 - d) * (1.0 - d))).abs() < 1e-12);
        }
    }

    /// The median .8276 and the critical values 1.2238, 1.3581, 1.6276 of 10, 5 and 1 % of every table since Smirnov (1948).
    #[test]
    fn kolmogorovs_limit_is_the_tabulated_one() {
        for (x, p) in [(1.223_848, 0.10), (1.358_099, 0.05), (1.627_624, 0.01), (0.827_574, 0.50)] {
            assert!((kolmogorov_upper(x) - p).abs() < 1e-6, "{x}: {}", kolmogorov_upper(x));
        }
        let (below, above) = (kolmogorov_upper(1.18 - 1e-12), kolmogorov_upper(1.18));
        assert!((below - above).abs() < 1e-10, "the two series meet: {below}, {above}");
    }

    /// Exact p-values for n = 100 in rational arithmetic; 101 values of the same distance must come near.
    #[test]
    fn exact_and_asymptotic_p_values_meet_at_the_change_of_method() {
        let p_of = |n: u32, distance: f64| {
            // Evenly spread values, moved up so that the largest gap is the distance.
            let n = f64::from(n);
            let values: Vec<f64> = (0..n as u32).map(|i| (f64::from(i) / n + distance).min(1.0)).collect();
            kolmogorov_smirnov(&values).unwrap()
        };
        for (distance, p) in [(0.06, 0.842_884_795_627), (0.1, 0.252_692_757_006), (0.16, 0.010_543_506_724)]
        {
            let (exact, limit) = (p_of(100, distance), p_of(101, distance));
            assert!((exact.distance - distance).abs() < 1e-12 && (limit.distance - distance).abs() < 1e-12);
            assert!((exact.p_value - p).abs() < 1e-9, "{exact:?}");
            // One value more moves the p-value itself by about 1 % of its slope.
            let slope = (p_of(100, distance).p_value - p_of(99, distance).p_value).abs();
            assert!((limit.p_value - exact.p_value).abs() < slope + 4e-4, "{exact:?}, {limit:?}");
        }
    }

    #[test]
    fn two_samples_of_one_law_agree_and_a_shift_is_found() {
        let stream = Seed { master: 6, replicate: 0 }.stream("fit");
        let sample = |n: u64, shift: f64| -> Vec<f64> {
            let mut rng = stream.draw(n, 0);
            (0..1000).map(|_| Uniform01.sample(&mut rng) + shift).collect()
        };
        assert!(kolmogorov_smirnov_two(&sample(0, 0.0), &sample(1, 0.0)).unwrap().p_value > 1e-3);
        assert!(kolmogorov_smirnov_two(&sample(0, 0.0), &sample(1, 0.2)).unwrap().p_value < 1e-6);
        assert_eq!(kolmogorov_smirnov_two(&[], &[1.0]), None);
        assert_eq!(kolmogorov_smirnov(&[]), None);
    }
}
