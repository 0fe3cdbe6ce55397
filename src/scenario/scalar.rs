//! One value against one kind: what it is, or why not. It records nothing.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::decimal::{NotDecimal, decimal};
use super::keys::Kind;
use super::node::{Node, Value};
use super::problem::{Problem, Source, listed, nearest, shown};
use crate::units::{DurationError, Time, parse_duration};

/// Why a value is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) help: Option<String>,
    /// What would be taken, where `what` does not say it.
    expected: Option<String>,
}

impl Refusal {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None, expected: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn expected(self, expected: &str) -> Self {
        Self { expected: Some(expected.to_owned()), ..self }
    }

    /// Adds the unit to what would be taken.
    pub(super) fn in_unit(self, unit: &str) -> Self {
        let expected =
            self.expected.map(|text| if unit.is_empty() { text } else { format!("{text} [{unit}]") });
        Self { expected, ..self }
    }

    /// Makes a problem of it.
    pub(super) fn at(self, at: String, source: Source) -> Problem {
        let help = self.help.or_else(|| self.expected.map(|text| format!("expected {text}")));
        Problem { at, source, what: self.what, help }
    }
}

type Reading<T> = Result<T, Refusal>;

fn mistyped(node: &Node, expected: &str) -> Refusal {
    Refusal::new(format!("expected {expected}, found {}", node.found()))
}

fn outside(value: &str, expected: &str) -> Refusal {
    Refusal::new(format!("{value} is out of range")).expected(expected)
}

/// Longest name, in letters.
const LONGEST_NAME: usize = 64;

/// Tells whether a text is an identifier `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

/// Says why a text is no identifier.
pub(super) fn not_a_name(text: &str) -> Refusal {
    let what = format!("\"{}\" is not a name", shown(text));
    Refusal::new(what).help(format!(
        "a name begins with a letter or digit and has at most {LONGEST_NAME} letters, digits, `_` and `-`"
    ))
}

pub(super) fn text(node: &Node) -> Reading<String> {
    node.as_text().ok_or_else(|| {
        let refusal = mistyped(node, "text");
        match &node.value {
            Value::Integer(literal, _) | Value::Float(literal, _) => {
                refusal.help(format!("quote it: \"{}\"", shown(literal)))
            }
            _ => refusal,
        }
    })
}

pub(super) fn name(node: &Node) -> Reading<String> {
    let text = text(node)?;
    if is_name(&text) { Ok(text) } else { Err(not_a_name(&text)) }
}

pub(super) fn bool(node: &Node) -> Reading<bool> {
    match &node.value {
        Value::Bool(value) => Ok(*value),
        Value::Text(text) if text == "true" || text == "false" => {
            Err(mistyped(node, "true or false").help("remove the quotes"))
        }
        _ => Err(mistyped(node, "true or false")),
    }
}

pub(super) fn int_range(min: i64, max: i64) -> String {
    match (min, max) {
        (i64::MIN, i64::MAX) => "an integer".to_owned(),
        (min, i64::MAX) => format!("an integer of at least {min}"),
        (i64::MIN, max) => format!("an integer of at most {max}"),
        (min, max) => format!("an integer from {min} to {max}"),
    }
}

pub(super) fn int(node: &Node, min: i64, max: i64) -> Reading<i64> {
    let expected = int_range(min, max);
    match &node.value {
        Value::Integer(literal, value) => match value {
            Some(value) if (min..=max).contains(value) => Ok(*value),
            _ => Err(outside(&shown(literal), &expected)),
        },
        Value::Text(text) if text.parse::<i64>().is_ok() => {
            Err(mistyped(node, &expected).help("remove the quotes"))
        }
        Value::Float(literal, value) if value.fract() == 0.0 && value.abs() < 1e15 => {
            Err(mistyped(node, &expected).help(format!("write {value:.0} in place of {}", shown(literal))))
        }
        _ => Err(mistyped(node, &expected)),
    }
}

