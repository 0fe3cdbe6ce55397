//! Ordinary least squares with an intercept.

use super::moments::{compensated, mean};
use super::{assert_finite, varies};

/// A fitted linear model `response = intercept + sum of slope * regressor`.
#[derive(Clone, PartialEq, Debug)]
pub struct Regression {
    /// Intercept and its standard error, in the unit of the response.
    pub intercept: Coefficient,
    /// One slope a regressor, in the order given, in units of response over regressor.
    pub slopes: Vec<Coefficient>,
    /// Standard deviation of the residuals, divisor `degrees`.
    pub residual_deviation: f64,
    /// Degrees of freedom of the residuals: observations less coefficients, at least 1.
    pub degrees: usize,
    /// Share of the response's variance that the model explains [0-1]; `None` if the response does not vary.
    pub r_squared: Option<f64>,
}

/// One coefficient.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Coefficient {
    /// Least-squares estimate.
    pub estimate: f64,
    /// Standard error under independent residuals of one variance.
    pub standard_error: f64,
}

/// Regressors whose remainder, after the earlier ones are taken out, is below this share of their size count as linear
/// combinations of them. Longley's data, the classic of near collinearity, leave 1e-2.
const COLLINEAR: f64 = 1e-11;

/// Fits the response to the regressors by Householder's QR (Golub 1965) of the centred columns, which leaves Longley's
/// data ten correct digits where the normal equations lose all.
///
/// `regressors[j][i]` is regressor `j` of observation `i`; there may be none. Returns `None` if there are fewer than two
/// observations more than regressors, or if the regressors are collinear with each other or the intercept.
///
/// # Panics
/// Panics if the columns differ in length or a value is not finite.
pub fn least_squares(regressors: &[&[f64]], response: &[f64]) -> Option<Regression> {
    let (n, p) = (response.len(), regressors.len());
    assert_finite(response);
    for column in regressors {
        assert_finite(column);
        assert_eq!(column.len(), n, "a regressor and the response are of the same observations");
    }
    if regressors.iter().any(|column| !varies(column)) {
        return None;
    }
    let degrees = n.checked_sub(p + 1).filter(|&degrees| degrees > 0)?;
    let centre = |values: &[f64]| -> Option<(f64, Vec<f64>)> {
        let middle = mean(values)?;
        Some((middle, values.iter().map(|value| value - middle).collect()))
    };
    let (response_mean, mut rotated) = centre(response)?;
    let centred: Option<Vec<(f64, Vec<f64>)>> = regressors.iter().map(|column| centre(column)).collect();
    let (means, mut columns): (Vec<f64>, Vec<Vec<f64>>) = centred?.into_iter().unzip();
    let total = square(&rotated);
    triangularize(&mut columns, &mut rotated)?;
    let residual = square(&rotated[p..]);
    let deviation = (residual / degrees as f64).sqrt();
    let slopes = solve(&columns, &rotated);
    let inverse: Vec<Vec<f64>> = (0..p).map(|j| solve(&columns, &unit(n, j))).collect();
    let slope = |j: usize| {
        let row = compensated(inverse.iter().map(|column| column[j] * column[j])).sqrt();
        Coefficient { estimate: slopes[j], standard_error: deviation * row }
    };
    let intercept = response_mean - compensated(slopes.iter().zip(&means).map(|(b, m)| b * m));
    let lever = |column: &Vec<f64>| compensated(column.iter().zip(&means).map(|(c, m)| c * m));
    let leverage = 1.0 / n as f64 + compensated(inverse.iter().map(|column| lever(column) * lever(column)));
    Some(Regression {
        intercept: Coefficient { estimate: intercept, standard_error: deviation * leverage.sqrt() },
        slopes: (0..p).map(slope).collect(),
        residual_deviation: deviation,
        degrees,
        r_squared: (varies(response) && total > 0.0).then(|| (1.0 - residual / total).clamp(0.0, 1.0)),
    })
}

