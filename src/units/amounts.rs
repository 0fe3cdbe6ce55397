//! Price, quantity, position, money, rate: integers with names.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Which way a division goes when it does not come out even.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// Towards minus infinity.
    Floor,
    /// Towards plus infinity.
    Ceil,
    /// To the nearest, ties to the even neighbour.
    HalfEven,
}

/// Divides `numerator` by `denominator` with the stated rounding.
///
/// # Panics
/// Panics if `denominator` is not positive or the quotient does not fit `i64`: amounts are range-checked where they
/// enter, so an overflow here is an error of the program and must not wrap.
#[inline]
pub fn div_round(numerator: i128, denominator: i128, rounding: Rounding) -> i64 {
    assert!(denominator > 0, "division by {denominator}");
    // Most amounts fit 64 bits, where a division is five times cheaper, and cheaper still by a constant.
    if let (Ok(n), Ok(d)) = (i64::try_from(numerator), i64::try_from(denominator)) {
        return div_round_narrow(n, d, rounding);
    }
    div_round_wide(numerator, denominator, rounding)
}

/// Divides the product of two amounts by a third with the stated rounding: `div_round` of the product, which almost always
/// fits 64 bits and then is formed in them.
///
/// # Panics
/// Panics where `div_round` does.
#[inline(always)]
#[allow(clippy::inline_always, reason = "divisors are known where it is called, or short")]
pub fn mul_div(one: i64, other: i64, denominator: i64, rounding: Rounding) -> i64 {
    assert!(denominator > 0, "division by {denominator}");
    match one.checked_mul(other) {
        Some(product) => div_round_narrow(product, denominator, rounding),
        None => div_round_wide(i128::from(one) * i128::from(other), i128::from(denominator), rounding),
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `mul_div`")]
#[expect(clippy::integer_division, reason = "it is rounded by the remainder")]
fn div_round_narrow(numerator: i64, denominator: i64, rounding: Rounding) -> i64 {
    // Towards zero, as the processor divides.
    let (quotient, remainder) = (numerator / denominator, numerator % denominator);
    match rounding {
        Rounding::Floor => quotient - i64::from(remainder < 0),
        Rounding::Ceil => quotient + i64::from(remainder > 0),
        Rounding::HalfEven => {
            let (rest, other) = (remainder.abs(), denominator - remainder.abs());
            let away = rest > other || (rest == other && quotient & 1 == 1);
            quotient + if away { remainder.signum() } else { 0 }
        }
    }
}

#[cold]
fn div_round_wide(numerator: i128, denominator: i128, rounding: Rounding) -> i64 {
    let (quotient, remainder) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::Ceil => remainder > 0,
        Rounding::HalfEven => {
            let twice = remainder * 2;
            twice > denominator || (twice == denominator && quotient.rem_euclid(2) == 1)
        }
    };
    i64::try_from(quotient + i128::from(up)).expect("an amount fits 64 bits")
}

/// The side of an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// Takes from the asks or rests in the bids.
    Buy,
    /// Takes from the bids or rests in the asks.
    Sell,
}

impl Side {
    /// Returns the side of the counterparty.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Returns +1 for a buy and -1 for a sell.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
}

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// Tells whether this is nothing.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

amount!(/// A price in ticks of its market; an offset between prices is one too.
    Price);
amount!(/// A quantity in lots, never negative on an order.
    Qty);
amount!(/// A signed quantity in lots: positive is long.
    Position);
amount!(/// An amount of one asset in its smallest unit (USDT 1e-6, coins 1e-8).
    Money);

impl Price {
    /// A price above every book.
    pub const MAX: Self = Self(i64::MAX);
}

impl Qty {
    /// A quantity above every order.
    pub const MAX: Self = Self(i64::MAX);

    /// Returns the quantity as a change of position of somebody who trades on `side`.
    pub const fn signed(self, side: Side) -> Position {
        match side {
            Side::Buy => Position(self.0),
            Side::Sell => Position(-self.0),
        }
    }
}

/// Sums of lots are checked, and orders far too small for one of them to end at the one number that has no opposite: nobody looks
/// out for it here.
impl Position {
    /// Returns the size without its sign.
    pub const fn size(self) -> Qty {
        Qty(self.0.wrapping_abs())
    }

