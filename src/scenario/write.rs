//! Tree to text: plain TOML 1.0 in one fixed order, which parses back to the same tree.

use std::fmt::Write as _;

use super::document::Document;
use super::keys::{Key, Kind, Level};
use super::node::{Entries, Node, Value, joined, quoted, quoted_key};
use super::problem::Source;

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
    let Some(kind) = level.and_then(|level| level.kind) else { return false };
    matches!(node.source, Source::Argument { .. })
        && match kind {
            Kind::Text | Kind::Name | Kind::Choice(_) | Kind::OneOf(_) => true,
            Kind::Exact { .. } => matches!(node.value, Value::Float(..)),
            _ => false,
        }
}

fn write_value(out: &mut String, node: &Node, top: bool) {
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
