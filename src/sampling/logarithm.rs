//! The natural logarithm of what samplers take it of, bit for bit that of `libm` and in two thirds of its instructions: it
//! goes where it is called, and does not ask for numbers that a uniform never is.
//!
//! After FreeBSD's `e_log.c`, as `libm` is:
//!
//! > Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunSoft, a Sun Microsystems, Inc. business.
//! > Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
#![expect(clippy::excessive_precision, reason = "the constants as their source prints them")]

const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const L1: f64 = 6.666_666_666_666_735e-1;
const L2: f64 = 3.999_999_999_940_942e-1;
const L3: f64 = 2.857_142_874_366_239e-1;
const L4: f64 = 2.222_219_843_214_978_4e-1;
const L5: f64 = 1.818_357_216_161_805e-1;
const L6: f64 = 1.531_383_769_920_937_3e-1;
const L7: f64 = 1.479_819_860_511_658_6e-1;

/// The bits of one, and the upper half of those of the root of a half.
const ONE: u64 = 0x3ff0_0000_0000_0000;
const ROOT_HALF: u64 = 0x3fe6_a09e_0000_0000;
const MANTISSA: u64 = (1 << 52) - 1;

/// Returns the natural logarithm of a positive number that is neither subnormal nor infinite.
#[inline]
#[expect(clippy::many_single_char_names, reason = "the names of the routine that this follows to the bit")]
pub(super) fn log_of_normal(x: f64) -> f64 {
    debug_assert!(x.is_normal() && x > 0.0, "the logarithm of {x}");
    // x = 2^k (1 + f) with 1 + f between the roots of a half and of two.
    let shifted = x.to_bits().wrapping_add(ONE - ROOT_HALF);
    let k = f64::from((shifted >> 52) as i32 - 0x3ff);
    let f = f64::from_bits((shifted & MANTISSA).wrapping_add(ROOT_HALF)) - 1.0;
    let half = 0.5 * f * f;
    let ratio = f / (2.0 + f);
    let square = ratio * ratio;
    let fourth = square * square;
    let even = fourth * (L2 + fourth * (L4 + fourth * L6));
    let odd = square * (L1 + fourth * (L3 + fourth * (L5 + fourth * L7)));
    ratio * (half + (odd + even)) + k * LN2_LOW - half + f + k * LN2_HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_libm() {
        let same = |x: f64| assert_eq!(log_of_normal(x).to_bits(), libm::log(x).to_bits(), "{x:e}");
        let step = f64::EPSILON;
        for x in [0.5_f64.sqrt(), 1.0, 2.0_f64.sqrt(), 2.0, 0.5, f64::MIN_POSITIVE, f64::MAX] {
            [x * (1.0 - step), x, x * (1.0 + step)].into_iter().filter(|x| x.is_normal()).for_each(same);
        }
        let mut state = 1_u64;
        for _ in 0..1_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Every exponent, and the numbers that uniforms are.
            let anything = f64::from_bits(state >> 1);
            if anything.is_normal() {
                same(anything);
            }
            same(((state >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0));
        }
    }
}
