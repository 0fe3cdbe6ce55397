//! What a key means, from the key table; the same table checks the values.

use std::fmt::Write as _;

use super::document::Document;
use super::keys::{Key, Kind, Level, path_matches};
use super::node::{Node, Value, joined, quoted_key};
use super::overrides::parse_path;
use super::problem::{nearest, shown};

/// Explains the key at a path and every key below it: meaning, values, unit, default and why. The path may be
/// concrete (`populations.retail.size`) or a pattern (`populations.*.size`); an empty one means every key. With a
/// document, the values that it gives are shown with their places.
///
/// # Errors
/// Says that no key is there, and which may have been meant.
pub fn explain(keys: &'static [Key], path: &str, resolved: Option<&Document>) -> Result<String, String> {
    let parts = parts(path)?;
    let mut out = String::new();
    for key in keys.iter().filter(|key| below(key.path, &parts)) {
        if !out.is_empty() {
            out.push('\n');
        }
        one(&mut out, key);
        if let Some(document) = resolved {
            values(&mut out, document, key, &parts);
        }
    }
    if out.is_empty() { Err(unknown(keys, path, &parts)) } else { Ok(out) }
}

fn parts(path: &str) -> Result<Vec<String>, String> {
    if path.trim().is_empty() {
        return Ok(Vec::new());
    }
    let segments = parse_path(path).map_err(|fault| format!("`{}`: {}", shown(path), fault.what))?;
    Ok(segments.into_iter().map(|segment| segment.name.unwrap_or_else(|| "*".to_owned())).collect())
}

/// Tells whether a declared path is the given one or below it.
fn below(pattern: &str, parts: &[String]) -> bool {
    let length = pattern.split('.').count();
    let prefix: Vec<&str> = pattern.split('.').take(parts.len()).collect();
    length >= parts.len() && path_matches(&prefix.join("."), parts) || parts.is_empty()
}

fn one(out: &mut String, key: &Key) {
    let _ = writeln!(out, "{}", key.path);
    let _ = writeln!(out, "  {}", key.meaning);
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {name:<9}{text}");
        }
    };
    row("value", &key.kind.expected());
    row("unit", key.unit);
    row("default", key.default.unwrap_or("none"));
    row("why", key.why);
}

/// Adds the values that a document gives under a declared path, as far as they are below the asked one.
fn values(out: &mut String, document: &Document, key: &Key, asked: &[String]) {
    let wanted: Vec<&str> = key.path.split('.').collect();
    let mut found = vec![(String::new(), &document.root)];
    for (depth, part) in wanted.iter().enumerate() {
        let exact = asked.get(depth).map_or(*part, String::as_str);
        let mut next = Vec::new();
        for (path, node) in found {
            for (name, child) in node.entries().into_iter().flatten() {
                if exact == "*" || exact == name {
                    next.push((joined(&path, name), child));
                }
            }
        }
        found = next;
    }
    for (path, node) in found {
        if let Some(text) = short(node) {
            let _ = writeln!(out, "  {:<9}{path} = {text} ({})", "here", document.locate(node.source));
        }
    }
}

fn short(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(format!("\"{}\"", shown(text))),
        Value::Integer(literal, _) | Value::Float(literal, _) => Some(shown(literal)),
        Value::Bool(value) => Some(value.to_string()),
        Value::Datetime(value) => Some(value.to_string()),
        Value::Array(_) => Some(node.found()),
        Value::Table(_) => None,
    }
}

/// Most keys that are named as elsewhere.
const MOST_ELSEWHERE: usize = 6;

/// Names the keys of which a word is a part, or else part of a part: whoever types `leverage` may mean any of them.
fn elsewhere(keys: &[Key], word: &str) -> Option<String> {
    let places = |fits: &dyn Fn(&str) -> bool| {
        let mut places: Vec<String> = Vec::new();
        for key in keys {
            let parts: Vec<&str> = key.path.split('.').collect();
            let Some(at) = parts.iter().position(|part| fits(part)) else { continue };
            let place = format!("`{}`", parts[..=at].join("."));
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    };
    let mut found = places(&|part| part == word);
    if found.len() < MOST_ELSEWHERE && word.len() > 2 {
        found.extend(places(&|part| part != word && part.contains(word)));
    }
    let more = found.len().saturating_sub(MOST_ELSEWHERE);
    found.truncate(MOST_ELSEWHERE);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!found.is_empty()).then(|| found.join(", ") + &rest)
}

