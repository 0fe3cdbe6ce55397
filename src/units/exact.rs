//! The edge between decimal text and integer units: a conversion is exact or an error that says why.

use rust_decimal::Decimal;

/// Why a decimal is not a whole number of units.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExactError {
    /// The value lies between two units.
    #[error("{value} is not a multiple of {unit}")]
    NotAMultiple {
        /// The value as given.
        value: Decimal,
        /// One unit.
        unit: Decimal,
    },
    /// The value is larger than 64 bits of units.
    #[error("{value} is beyond the largest amount, {max}")]
    TooLarge {
        /// The value as given.
        value: Decimal,
        /// The largest amount that fits.
        max: Decimal,
    },
}

/// Converts a decimal into a whole number of `unit`s, exactly.
///
/// # Panics
/// Panics if `unit` is not positive.
pub fn decimal_to_units(value: Decimal, unit: Decimal) -> Result<i64, ExactError> {
    assert!(unit > Decimal::ZERO, "a unit is positive");
    let too_large = || ExactError::TooLarge {
        value,
        max: unit.checked_mul(Decimal::from(i64::MAX)).unwrap_or(Decimal::MAX),
    };
    let remainder = value.checked_rem(unit).ok_or_else(too_large)?;
    if !remainder.is_zero() {
        return Err(ExactError::NotAMultiple { value, unit: unit.normalize() });
    }
    let units = value.checked_div(unit).ok_or_else(too_large)?;
    i64::try_from(units).map_err(|_| too_large())
}

/// Converts a whole number of `unit`s back into a decimal, exactly, with the unit's number of digits.
///
/// # Panics
/// Panics if the unit has more than nine significant digits and the product needs more than 96 bits.
pub fn units_to_decimal(units: i64, unit: Decimal) -> Decimal {
    Decimal::from(units).checked_mul(unit).expect("a unit has at most nine significant digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn exact_values_convert_and_return() {
        for (value, unit, units) in
            [("66740.1", "0.1", 667_401), ("0.005", "0.001", 5), ("-3", "0.000001", -3_000_000)]
        {
            assert_eq!(decimal_to_units(decimal(value), decimal(unit)), Ok(units));
            assert_eq!(units_to_decimal(units, decimal(unit)), decimal(value));
        }
    }

    #[test]
    fn a_value_between_units_names_both() {
        let error = decimal_to_units(decimal("0.015"), decimal("0.1")).unwrap_err();
        assert_eq!(error.to_string(), "0.015 is not a multiple of 0.1");
    }

    #[test]
    fn a_value_beyond_64_bits_is_refused() {
        let error = decimal_to_units(decimal("100000000000000000000"), decimal("0.000001")).unwrap_err();
        assert!(matches!(error, ExactError::TooLarge { .. }));
    }
}