pub(super) fn float_range(min: f64, max: f64) -> String {
    let positive = min.total_cmp(&f64::MIN_POSITIVE).is_eq();
    match (min <= f64::MIN, max >= f64::MAX) {
        (true, true) => "a number".to_owned(),
        (true, false) => format!("a number of at most {max}"),
        (false, true) if positive => "a number above 0".to_owned(),
        (false, false) if positive => format!("a number above 0, up to {max}"),
        (false, true) => format!("a number of at least {min}"),
        (false, false) => format!("a number from {min} to {max}"),
    }
}

pub(super) fn float(node: &Node, min: f64, max: f64) -> Reading<f64> {
    let expected = float_range(min, max);
    let (literal, value) = match &node.value {
        Value::Float(literal, value) => (literal, *value),
        Value::Integer(literal, Some(value)) => (literal, *value as f64),
        Value::Integer(literal, None) => return Err(outside(&shown(literal), &expected)),
        Value::Text(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            return Err(mistyped(node, &expected).help("remove the quotes"));
        }
        _ => return Err(mistyped(node, &expected)),
    };
    if !value.is_finite() {
        return Err(Refusal::new(format!("{} is not a finite number", shown(literal))).expected(&expected));
    }
    if value == 0.0 && underflowed(literal) {
        return Err(
            Refusal::new(format!("{} is too small for a 64-bit float", shown(literal))).expected(&expected)
        );
    }
    if !(min..=max).contains(&value) {
        return Err(outside(&shown(literal), &expected));
    }
    // Makes -0.0 a plain zero, so that no sign of nothing reaches the model.
    Ok(value + 0.0)
}

/// Tells whether a literal that reads as zero has a digit that is not.
fn underflowed(literal: &str) -> bool {
    let mantissa = literal.split(['e', 'E']).next().unwrap_or_default();
    !literal.starts_with("0x") && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

pub(super) fn exact(node: &Node, min: &str, max: &str) -> Reading<Decimal> {
    let expected = format!("a decimal from {min} to {max}");
    let literal = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Integer(_, Some(value)) => value.to_string(),
        Value::Integer(literal, None) => literal.clone(),
        Value::Float(literal, _) if node.loose => literal.clone(),
        Value::Float(literal, value) if value.is_finite() => {
            return Err(Refusal::new(format!(
                "{} is a binary float, which cannot hold every decimal",
                shown(literal)
            ))
            .help(format!("quote it: \"{}\"", shown(literal))));
        }
        _ => return Err(mistyped(node, &expected)),
    };
    let value = match decimal(&literal) {
        Ok(value) => value,
        Err(NotDecimal::Syntax) => return Err(mistyped(node, &expected)),
        Err(NotDecimal::Digits) => {
            let what = format!("{} has more digits than a decimal holds, 28", shown(&literal));
            return Err(Refusal::new(what).expected(&expected));
        }
    };
    let limit = |text: &str| decimal(text).unwrap_or_else(|_| panic!("the key table has the limit {text}"));
    if value < limit(min) || value > limit(max) {
        return Err(outside(&shown(&literal), &expected));
    }
    Ok(value)
}

pub(super) fn duration(node: &Node, min: &str, max: &str) -> Reading<Time> {
    let expected = format!("a duration from {min} to {max}");
    let text = match &node.value {
        Value::Text(text) => text,
        Value::Integer(literal, _) | Value::Float(literal, _) => {
            let help =
                format!("say the unit: \"{0}s\" for seconds, \"{0}ms\" for milliseconds", shown(literal));
            return Err(mistyped(node, &expected).help(help));
        }
        _ => return Err(mistyped(node, &expected)),
    };
    match parse_duration(text) {
        Ok(time) if time >= limit(min) && time <= limit(max) => Ok(time),
        Ok(_) | Err(DurationError::Range) => Err(outside(&shown(text), &expected)),
        Err(error @ DurationError::Syntax) => {
            Err(Refusal::new(format!("\"{}\" is not a duration", shown(text))).help(error.to_string()))
        }
    }
}

fn limit(text: &str) -> Time {
    parse_duration(text).unwrap_or_else(|_| panic!("the key table has the limit {text}"))
}

