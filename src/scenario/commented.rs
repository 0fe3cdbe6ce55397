//! A scenario written out for somebody who will change it: every key with what the key table says of it, and every default as a
//! line that needs only its `#` taken away.

use super::document::Document;
use super::keys::{Key, Kind, Level};
use super::node::{Entries, Node, Value, joined, quoted_key};
use super::write::write_value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The file that the first line of a new scenario names, as TOML editors look for it: beside the scenario.
pub const SCHEMA_FILE: &str = "firesale.schema.json";

/// Letters of a line of comment: what a split window shows.
const WIDTH: usize = 100;

/// Writes a document with the meaning, values, unit, default and reason of every key. What is said of a key is said once, where
/// it comes first; comments of the document's own are not in its tree and are left out.
pub fn commented(document: &Document, keys: &'static [Key]) -> String {
    let mut writer = Writer { out: String::new(), said: BTreeSet::new() };
    let entries = document.root.entries().expect("the root is a table");
    writer.table("", entries, &Level::new(keys));
    writer.out
}

struct Writer {
    out: String,
    /// Paths of the keys that were explained.
    said: BTreeSet<&'static str>,
}

impl Writer {
    /// Writes the entries of a table: first its values, then the tables below, in the order of the key table.
    fn table(&mut self, path: &str, entries: &Entries, level: &Level) {
        let known = level.in_order();
        // A choice may be a bare word, and then stands among the values.
        let word = |name| entries.get(name).is_some_and(|node: &Node| node.entries().is_none());
        let (tables, values): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|(name, below)| is_table(below) && !word(*name));
        for (name, below) in values {
            let key = below.key.expect("a value is declared");
            match (entries.get(name), key.default_node()) {
                (Some(node), _) => {
                    self.explain(key);
                    self.value("", name, node);
                }
                (None, Some(default)) if !self.said.contains(key.path) => {
                    self.explain(key);
                    self.value("#", name, &default);
                }
                (None, None) if !self.said.contains(key.path) => {
                    self.explain(key);
                    let _ = writeln!(self.out, "# `{}` is not stated here.", quoted_key(name));
                }
                (None, _) => {}
            }
        }
        for (name, below) in tables {
            let key = below.key.expect("a table is declared");
            let at = joined(path, name);
            match entries.get(name) {
                Some(node) => self.below(&at, node, below, key),
                None if key.path.contains('*') && self.said.contains(key.path) => {}
                None => {
                    self.blank();
                    self.explain(key);
                    let _ = writeln!(
                        self.out,
                        "# `firesale explain {}` says what may stand in it.",
                        shell_word(key.path)
                    );
                    let _ = writeln!(self.out, "#[{at}]");
                }
            }
        }
    }

    fn below(&mut self, at: &str, node: &Node, level: &Level, key: &'static Key) {
        match (&key.kind, &node.value) {
            (Kind::Tables, Value::Table(tables)) => {
                if let Some(each) = &level.any {
                    for (name, child) in tables {
                        self.header(&joined(at, name), child, each, key);
                    }
                }
            }
            (Kind::OneOf(_), Value::Table(choice)) => {
                for (word, child) in choice {
                    let empty = Level::default();
                    self.header(&joined(at, word), child, level.child(word).unwrap_or(&empty), key);
                }
            }
            _ => self.header(at, node, level, key),
        }
    }

    /// Writes a table under its header.
    fn header(&mut self, at: &str, node: &Node, level: &Level, key: &'static Key) {
        let entries = node.entries().expect("a checked document has a table where one is declared");
        self.blank();
        self.explain(key);
        let _ = writeln!(self.out, "[{at}]");
        self.table(at, entries, level);
    }

    fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn value(&mut self, mark: &str, name: &str, node: &Node) {
        let mut literal = String::new();
        write_value(&mut literal, node, true);
        let lines = format!("{} = {literal}", quoted_key(name));
        for line in lines.lines() {
            let _ = writeln!(self.out, "{mark}{line}");
        }
    }

    fn explain(&mut self, key: &'static Key) {
        if !self.said.insert(key.path) {
            return;
        }
        if !matches!(key.kind, Kind::Table | Kind::Tables) || !self.out.ends_with("\n\n") {
            self.blank();
        }
        self.comment(&sentence(key.meaning));
        let mut range = String::new();
        match key.kind {
            Kind::Table | Kind::Tables => {}
            _ => range = key.expected(),
        }
        if let Some(default) = key.default.filter(|default| !range.is_empty() && !default.is_empty()) {
            let _ = write!(range, "; default {default}");
        }
        for line in [range.as_str(), key.why] {
            if !line.is_empty() {
                self.comment(&sentence(line));
            }
        }
    }

    fn comment(&mut self, text: &str) {
        let mut line = "#".to_owned();
        for word in text.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(self.out, "{line}");
                "#".clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(self.out, "{line}");
    }
}

