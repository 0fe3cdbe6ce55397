//! What differs between two documents, value by value.

use super::document::Document;
use super::keys::{Key, Level};
use super::node::{Entries, Node, Value, joined};

/// One place where two documents differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Dotted path, with the index of a row in brackets.
    pub path: String,
    /// The value of the first in TOML; `None` if it has none there.
    pub a: Option<String>,
    /// The value of the second.
    pub b: Option<String>,
    /// Unit of the value, empty if it has none.
    pub unit: &'static str,
}

/// Letters of rows that are shown rather than counted.
const SHORT: usize = 80;

/// Returns where two documents differ, by path. A table that only one of them has is one difference; so is a list, unless both
/// have as many rows.
pub fn differences(a: &Document, b: &Document, keys: &'static [Key]) -> Vec<Difference> {
    let mut found = Vec::new();
    let tables = |document: &Document| document.root.entries().expect("the root is a table").clone();
    tables_differ(&mut found, "", &tables(a), &tables(b), Some(&Level::new(keys)));
    found
}

fn tables_differ(found: &mut Vec<Difference>, path: &str, a: &Entries, b: &Entries, level: Option<&Level>) {
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names {
        let below = level.and_then(|level| level.child(name));
        nodes_differ(found, &joined(path, name), a.get(name), b.get(name), below);
    }
}

fn nodes_differ(
    found: &mut Vec<Difference>,
    path: &str,
    a: Option<&Node>,
    b: Option<&Node>,
    level: Option<&Level>,
) {
    match (a.map(|node| &node.value), b.map(|node| &node.value)) {
        (Some(Value::Table(a)), Some(Value::Table(b))) => tables_differ(found, path, a, b, level),
        (Some(Value::Array(rows)), Some(Value::Array(others)))
            if has_rows(rows) && rows.len() == others.len() =>
        {
            for (index, (row, other)) in rows.iter().zip(others).enumerate() {
                nodes_differ(found, &format!("{path}[{index}]"), Some(row), Some(other), level);
            }
        }
        (left, right) if left == right || same_text(a, b) => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            a: a.map(shown),
            b: b.map(shown),
            unit: level.and_then(|level| level.key).map_or("", |key| key.unit),
        }),
    }
}

fn has_rows(elements: &[Node]) -> bool {
    elements.iter().any(|element| matches!(element.value, Value::Array(_)))
}

/// A decimal may be written as an integer or in quotes, and `1` and `1.0` are one number: exactly equal decimals are no
/// difference.
fn same_text(a: Option<&Node>, b: Option<&Node>) -> bool {
    let decimal = |node: Option<&Node>| match &node?.value {
        Value::Text(text) => super::exact_decimal(text),
        Value::Integer(literal, _) | Value::Float(literal, _) => super::exact_decimal(literal),
        _ => None,
    };
    decimal(a).is_some_and(|value| decimal(b) == Some(value))
}

fn shown(node: &Node) -> String {
    match &node.value {
        Value::Table(entries) => {
            let values = leaves(entries);
            format!("a table of {values} {}", if values == 1 { "value" } else { "values" })
        }
        Value::Array(elements) if has_rows(elements) && node.literal().len() > SHORT => {
            format!("{} rows", elements.len())
        }
        _ => node.literal(),
    }
}

fn leaves(entries: &Entries) -> usize {
    entries.values().map(|node| node.entries().map_or(1, leaves)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::sample::{KEYS, SOUND, document};

    fn drawn(a: &Document, b: &Document) -> String {
        let line = |one: &Difference| {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!("{} | {} | {} | {}", one.path, side(&one.a), side(&one.b), one.unit)
        };
        differences(a, b, KEYS).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_document_does_not_differ_from_itself_nor_by_how_a_number_is_written() {
        let sound = document(SOUND, &[]);
        assert_eq!(differences(&sound, &sound, KEYS), []);
        let same = document(SOUND, &["venues.binance.tick=0.10", "seed=7"]);
        assert_eq!(differences(&sound, &same, KEYS), []);
    }

    #[test]
    fn values_rows_and_tables_of_one_side_are_told() {
        let changes = [
            "seed=8",
            "populations.makers.size=9",
            "venues.binance.tiers=[[0, \"0.004\"], [1, \"0.9\"]]",
            "venues.kraken={ tick = \"1\", fees = { taker = 0 } }",
        ];
        insta::assert_snapshot!("differences", drawn(&document(SOUND, &[]), &document(SOUND, &changes)));
    }
}
