//! Numbers as text: the shortest decimal that reads back to the same bits, in no locale.

/// Writes a finite number in its shortest form that reads back unchanged, or nothing for a NaN or an infinity: a table
/// has no word for those, and an empty cell means that there is no value. Minus zero is written as zero.
pub fn format_number(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let size = value.abs();
    Some(if size == 0.0 {
        "0".to_owned()
    } else if (1e-5..1e16).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    })
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
