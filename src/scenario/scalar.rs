//! One value against one kind: what it is, or why not. It records nothing.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::keys::Kind;
use super::node::{Node, Value};
use super::problem::Source;
use super::problem::{listed, nearest, shown};
use crate::units::{DurationError, Time, parse_duration};

/// Why a value is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) help: Option<String>,
}

impl Refusal {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

type Reading<T> = Result<T, Refusal>;

fn mistyped(node: &Node, expected: &str) -> Refusal {
    Refusal::new(format!("expected {expected}, found {}", node.found()))
}

fn outside(value: &str, expected: &str) -> Refusal {
    Refusal::new(format!("{value} is out of range")).help(format!("expected {expected}"))
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
    let least = |min: f64| {
        if min.total_cmp(&f64::MIN_POSITIVE).is_eq() { "above 0".to_owned() } else { format!("from {min}") }
    };
    let open = |limit: f64| limit.abs() >= f64::MAX;
    match (open(min), open(max)) {
        (true, true) => "a number".to_owned(),
        (true, false) => format!("a number up to {max}"),
        (false, true) if min.total_cmp(&f64::MIN_POSITIVE).is_eq() => "a number above 0".to_owned(),
        (false, true) => format!("a number of at least {min}"),
        (false, false) => format!("a number {} to {max}", least(min)),
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
        return Err(Refusal::new(format!("{} is not a finite number", shown(literal)))
            .help(format!("expected {expected}")));
    }
    if value == 0.0 && underflowed(literal) {
        return Err(Refusal::new(format!("{} is too small for a 64-bit float", shown(literal)))
            .help(format!("expected {expected}")));
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
    let argument = matches!(node.source, Source::Argument { .. });
    let literal = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Integer(_, Some(value)) => value.to_string(),
        Value::Integer(literal, None) => literal.clone(),
        Value::Float(literal, _) if argument => literal.clone(),
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
            return Err(Refusal::new(what).help(format!("expected {expected}")));
        }
    };
    let limit = |text: &str| decimal(text).unwrap_or_else(|_| panic!("the key table has the limit {text}"));
    if value < limit(min) || value > limit(max) {
        return Err(outside(&shown(&literal), &expected));
    }
    Ok(value)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NotDecimal {
    Syntax,
    Digits,
}

/// Reads a decimal with an optional exponent, exactly: the crate's own parser rounds what is beyond 28 digits.
fn decimal(text: &str) -> Result<Decimal, NotDecimal> {
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
    text.parse().map_err(|_| {
        Refusal::new(format!("\"{}\" is not an instant", shown(&text))).help(format!("expected {expected}"))
    })
}

pub(super) fn choice(node: &Node, words: &[&'static str]) -> Reading<&'static str> {
    let text = text(node)
        .map_err(|refusal| refusal.help(format!("expected one of {}", listed(words.iter().copied()))))?;
    words.iter().copied().find(|word| *word == text).ok_or_else(|| {
        let refusal =
            Refusal::new(format!("\"{}\" is none of {}", shown(&text), listed(words.iter().copied())));
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
