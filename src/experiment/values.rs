//! Values of an axis as they are written: a list, `range(..)`, `linspace(..)`, `logspace(..)`, `between(..)`. Where they stand
//! is the caller's business.

use crate::record::format_number;
use crate::scenario::exact_decimal;
use rust_decimal::Decimal;
use std::ops::Range;

/// Most values of one axis.
const MOST: u32 = 10_000_000;

/// What a word such as `range(1, 3, 1)` stands for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Generated {
    /// So many values, in TOML syntax.
    Levels(Vec<String>),
    /// Anything between two numbers: for designs that draw.
    Between(Between),
}

/// An interval that values are drawn from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Between {
    /// Lower end.
    pub low: f64,
    /// Upper end, above the lower one.
    pub high: f64,
    /// Whether the logarithm is uniform in place of the value.
    pub is_log: bool,
}

impl Between {
    /// Returns the value that a share of the interval lies below, with six digits.
    pub(super) fn at(&self, share: f64) -> String {
        let value = if self.is_log {
            let (low, high) = (libm::log(self.low), libm::log(self.high));
            libm::exp(low + (high - low) * share)
        } else {
            self.low + (self.high - self.low) * share
        };
        six_digits(value.clamp(self.low, self.high))
    }
}

/// Why a word gives no values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct NoValues {
    pub(super) what: String,
    pub(super) help: Option<String>,
}

impl NoValues {
    fn new(what: impl Into<String>, help: &str) -> Self {
        Self { what: what.into(), help: Some(help.to_owned()) }
    }
}

const FORMS: [(&str, &str); 5] = [
    ("range", "range(first, last, step)"),
    ("linspace", "linspace(first, last, count)"),
    ("logspace", "logspace(first, last, count)"),
    ("between", "between(low, high)"),
    ("log_between", "log_between(low, high)"),
];

/// Understands `name(arguments)`; `None` if the text has another form and so is a value itself.
pub(super) fn generated(text: &str) -> Option<Result<Generated, NoValues>> {
    let (name, rest) = text.trim().split_once('(')?;
    let arguments = rest.strip_suffix(')')?;
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if !is_word || arguments.contains(['(', ')']) {
        return None;
    }
    let Some((name, form)) = FORMS.iter().find(|(known, _)| *known == name) else {
        let forms = FORMS.map(|(_, form)| form).join(", ");
        return Some(Err(NoValues::new(format!("there is no `{name}(...)`"), &format!("known: {forms}"))));
    };
    let numbers: Option<Vec<Decimal>> =
        arguments.split(',').map(|argument| exact_decimal(argument.trim())).collect();
    let Some(numbers) = numbers else {
        return Some(Err(NoValues::new("an argument is no decimal number", &format!("expected {form}"))));
    };
    Some(match (*name, numbers.as_slice()) {
        ("range", [first, last, step]) => range(*first, *last, *step),
        ("linspace", [first, last, count]) => spaced(*first, *last, *count, false),
        ("logspace", [first, last, count]) => spaced(*first, *last, *count, true),
        ("between", [low, high]) => between(*low, *high, false),
        ("log_between", [low, high]) => between(*low, *high, true),
        _ => Err(NoValues::new(
            format!("`{name}` with {} arguments", numbers.len()),
            &format!("expected {form}"),
        )),
    })
}

/// Every step from first to last, both included if the steps meet it; exact in decimals.
fn range(first: Decimal, last: Decimal, step: Decimal) -> Result<Generated, NoValues> {
    let steps = last.checked_sub(first).and_then(|span| span.checked_div(step)).map(|steps| steps.floor());
    let Some(steps) = steps else { return Err(NoValues::new("the step is 0", "range(first, last, step)")) };
    if steps.is_sign_negative() && !steps.is_zero() {
        let help = "turn the sign of the step, or first and last";
        return Err(NoValues::new(format!("steps of {step} lead from {first} away from {last}"), help));
    }
    if steps >= Decimal::from(MOST) {
        return Err(NoValues::new("too many values", "take a larger step"));
    }
    let count = u32::try_from(steps).expect("it is smaller");
    let value = |index: u32| Decimal::from(index).checked_mul(step)?.checked_add(first);
    let values: Option<Vec<String>> = (0..=count).map(|index| value(index).map(plain)).collect();
    values.map(Generated::Levels).ok_or_else(|| NoValues::new("too many digits", "take shorter numbers"))
}

/// `count` values from first to last at equal distances, or equal ratios; the ends are exact, those between have at most
/// twelve digits, or six.
fn spaced(first: Decimal, last: Decimal, count: Decimal, is_log: bool) -> Result<Generated, NoValues> {
    let count = u32::try_from(count).ok().filter(|n| (2..MOST).contains(n) && count.fract().is_zero());
    let Some(count) = count else {
        return Err(NoValues::new(
            "the count is not a whole number of at least 2",
            "two values are the ends",
        ));
    };
    if is_log && (first <= Decimal::ZERO || last <= Decimal::ZERO) {
        return Err(NoValues::new("equal ratios need ends above 0", "take linspace, or other ends"));
    }
    let log = |value: Decimal| libm::log(to_f64(value));
    let between = |index: u32| -> Option<String> {
        if is_log {
            let share = f64::from(index) / f64::from(count - 1);
            return Some(six_digits(libm::exp(log(first) + (log(last) - log(first)) * share)));
        }
        let span = last.checked_sub(first)?.checked_mul(Decimal::from(index))?;
        let value = first.checked_add(span.checked_div(Decimal::from(count - 1))?)?;
        Some(plain(value.round_sf(12)?))
    };
    let value = |index: u32| match index {
        0 => Some(plain(first)),
        _ if index == count - 1 => Some(plain(last)),
        _ => between(index),
    };
    let values: Option<Vec<String>> = (0..count).map(value).collect();
    values.map(Generated::Levels).ok_or_else(|| NoValues::new("too many digits", "take shorter numbers"))
}