impl Regression {
    /// Returns the model's response to one value a regressor.
    ///
    /// # Panics
    /// Panics if the number of values is not that of the regressors.
    pub fn predict(&self, values: &[f64]) -> f64 {
        assert_eq!(values.len(), self.slopes.len(), "one value a regressor");
        let terms = self.slopes.iter().zip(values).map(|(slope, value)| slope.estimate * value);
        self.intercept.estimate + compensated(terms)
    }
}

/// Reflects columns and response until column j is zero below row j; `None` if a column has nothing of its own.
fn triangularize(columns: &mut [Vec<f64>], response: &mut [f64]) -> Option<()> {
    for j in 0..columns.len() {
        let (done, later) = columns.split_at_mut(j + 1);
        let column = &mut done[j];
        let (size, own) = (square(column).sqrt(), square(&column[j..]).sqrt());
        if own <= COLLINEAR * size {
            return None;
        }
        // The sign that does not cancel.
        let diagonal = if column[j] > 0.0 { -own } else { own };
        let mut mirror = column[j..].to_vec();
        mirror[0] -= diagonal;
        let norm = square(&mirror);
        let reflect = |values: &mut [f64]| {
            let factor = 2.0 * compensated(mirror.iter().zip(&*values).map(|(m, v)| m * v)) / norm;
            values.iter_mut().zip(&mirror).for_each(|(v, m)| *v -= factor * m);
        };
        for values in later {
            reflect(&mut values[j..]);
        }
        reflect(&mut response[j..]);
        column[j] = diagonal;
        column[j + 1..].fill(0.0);
    }
    Some(())
}

/// Solves the triangular system from the bottom.
fn solve(columns: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut solution = vec![0.0; columns.len()];
    for row in (0..columns.len()).rev() {
        let known = compensated((row + 1..columns.len()).map(|j| columns[j][row] * solution[j]));
        solution[row] = (right[row] - known) / columns[row][row];
    }
    solution
}

fn unit(n: usize, place: usize) -> Vec<f64> {
    let mut vector = vec![0.0; n];
    vector[place] = 1.0;
    vector
}

