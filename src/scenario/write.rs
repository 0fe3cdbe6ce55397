//! Tree to text: plain TOML 1.0 in one fixed order, which parses back to the same tree.

use std::fmt::Write as _;

use super::document::Document;
use super::keys::{Key, Kind, Level};
use super::node::{Entries, Node, Value, joined, quoted, quoted_key};

impl Document {
    /// Writes the document after overrides: within a table first its values, then its tables, each by name. Numbers
    /// keep the text they were given in.
    ///
    /// A decimal that was given as `--set tick=0.1` is written as the float it looks like, and a file must quote it;
    /// [`Self::resolved`] writes what can be read again.
    pub fn to_toml(&self) -> String {
        write(&self.root, None)
    }

    /// Writes the document after overrides as a scenario that reads the same without them: words of arguments that
    /// the key table takes as text or exact decimals are quoted.
    pub fn resolved(&self, keys: &'static [Key]) -> String {
        write(&self.root, Some(&Level::new(keys)))
    }
}

impl Node {
    /// Writes the value on one line.
    pub(super) fn literal(&self) -> String {
        let mut out = String::new();
        write_value(&mut out, self, false);
        out
    }
}

fn write(root: &Node, level: Option<&Level>) -> String {
    let mut out = String::new();
    write_table(&mut out, "", root.entries().expect("the root is a table"), level);
    out
}

fn write_table(out: &mut String, path: &str, entries: &Entries, level: Option<&Level>) {
    let (tables, values): (Vec<_>, Vec<_>) =
        entries.iter().partition(|(_, node)| matches!(node.value, Value::Table(_)));
    if !path.is_empty() && (!values.is_empty() || tables.is_empty()) {
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "[{path}]");
    }
    for (key, node) in values {
        out.push_str(&quoted_key(key));
        out.push_str(" = ");
        let below = level.and_then(|level| level.child(key));
        match node.as_text().filter(|_| must_quote(node, below)) {
            Some(text) => out.push_str(&quoted(&text)),
            None => write_value(out, node, true),
        }
        out.push('\n');
    }
    for (key, node) in tables {
        let below = level.and_then(|level| level.child(key));
        write_table(out, &joined(path, key), node.entries().expect("partitioned as a table"), below);
    }
}

/// Tells whether a word of an argument would be refused in a file.
fn must_quote(node: &Node, level: Option<&Level>) -> bool {
    let Some(kind) = level.and_then(Level::kind) else { return false };
    node.loose
        && match kind {
            Kind::Text | Kind::Name | Kind::Choice(_) | Kind::OneOf(_) => true,
            Kind::Exact { .. } => matches!(node.value, Value::Float(..)),
            _ => false,
        }
}

pub(super) fn write_value(out: &mut String, node: &Node, top: bool) {
    match &node.value {
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::Integer(literal, _) | Value::Float(literal, _) => out.push_str(literal),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Datetime(value) => out.push_str(&value.to_string()),
        Value::Array(elements) => {
            // Rows of data stand one a line.
            let rows = top && elements.iter().any(|element| matches!(element.value, Value::Array(_)));
            let (open, between, close) = if rows { ("[\n  ", ",\n  ", ",\n]") } else { ("[", ", ", "]") };
            out.push_str(open);
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push_str(between);
                }
                write_value(out, element, false);
            }
            out.push_str(close);
        }
        Value::Table(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { " " });
                out.push_str(&quoted_key(key));
                out.push_str(" = ");
                write_value(out, value, false);
            }
            out.push_str(if entries.is_empty() { "}" } else { " }" });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scenario::sample::{KEYS, SOUND, document, drawn, read};

    #[test]
    fn the_order_is_fixed_and_numbers_keep_their_digits() {
        let text = "b.z = 1_000\nb.a = { y = [[1, 2.50], [\"x\", 2026-01-01]], x = {} }\na = 0x1F\n\"\" = [{ q = 1e3 }]\n";
        insta::assert_snapshot!("written", document(text, &["b.\"q r\"=\"tab\\tquote\\\"\""]).to_toml());
    }

    #[test]
    fn a_resolved_document_reads_as_the_overridden_one_did() {
        let arguments = [
            "venues.*.tick=0.010",
            "title=2026",
            "populations.retail.strategy=idle",
            "populations.makers.size=9",
        ];
        let overridden = document(SOUND, &arguments);
        assert_eq!(read(&overridden), []);
        let resolved = overridden.resolved(KEYS);
        insta::assert_snapshot!("resolved", resolved);
        assert_eq!(drawn(&resolved, &[]), "");
        assert_eq!(document(&resolved, &[]).resolved(KEYS), resolved);
        // Without the key table nobody knows that these digits are a decimal.
        assert!(drawn(&overridden.to_toml(), &[]).contains("binary float"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            "\\PC{0,8}|[\\x00-\\x7f]{0,8}".prop_map(Value::Text),
            any::<i64>().prop_map(|number| Value::Integer(number.to_string(), Some(number))),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| {
                let literal = format!("{number:?}");
                Value::Float(literal, number)
            }),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Datetime("2026-02-23T00:00:00.5+01:00".parse().unwrap())),
        ];
        scalar.prop_recursive(4, 40, 5, |inner| {
            let node = inner.prop_map(|value| {
                let source = crate::scenario::Source::Missing { start: 0, end: 0 };
                Node { key: source, source, loose: false, value }
            });
            let entries =
                prop::collection::btree_map("[a-z]{1,3}|\\PC{0,3}|[\\x00-\\x7f]{0,3}", node.clone(), 0..5);
            prop_oneof![
                prop::collection::vec(node, 0..5).prop_map(Value::Array),
                entries.prop_map(Value::Table),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_parses_back_to_the_same_tree(value in value()) {
            let mut before = document("", &[]);
            let source = before.root.source;
            let node = Node { key: source, source, loose: false, value };
            before.root.value = match node.value {
                Value::Table(entries) => Value::Table(entries),
                _ => Value::Table(Entries::from([("only".to_owned(), node)])),
            };
            let text = before.to_toml();
            let after = Document::parse("written.toml", text.as_bytes()).map_err(|rejection| TestCaseError::fail(rejection.to_string()))?;
            prop_assert_eq!(&after.root, &before.root, "{}", text);
            prop_assert_eq!(after.to_toml(), text);
        }
    }
}