fn between(low: Decimal, high: Decimal, is_log: bool) -> Result<Generated, NoValues> {
    if low >= high {
        return Err(NoValues::new(format!("{low} is not below {high}"), "the lower end comes first"));
    }
    if is_log && low <= Decimal::ZERO {
        return Err(NoValues::new("a logarithm needs ends above 0", "take between, or other ends"));
    }
    Ok(Generated::Between(Between { low: to_f64(low), high: to_f64(high), is_log }))
}

fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

fn to_f64(value: Decimal) -> f64 {
    use rust_decimal::prelude::ToPrimitive as _;
    value.to_f64().expect("every decimal is near a float")
}

fn six_digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().expect("what was written as a number reads as one");
    format_number(rounded).expect("the value is finite")
}

/// Cuts a list at its commas, those in quotes and brackets left alone. Blanks around an item do not belong to it.
pub(super) fn items(text: &str) -> Vec<Range<usize>> {
    let mut cuts = vec![];
    let (mut depth, mut quote, mut start) = (0_u32, None, 0);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                cuts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    cuts.push(start..text.len());
    let trimmed = |cut: Range<usize>| {
        let inner = &text[cut.clone()];
        let start = cut.start + inner.len() - inner.trim_start().len();
        start..(start + inner.trim().len())
    };
    cuts.into_iter().map(trimmed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Vec<String> {
        match generated(text) {
            Some(Ok(Generated::Levels(levels))) => levels,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn decimals_stay_exact() {
        assert_eq!(levels("range(0.1, 0.5, 0.1)"), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(levels("range(3,1,-1)"), ["3", "2", "1"]);
        assert_eq!(levels("range(0, 1, 0.4)"), ["0", "0.4", "0.8"]);
        assert_eq!(levels("range(2,2,1)"), ["2"]);
        assert_eq!(levels("linspace(0, 1, 5)"), ["0", "0.25", "0.5", "0.75", "1"]);
        assert_eq!(levels("linspace(0,1,4)"), ["0", "0.333333333333", "0.666666666667", "1"]);
        assert_eq!(levels("linspace(1000, 5000, 3)"), ["1000", "3000", "5000"]);
        assert_eq!(levels("logspace(0.25, 4, 5)"), ["0.25", "0.5", "1", "2", "4"]);
        assert_eq!(levels("logspace(1e-8, 1, 3)"), ["0.00000001", "0.0001", "1"]);
    }

    #[test]
    fn what_gives_no_values_says_why() {
        for (text, what) in [
            ("range(1,2,0)", "the step is 0"),
            ("range(1,2,-1)", "steps of -1 lead from 1 away from 2"),
            ("range(0,1e12,1)", "too many values"),
            ("range(1,2)", "`range` with 2 arguments"),
            ("range(1,2,x)", "an argument is no decimal number"),
            ("range()", "an argument is no decimal number"),
            ("linspace(1,2,1)", "the count is not a whole number of at least 2"),
            ("linspace(1,2,2.5)", "the count is not a whole number of at least 2"),
            ("logspace(0,1,3)", "equal ratios need ends above 0"),
            ("between(2,1)", "2 is not below 1"),
            ("log_between(-1,1)", "a logarithm needs ends above 0"),
            ("logrange(1,2,3)", "there is no `logrange(...)`"),
        ] {
            assert_eq!(generated(text).unwrap().unwrap_err().what, what, "{text}");
        }
        for text in ["1", "two words", "\"range(1,2,3)\"", "[range(1,2,3)]", "A(1)", "f(1)(2)", "f(1", "(1)"]
        {
            assert_eq!(generated(text), None, "{text}");
        }
    }

    #[test]
    fn an_interval_is_walked_evenly() {
        let Some(Ok(Generated::Between(linear))) = generated("between(1, 3)") else { panic!() };
        assert_eq!([0.0, 0.25, 1.0].map(|share| linear.at(share)), ["1", "1.5", "3"]);
        let Some(Ok(Generated::Between(log))) = generated("log_between(0.25, 4)") else { panic!() };
        assert_eq!([0.0, 0.5, 1.0].map(|share| log.at(share)), ["0.25", "1", "4"]);
        assert_eq!(linear.at(1.0 / 3.0), "1.66667");
    }

    #[test]
    fn lists_are_cut_at_their_own_commas() {
        let cut =
            |text: &str| -> Vec<String> { items(text).into_iter().map(|cut| text[cut].to_owned()).collect() };
        assert_eq!(cut("1, 2,3"), ["1", "2", "3"]);
        assert_eq!(cut("[[5, 1], [6, 2]], [7]"), ["[[5, 1], [6, 2]]", "[7]"]);
        assert_eq!(
            cut("range(1,2,1), \"a,b\",'c,d', { x = 1, y = 2 }"),
            ["range(1,2,1)", "\"a,b\"", "'c,d'", "{ x = 1, y = 2 }"]
        );
        assert_eq!(cut("1,,2,"), ["1", "", "2", ""]);
        assert_eq!(cut("]1,2"), ["]1", "2"]);
    }
}