fn square(values: &[f64]) -> f64 {
    compensated(values.iter().map(|value| value * value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, certified: f64, relative: f64) {
        assert!((found - certified).abs() <= relative * certified.abs(), "{found}, certified {certified}");
    }

    /// NIST's Norris, of lower difficulty. Doubles hold the data to 1e-16 and one regressor costs few digits.
    #[test]
    fn nist_norris_is_met() {
        let x = [
            0.2, 337.4, 118.2, 884.6, 10.1, 226.5, 666.3, 996.3, 448.6, 777.0, 558.2, 0.4, 0.6, 775.5, 666.9,
            338.0, 447.5, 11.6, 556.0, 228.1, 995.8, 887.6, 120.2, 0.3, 0.3, 556.8, 339.1, 887.2, 999.0,
            779.0, 11.1, 118.3, 229.2, 669.1, 448.9, 0.5,
        ];
        let y = [
            0.1, 338.8, 118.1, 888.0, 9.2, 228.1, 668.5, 998.5, 449.1, 778.9, 559.2, 0.3, 0.1, 778.1, 668.8,
            339.3, 448.9, 10.8, 557.7, 228.3, 998.0, 888.8, 119.6, 0.3, 0.6, 557.6, 339.3, 888.0, 998.5,
            778.9, 10.2, 117.6, 228.9, 668.4, 449.2, 0.2,
        ];
        let found = least_squares(&[&x], &y).unwrap();
        assert_close(found.intercept.estimate, -0.262_323_073_774_029, 1e-11);
        assert_close(found.intercept.standard_error, 0.232_818_234_301_152, 1e-11);
        assert_close(found.slopes[0].estimate, 1.002_116_818_020_45, 1e-13);
        assert_close(found.slopes[0].standard_error, 0.429_796_848_199_937e-3, 1e-11);
        assert_close(found.residual_deviation, 0.884_796_396_144_373, 1e-11);
        assert_close(found.r_squared.unwrap(), 0.999_993_745_883_712, 1e-13);
        assert_eq!(found.degrees, 34);
        assert_close(found.predict(&[100.0]), -0.262_323_073_774_029 + 100.211_681_802_045, 1e-13);
    }

    /// NIST's Longley, of higher difficulty: its condition number of 1e9 with the intercept leaves seven digits to naive
    /// double precision; centring saves three more.
    #[test]
    fn nist_longley_is_met() {
        let deflator = [
            83.0, 88.5, 88.2, 89.5, 96.2, 98.1, 99.0, 100.0, 101.2, 104.6, 108.4, 110.8, 112.6, 114.2, 115.7,
            116.9,
        ];
        let product = [
            234_289.0, 259_426.0, 258_054.0, 284_599.0, 328_975.0, 346_999.0, 365_385.0, 363_112.0,
            397_469.0, 419_180.0, 442_769.0, 444_546.0, 482_704.0, 502_601.0, 518_173.0, 554_894.0,
        ];
        let unemployed = [
            2356.0, 2325.0, 3682.0, 3351.0, 2099.0, 1932.0, 1870.0, 3578.0, 2904.0, 2822.0, 2936.0, 4681.0,
            3813.0, 3931.0, 4806.0, 4007.0,
        ];
        let forces = [
            1590.0, 1456.0, 1616.0, 1650.0, 3099.0, 3594.0, 3547.0, 3350.0, 3048.0, 2857.0, 2798.0, 2637.0,
            2552.0, 2514.0, 2572.0, 2827.0,
        ];
        let population = [
            107_608.0, 108_632.0, 109_773.0, 110_929.0, 112_075.0, 113_270.0, 115_094.0, 116_219.0,
            117_388.0, 118_734.0, 120_445.0, 121_950.0, 123_366.0, 125_368.0, 127_852.0, 130_081.0,
        ];
        let year: Vec<f64> = (1947..1963).map(f64::from).collect();
        let employed = [
            60_323.0, 61_122.0, 60_171.0, 61_187.0, 63_221.0, 63_639.0, 64_989.0, 63_761.0, 66_019.0,
            67_857.0, 68_169.0, 66_513.0, 68_655.0, 69_564.0, 69_331.0, 70_551.0,
        ];
        let found =
            least_squares(&[&deflator, &product, &unemployed, &forces, &population, &year], &employed)
                .unwrap();
        let certified = [
            (15.061_872_271_373_3, 84.914_925_774_766_9),
            (-0.358_191_792_925_910e-1, 0.334_910_077_722_432e-1),
            (-2.020_229_803_816_83, 0.488_399_681_651_699),
            (-1.033_226_867_173_59, 0.214_274_163_161_675),
            (-0.511_041_056_535_807e-1, 0.226_073_200_069_370),
            (1_829.151_464_613_55, 455.478_499_142_212),
        ];
        for (slope, (estimate, error)) in found.slopes.iter().zip(certified) {
            assert_close(slope.estimate, estimate, 1e-10);
            assert_close(slope.standard_error, error, 1e-10);
        }
        assert_close(found.intercept.estimate, -3_482_258.634_595_82, 1e-10);
        assert_close(found.intercept.standard_error, 890_420.383_607_373, 1e-10);
        assert_close(found.residual_deviation, 304.854_073_561_965, 1e-10);
        assert_close(found.r_squared.unwrap(), 0.995_479_004_577_296, 1e-12);
    }

    #[test]
    fn no_regressor_is_the_mean() {
        let found = least_squares(&[], &[1.0, 2.0, 6.0]).unwrap();
        assert_close(found.intercept.estimate, 3.0, 1e-15);
        assert_close(found.intercept.standard_error, (7.0_f64 / 3.0).sqrt(), 1e-14);
        assert_eq!(found.r_squared, Some(0.0));
    }

    #[test]
    fn what_is_undefined_is_none() {
        let x = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(least_squares(&[&x[..2]], &[1.0, 2.0]), None);
        assert_eq!(least_squares(&[&[0.1; 4]], &x), None);
        let copy: Vec<f64> = x.iter().map(|x| 0.1 * x + 0.7).collect();
        assert_eq!(least_squares(&[&x, &copy], &[1.0, 0.0, 2.0, 1.0]), None);
        assert_eq!(least_squares(&[&x], &[5.0; 4]).unwrap().r_squared, None);
        assert_eq!(least_squares(&[], &[]), None);
    }
}
