//! Decimal text to exact decimals: a value is exact or refused, never rounded.

use rust_decimal::Decimal;

/// Why a text is not a decimal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotDecimal {
    /// Not a number at all.
    Syntax,
    /// More digits than 96 bits hold, before the point or after it.
    Digits,
}

/// Reads a decimal exactly; `None` if it is none, or has more than 28 digits.
pub(crate) fn exact_decimal(text: &str) -> Option<Decimal> {
    decimal(text).ok()
}

/// Reads a decimal with an optional exponent, exactly: the crate's own parser rounds what is beyond 28 digits.
pub(super) fn decimal(text: &str) -> Result<Decimal, NotDecimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NotDecimal::Syntax)?),
        None => (text, 0),
    };
    let digits = mantissa.replace('_', "");
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) {
        return Err(NotDecimal::Syntax);
    }
    let mut value = Decimal::from_str_exact(&digits).map_err(|_| NotDecimal::Digits)?;
    if value.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let scale = i64::from(value.scale()) - i64::from(exponent);
    if scale >= 0 {
        let scale = u32::try_from(scale).map_err(|_| NotDecimal::Digits)?;
        value.set_scale(scale).map_err(|_| NotDecimal::Digits)?;
        return Ok(value);
    }
    value.set_scale(0).map_err(|_| NotDecimal::Digits)?;
    let power = u32::try_from(-scale).ok().and_then(|power| 10_i128.checked_pow(power));
    let power = power.and_then(|power| Decimal::try_from_i128_with_scale(power, 0).ok());
    power.and_then(|power| value.checked_mul(power)).ok_or(NotDecimal::Digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, value) in [
            ("0.1", "0.1"),
            ("-0.0", "0"),
            ("+1_000.50", "1000.50"),
            ("1e-8", "0.00000001"),
            ("1.5E+3", "1500"),
            ("2.50e1", "25.0"),
            ("0e99", "0"),
            ("1e28", "10000000000000000000000000000"),
        ] {
            assert_eq!(decimal(text).unwrap(), value.parse().unwrap(), "{text}");
        }
        for text in [
            "1e-29",
            "1e29",
            "1.5e28000",
            "0.00000000000000000000000000001",
            "123456789012345678901234567890",
        ] {
            assert_eq!(decimal(text), Err(NotDecimal::Digits), "{text}");
        }
        for text in
            ["", "-", ".5", "5.", "1e", "1e1.5", "0x10", "inf", "nan", "1 ", "--1", "+-1", "1.2.3", "\u{664}"]
        {
            assert_eq!(decimal(text), Err(NotDecimal::Syntax), "{text}");
        }
    }
}
