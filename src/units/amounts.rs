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
        let (quotient, remainder) = (n.div_euclid(d), n.rem_euclid(d));
        let up = match rounding {
            Rounding::Floor => false,
            Rounding::Ceil => remainder > 0,
            Rounding::HalfEven => {
                remainder > d - remainder || (remainder == d - remainder && quotient & 1 == 1)
            }
        };
        return quotient + i64::from(up);
    }
    div_round_wide(numerator, denominator, rounding)
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
        Position(self.0 * side.sign())
    }
}

impl Position {
    /// Returns the size without its sign.
    pub const fn size(self) -> Qty {
        Qty(self.0.abs())
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
        let against = -self.0 * side.sign();
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
        Money(div_round(i128::from(amount.0) * i128::from(self.0), i128::from(Self::ONE), rounding))
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
