//! The logarithm of a number between 0 and 1, which every waiting time takes.

/// Returns the natural logarithm of a normal number above 0 and below 1: the bits of `libm::log`, whose steps these are
/// without those for all other numbers.
///
/// The steps are those of FreeBSD's `e_log.c`: Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at
/// SunSoft, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software is freely
/// granted, provided that this notice is preserved.
#[inline]
pub(super) fn log_below_one(x: f64) -> f64 {
    debug_assert!((f64::MIN_POSITIVE..1.0).contains(&x), "{x} is not a normal number below 1");
    // x = 2^power (1 + more) with 1 + more from half the root of 2 to the root of 2.
    let bits = x.to_bits().wrapping_add(ONE - HALF_ROOT);
    let power = f64::from((bits >> 52) as i32 - 1_023);
    let more = f64::from_bits((bits & MANTISSA) + HALF_ROOT) - 1.0;
    let half_square = 0.5 * more * more;
    let ratio = more / (2.0 + more);
    let z = ratio * ratio;
    let w = z * z;
    let even = w * (C[1] + w * (C[3] + w * C[5]));
    let odd = z * (C[0] + w * (C[2] + w * (C[4] + w * C[6])));
    let rest = odd + even;
    ratio * (half_square + rest) + power * LN2_LOW - half_square + more + power * LN2_HIGH
}

const MANTISSA: u64 = (1 << 52) - 1;
/// The bits of 1 and the upper ones of half the root of 2.
const ONE: u64 = 0x3ff0_0000 << 32;
const HALF_ROOT: u64 = 0x3fe6_a09e << 32;

const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// Of the polynomial that log(1 + more) is made with.
const C: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(x: f64) {
        assert_eq!(log_below_one(x).to_bits(), libm::log(x).to_bits(), "{x:e}");
    }

    #[test]
    fn it_has_the_bits_of_libm() {
        let mut state = 9_u64;
        for _ in 0..300_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Uniform, and of every size.
            agrees(((state >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0));
            agrees(f64::from_bits(f64::MIN_POSITIVE.to_bits() + state % (ONE - f64::MIN_POSITIVE.to_bits())));
        }
    }

    #[test]
    fn it_has_them_at_every_border() {
        for exponent in 1..1_023_u64 {
            for border in [exponent << 52, HALF_ROOT & MANTISSA | exponent << 52] {
                for bits in border - 2..=border + 2 {
                    if (f64::MIN_POSITIVE.to_bits()..ONE).contains(&bits) {
                        agrees(f64::from_bits(bits));
                    }
                }
            }
        }
        agrees(1.0 - f64::EPSILON / 2.0);
    }
}