pub(super) fn instant(node: &Node) -> Reading<Timestamp> {
    let expected = Kind::Instant.expected();
    let text = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Datetime(datetime) => {
            if datetime.offset.is_none() || datetime.date.is_none() || datetime.time.is_none() {
                return Err(Refusal::new(format!("{datetime} is not one instant everywhere"))
                    .help("give date, time and offset, such as 2026-02-23T00:00:00Z"));
            }
            datetime.to_string()
        }
        _ => return Err(mistyped(node, &expected)),
    };
    text.parse()
        .map_err(|_| Refusal::new(format!("\"{}\" is not an instant", shown(&text))).expected(&expected))
}

pub(super) fn choice(node: &Node, words: &[&'static str]) -> Reading<&'static str> {
    let expected = format!("one of {}", listed(words.iter().copied()));
    let text = node.as_text().ok_or_else(|| mistyped(node, &expected))?;
    words.iter().copied().find(|word| *word == text).ok_or_else(|| {
        let refusal = Refusal::new(format!("expected {expected}, found \"{}\"", shown(&text)));
        match nearest(&text, words.iter().copied()) {
            Some(near) => refusal.help(format!("did you mean \"{near}\"?")),
            None => refusal,
        }
    })
}

/// Checks a value against a kind without keeping it.
pub(super) fn check(node: &Node, kind: &Kind) -> Reading<()> {
    let table = |expected: &str| match node.value {
        Value::Table(_) => Ok(()),
        _ => Err(mistyped(node, expected)),
    };
    match kind {
        Kind::Text => text(node).map(drop),
        Kind::Name => name(node).map(drop),
        Kind::Bool => bool(node).map(drop),
        Kind::Int { min, max } => int(node, *min, *max).map(drop),
        Kind::Float { min, max } => float(node, *min, *max).map(drop),
        Kind::Exact { min, max } => exact(node, min, max).map(drop),
        Kind::Duration { min, max } => duration(node, min, max).map(drop),
        Kind::Instant => instant(node).map(drop),
        Kind::Choice(words) => choice(node, words).map(drop),
        Kind::OneOf(words) => match &node.value {
            Value::Text(_) => choice(node, words).map(drop),
            _ => table("a table or a word"),
        },
        Kind::Table | Kind::Tables => table(&kind.expected()),
        Kind::List => match node.value {
            Value::Array(_) => Ok(()),
            _ => Err(mistyped(node, "an array")),
        },
    }
}

/// Checks that a kind admits any value at all.
pub(super) fn check_kind(kind: &Kind) -> Result<(), String> {
    let sound = match kind {
        Kind::Int { min, max } => min <= max,
        Kind::Float { min, max } => min.is_finite() && max.is_finite() && min <= max,
        Kind::Exact { min, max } => match (decimal(min), decimal(max)) {
            (Ok(min), Ok(max)) => min <= max,
            _ => false,
        },
        Kind::Duration { min, max } => match (parse_duration(min), parse_duration(max)) {
            (Ok(min), Ok(max)) => min <= max,
            _ => false,
        },
        Kind::Choice(words) | Kind::OneOf(words) => !words.is_empty(),
        _ => true,
    };
    if sound { Ok(()) } else { Err(format!("no value is {}", kind.expected())) }
}

/// Stand-ins for what could not be read: in range, so that reading goes on.
pub(super) mod stand_in {
    use super::{Decimal, Time, decimal, limit};

    pub(in crate::scenario) fn int(min: i64, max: i64) -> i64 {
        0.clamp(min, max)
    }

    pub(in crate::scenario) fn float(min: f64, max: f64) -> f64 {
        0.0_f64.clamp(min, max)
    }

    pub(in crate::scenario) fn exact(min: &str) -> Decimal {
        decimal(min).unwrap_or_default()
    }

    pub(in crate::scenario) fn duration(min: &str) -> Time {
        limit(min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::syntax::{Place, parse_value};

    fn file(text: &str) -> Node {
        parse_value(text, Place::File, 1).unwrap()
    }

    fn argument(text: &str) -> Node {
        parse_value(text, Place::Argument { index: 0, offset: 0 }, 1).unwrap()
    }

    #[test]
    fn a_float_of_a_file_is_no_exact_decimal_but_an_arguments_digits_are() {
        let refusal = exact(&file("0.1"), "0", "1").unwrap_err();
        assert_eq!(refusal.help.as_deref(), Some("quote it: \"0.1\""));
        for node in [file("\"0.1\""), argument("0.1"), argument("1e-1"), argument("\"0.1\"")] {
            assert_eq!(exact(&node, "0", "1").unwrap(), "0.1".parse().unwrap());
        }
        assert_eq!(exact(&file("1"), "0", "1").unwrap(), Decimal::ONE);
        assert!(exact(&file("0x10"), "0", "100").is_ok_and(|value| value == Decimal::from(16)));
        assert!(exact(&file("\"1.01\""), "0", "1").is_err());
        assert!(exact(&argument("nan"), "0", "1").is_err());
    }

    #[test]
    fn floats_are_finite_in_range_and_without_the_sign_of_nothing() {
        for text in
            ["nan", "-inf", "1e400", "1e-400", "1.5", "-0.1", "99999999999999999999", "\"0.5\"", "true"]
        {
            assert!(float(&file(text), 0.0, 1.0).is_err(), "{text}");
        }
        for (text, value) in [("0.5", 0.5), ("1", 1.0), ("-0.0", 0.0), ("0e400", 0.0), ("1_0e-1", 1.0)] {
            let found = float(&file(text), 0.0, 1.0).unwrap();
            assert_eq!(found.to_bits(), f64::to_bits(value), "{text}");
        }
        assert!(float(&file("0.0"), f64::MIN_POSITIVE, 1.0).is_err());
    }

    #[test]
    fn integers_keep_to_64_bits_and_their_range() {
        assert_eq!(int(&file("0xff"), 0, 255), Ok(255));
        assert_eq!(int(&file("-9223372036854775808"), i64::MIN, 0), Ok(i64::MIN));
        for text in ["256", "-1", "9223372036854775808", "1.0", "\"1\"", "1e2"] {
            assert!(int(&file(text), 0, 255).is_err(), "{text}");
        }
        assert_eq!(int(&file("1.0"), 0, 9).unwrap_err().help.as_deref(), Some("write 1 in place of 1.0"));
    }

    #[test]
    fn names_are_identifiers() {
        for good in ["a", "0", "A-b_9", &"x".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in
            ["", "-a", "_a", "a b", "../x", "=cmd()", "<script>", "\u{e9}", "a.b", "a\n", &"x".repeat(65)]
        {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn instants_need_their_offset() {
        let expected: Timestamp = "2026-02-23T00:00:00Z".parse().unwrap();
        for text in ["2026-02-23T00:00:00Z", "2026-02-23 01:00:00+01:00", "\"2026-02-23T00:00:00Z\""] {
            assert_eq!(instant(&file(text)), Ok(expected), "{text}");
        }
        for text in ["2026-02-23", "2026-02-23T00:00:00", "12:00:00", "\"2026-02-23\"", "\"soon\"", "0"] {
            assert!(instant(&file(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit_and_a_range() {
        assert_eq!(duration(&file("\"1h30m\""), "0s", "2h"), Ok(Time(5_400_000_000_000)));
        for text in ["\"3h\"", "5", "1.5", "\"5\"", "\"\"", "\"99999999999w\"", "\"0.1ns\"", "[]"] {
            assert!(duration(&file(text), "0s", "2h").is_err(), "{text}");
        }
    }

    #[test]
    fn quotes_may_be_missing_in_arguments_but_not_in_files_or_arrays() {
        assert_eq!(text(&argument("2026")), Ok("2026".to_owned()));
        assert_eq!(name(&argument("true")), Ok("true".to_owned()));
        assert!(text(&file("2026")).is_err());
        let Value::Array(cells) = argument("[2026, 0.1]").value else { panic!() };
        assert!(text(&cells[0]).is_err());
        assert!(exact(&cells[1], "0", "1").is_err());
    }
}