fn is_table(level: &Level) -> bool {
    matches!(level.kind(), Some(Kind::Table | Kind::Tables | Kind::OneOf(_)))
}

/// Begins with a capital and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = letters.as_str().trim_end_matches('.');
    first.into_iter().chain(rest.chars()).chain(['.']).collect()
}

/// A star would be the shell's.
fn shell_word(path: &str) -> String {
    if path.contains('*') { format!("'{path}'") } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::schema::KEYS;
    use crate::scenario::shipped::{SHIPPED, find};
    use crate::scenario::{check, completed};

    fn document(text: &str) -> Document {
        Document::parse("x.toml", text.as_bytes())
            .unwrap_or_else(|error| panic!("{}\n{text}", error.render(false)))
    }

    /// Defaults that the check refuses where they say nothing: of another style of liquidation, of a market that is not named.
    const SAY_NOTHING: [&str; 4] = ["step = ", "buffer = ", "pause = \"30s\"", "also_share = "];

    #[test]
    fn it_reads_as_the_document_did_with_and_without_its_defaults() {
        for shipped in SHIPPED {
            let before = document(shipped.text);
            let text = commented(&before, KEYS);
            let after = document(&text);
            assert!(check(&after, shipped.name).is_ok(), "{}", shipped.name);
            assert_eq!(after.to_toml(), before.to_toml(), "{}", shipped.name);
            // A table that is off unless it is there stays off; every default may be uncommented.
            let freed = text.lines().map(|line| match line.strip_prefix('#') {
                Some(code) if SAY_NOTHING.iter().any(|key| code.starts_with(key)) => line,
                Some(code) if !code.starts_with([' ', '[']) && !code.is_empty() => code,
                _ => line,
            });
            let freed = document(&freed.collect::<Vec<_>>().join("\n"));
            let problems = check(&freed, shipped.name).err().unwrap_or_default();
            assert_eq!(completed(&freed).resolved(KEYS), completed(&before).resolved(KEYS), "{problems:?}");
        }
    }

    #[test]
    fn every_key_of_the_tables_that_are_there_is_explained_once() {
        let text = commented(&document(find("long-squeeze").unwrap().text), KEYS);
        let prose: String = text
            .lines()
            .map(|line| line.strip_prefix("# ").map_or("\n".to_owned(), |line| format!("{line} ")))
            .collect();
        let there =
            ["markets.*.", "venues.*.", "populations.*.strategy.retail.", "shocks.*.event.meta_order."];
        let optional = [
            "markets.*.funding.",
            "markets.*.halt.",
            "markets.*.price_band.",
            "markets.*.margin.volatility.",
        ];
        let mut seen = 0;
        for key in KEYS {
            let name = key.path.rsplit('.').next().unwrap();
            let inside = there
                .iter()
                .any(|prefix| key.path.strip_prefix(prefix).is_some_and(|rest| !rest.contains('.')));
            if !inside || optional.iter().any(|prefix| key.path.starts_with(prefix)) {
                continue;
            }
            seen += 1;
            let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(prose.contains(&squeezed(&sentence(key.meaning))), "{name}: {}", key.meaning);
            let why = if key.why.is_empty() { String::new() } else { sentence(key.why) };
            assert!(prose.contains(&squeezed(&why)), "{name}: {}", key.why);
        }
        assert!(seen > 50, "{seen}");
        insta::assert_snapshot!("commented_head", text.lines().take(60).collect::<Vec<_>>().join("\n"));
    }
}