/// Says where the path leaves what is known.
fn unknown(keys: &'static [Key], path: &str, parts: &[String]) -> String {
    let root = Level::new(keys);
    let mut level = &root;
    let mut known = String::new();
    for part in parts {
        if let Some(next) = level.child(part) {
            level = next;
            // A star is a pattern here and no name that needs quotes.
            known =
                if part == "*" && !known.is_empty() { format!("{known}.*") } else { joined(&known, part) };
            continue;
        }
        let mut text = format!("there is no key `{}`", shown(path));
        let words: &[&str] = match level.kind() {
            Some(Kind::OneOf(words)) => words,
            _ => &[],
        };
        if words.contains(&part.as_str()) {
            return format!("`{part}` is a choice of `{known}` without keys of its own");
        }
        let names: Vec<&str> = level.keys.keys().chain(words).copied().collect();
        let prefix = if known.is_empty() { String::new() } else { format!("{known}.") };
        if let Some(near) = nearest(part, names.iter().copied()) {
            let _ = write!(text, "; did you mean `{prefix}{}`?", quoted_key(near));
        } else if let Some(others) = elsewhere(keys, part) {
            let _ = write!(text, "; there is {others}");
        } else if !names.is_empty() {
            let place = if known.is_empty() { "at the top".to_owned() } else { format!("below `{known}`") };
            let _ = write!(text, "; known {place}: {}", names.join(", "));
        } else if level.any.is_none() {
            let _ = write!(text, "; `{known}` has no keys");
        }
        return text;
    }
    format!("there is no key `{}`", shown(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::sample::{KEYS, SOUND, document};

    #[test]
    fn a_key_is_explained_by_its_pattern_or_a_concrete_path() {
        let text = explain(KEYS, "populations.*.strategy.maker.levels", None).unwrap();
        insta::assert_snapshot!("explain_key", text);
        assert_eq!(explain(KEYS, "populations.retail.strategy.maker.levels", None).unwrap(), text);
        assert_eq!(explain(KEYS, " populations . 'retail' .strategy.maker.levels ", None).unwrap(), text);
    }

    #[test]
    fn everything_below_a_prefix_is_explained() {
        let below = explain(KEYS, "populations.*", None).unwrap();
        assert_eq!(below.lines().filter(|line| line.starts_with("populations.*.")).count(), 7);
        let all = explain(KEYS, "", None).unwrap();
        assert!(KEYS.iter().all(|key| all.lines().any(|line| line == key.path)));
    }

    #[test]
    fn the_values_of_a_document_are_shown_with_their_places() {
        let document = document(SOUND, &["venues.okx.fees.taker=0.001"]);
        insta::assert_snapshot!(
            "explain_values",
            explain(KEYS, "venues.*.fees.taker", Some(&document)).unwrap()
        );
        let one = explain(KEYS, "venues.okx.fees.taker", Some(&document)).unwrap();
        assert!(one.contains("venues.okx.fees.taker = 0.001 (--set venues.okx.fees.taker=0.001)"), "{one}");
        assert!(!one.contains("binance"), "{one}");
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_could_lead() {
        let refusals: Vec<String> = [
            "sead",
            "populations.retail.strategy.makr.levels",
            "venues.okx.levels",
            "venues.okx.qqqq",
            "qqqq",
            "seed.x",
            "populations.a.strategy.idle",
            "a..b",
        ]
        .iter()
        .map(|path| explain(KEYS, path, None).unwrap_err())
        .collect();
        insta::assert_snapshot!("explain_unknown", refusals.join("\n"));
    }
}
