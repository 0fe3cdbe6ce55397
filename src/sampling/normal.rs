//! The normal distribution and its quantile function.

use super::OpenUniform01;
use rand::Rng;
use rand::distr::Distribution;

/// Normal by mean and standard deviation. By inversion, so that a draw takes one word and rises with it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Normal {
    mean: f64,
    sd: f64,
}

impl Normal {
    /// Makes the distribution; a standard deviation of zero is the constant `mean`.
    ///
    /// # Panics
    /// Panics unless both are finite and `sd` is not negative.
    pub fn new(mean: f64, sd: f64) -> Self {
        assert!(mean.is_finite(), "the mean of a normal is finite, not {mean}");
        assert!(sd >= 0.0 && sd.is_finite(), "a standard deviation is finite and not negative, not {sd}");
        Self { mean, sd }
    }
}

impl Distribution<f64> for Normal {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.mean + self.sd * normal_quantile(OpenUniform01.sample(rng))
    }
}

/// Returns the standard normal value that lies above a share `p` of the distribution, to a relative error of 1e-15.
///
/// Algorithm AS 241, PPND16 (Wichura 1988).
///
/// # Panics
/// Panics unless `p` is in the open interval (0, 1).
pub fn normal_quantile(p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile's probability is in (0, 1), not {p}");
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let size = if r <= 5.0 { ratio(&MIDDLE, r - 1.6) } else { ratio(&FAR, r - 5.0) };
    if q < 0.0 { -size } else { size }
}

/// Coefficients of a ratio of polynomials, constant term first.
struct Ratio {
    above: [f64; 8],
    below: [f64; 8],
}

/// Evaluates a ratio of polynomials by Horner's rule.
#[inline]
fn ratio(coefficients: &Ratio, x: f64) -> f64 {
    let horner = |polynomial: &[f64; 8]| polynomial.iter().rev().fold(0.0, |sum, &c| sum * x + c);
    horner(&coefficients.above) / horner(&coefficients.below)
}

// The constants as printed, with all their digits.
#[expect(clippy::excessive_precision, reason = "the published digits, to be compared with the paper")]
const CENTRE: Ratio = Ratio {
    above: [
        3.387_132_872_796_366_608_0,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    below: [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083_0e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061_0e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561_0e3,
    ],
};

#[expect(clippy::excessive_precision, reason = "the published digits, to be compared with the paper")]
const MIDDLE: Ratio = Ratio {
    above: [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_90,
        5.769_497_221_460_691_405_50,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ],
    below: [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_40,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
};

#[expect(clippy::excessive_precision, reason = "the published digits, to be compared with the paper")]
const FAR: Ratio = Ratio {
    above: [
        6.657_904_643_501_103_777_20,
        5.463_784_911_164_114_369_90,
        1.784_826_539_917_291_335_80,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    below: [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{assert_moments, assert_same_distribution, golden};

    #[test]
    fn bits_are_stable() {
        golden(
            &Normal::new(-3.0, 2.0),
            &[0xc007_77a1_2b38_b70d, 0xc01e_68aa_f0c1_0368, 0xc005_2448_270b_721b],
        );
    }

    /// Wichura's own checks (p = .25, .001, 1e-20) and the inverse of `erfc` over the whole range, tails included.
    #[test]
    fn quantiles_are_the_published_and_the_inverse_ones() {
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_814),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!((normal_quantile(p) / z - 1.0).abs() < 1e-15, "{p}");
        }
        let mut p = 1e-300;
        while p < 0.5 {
            let back = 0.5 * libm::erfc(-normal_quantile(p) / 2.0_f64.sqrt());
            // The tail's probability is -z times as sensitive as the quantile.
            assert!((back / p - 1.0).abs() < 1e-12, "{p}: {back}");
            assert!(p < 1e-6 || (normal_quantile(p) + normal_quantile(1.0 - p)).abs() < 1e-9);
            p *= 1.37;
        }
        assert_eq!(normal_quantile(0.5).to_bits(), 0);
    }

    #[test]
    fn moments_are_those_of_the_normal() {
        assert_moments(&Normal::new(-3.0, 2.0), -3.0, 4.0, 3.0);
    }

    #[test]
    fn the_oracle_agrees() {
        assert_same_distribution(&Normal::new(-3.0, 2.0), &rand_distr::Normal::new(-3.0, 2.0).unwrap());
    }

    #[test]
    #[should_panic(expected = "not negative, not -1")]
    fn a_negative_deviation_is_refused() {
        Normal::new(0.0, -1.0);
    }
}
