//! Numbers as text: the shortest decimal that reads back to the same bits, in no locale.

use std::fmt::Write;

/// Writes a finite number in its shortest form that reads back unchanged, or nothing for a NaN or an infinity: a table
/// has no word for those, and an empty cell means that there is no value. Minus zero is written as zero.
pub fn format_number(value: f64) -> Option<String> {
    let mut text = String::new();
    write_number(&mut text, value);
    (!text.is_empty()).then_some(text)
}

/// Adds what [`format_number`] returns to a text.
pub(super) fn write_number(text: &mut String, value: f64) {
    let size = value.abs();
    if !value.is_finite() {
        return;
    }
    if size == 0.0 {
        text.push('0');
    } else if (1e-5..1e16).contains(&size) {
        // In this range it writes no exponent; a whole number ends in ".0".
        let mut buffer = zmij::Buffer::new();
        let digits = buffer.format_finite(value);
        text.push_str(digits.strip_suffix(".0").unwrap_or(digits));
    } else {
        write!(text, "{value:e}").expect("a text takes every character");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_short_and_plain() {
        for (value, text) in [
            (0.1, "0.1"),
            (-3.0, "-3"),
            (66_740.1, "66740.1"),
            (1e15, "1000000000000000"),
            (1e300, "1e300"),
            (-2.5e-9, "-2.5e-9"),
            (-0.0, "0"),
        ] {
            assert_eq!(format_number(value).as_deref(), Some(text));
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(format_number(value), None);
        }
    }

    proptest! {
        #[test]
        fn within_the_plain_range_it_is_as_short_as_the_language_writes(
            digits in 1_u64..1 << 53,
            exponent in -340_i32..17,
            bits in any::<u64>(),
        ) {
            let scaled = digits as f64 * libm::pow(10.0, f64::from(exponent));
            for value in [scaled, f64::from_bits(bits), digits as f64, digits as f64 * 0.125] {
                if !(1e-5..1e16).contains(&value.abs()) {
                    continue;
                }
                for value in [value, -value] {
                    let text = format_number(value).expect("it is finite");
                    // Half way between two shortest decimals they take different ones.
                    prop_assert_eq!(text.len(), format!("{value}").len(), "{} became {}", value, &text);
                    prop_assert_eq!(text.parse::<f64>(), Ok(value));
                    prop_assert!(!text.contains('e'));
                }
            }
        }

        #[test]
        fn every_finite_number_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            if let Some(text) = format_number(value) {
                let back: f64 = text.parse().unwrap();
                // Adding zero turns minus zero into zero, as the text does.
                prop_assert_eq!(back.to_bits(), (value + 0.0).to_bits(), "{:e} became {}", value, text);
            } else {
                prop_assert!(!value.is_finite());
            }
        }
    }
}