    /// Returns the side that opened this position, or `None` if it is flat.
    pub const fn side(self) -> Option<Side> {
        match self.0 {
            0 => None,
            lots if lots > 0 => Some(Side::Buy),
            _ => Some(Side::Sell),
        }
    }

    /// Returns how much somebody with this position may trade on `side` without increasing or flipping it.
    pub const fn reducible(self, side: Side) -> Qty {
        let against = match side {
            Side::Buy => self.0.wrapping_neg(),
            Side::Sell => self.0,
        };
        Qty(if against > 0 { against } else { 0 })
    }
}

/// A fraction in units of 1e-9: a fee, a margin rate, a funding rate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Rate(pub i64);

impl Rate {
    /// One whole in units of 1e-9.
    pub const ONE: i64 = 1_000_000_000;
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Multiplies an amount of money with the stated rounding.
    #[inline]
    pub fn of(self, amount: Money, rounding: Rounding) -> Money {
        Money(mul_div(amount.0, self.0, Self::ONE, rounding))
    }

    /// Returns the rate as a float, for beliefs and statistics.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::ONE as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_round_as_named_on_both_sides_of_zero() {
        let cases = [
            (7, 2, 3, 4, 4),
            (-7, 2, -4, -3, -4),
            (5, 2, 2, 3, 2),
            (-5, 2, -3, -2, -2),
            (6, 3, 2, 2, 2),
            (-1, 3, -1, 0, 0),
            (2, 3, 0, 1, 1),
        ];
        for (n, d, floor, ceil, half_even) in cases {
            assert_eq!(div_round(n, d, Rounding::Floor), floor, "{n}/{d}");
            assert_eq!(div_round(n, d, Rounding::Ceil), ceil, "{n}/{d}");
            assert_eq!(div_round(n, d, Rounding::HalfEven), half_even, "{n}/{d}");
        }
        let wide = i128::from(i64::MAX) * 3;
        assert_eq!(div_round(wide, 3, Rounding::Floor), i64::MAX);
    }

    /// Products of all sizes, on both sides of what 64 bits hold.
    #[test]
    fn narrow_and_wide_divisions_agree() {
        let mut state = 5_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state as i64) >> (state >> 58)
        };
        let mut wide = 0;
        for _ in 0..200_000 {
            let (one, other) = (next(), next());
            let product = i128::from(one) * i128::from(other);
            wide += i32::from(i64::try_from(product).is_err());
            // Often one that leaves nothing or half.
            let even = (one.unsigned_abs().max(1) >> (product & 1)).max(1);
            let denominator = if product & 6 == 0 { even as i64 } else { (next() & i64::MAX).max(1) };
            for rounding in [Rounding::Floor, Rounding::Ceil, Rounding::HalfEven] {
                let exact = |denominator: i64| {
                    let quotient = product.div_euclid(i128::from(denominator));
                    i64::try_from(quotient).is_ok_and(|q| q.checked_add(1).is_some())
                };
                let denominator = if exact(denominator) { denominator } else { i64::MAX };
                let by_wide = div_round_wide(product, i128::from(denominator), rounding);
                assert_eq!(
                    mul_div(one, other, denominator, rounding),
                    by_wide,
                    "{one} {other} {denominator}"
                );
                assert_eq!(div_round(product, i128::from(denominator), rounding), by_wide);
            }
        }
        assert!((50_000..150_000).contains(&wide), "{wide}");
    }

    #[test]
    #[should_panic(expected = "fits 64 bits")]
    fn an_amount_beyond_64_bits_is_an_error_not_a_wrap() {
        div_round(i128::from(i64::MAX) * 3, 1, Rounding::Floor);
    }

    #[test]
    fn only_the_opposite_side_reduces() {
        assert_eq!(Position(5).reducible(Side::Sell), Qty(5));
        assert_eq!(Position(5).reducible(Side::Buy), Qty(0));
        assert_eq!(Position(-5).reducible(Side::Buy), Qty(5));
        assert_eq!(Position(0).reducible(Side::Sell), Qty(0));
    }

    #[test]
    fn a_fee_rounds_in_the_stated_direction() {
        let half_permille = Rate(500_000);
        assert_eq!(half_permille.of(Money(1), Rounding::Ceil), Money(1));
        assert_eq!(half_permille.of(Money(1), Rounding::Floor), Money(0));
        assert_eq!(half_permille.of(Money(66_740_000_000), Rounding::Ceil), Money(33_370_000));
    }
}
